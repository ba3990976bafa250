package cluster

import (
	"errors"

	"hubsub/cluster/placement"
)

// This file is how a generation of the cluster follows another that cannot go on:
// because its only voter is dead, or because the operator says so (recover.go).

// succession is that this process takes over. The guard is life.mu.
type succession struct {
	underWay bool
	outlived placement.Name // the voter because of whose death; empty: not, or its decider has it
}

// heir says whether a standby goes on when the only voter seems to be dead. It has
// all that was agreed on, but perhaps for the last moment. Of two nodes the
// survivor does; of more the first of the standbys, if the death is proved: that
// is a cluster that has just begun. Where there are three voters a majority goes
// on by itself, or the operator decides. One who rather stops than goes on apart
// needs the proof always.
func heir(nodes int, proved, strict bool) (goesOn, ifFirst bool) {
	two := nodes <= 2
	return proved || two && !strict, !two
}

// mayTakeOver takes over, if that is this node's to do. The caller holds mu.
func (l *life) mayTakeOver() {
	voter, ok := l.onlyVoter()
	if !ok || !l.deaths.has(voter) || l.succession.underWay {
		return
	}
	goesOn, ifFirst := heir(l.nodesKnown(), l.deaths.proved(voter), l.node.config.Strict)
	if !goesOn {
		return
	}
	l.succession.underWay = true
	l.running.Go(func() {
		defer l.endTakeOver()
		if ifFirst && !(l.first() && l.stillDead(voter)) {
			return
		}
		l.log.Warn("the only voter is dead: this node goes on with what it knows", "dead", voter)
		if err := l.takeOver(voter); err != nil {
			l.log.Error("cannot go on, trying again", "error", err)
		}
	})
}

// recover takes over because the operator says so, unless that is under way.
func (l *life) recover() error {
	l.mu.Lock()
	switch {
	case l.closed:
		l.mu.Unlock()
		return errSeeking
	case l.succession.underWay:
		l.mu.Unlock()
		return errors.New("this node is taking over already")
	}
	l.succession.underWay = true
	l.running.Add(1) // close waits for what it would have to end
	l.mu.Unlock()
	defer l.running.Done()
	defer l.endTakeOver()
	return l.takeOver("")
}

func (l *life) endTakeOver() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.succession.underWay = false
}

// takeOver begins a new generation of the cluster, with this process as the
// only voter and all that its table holds, because another one is dead, if it
// is named. Who is of the old generation yields to it when they meet.
func (l *life) takeOver(outlived placement.Name) error {
	l.mu.Lock()
	old, oldGeneration := l.cluster, l.generation
	// The name first: nobody of the old generation shall take part in the new one.
	later := laterCluster(old)
	l.cluster = later
	_, l.generation = splitCluster(later)
	l.succession.outlived = outlived
	l.mu.Unlock()
	if err := l.parts.consensus.TakeOver(); err != nil {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.cluster, l.generation = old, oldGeneration
		l.succession.outlived = "" // who may be back when this process leads another time
		return err
	}
	l.mu.Lock()
	l.host.Begin(l.generation) // the old leader's word, over a connection of before, is none any more
	l.host.Leader(l.led.by)
	l.mu.Unlock()
	// It is done: who comes must find this generation's gossip, whatever the disk says.
	return errors.Join(remember(l.node.config.DataDir, l.record(later)), l.startGossip())
}

// nodesKnown counts nodes, not processes: one that was restarted is not two. The
// caller holds mu.
func (l *life) nodesKnown() int {
	ids := make(map[string]bool)
	for _, s := range l.table.Roster().Members {
		ids[s.Member.ID] = true
	}
	return len(ids)
}

// stillDead reports whether a voter has not come back since it was found dead.
func (l *life) stillDead(voter placement.Name) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.deaths.has(voter)
}

// first reports whether all other living members say that they have no table, or
// have a later name: then none of them takes over.
func (l *life) first() bool {
	l.mu.Lock()
	var others []placement.Member
	for _, s := range l.standing() {
		if name := s.Member.Name; name != l.self.Name && s.State.Serves() && !l.deaths.proved(name) {
			others = append(others, s.Member)
		}
	}
	l.mu.Unlock()
	for _, m := range others {
		peer, err := l.greet(m.Cluster)
		if err != nil || peer.Name != m.Name || peer.Leader != "" || peer.Table && peer.Name < l.self.Name {
			return false
		}
	}
	return true
}

// onlyVoter returns the only voter, if that is another node and this one has
// all that it agreed on. The caller holds mu.
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
