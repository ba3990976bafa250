package placement

import (
	"slices"
	"time"
)

// standing is what this node knows of its own place in the cluster.
type standing uint8

const (
	outside standing = iota // so far
	inside
	gone // for good
)

// Begin tells that this process has begun a generation of the cluster: what the
// earlier one says of it does not matter any more.
func (h *Host) Begin(generation uint32) {
	h.term, h.leader, h.reported = Term{Generation: generation}, "", 0
}

// Join begins to ask the leader to make this process a member, which is as busy
// as the report says. One that is resumed was a member under this name before it
// was restarted, and may be dead or gone to the others until they hear of it.
func (h *Host) Join(m Member, r Report, resumed bool) {
	h.member, h.load, h.resumed, h.asked = m, r, resumed, 0
}

// Leave begins to tell the leader that this process ends in order. Parted follows
// if the leader is in reach.
func (h *Host) Leave() {
	h.leaving, h.asked = true, 0
}

// learn takes the members as a leader knows them. That it may lead no more does
// not matter: what it tells was agreed on.
func (h *Host) learn(m Roster) {
	if m.Epoch.Compare(h.roster.Epoch) < 0 {
		h.outdated.Epochs++
	}
	if m.Epoch.Compare(h.roster.Epoch) <= 0 {
		return
	}
	h.roster = m
	h.effects.add(Members{})
	at := slices.IndexFunc(m.Members, func(s Standing) bool { return s.Member.Name == h.self })
	replaced := slices.ContainsFunc(m.Members, func(s Standing) bool { return s.Member.ID == h.member.ID && s.Member.Boot > h.member.Boot })
	switch {
	case replaced:
		h.depart()
	case at >= 0 && m.Members[at].State.Serves():
		h.standing = inside
	case at >= 0 && h.returning(): // they have not heard of it
	case at >= 0, h.standing == inside: // down or left; or forgotten since
		h.depart()
	}
}

// depart tells the node that it is no member any more.
func (h *Host) depart() {
	h.standing = gone
	if h.leaving {
		h.effects.add(Parted{})
	} else {
		h.effects.add(Rejoin{})
	}
}

// returning reports whether the others may take this process for dead yet: it
// must not be heard as one that they have given up.
func (h *Host) returning() bool { return h.resumed && h.standing == outside }

// wants returns what this node has to say about its own place, nil if nothing.
func (h *Host) wants() Message {
	switch {
	case h.leaving && h.standing == inside:
		return Leave{}
	case !h.leaving && h.standing == outside && h.member.Name != "":
		return Join{h.member, h.load, h.resumed}
	default:
		return nil
	}
}

// askDue returns when to tell it what this node wants to be.
func (h *Host) askDue() time.Duration {
	if h.asked == 0 {
		return 0
	}
	return h.asked + joinRetry
}
