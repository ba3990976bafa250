package consensus

import "sync/atomic"

// Stats counts what a process has done for consensus since Open.
type Stats struct {
	Proposals       uint64 // given to raft
	ProposalsFailed uint64 // that there was no room for
	Applied         uint64 // entries, whoever proposed them
	Leaderships     uint64 // that this process has begun
	Changes         uint64 // of who takes part, made by this process as the leader
	ChangesFailed   uint64
	Refused         uint64 // connections for no known purpose
	Complaints      uint64 // warnings and errors of raft's, logged or not
}

// counters are Stats that any goroutine may add to.
type counters struct {
	proposals, proposalsFailed, applied, leaderships atomic.Uint64
	changes, changesFailed, refused, complaints      atomic.Uint64
}

// Stats returns the counts. Any goroutine.
func (c *Consensus) Stats() Stats {
	n := &c.counters
	return Stats{
		Proposals: n.proposals.Load(), ProposalsFailed: n.proposalsFailed.Load(),
		Applied: n.applied.Load(), Leaderships: n.leaderships.Load(),
		Changes: n.changes.Load(), ChangesFailed: n.changesFailed.Load(),
		Refused: n.refused.Load(), Complaints: n.complaints.Load(),
	}
}
