package consensus

import (
	"errors"
	"sync"
	"time"

	"github.com/hashicorp/raft"
)

// office is whether this process leads: what raft says of it, and what has been
// told to the node, which comes later.
type office struct {
	moved chan struct{} // something below has changed

	mu      sync.Mutex
	leads   bool   // as raft says
	turn    uint64 // grows with each change of that
	resting bool   // leadership is being transferred, so raft refuses proposals
	term    uint64 // as the node was told; 0: it does not lead
}

func (o *office) now() (leads bool, turn uint64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.leads && !o.resting, o.turn
}

// holds reports whether the node was told that it leads, and nothing has ended
// it since.
func (o *office) holds() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.term > 0 && o.leads && !o.resting
}

func (o *office) told(term uint64) {
	o.mu.Lock()
	o.term = term
	o.mu.Unlock()
}

// rest ends the node's office while another process is asked to lead; it begins
// again if that fails.
func (o *office) rest(resting bool) {
	o.mu.Lock()
	o.resting = resting
	if resting {
		o.turn++
	}
	o.mu.Unlock()
	wake(o.moved)
}

// hear takes what raft says, at once: raft does nothing else until then. Who
// leads sends heartbeats, and who does not waits for them.
func (s *server) hear() {
	for {
		select {
		case leads := <-s.notify:
			if leads {
				s.timeouts(leadingTimeout)
			} else {
				s.timeouts(heartbeatTimeout)
			}
			s.office.mu.Lock()
			s.office.leads = leads
			s.office.turn++
			s.office.mu.Unlock()
			wake(s.office.moved)
		case <-s.stop:
			return
		}
	}
}

// hold tells the node when it leads and when no more. It leads when its table
// holds all that was committed before: an entry of its own, the barrier, has been
// applied. The term is that of this very leadership if it is the same before and
// after, for a term has one leader, once.
func (s *server) hold() {
	var held uint64           // the turn of which the node knows; 0: it does not lead
	var refused time.Duration // for how long raft has believed that it transfers leadership
	end := func() {
		if held > 0 {
			held = 0
			s.office.told(0)
			s.queue.shut()
			s.config.Leadership(0)
		}
	}
	defer end()
	for {
		leads, turn := s.office.now()
		if turn != held {
			end()
		}
		if !leads || turn == held {
			select {
			case <-s.office.moved:
				continue
			case <-s.stop:
				return
			}
		}
		if refused > transferStuck {
			s.config.Log.Warn("raft does not come back from a transfer of leadership: it is started again")
			s.c.rebuild(s)
			refused = 0
		}
		term := s.raft.CurrentTerm()
		err := s.await(s.raft.Barrier(0))
		if still, now := s.office.now(); err != nil || !still || now != turn || s.raft.State() != raft.Leader || s.raft.CurrentTerm() != term {
			if refused += barrierRetry; !errors.Is(err, raft.ErrLeadershipTransferInProgress) {
				refused = 0
			}
			select {
			case <-time.After(barrierRetry):
				continue
			case <-s.stop:
				return
			}
		}
		held, refused = turn, 0
		s.office.told(term)
		s.queue.open()
		s.c.counters.leaderships.Add(1)
		s.config.Leadership(term)
	}
}

// wake makes whoever waits look again.
func wake(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
