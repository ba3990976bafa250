package cluster

import (
	"cmp"
	"errors"
	"slices"

	"hubsub/cluster/placement"
)

// Why a node is not ready.
var (
	errSeeking = errors.New("this node has no cluster yet")
	errJoining = errors.New("this node is not yet a member of its cluster")
	errLeaving = errors.New("this node is about to end")
)

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

// nodes returns the members in the order of their names.
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
		name := s.Member.Name
		r := l.loads.of[name]
		all = append(all, NodeStatus{
			Member: s.Member, State: l.stateOf(s), Rooms: r.Rooms, Busy: r.Busy(), Report: r,
			Voter: voters[name], Leader: name == l.led.by, Self: name == l.self.Name,
		})
	}
	slices.SortFunc(all, func(a, b NodeStatus) int { return cmp.Compare(a.Name, b.Name) })
	return all
}

// stateOf returns the state of a member as this node tells it: of a death that is
// known here the others will hear soon. The caller holds mu.
func (l *life) stateOf(s placement.Standing) placement.State {
	if l.deaths.has(s.Member.Name) {
		return placement.Down
	}
	return s.State
}
