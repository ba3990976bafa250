package cluster

import (
	"context"
	"slices"
	"time"

	"hubsub/cluster/placement"
)

// leave ends this process's part in the cluster in order: the others must be
// able to agree without it, another must lead, and all shall know.
func (l *life) leave(ctx context.Context) {
	l.mu.Lock()
	g := l.parts.gossip
	l.mu.Unlock()
	if g == nil {
		return
	}
	defer g.Leave(leaveInterval)
	look := time.NewTicker(leaveInterval)
	defer look.Stop()
	for l.needed() {
		select {
		case <-ctx.Done():
			l.log.Warn("ends although the other nodes cannot agree without it yet: until a majority of the voters is back there are no new rooms")
			return
		case <-l.over: // the others have nothing to wait for
			return
		case <-look.C:
		}
	}
	l.mu.Lock()
	l.host.Leave()
	alone := l.members() <= 1
	l.mu.Unlock()
	l.wake()
	if alone {
		return
	}
	select {
	case <-l.parted:
	case <-l.over:
	case <-ctx.Done():
		l.log.Warn("the others do not know yet that this node ends")
	}
}

// needed reports whether the others could not agree on anything if this process
// ended now, or would have to elect a leader first. It has consensus change
// that, as far as it leads.
func (l *life) needed() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.parts.consensus == nil || l.members() <= 1 {
		return false
	}
	voters, others, votes := l.voters(l.self.Name)
	if !votes {
		return false
	}
	// Alone it hands over at once, else when a majority is there without it: the
	// leader replaces the dead first, if there is anybody to do it with.
	l.abdicates = voters == 1 || others > voters/2 || !l.hopeful()
	if l.term > 0 {
		l.parts.consensus.Balance(l.candidates())
		return true
	}
	return !l.abdicates
}

// hopeful reports whether a member lives that does not vote yet, and could. The
// caller holds mu.
func (l *life) hopeful() bool {
	votes := make(map[placement.Name]bool)
	for _, s := range l.parts.consensus.Servers() {
		votes[s.Name] = s.Voter
	}
	return slices.ContainsFunc(l.standing(), func(s placement.Standing) bool {
		name := s.Member.Name
		return s.State.Serves() && !votes[name] && l.lives(name) && !l.reports[name].Draining
	})
}

// voters counts those of consensus, and how many of them live besides one, which
// may vote or not. The caller holds mu.
func (l *life) voters(besides placement.Name) (all, others int, votes bool) {
	for _, s := range l.parts.consensus.Servers() {
		switch {
		case !s.Voter:
			continue
		case s.Name == besides:
			votes = true
		case l.lives(s.Name):
			others++
		}
		all++
	}
	return all, others, votes
}

// lives reports whether a process is a member, and alive as far as this node
// knows. The caller holds mu.
func (l *life) lives(name placement.Name) bool {
	if _, s, known := l.table.Member(name); !known || !s.Serves() || l.dead[name].so {
		return false
	}
	return name == l.self.Name || l.parts.gossip.Alive(name)
}
