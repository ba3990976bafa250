package placement

import (
	"bytes"
	"time"
)

// ideal is a consensus without mistakes, but with all that raft may do to those
// who use it: a leader that was deposed does not know it for a while, what it
// proposed last may be committed or not, members apply late.
type ideal struct {
	world  *world
	leader *process // nil: none
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
	term  uint64
	id    uint64
	ops   []Op
	ended bool
}

const simGeneration = 7

// able reports whether a process can lead: it runs and reaches a majority, both
// ways.
func (r *ideal) able(p *process) bool {
	w := r.world
	if p == nil || !p.alive || p.paused > w.now {
		return false
	}
	reached := 0
	for _, other := range w.slots {
		if other.alive && other.paused <= w.now && w.reach(p.slot, other.slot) && w.reach(other.slot, p.slot) {
			reached++
		}
	}
	return 2*reached > len(w.slots)
}

// watch elects another leader when there has been none for a while.
func (r *ideal) watch() {
	w := r.world
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
	if r.term == 1 {
		r.append([]Op{{Kind: BeginGeneration, Generation: simGeneration, Cluster: "sim"}})
	}
	r.leader = next
	w.trace("%s leads, term %d", next.name, r.term)
	term := r.term
	if old != nil && old.alive {
		w.after(w.between(0, 3*time.Second), func() {
			old.awake(func() {
				if old.decider.term.Number < term {
					old.decider.Lose()
				}
			})
		})
	}
	r.catchUp(next, len(r.log)) // the barrier
	next.decider.Gain(w.now, Term{simGeneration, r.term})
	next.bring()
}

func (r *ideal) append(ops []Op) entry {
	w := r.world
	e := entry{index: uint64(len(r.log) + 1), ops: ops}
	e.outcomes = w.judge.commit(e)
	r.log = append(r.log, e)
	for _, p := range w.slots {
		r.deliver(p)
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
	snapshot := w.judge.table.Snapshot()
	w.after(w.between(0, 300*time.Millisecond), func() {
		p.awake(func() {
			if uint64(p.applied) >= snapshot.index {
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

// deliver lets a process apply what is committed, some time later.
func (r *ideal) deliver(p *process) {
	w, n := r.world, len(r.log)
	w.after(w.between(0, 300*time.Millisecond), func() { p.awake(func() { r.catchUp(p, n) }) })
}

func (r *ideal) catchUp(p *process, n int) {
	for ; p.applied < n; p.applied++ {
		e := r.log[p.applied]
		p.table.Apply(e.index, e.ops)
	}
}

func (r *ideal) propose(p *process, e Propose) {
	w := r.world
	f := &flight{from: p, term: p.decider.term.Number, id: e.ID, ops: e.Ops}
	if p == r.leader && f.term == r.term {
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
	case f.ended || !p.alive || p != r.leader || f.term != r.term:
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
		if p.decider.term.Number == f.term {
			r.catchUp(p, int(e.index))
			p.decider.Applied(w.now, f.id, e.outcomes)
		}
	})
}

// fail is an error that says the proposal is in nobody's log.
func (r *ideal) fail(f *flight) {
	if f.from.decider.term.Number == f.term {
		f.from.decider.Failed(f.id)
	}
}

func (r *ideal) verify(p *process, id uint64) {
	w, term := r.world, p.decider.term.Number
	w.after(w.between(time.Millisecond, 20*time.Millisecond), func() {
		if p.decider.term.Number != term {
			return
		}
		leads := p == r.leader && term == r.term && r.able(p)
		p.awake(func() {
			if p.decider.term.Number == term {
				p.decider.Verified(id, leads)
			}
		})
	})
}
