package cluster

import (
	"math/rand/v2"

	"hubsub/cluster/placement"
	"hubsub/cluster/port"
)

// This file is who leads the cluster: this process, when consensus says so, or
// somebody of whom it has heard. The leader is known from four sides, none of
// which is always there: consensus, a roster, a greeting, and one who was asked
// and refuses.

// leadership is who leads, as far as this node knows. The guard is life.mu.
type leadership struct {
	by    placement.Name // empty: nobody is known to
	term  uint64         // of consensus, in which this process leads; 0: it does not
	heard placement.Term // the latest of which a roster has told
}

// here reports whether consensus has this process lead. Until its decider has
// begun the term it is not the one that the node follows.
func (w *leadership) here() bool { return w.term > 0 }

// founding is the proposal that begins a generation. The decider's own count
// from one.
const founding = 1 << 63

// leadership is called by consensus when this process leads, or does no more,
// perhaps before it is there to be spoken to.
func (l *life) leadership(term uint64) {
	<-l.opened
	l.mu.Lock()
	defer l.wake()
	defer l.mu.Unlock()
	l.decider.Lose()
	l.led.term = term
	switch {
	case term == 0:
		l.log.Info("leads the cluster no more")
		if l.led.by == l.self.Name {
			l.follow("")
		}
	case l.table.Generation() < l.generation:
		l.found()
	default:
		l.gain()
	}
}

// found proposes what every other entry is later than. The caller holds mu.
func (l *life) found() {
	id, _ := splitCluster(l.cluster)
	l.parts.consensus.Propose(founding, []placement.Op{
		{Kind: placement.BeginGeneration, Generation: l.generation, Cluster: id},
		{Kind: placement.PutMember, Member: l.self},
		{Kind: placement.SetState, Member: l.self, State: placement.Up}, // whatever the one before said of it
	})
}

// gain has the decider begin its term. The caller holds mu.
func (l *life) gain() {
	if !l.led.here() {
		return
	}
	now := l.now()
	l.log.Info("leads the cluster", "term", l.led.term, "members", l.members(), "rooms", l.table.Rooms())
	l.decider.Gain(now, placement.Term{Generation: l.table.Generation(), Number: l.led.term})
	l.decider.Load(now, l.loads.own)
	for name := range l.deaths.known { // what the last leader did not live to hear, and may be over
		l.deaths.refute(name)
		l.inquire(name)
	}
	clear(l.deaths.missed)
	if outlived := l.succession.outlived; outlived != "" { // the reason for this generation
		l.decider.Die(now, outlived)
		l.succession.outlived = ""
	}
	l.follow(l.self.Name)
}

// applied is called by consensus, with mu held, right after an entry of this
// process has changed the table.
func (l *life) applied(proposal uint64, outcomes []placement.Outcome) {
	if proposal == founding {
		l.gain()
	} else {
		l.decider.Applied(l.now(), proposal, outcomes)
	}
	l.wake()
}

// failed is called by consensus when a proposal will never be applied, although
// this process leads.
func (l *life) failed(proposal uint64) {
	l.mu.Lock()
	if proposal == founding {
		l.found()
	} else {
		l.decider.Failed(proposal)
	}
	l.mu.Unlock()
	l.wake()
}

// follow takes note of who leads; empty: nobody. The caller holds mu.
func (l *life) follow(leader placement.Name) {
	if l.led.by == leader {
		return
	}
	l.led.by = leader
	l.host.Leader(leader)
	l.front.Leader(l.now(), leader)
	if leader != "" && leader != l.self.Name {
		l.parts.control.Watch(leader, l.addressOf(leader))
	}
}

// followAt follows one who is said to be at an address, in the roster or not. The
// caller holds mu.
func (l *life) followAt(leader placement.Name, address string) {
	l.whereabouts.hear(l.now(), leader, address)
	l.follow(leader)
}

// obey follows whoever sends a roster of this term or a later one. Without an
// address in it the sender is no member, and leads nobody. The caller holds mu.
func (l *life) obey(from placement.Name, r placement.Roster) {
	address := addressIn(r, from)
	if address != "" && r.Term.Compare(l.led.heard) >= 0 && !l.led.here() {
		l.led.heard = r.Term
		l.followAt(from, address)
	}
}

// deposed follows nobody who refuses a question because it does not lead. The
// caller holds mu.
func (l *life) deposed(from placement.Name, why placement.Refusal) {
	if why == placement.NotLeader && from == l.led.by && from != l.self.Name {
		l.follow("")
	}
}

// check follows nobody who greets as one that does not lead.
func (l *life) check(peer port.Greeting) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if peer.Name == l.led.by && peer.Leader != peer.Name && !l.led.here() {
		l.follow("")
	}
}

// findLeader learns who leads: from consensus if this node takes part in it,
// else from some member. The caller holds mu.
func (l *life) findLeader() {
	if name, address, _ := l.parts.consensus.Leader(); l.mayLead(name) {
		l.followAt(name, address)
		return
	}
	var others []string
	for _, m := range l.parts.gossip.Members() {
		if m.Name != l.self.Name && !l.deaths.has(m.Name) {
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
		peer, err := l.greet(address)
		if err != nil {
			return
		}
		l.met(peer)
		l.mu.Lock()
		defer l.wake()
		defer l.mu.Unlock()
		if l.leaderless() && !l.led.here() && !l.closed && peer.Cluster == l.cluster && l.mayLead(peer.Leader) {
			l.followAt(peer.Leader, peer.LeaderAddress)
		}
	})
}

// leaderless reports whether this node has to look for a leader. One that is no
// member yet looks even if it knows one, who does not answer it perhaps. The
// caller holds mu.
func (l *life) leaderless() bool { return l.led.by == "" || !l.member() }

// mayLead reports whether there is anything in the word that somebody leads. The
// caller holds mu.
func (l *life) mayLead(name placement.Name) bool {
	return name != "" && name != l.self.Name && !l.deaths.has(name)
}

// leading returns who leads, for the gossip.
func (l *life) leading() placement.Name {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.led.by
}
