package placement

import (
	"maps"
	"slices"
	"time"
)

// truth is what one generation of the cluster has agreed on, as of its log's end.
type truth struct {
	table   *Table
	deletes map[string]int    // of each room
	had     map[string]bool   // rooms that there were since the generation began
	boots   map[string]uint64 // the highest of each node
}

func newTruth() truth {
	return truth{NewTable(), make(map[string]int), make(map[string]bool), make(map[string]uint64)}
}

// apply takes an entry.
func (t *truth) apply(e entry) []Outcome {
	outcomes := t.table.Apply(e.index, e.ops)
	for i, op := range e.ops {
		switch {
		case outcomes[i] != Done:
		case op.Kind == DeleteRoom:
			t.deletes[op.Room]++
		case op.Kind == PutRoom:
			t.had[op.Room] = true
		case op.Kind == BeginGeneration:
			clear(t.had)
			for shard := range shardCount {
				t.table.EachIn(shard, func(room string, _ Placement) { t.had[room] = true })
			}
		case op.Kind == PutMember:
			t.boots[op.Member.ID] = op.Member.Boot
		}
	}
	return outcomes
}

// latest returns the last generation that was begun.
func (w *world) latest() *ideal { return w.generations[len(w.generations)-1] }

// mayTakeOver reports whether a process may begin a new generation: it has a table,
// and does not reach who leads, be that dead, hung or only cut off.
func (w *world) mayTakeOver(p *process) bool {
	leader := p.raft.leader
	return p.runs() && leader != nil && leader != p && p.table.Generation() > 0 &&
		!(leader.runs() && w.reach(p.slot, leader.slot) && w.reach(leader.slot, p.slot))
}

// takeOver has a process begin a new generation, with what it has of the log and
// itself as the only voter. The others of the old one go on until they meet it.
func (w *world) takeOver(p *process) {
	old := p.raft
	r := newIdeal(w, w.latest().generation+1)
	r.founder, r.since, r.before = p, w.now, old
	if w.chance(0.3) { // what it has stored, and did not know to be agreed on
		old.catchUp(p, p.applied+w.random.IntN(len(old.log)-p.applied+1))
	}
	r.log = slices.Clone(old.log[:p.applied])
	for _, e := range r.log {
		r.truth.apply(e)
	}
	w.generations = append(w.generations, r)
	w.trace("%s begins generation %d with %d entries of %d", p.name, r.generation, p.applied, len(old.log))
	w.clients.elected()
	p.decider.Lose()
	p.raft = r
	p.host.Begin(r.generation)
	r.leads(p)
	p.decider.Die(w.now, old.leader.name)
	p.follow(p.name)
	p.bring()
	if !r.table.Serves(p.name) {
		w.fail("%s has begun a generation and is no member of it", p.name)
	}
	w.judge.inherits(p)
}

// keeps reports whether a process that has begun a generation has connections yet to
// one of the generation before.
func (p *process) keeps(other *process) bool {
	return p.raft.founder == p && p.raft.before == other.raft && other.since < p.raft.since && other.host.term.Generation > 0
}

// home returns the generation that a new process of a node joins: the last of those
// that it can reach, or else that live at all.
func (w *world) home(slot int) *ideal {
	var far, near *ideal
	for _, p := range w.slots {
		if p == nil || !p.alive || p.slot == slot {
			continue
		}
		if far == nil || p.raft.generation > far.generation {
			far = p.raft
		}
		if w.reach(slot, p.slot) && w.reach(p.slot, slot) && (near == nil || p.raft.generation > near.generation) {
			near = p.raft
		}
	}
	switch {
	case near != nil:
		return near
	case far != nil:
		return far
	default:
		return w.latest()
	}
}

// greet has a process yield to a later generation that it meets.
func (w *world) greet(p *process) {
	for _, other := range w.slots {
		if other.runs() && other.raft.generation > p.raft.generation && w.reach(p.slot, other.slot) && w.reach(other.slot, p.slot) && w.chance(0.05) {
			w.trace("%s yields to generation %d", p.name, other.raft.generation)
			p.giveUp()
			return
		}
	}
}

// inherits expects that a new generation has in a while the rooms that who began
// it hosts, whatever its table lacks.
func (j *judge) inherits(p *process) {
	w, r := j.world, p.raft
	for _, room := range slices.Sorted(maps.Keys(p.host.rooms)) {
		if _, exists := r.table.Room(room); exists || p.host.rooms[room].closing {
			continue
		}
		w.after(max(simFaults-w.now, 0)+25*time.Second, func() {
			former := p.dropped[room].Generation < r.generation && !p.dropped[room].IsZero() // by the old leader
			if p.alive && p.raft == r && !r.had[room] && !former {
				w.fail("%s began a generation that has lost its room %s", p.name, room)
			}
		})
	}
}
