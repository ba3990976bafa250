package cluster

import (
	"cmp"
	"context"
	"math/rand/v2"
	"slices"
	"time"

	"hubsub/cluster/consensus"
	"hubsub/cluster/placement"
)

// watch looks at what no event tells of.
func (l *life) watch() {
	l.mu.Lock()
	defer l.wake()
	defer l.mu.Unlock()
	if l.parts.consensus == nil || l.closed {
		return
	}
	for name := range l.dead {
		l.inquire(name)
	}
	l.usage.look(l.now(), l.node.config.InUse, l.host.Idle)
	if l.term > 0 {
		l.miss()
		l.parts.consensus.Balance(l.candidates())
		return
	}
	if l.leader == "" || !l.member() {
		l.findLeader()
	}
	if l.stranded() {
		l.log.Warn("the cluster that it was joining is not there: it begins anew", "cluster", l.cluster)
		l.giveUp()
	}
	l.mayTakeOver()
}

// stranded reports whether a newcomer waits for a cluster that has ended before
// it was let in. The caller holds mu.
func (l *life) stranded() bool {
	return !l.resumed && !l.member() && l.leader == "" && l.now()-l.entered >= joinPatience
}

// miss has the leader ask members that the gossip does not know, for long
// enough not to be new there. The caller holds mu.
func (l *life) miss() {
	now := l.now()
	for _, s := range l.standing() {
		name := s.Member.Name
		switch since, before := l.unheard[name]; {
		case !s.State.Serves() || name == l.self.Name || l.parts.gossip.Alive(name):
			delete(l.unheard, name)
		case !before:
			l.unheard[name] = now
		case now-since >= silentFor:
			l.inquire(name)
		}
	}
}

// findLeader learns who leads: from consensus if this node takes part in it,
// else from some member. The caller holds mu.
func (l *life) findLeader() {
	if name, address, _ := l.parts.consensus.Leader(); name != "" && name != l.self.Name && !l.dead[name].so {
		l.whereabouts.hear(l.now(), name, address)
		l.follow(name)
		return
	}
	var others []string
	for _, m := range l.parts.gossip.Members() {
		if m.Name != l.self.Name && !l.dead[m.Name].so {
			others = append(others, m.Cluster)
		}
	}
	if len(others) == 0 {
		others = l.contacts
	}
	if len(others) == 0 {
		return
	}
	address := others[rand.IntN(len(others))]
	l.running.Go(func() {
		ctx, cancel := context.WithTimeout(context.Background(), helloTimeMax)
		defer cancel()
		peer, err := l.node.port.Hello(ctx, address)
		if err != nil {
			return
		}
		l.met(peer)
		l.mu.Lock()
		defer l.wake()
		defer l.mu.Unlock()
		if (l.leader == "" || !l.member()) && l.term == 0 && !l.closed && peer.Cluster == l.cluster && peer.Leader != "" && peer.Leader != l.self.Name && !l.dead[peer.Leader].so {
			l.whereabouts.hear(l.now(), peer.Leader, peer.LeaderAddress)
			l.follow(peer.Leader)
		}
	})
}

// candidates describes the members to the keeper of the voters. The caller
// holds mu.
func (l *life) candidates() []consensus.Candidate {
	var all []consensus.Candidate
	for _, s := range l.standing() {
		alive := s.State.Serves() && l.lives(s.Member.Name)
		all = append(all, consensus.Candidate{
			Name: s.Member.Name, ID: s.Member.ID, Address: s.Member.Cluster, Zone: s.Member.Zone,
			Alive: alive, Reachable: alive, Since: bornAt(s.Member.Boot), Draining: s.State != placement.Up || s.Member.Name == l.self.Name && l.abdicates,
		})
	}
	return all
}

// bornAt returns when a process began, by its own clock; the zero time if that
// is ahead of this one's.
func bornAt(boot uint64) time.Time {
	if at := time.Unix(0, int64(boot)); at.Before(time.Now()) {
		return at
	}
	return time.Time{}
}

// mayTakeOver lets a standby go on when the only voter is dead. It has all that
// was agreed on, but perhaps for the last moment. Of two nodes the survivor does;
// of more the first of the standbys, if the voter is proved dead: that is a
// cluster that has just begun. Where there are three voters a majority goes on by
// itself, or the operator decides. The caller holds mu.
func (l *life) mayTakeOver() {
	voter, ok := l.onlyVoter()
	death := l.dead[voter]
	if !ok || !death.so || l.takingOver {
		return
	}
	ids := make(map[string]bool)
	for _, s := range l.table.Roster().Members {
		ids[s.Member.ID] = true
	}
	two := len(ids) <= 2
	if !death.proved && (!two || l.node.config.Strict) {
		return
	}
	l.takingOver = true
	l.running.Go(func() {
		defer func() {
			l.mu.Lock()
			l.takingOver = false
			l.mu.Unlock()
		}()
		if !two && !l.first() {
			return
		}
		l.log.Warn("the only voter is dead: this node goes on with what it knows", "dead", voter)
		l.mu.Lock()
		l.outlived = voter
		l.mu.Unlock()
		if err := l.takeOver(); err != nil {
			l.log.Error("cannot go on, trying again", "error", err)
		}
	})
}

// first reports whether all other living members say that they have no table, or
// have a later name: then none of them takes over.
func (l *life) first() bool {
	l.mu.Lock()
	var others []placement.Member
	for _, s := range l.standing() {
		if name := s.Member.Name; name != l.self.Name && s.State.Serves() && !l.dead[name].proved {
			others = append(others, s.Member)
		}
	}
	l.mu.Unlock()
	for _, m := range others {
		ctx, cancel := context.WithTimeout(context.Background(), helloTimeMax)
		peer, err := l.node.port.Hello(ctx, m.Cluster)
		cancel()
		if err != nil || peer.Name != m.Name || peer.Leader != "" || peer.Table && peer.Name < l.self.Name {
			return false
		}
	}
	return true
}

// onlyVoter returns the only voter, if that is another node and this one has
// all that it agreed on.
func (l *life) onlyVoter() (voter placement.Name, ok bool) {
	follows := false
	for _, s := range l.parts.consensus.Servers() {
		switch {
		case s.Voter && voter != "", s.Voter && s.Name == l.self.Name:
			return "", false
		case s.Voter:
			voter = s.Name
		case s.Name == l.self.Name:
			follows = true
		}
	}
	return voter, follows && voter != ""
}

// takeOver begins a new generation of the cluster, with this process as the
// only voter and all that its table holds. Who is of the old generation yields
// to it when they meet.
func (l *life) takeOver() error {
	l.mu.Lock()
	old := l.cluster
	id, generation := splitCluster(old)
	// The name first: nobody of the old generation shall take part in the new one.
	l.cluster = joinCluster(id, max(generation+1, uint32(time.Now().Unix())))
	_, l.generation = splitCluster(l.cluster)
	l.mu.Unlock()
	if err := l.parts.consensus.TakeOver(); err != nil {
		l.setCluster(old)
		return err
	}
	if err := remember(l.node.config.DataDir, l.self, l.cluster); err != nil {
		return err
	}
	return l.startGossip()
}

// Reports of load, for the gossip. Any goroutine.

func (l *life) report() placement.Report {
	r := l.node.config.Load()
	r.Node = l.self.Name
	r.Draining = l.node.leaving.Load()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.serial++
	r.Seq = l.serial
	r.Rooms = l.host.Rooms()
	l.last = r
	return r
}

func (l *life) heard(r placement.Report) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.reports[r.Node] = r
	l.decider.Load(l.now(), r)
}

func (l *life) leading() placement.Name {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.leader
}

// full reports whether this node takes no more rooms. The caller holds mu.
func (l *life) full() bool { return l.last.Busy() >= 1 || l.node.leaving.Load() }

// ready returns why this node cannot answer clients, nil if it can. Without a
// leader it still serves the rooms that there are.
func (l *life) ready() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.cluster == "" || l.closed:
		return errSeeking
	case !l.member():
		return errJoining
	}
	return nil
}

func (l *life) nodes() (all []NodeStatus) {
	l.mu.Lock()
	defer l.mu.Unlock()
	voters := make(map[placement.Name]bool)
	if l.parts.consensus != nil {
		for _, s := range l.parts.consensus.Servers() {
			voters[s.Name] = s.Voter
		}
	}
	for _, s := range l.standing() {
		r := l.reports[s.Member.Name]
		n := NodeStatus{Member: s.Member, State: s.State, Rooms: r.Rooms, Busy: r.Busy(), Report: r,
			Voter: voters[s.Member.Name], Leader: s.Member.Name == l.leader, Self: s.Member.Name == l.self.Name}
		if l.dead[n.Name].so {
			n.State = placement.Down // known here, and soon everywhere
		}
		all = append(all, n)
	}
	slices.SortFunc(all, func(a, b NodeStatus) int { return cmp.Compare(a.Name, b.Name) })
	return all
}
