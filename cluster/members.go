package cluster

import (
	"slices"

	"hubsub/cluster/placement"
)

// standing returns the members and their states as this node knows them: from
// the table if it has one, or from the leader's roster. The caller holds mu.
func (l *life) standing() []placement.Standing {
	told := l.host.Roster()
	if l.table.Generation() > 0 && l.table.RosterEpoch().Compare(told.Epoch) > 0 {
		return l.table.Roster().Members
	}
	return told.Members
}

// members counts those that serve, as far as this node knows. The caller holds
// mu.
func (l *life) members() (n int) {
	for _, s := range l.standing() {
		if s.State.Serves() {
			n++
		}
	}
	return n
}

// member reports whether the cluster has this process as a member. The caller
// holds mu.
func (l *life) member() bool {
	return slices.ContainsFunc(l.standing(), func(s placement.Standing) bool { return s.Member.Name == l.self.Name && s.State.Serves() })
}

// isOver reports whether the roster has a process as dead or gone. The caller
// holds mu.
func (l *life) isOver(name placement.Name) bool {
	return slices.ContainsFunc(l.standing(), func(s placement.Standing) bool { return s.Member.Name == name && !s.State.Serves() })
}

// lives reports whether a process is a member, and alive as far as this node
// knows. The caller holds mu.
func (l *life) lives(name placement.Name) bool {
	if _, s, known := l.table.Member(name); !known || !s.Serves() || l.deaths.has(name) {
		return false
	}
	return name == l.self.Name || l.parts.gossip.Alive(name)
}

// addressOf returns where a member is, empty if nobody has said so. The caller
// holds mu.
func (l *life) addressOf(name placement.Name) string {
	if m, _, ok := l.table.Member(name); ok {
		return m.Cluster
	}
	return l.whereabouts.of(name)
}

// addressIn returns the address that a roster has of a member.
func addressIn(r placement.Roster, name placement.Name) string {
	for _, s := range r.Members {
		if s.Member.Name == name {
			return s.Member.Cluster
		}
	}
	return ""
}

// roster takes note of members that have come, died or gone. The caller holds
// mu.
func (l *life) roster() {
	addresses := map[placement.Name]string{l.self.Name: l.node.address}
	for _, s := range l.host.Roster().Members {
		name := s.Member.Name
		if s.State.Serves() {
			addresses[name] = s.Member.Cluster
			continue
		}
		l.deaths.bury(name)
		l.parts.control.Forget(name)
		l.parts.links.Forget(name)
	}
	l.lanes().members(l.host.Roster().Members, l.deaths.proved)
	l.loads.keep(func(name placement.Name) bool {
		return addresses[name] != "" || l.parts.gossip != nil && l.parts.gossip.Alive(name)
	})
	since := l.now()
	if l.led.here() {
		since -= newcomerTime
	}
	l.whereabouts.learn(addresses, since)
	l.reunion.count(l.now(), l.members())
	if !l.admitted && l.member() {
		l.admitted = true
		l.log.Info("is a member of the cluster", "cluster", l.cluster, "node", l.self.Name)
	}
}
