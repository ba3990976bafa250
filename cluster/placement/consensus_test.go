package placement

import (
	"bytes"
	"time"
)

// ideal is the consensus of one generation, without mistakes, but with all that raft
// may do to those who use it: a leader that was deposed does not know it for a
// while, what it proposed last may be committed or not, members apply late.
type ideal struct {
	truth
	world      *world
	generation uint32
	before     *ideal // nil: this is the first
	founder    *process
	since      time.Duration

	leader *process // nil: none yet
	term   uint64
	log    []entry
	flying []*flight
	lostAt time.Duration // when the leader was last found unable to lead; 0: it is able
}

type entry struct {
	index    uint64
	ops      []Op
	outcomes []Outcome
}

// flight is a proposal on its way.
type flight struct {
	from  *process
	term  Term
	id    uint64
	ops   []Op
	ended bool
}

// simGeneration is the first.
const simGeneration = 7

func newIdeal(w *world, generation uint32) *ideal {
	return &ideal{truth: newTruth(), world: w, generation: generation}
}

// office is the term that is now.
func (r *ideal) office() Term { return Term{r.generation, r.term} }

// able reports whether a process can lead: it runs and reaches, both ways, a
// majority of those of its generation; of two it needs nobody, for one alone votes.
func (r *ideal) able(p *process) bool {
	w := r.world
	if p == nil || p.raft != r || !p.runs() {
		return false
	}
	all, reached := 0, 0
	for _, other := range w.slots {
		if other.raft != r {
			continue
		}
		all++
		if other.runs() && w.reach(p.slot, other.slot) && w.reach(other.slot, p.slot) {
			reached++
		}
	}
	return all <= 2 || 2*reached > all
}

// watch elects another leader when there has been none for a while, and has who lags
// behind hear what it lacks.
func (r *ideal) watch() {
	w := r.world
	for _, p := range w.slots {
		if p.raft == r && p.applied < len(r.log) && w.chance(0.05) {
			r.deliver(p)
		}
	}
	if r.able(r.leader) {
		r.lostAt = 0
		return
	}
	if r.lostAt == 0 {
		r.lostAt = w.now
	}
	if w.now-r.lostAt > time.Second && w.chance(0.05) {
		r.elect()
	}
}

// elect makes some process that can lead the leader.
func (r *ideal) elect() {
	w := r.world
	var able []*process
	for _, p := range w.slots {
		if r.able(p) {
			able = append(able, p)
		}
	}
	if len(able) == 0 {
		return
	}
	old := r.leader
	next := able[w.random.IntN(len(able))]
	r.term++
	w.clients.elected()
	r.lostAt = 0
	// What was on its way is in the new leader's log, or never will be.
	for _, f := range r.flying {
		if !f.ended && w.chance(0.5) {
			r.append(f.ops)
		}
		f.ended = true
	}
	r.flying = nil
	r.leads(next)
	term := r.office()
	if old != nil && old.alive {
		w.after(w.between(0, 3*time.Second), func() {
			old.awake(func() {
				if old.decider.term.Compare(term) < 0 {
					old.decider.Lose()
				}
			})
		})
	}
	next.bring()
}

// leads begins a term; the first of a generation is its founder's.
func (r *ideal) leads(p *process) {
	w := r.world
	if r.leader = p; r.table.Generation() < r.generation {
		r.append([]Op{
			{Kind: BeginGeneration, Generation: r.generation, Cluster: "sim"},
			{Kind: PutMember, Member: p.member()},
			{Kind: SetState, Member: p.member(), State: Up}, // the old one may have taken it for dead
		})
	}
	w.trace("%s leads, term %v", p.name, r.office())
	r.catchUp(p, len(r.log)) // the barrier
	p.decider.Gain(w.now, r.office())
}

func (r *ideal) append(ops []Op) entry {
	w := r.world
	e := entry{index: uint64(len(r.log) + 1), ops: ops}
	e.outcomes = w.judge.commit(r, e)
	r.log = append(r.log, e)
	for _, p := range w.slots {
		if p.raft == r {
			r.deliver(p)
		}
	}
	return e
}

// install sometimes gives a process that begins a snapshot, which is written when
// the table that it was taken of has gone on.
func (r *ideal) install(p *process) {
	w := r.world
	if len(r.log) == 0 || w.chance(0.5) {
		return
	}
	snapshot := r.table.Snapshot()
	w.after(w.between(0, w.lag), func() {
		p.awake(func() {
			if p.raft != r || uint64(p.applied) >= snapshot.index {
				return
			}
			var b bytes.Buffer
			if _, err := snapshot.WriteTo(&b); err != nil {
				w.fail("%v", err)
			}
			if err := p.table.Restore(&b); err != nil {
				w.fail("%v", err)
			}
			p.applied = int(snapshot.index)
		})
	})
}

// deliver lets a process apply what is committed, some time later, if the leader
// reaches it then.
func (r *ideal) deliver(p *process) {
	w, n := r.world, len(r.log)
	w.after(w.between(0, w.lag), func() {
		p.awake(func() {
			if p.raft == r && (r.leader == nil || w.reach(r.leader.slot, p.slot)) {
				r.catchUp(p, n)
			}
		})
	})
}

func (r *ideal) catchUp(p *process, n int) {
	for ; p.applied < n; p.applied++ {
		e := r.log[p.applied]
		p.table.Apply(e.index, e.ops)
	}
}

func (r *ideal) propose(p *process, e Propose) {
	w := r.world
	f := &flight{from: p, term: p.decider.term, id: e.ID, ops: e.Ops}
	if p == r.leader && f.term == r.office() {
		if !w.healed && w.chance(0.02) {
			w.after(w.between(0, 20*time.Millisecond), func() { p.awake(func() { r.fail(f) }) })
			return
		}
		r.flying = append(r.flying, f)
	}
	w.after(w.between(time.Millisecond, 30*time.Millisecond), func() { r.land(f) })
}

// land commits a proposal if its leader leads still and reaches a majority.
func (r *ideal) land(f *flight) {
	w, p := r.world, f.from
	switch {
	case f.ended || !p.alive || p != r.leader || f.term != r.office():
		return // the next leader decides, or has decided
	case !r.able(p):
		w.after(50*time.Millisecond, func() { r.land(f) })
		return
	}
	for _, earlier := range r.flying { // in their order
		if earlier == f {
			break
		}
		if !earlier.ended {
			r.land(earlier)
		}
	}
	f.ended = true
	e := r.append(f.ops)
	p.awake(func() {
		if p.decider.term == f.term {
			r.catchUp(p, int(e.index))
			p.decider.Applied(w.now, f.id, e.outcomes)
		}
	})
}

// fail is an error that says the proposal is in nobody's log.
func (r *ideal) fail(f *flight) {
	if f.from.decider.term == f.term {
		f.from.decider.Failed(f.id)
	}
}

func (r *ideal) verify(p *process, id uint64) {
	w, term := r.world, p.decider.term
	w.after(w.between(time.Millisecond, 20*time.Millisecond), func() {
		if p.decider.term != term {
			return
		}
		leads := p == r.leader && term == r.office() && r.able(p)
		p.awake(func() {
			if p.decider.term == term {
				p.decider.Verified(id, leads)
			}
		})
	})
}
