package cluster

import (
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"hubsub/cluster/placement"
	"hubsub/cluster/port"
)

// This file is how a node finds again what should be in its cluster and is not:
// members that were cut off, the seeds, somebody who knows where rooms live.

// reunion is what it goes by. The guard is life.mu.
type reunion struct {
	serving int           // members, as of the last roster
	bereft  time.Duration // when there were last fewer of them than before; 0: never
	losses  int           // rounds in a row that found nobody who knows the rooms or a leader
	tells   pace          // of clusters that both stay
}

// count takes how many members serve.
func (r *reunion) count(now time.Duration, serving int) {
	if serving < r.serving {
		r.bereft = now
	}
	r.serving = serving
}

// due returns how long after one round of greetings the next one is.
func (r *reunion) due(now time.Duration) time.Duration {
	if r.bereft > 0 && now-r.bereft < returnTime {
		return watchInterval
	}
	return contactInterval
}

// round takes whether a round has found nobody although this node needs somebody,
// and reports whether it is time to give up.
func (r *reunion) round(inVain bool) (hopeless bool) {
	if !inVain {
		r.losses = 0
		return false
	}
	r.losses++
	return r.losses >= lossesMax
}

// contactDue is reunion.due.
func (l *life) contactDue() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	due := l.reunion.due(l.now())
	if l.node.config.Strict {
		due = min(due, strictInterval)
	}
	return due
}

// contact greets those that should be in the same cluster and are not, and who
// is taken for its leader. A greeting tells both sides whether there are two
// clusters. Who knows no leader greets all, to learn whether anybody can still
// know where rooms live.
func (l *life) contact() {
	l.mu.Lock()
	astray := l.led.by == "" && l.table.Generation() == 0 && l.member()
	leader := l.addressOf(l.led.by)
	l.mu.Unlock()
	var greeting sync.WaitGroup
	var known atomic.Bool
	for _, address := range l.seeds() {
		if !astray && address != leader && l.inTouch(address) {
			continue
		}
		greeting.Go(func() {
			peer, err := l.greet(address)
			if err == nil {
				l.met(peer)
				l.check(peer)
				l.heardLeader(peer)
			}
			if l.mayKnow(address, peer, err) {
				known.Store(true)
			}
		})
	}
	greeting.Wait()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.reunion.round(astray && !known.Load()) {
		l.log.Warn("no process is left that knows where rooms live: this node begins anew", "cluster", l.cluster)
		l.giveUp(false)
	}
}

// heardLeader takes note of an answer of the leader.
func (l *life) heardLeader(peer port.Greeting) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if peer.Name == l.led.by && peer.Leader == peer.Name {
		l.isolation.touch(l.now())
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
		return s.Member.Cluster == address && s.State.Serves() && !l.deaths.proved(s.Member.Name)
	})
}

// inTouch reports whether the gossip has a living member at an address.
func (l *life) inTouch(address string) bool {
	g := l.gossip()
	return g != nil && slices.ContainsFunc(g.Members(), func(m placement.Member) bool { return m.Cluster == address })
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

// known returns where living members are, for the next life. The caller holds
// mu.
func (l *life) known() (addresses []string) {
	for _, s := range l.standing() {
		if s.State.Serves() && s.Member.Name != l.self.Name && !l.deaths.has(s.Member.Name) {
			addresses = append(addresses, s.Member.Cluster)
		}
	}
	return addresses
}
