package consensus

import (
	"sync"

	"hubsub/cluster/placement"
)

// queue holds proposals until raft takes them. It is open while the node knows
// that it leads.
type queue struct {
	failing chan struct{} // something has failed

	mu      sync.Mutex
	moved   *sync.Cond // something below has changed
	isOpen  bool
	ended   bool
	waiting []proposal
	flying  int      // that raft has, and has not applied
	failed  []uint64 // that the node has to be told of
}

type proposal struct {
	id  uint64
	ops []placement.Op
}

func (q *queue) init() {
	q.failing = make(chan struct{}, 1)
	q.moved = sync.NewCond(&q.mu)
}

func (q *queue) open() {
	q.mu.Lock()
	q.isOpen, q.flying = true, 0
	q.mu.Unlock()
	q.moved.Signal()
}

// shut drops what waits: its fate is unknown now, like that of what raft has.
func (q *queue) shut() {
	q.mu.Lock()
	q.isOpen, q.waiting, q.failed = false, nil, nil
	q.mu.Unlock()
}

func (q *queue) end() {
	q.shut()
	q.mu.Lock()
	q.ended = true
	q.mu.Unlock()
	q.moved.Signal()
}

func (q *queue) add(p proposal) {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case !q.isOpen: // Leadership has told, or is about to
	case len(q.waiting) == proposalsWaiting:
		q.failed = append(q.failed, p.id)
		wake(q.failing)
	default:
		q.waiting = append(q.waiting, p)
		q.moved.Signal()
	}
}

// next waits for a proposal; ok is false at the end.
func (q *queue) next() (p proposal, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for !q.ended && (len(q.waiting) == 0 || q.flying >= proposalsFlying) {
		q.moved.Wait()
	}
	if q.ended {
		return p, false
	}
	p = q.waiting[0]
	q.waiting = q.waiting[1:]
	q.flying++
	return p, true
}

// land takes note that a proposal was applied, perhaps one of an earlier
// leadership.
func (q *queue) land() {
	q.mu.Lock()
	q.flying = max(q.flying-1, 0)
	q.mu.Unlock()
	q.moved.Signal()
}

// Propose proposes an entry, if this process leads. Applied follows, or Failed,
// or Leadership(0). It does not wait, and may be called with the guard held.
func (c *Consensus) Propose(id uint64, ops []placement.Op) {
	if s := c.running(); s != nil {
		s.queue.add(proposal{id, ops})
	}
}

// propose gives raft one proposal after the other. It does not ask what becomes
// of them: who leads sees them applied, and who leads no more cannot know. Raft
// refuses some while it transfers leadership, and only then, which is why the
// office rests meanwhile.
func (s *server) propose() {
	for {
		p, ok := s.queue.next()
		if !ok {
			return
		}
		s.c.counters.proposals.Add(1)
		e := entry{s.config.Self, s.session, p.id, p.ops}
		s.raft.Apply(e.encode(), 0) // waits for raft to take it, or to end
	}
}

// fail tells of those for which there was no room.
func (s *server) fail() {
	for {
		select {
		case <-s.queue.failing:
		case <-s.stop:
			return
		}
		s.queue.mu.Lock()
		failed := s.queue.failed
		s.queue.failed = nil
		s.queue.mu.Unlock()
		s.c.counters.proposalsFailed.Add(uint64(len(failed)))
		for _, id := range failed {
			s.config.Failed(id)
		}
	}
}
