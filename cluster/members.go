package cluster

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"hubsub/cluster/placement"
	"hubsub/cluster/port"
)

// greeting is what this process says of itself to whoever connects.
func (l *life) greeting() port.Greeting {
	l.mu.Lock()
	defer l.mu.Unlock()
	g := port.Greeting{
		Cluster: l.cluster, Generation: l.generation, Name: l.self.Name, ID: l.self.ID, Address: l.self.Cluster,
		Members: l.members(), Rooms: max(l.table.Rooms(), l.host.Rooms()), Table: l.table.Generation() > 0,
	}
	if l.leader != "" {
		g.Leader, g.LeaderAddress = l.leader, l.addressOf(l.leader)
	}
	return g
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

// standing returns the members and their states as this node knows them: from
// the table if it has one, or from the leader's roster. The caller holds mu.
func (l *life) standing() []placement.Standing {
	told := l.host.Roster()
	if l.table.Generation() > 0 {
		if l.table.RosterEpoch().Compare(told.Epoch) > 0 {
			return l.table.Roster().Members
		}
	}
	return told.Members
}

// addressOf returns where a member is, empty if nobody has said so. The caller
// holds mu.
func (l *life) addressOf(name placement.Name) string {
	if m, _, ok := l.table.Member(name); ok {
		return m.Cluster
	}
	return l.whereabouts.of(name)
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
		delete(l.dead, name)
		delete(l.unheard, name)
		delete(l.reports, name)
		l.parts.control.Forget(name)
	}
	serve := l.members()
	if serve < l.served {
		l.bereft = l.now()
	}
	l.served = serve
	if !l.admitted && l.member() {
		l.admitted = true
		l.log.Info("is a member of the cluster", "cluster", l.cluster, "node", l.self.Name)
	}
	since := l.now()
	if l.term > 0 {
		since -= newcomerTime
	}
	l.whereabouts.learn(addresses, since)
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

// seeds are addresses where the cluster may be found again: those of the
// operator, those of members, also of dead ones, which may be cut off only.
func (l *life) seeds() []string {
	addresses := resolve(append(slices.Clone(l.node.config.Join), l.contacts...))
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range l.standing() {
		addresses = append(addresses, s.Member.Cluster)
	}
	addresses = slices.DeleteFunc(addresses, func(a string) bool { return a == l.node.address })
	slices.Sort(addresses)
	return slices.Compact(addresses)
}

// contactDue returns how long after one round of greetings the next one is.
func (l *life) contactDue() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.bereft > 0 && l.now()-l.bereft < returnTime {
		return watchInterval
	}
	return contactInterval
}

// contact greets those that should be in the same cluster and are not, and who
// is taken for its leader. A greeting tells both sides whether there are two
// clusters. Who knows no leader greets all, to learn whether anybody can still
// know where rooms live.
func (l *life) contact() {
	l.mu.Lock()
	lost := l.leader == "" && l.table.Generation() == 0 && l.member()
	leader := l.addressOf(l.leader)
	l.mu.Unlock()
	var greeting sync.WaitGroup
	var known atomic.Bool
	for _, address := range l.seeds() {
		if !lost && address != leader && l.inTouch(address) {
			continue
		}
		greeting.Go(func() {
			ctx, cancel := context.WithTimeout(context.Background(), helloTimeMax)
			defer cancel()
			peer, err := l.node.port.Hello(ctx, address)
			if err == nil {
				l.met(peer)
				l.check(peer)
			}
			if l.mayKnow(address, peer, err) {
				known.Store(true)
			}
		})
	}
	greeting.Wait()
	l.mu.Lock()
	defer l.mu.Unlock()
	if !lost || known.Load() {
		l.losses = 0
		return
	}
	if l.losses++; l.losses >= lossesMax {
		l.log.Warn("no process is left that knows where rooms live: this node begins anew", "cluster", l.cluster)
		l.giveUp()
	}
}

// check follows nobody who says that it does not lead.
func (l *life) check(peer port.Greeting) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if peer.Name == l.leader && peer.Leader != peer.Name && l.term == 0 {
		l.follow("")
	}
}

// mayKnow reports whether a member at an address may know, now or later, where
// rooms live, or who leads.
func (l *life) mayKnow(address string, peer port.Greeting, err error) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	var wrong *port.Refused
	switch {
	case errors.Is(err, syscall.ECONNREFUSED), errors.As(err, &wrong):
		return false
	case err == nil:
		return peer.Cluster == l.cluster && (peer.Table || peer.Leader != "")
	}
	// Silent: it may come back, if it is one of the members.
	return slices.ContainsFunc(l.standing(), func(s placement.Standing) bool {
		return s.Member.Cluster == address && s.State.Serves() && !l.dead[s.Member.Name].proved
	})
}

// inTouch reports whether the gossip has a living member at an address.
func (l *life) inTouch(address string) bool {
	g := l.gossip()
	return g != nil && slices.ContainsFunc(g.Members(), func(m placement.Member) bool { return m.Cluster == address })
}

// met decides what follows when a process of another cluster greets. Who is
// still joining has nothing to say yet, but that its generation is over.
func (l *life) met(peer port.Greeting) {
	l.mu.Lock()
	joining := !l.member()
	l.mu.Unlock()
	mine := l.greeting()
	myID, _ := splitCluster(mine.Cluster)
	if id, _ := splitCluster(peer.Cluster); joining && (id != myID || peer.Leader == "") {
		return
	}
	switch meet(mine, peer) {
	case yields:
		l.log.Warn("leaves its cluster for another, which is right or in use", "cluster", mine.Cluster, "joins", peer.Cluster, "at", peer.Address)
		l.mu.Lock()
		l.giveUp(peer.Address)
		l.mu.Unlock()
	case conflict:
		l.mu.Lock()
		now := l.now()
		told := l.conflicted > 0 && now-l.conflicted < conflictInterval
		if !told {
			l.conflicted = now
		}
		l.mu.Unlock()
		if !told {
			l.log.Error("another cluster answers where this one looks for its members: two clusters that have rooms or members never become one; "+
				"end the processes of one of them and start them with --join", "cluster", mine.Cluster, "other", peer.Cluster, "at", peer.Address)
		}
	}
}

// death is what this node knows of another process that the roster does not. It
// is asked again and again, for it may have been silent only, or be back with
// all that its data directory holds.
type death struct {
	so     bool
	proved bool // it was gone, not only silent
}

// proved is called by control: a process is gone, or was replaced.
func (l *life) proved(name placement.Name) {
	l.mu.Lock()
	l.dies(name, true)
	l.mu.Unlock()
	l.wake()
}

// dies takes note of a death. The caller holds mu.
func (l *life) dies(name placement.Name, proved bool) {
	if l.isOver(name) {
		return // an answer that came later than the roster
	}
	l.dead[name] = death{true, proved || l.dead[name].proved}
	if l.leader == name {
		l.follow("")
	}
	l.decider.Die(l.now(), name)
}

// revive takes back what silence said of a process that is heard again. The
// caller holds mu.
func (l *life) revive(name placement.Name) {
	if d := l.dead[name]; d.so && !d.proved {
		delete(l.dead, name)
	}
}

// lost is called by the gossip: a member seems to be dead.
func (l *life) lost(name placement.Name) {
	l.mu.Lock()
	l.inquire(name)
	l.mu.Unlock()
}

// inquire asks a member itself whether it lives. The caller holds mu.
func (l *life) inquire(name placement.Name) {
	address := l.addressOf(name)
	if address == "" || l.asking[name] || l.closed {
		return
	}
	l.asking[name] = true
	l.running.Go(func() {
		ctx, cancel := context.WithTimeout(context.Background(), helloTimeMax)
		defer cancel()
		peer, err := l.node.port.Hello(ctx, address)
		l.mu.Lock()
		defer l.wake()
		defer l.mu.Unlock()
		delete(l.asking, name)
		gone := errors.Is(err, syscall.ECONNREFUSED) || err == nil && peer.Name != name && peer.Name != ""
		switch {
		case err == nil && peer.Name == name:
			delete(l.dead, name)
		case err != nil || gone:
			if !l.dead[name].so {
				l.log.Info("a node does not answer", "node", name, "error", err)
			}
			l.dies(name, gone)
		}
	})
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

// resolve looks up the names among addresses, so that one with several hosts
// counts as several; what cannot be looked up stays as it is.
func resolve(addresses []string) []string {
	var all []string
	for _, a := range addresses {
		if a = strings.TrimSpace(a); a != "" {
			all = append(all, lookup(a)...)
		}
	}
	return all
}

// known returns where living members are, for the next life. The caller holds
// mu.
func (l *life) known() (addresses []string) {
	for _, s := range l.standing() {
		if s.State.Serves() && s.Member.Name != l.self.Name && !l.dead[s.Member.Name].so {
			addresses = append(addresses, s.Member.Cluster)
		}
	}
	return addresses
}
