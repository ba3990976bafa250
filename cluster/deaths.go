package cluster

import (
	"context"
	"errors"
	"syscall"
	"time"

	"hubsub/cluster/placement"
	"hubsub/cluster/port"
)

// deaths are what this node knows of other processes and the roster does not have
// yet. One that is known to be dead is asked again and again, for it may have
// been silent only, or be back with all that its data directory holds. When the
// roster has its death there is nothing to know any more. The guard is life.mu.
type deaths struct {
	known  map[placement.Name]bool          // dead, and whether that is proved: it is gone, not only silent
	asking map[placement.Name]bool          // whether they live, just now
	missed map[placement.Name]time.Duration // since when the gossip does not know them
}

func newDeaths() deaths {
	return deaths{known: make(map[placement.Name]bool), asking: make(map[placement.Name]bool), missed: make(map[placement.Name]time.Duration)}
}

// has reports whether a process is known to be dead.
func (d *deaths) has(name placement.Name) bool {
	_, so := d.known[name]
	return so
}

// proved reports whether it is, for certain.
func (d *deaths) proved(name placement.Name) bool { return d.known[name] }

// note takes note of a death, and reports whether that is news. What is proved
// stays so, whoever is silent after that.
func (d *deaths) note(name placement.Name, proved bool) (news bool) {
	before, so := d.known[name]
	d.known[name] = before || proved
	return !so
}

// hear takes back what silence has said of a process that is heard again.
func (d *deaths) hear(name placement.Name) {
	if !d.known[name] {
		delete(d.known, name)
	}
}

// refute takes back what is known of a process that has said itself, just now,
// that it lives.
func (d *deaths) refute(name placement.Name) { delete(d.known, name) }

// bury forgets a process of whose end the roster tells.
func (d *deaths) bury(name placement.Name) {
	delete(d.known, name)
	delete(d.missed, name)
}

// miss reports whether a member has been unknown to the gossip for long enough to
// be asked; heard is whether it is known now.
func (d *deaths) miss(now time.Duration, name placement.Name, heard bool) bool {
	since, before := d.missed[name]
	switch {
	case heard:
		delete(d.missed, name)
	case !before:
		d.missed[name] = now
	default:
		return now-since >= silentFor
	}
	return false
}

// finding is what asking a process itself has brought.
type finding uint8

const (
	unclear finding = iota // somebody is there who has no name yet
	alive
	silent
	gone // nobody is there, or somebody else
)

// find reads the answer to a greeting that was meant for a process.
func find(name placement.Name, peer port.Greeting, err error) finding {
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return gone
	case err != nil:
		return silent
	case peer.Name == name:
		return alive
	case peer.Name != "":
		return gone
	default:
		return unclear
	}
}

// inquire asks a process itself whether it lives. The caller holds mu.
func (l *life) inquire(name placement.Name) {
	address := l.addressOf(name)
	if address == "" || l.deaths.asking[name] || l.closed {
		return
	}
	l.deaths.asking[name] = true
	l.running.Go(func() {
		peer, err := l.greet(address)
		l.mu.Lock()
		defer l.wake()
		defer l.mu.Unlock()
		delete(l.deaths.asking, name)
		switch found := find(name, peer, err); found {
		case alive:
			l.deaths.refute(name)
			l.lanes().alive(name)
		case silent, gone:
			if l.dies(name, found == gone) {
				l.log.Info("a node does not answer", "node", name, "error", err)
			}
		}
	})
}

// greet exchanges greetings with whoever is at an address.
func (l *life) greet(address string) (port.Greeting, error) {
	ctx, cancel := context.WithTimeout(context.Background(), helloTimeMax)
	defer cancel()
	return l.node.port.Hello(ctx, address)
}

// inquireAgain asks all that are known to be dead. The caller holds mu.
func (l *life) inquireAgain() {
	for name := range l.deaths.known {
		l.inquire(name)
	}
}

// miss has the leader ask members that the gossip does not know, for long
// enough not to be new there. The caller holds mu.
func (l *life) miss() {
	for _, s := range l.standing() {
		name := s.Member.Name
		heard := !s.State.Serves() || name == l.self.Name || l.parts.gossip.Alive(name)
		if l.deaths.miss(l.now(), name, heard) {
			l.inquire(name)
		}
	}
}

// dies takes note of a death, and reports whether it is news. The caller holds
// mu.
func (l *life) dies(name placement.Name, proved bool) (news bool) {
	if l.isOver(name) {
		return false // an answer that came later than the roster
	}
	news = l.deaths.note(name, proved)
	if proved {
		l.lanes().dead(name)
	}
	if l.led.by == name {
		l.follow("")
	}
	l.decider.Die(l.now(), name)
	return news
}

// proved is called by control: a process is gone, or was replaced.
func (l *life) proved(name placement.Name) {
	l.mu.Lock()
	l.dies(name, true)
	l.mu.Unlock()
	l.wake()
}

// lost is called by the gossip: a member seems to be dead.
func (l *life) lost(name placement.Name) {
	l.mu.Lock()
	l.inquire(name)
	l.mu.Unlock()
}
