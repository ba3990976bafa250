package consensus

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/hashicorp/raft"

	"hubsub/cluster/placement"
)

// keeper carries out what council decides.
type keeper struct {
	told chan struct{} // members are new

	mu      sync.Mutex
	members []Candidate
	since   map[placement.Name]time.Time // first told alive
}

func (k *keeper) init() {
	k.told = make(chan struct{}, 1)
	k.since = make(map[placement.Name]time.Time)
}

// tell takes the members as they are now.
func (k *keeper) tell(members []Candidate) {
	k.mu.Lock()
	defer k.mu.Unlock()
	now, since := time.Now(), make(map[placement.Name]time.Time)
	k.members = slices.Clone(members)
	for i := range k.members {
		m := &k.members[i]
		if !m.Alive {
			continue
		}
		first, ok := k.since[m.Name]
		if !ok {
			first = now
		}
		if m.Since.IsZero() {
			m.Since = first
		}
		since[m.Name] = first
	}
	k.since = since
}

func (k *keeper) latest() []Candidate {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.Clone(k.members)
}

// Balance tells the leader about all members that the cluster has not forgotten,
// so that it chooses voters and standbys among those alive. It is to be called
// when something about them has changed, and every two seconds. It does not
// wait.
func (c *Consensus) Balance(members []Candidate) {
	if s := c.running(); s != nil {
		s.keeper.tell(members)
		wake(s.keeper.told)
	}
}

// keep changes the configuration, one change at a time, until there is none to
// make. A change that is committed is followed by the next one at once, so that
// two voters are two for a moment only.
func (s *server) keep() {
	for {
		select {
		case <-s.keeper.told:
		case <-s.stop:
			return
		}
		examined := make(map[placement.Name]error)
		for range changesMax {
			if !s.office.holds() {
				break
			}
			step := s.decide(examined)
			if step.kind == rest {
				break
			}
			if err := s.carryOut(step); err != nil {
				s.c.counters.changesFailed.Add(1)
				s.config.Log.Warn("consensus cannot change who takes part", "change", step.kind, "name", step.name, "error", err)
				break
			}
			if step.kind == add {
				delete(examined, step.name) // for what comes next it needs more
			}
			s.c.counters.changes.Add(1)
			s.config.Log.Info("consensus has changed who takes part", "change", step.kind, "name", step.name)
		}
	}
}

// decide returns the next change. Everybody on whom it relies is asked first,
// once for one call of Balance, how far it is; to reach it takes a dial to where
// it says that it is.
func (s *server) decide(examined map[placement.Name]error) change {
	members := s.keeper.latest()
	for {
		var unexamined []Candidate
		council := council{self: s.config.Self, servers: s.servers(), members: members, fit: func(m Candidate) bool {
			err, ok := examined[m.Name]
			if !ok && !slices.ContainsFunc(unexamined, func(u Candidate) bool { return u.Name == m.Name }) {
				unexamined = append(unexamined, m)
			}
			return err == nil
		}}
		step := council.next()
		switch {
		case step.kind == rest, len(unexamined) == 0:
			return step
		case step.kind == add: // of many candidates that one only
			unexamined = slices.DeleteFunc(unexamined, func(m Candidate) bool { return m.Name != step.name })
			if len(unexamined) == 0 {
				return step
			}
		}
		s.examine(unexamined, council.servers, examined)
	}
}

var (
	errBehind = errors.New("it lacks too many entries")
	errYoung  = errors.New("it is alive for too short a time")
)

// examine asks processes, all at once, for what speaks against them.
func (s *server) examine(members []Candidate, servers []Server, examined map[placement.Name]error) {
	committed := s.raft.CommitIndex()
	found := make([]error, len(members))
	var asked sync.WaitGroup
	for i, m := range members {
		takesPart := slices.ContainsFunc(servers, func(one Server) bool { return one.Name == m.Name })
		asked.Go(func() {
			ctx, cancel := context.WithTimeout(s.layer.ctx, inquiryTimeout)
			defer cancel()
			at, err := inquire(ctx, s.config.Port, m.Address, m.Name)
			switch {
			case err != nil:
				found[i] = err
			case takesPart && time.Since(m.Since) < settledAfter:
				found[i] = errYoung
			case takesPart && at.Applied+caughtUpWithin < committed:
				found[i] = errBehind
			}
		})
	}
	asked.Wait()
	for i, m := range members {
		examined[m.Name] = found[i]
		if err := found[i]; err != nil {
			s.config.Log.Debug("consensus does not choose a process", "name", m.Name, "why", err)
		}
	}
}

// carryOut makes one change and waits until it is committed.
func (s *server) carryOut(step change) error {
	id, address := raft.ServerID(step.name), addressOf(step.address, step.name)
	switch step.kind {
	case add:
		return s.await(s.raft.AddNonvoter(id, address, 0, rpcTimeout))
	case promote:
		return s.await(s.raft.AddVoter(id, address, 0, rpcTimeout))
	case demote:
		return s.await(s.raft.DemoteVoter(id, 0, rpcTimeout))
	case remove:
		return s.await(s.raft.RemoveServer(id, 0, rpcTimeout))
	default:
		return s.transfer(step.name, step.address)
	}
}

// Transfer has another voter lead, if this process does.
func (c *Consensus) Transfer() error {
	s := c.running()
	switch {
	case s == nil:
		return errClosed
	case !s.office.holds():
		return errNotLeader
	}
	members := s.keeper.latest()
	var heirs []Server
	for _, one := range s.servers() {
		dead := slices.ContainsFunc(members, func(m Candidate) bool { return m.Name == one.Name && !m.Alive })
		if one.Voter && one.Name != c.config.Self && !dead {
			heirs = append(heirs, one)
		}
	}
	err := errAlone
	for _, heir := range heirs { // one may lack something, or be away
		if err = s.transfer(heir.Name, heir.Address); err == nil {
			return nil
		}
	}
	return err
}

// transfer has a voter lead. Meanwhile the node does not: raft refuses all
// proposals, and it takes a moment longer to take some again than it says.
func (s *server) transfer(name placement.Name, address string) error {
	s.office.rest(true)
	defer s.office.rest(false)
	return s.await(s.raft.LeadershipTransferToServer(raft.ServerID(name), addressOf(address, name)))
}
