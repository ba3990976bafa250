package cluster

import (
	"slices"
	"time"

	"hubsub/cluster/consensus"
	"hubsub/cluster/placement"
)

// changed is called by consensus, with mu held, when the table has changed. What
// it says of this process may be older than what the leader has told it, so only
// the one who leads looks: whether other members shall vote now.
func (l *life) changed() {
	if now := l.table.RosterEpoch(); l.led.here() && now != l.balanced {
		l.balanced = now
		l.balance()
	}
}

// balance has consensus see to it that the right members vote. The caller holds
// mu.
func (l *life) balance() { l.parts.consensus.Balance(l.candidates()) }

// candidates describes the members to the keeper of the voters. The caller
// holds mu.
func (l *life) candidates() []consensus.Candidate {
	var all []consensus.Candidate
	for _, s := range l.standing() {
		alive := s.State.Serves() && l.lives(s.Member.Name)
		all = append(all, consensus.Candidate{
			Name: s.Member.Name, ID: s.Member.ID, Address: s.Member.Cluster, Zone: s.Member.Zone,
			Alive: alive, Reachable: alive, Since: bornAt(s.Member.Boot),
			Draining: s.State != placement.Up || s.Member.Name == l.self.Name && l.departure.abdicates,
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

// votes reports whether a process does. The caller holds mu.
func (l *life) votes(name placement.Name) bool {
	return slices.ContainsFunc(l.parts.consensus.Servers(), func(s consensus.Server) bool { return s.Voter && s.Name == name })
}

// spares reports whether the voters that remain can agree without a member, which
// wants to leave, or could not with more patience. The only voter hands over at
// once, others when a majority is there without them: the leader replaces the dead
// first, if there is anybody to do it with. The caller holds mu.
func (l *life) spares(name placement.Name) bool {
	voters, others := 0, 0 // that live
	for _, s := range l.parts.consensus.Servers() {
		switch {
		case !s.Voter:
			continue
		case s.Name != name && l.lives(s.Name):
			others++
		}
		voters++
	}
	return !l.votes(name) || voters == 1 || others > voters/2 || !l.hopeful()
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
		return s.State.Serves() && !votes[name] && l.lives(name) && !l.loads.of[name].Draining
	})
}
