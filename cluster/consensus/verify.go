package consensus

import "sync"

// ballot holds questions whether this process leads.
type ballot struct {
	asked chan struct{}

	mu      sync.Mutex
	waiting []func(leads bool)
}

// Verify asks a majority whether this process still leads. done is called later,
// without the guard, in another goroutine; not if Close or TakeOver comes
// between.
func (c *Consensus) Verify(done func(leads bool)) {
	s := c.running()
	if s == nil {
		return
	}
	s.ballot.mu.Lock()
	s.ballot.waiting = append(s.ballot.waiting, done)
	s.ballot.mu.Unlock()
	wake(s.ballot.asked)
}

// verify answers all questions that have come together by one round of
// heartbeats. A question that comes during a round waits for the next one: the
// answer must be younger than it.
func (s *server) verify() {
	for {
		select {
		case <-s.ballot.asked:
		case <-s.stop:
			return
		}
		s.ballot.mu.Lock()
		waiting := s.ballot.waiting
		s.ballot.waiting = nil
		s.ballot.mu.Unlock()
		leads := s.office.holds() && s.await(s.raft.VerifyLeader()) == nil && s.office.holds()
		for _, done := range waiting {
			done(leads)
		}
	}
}
