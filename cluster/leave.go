package cluster

import (
	"context"
	"time"
)

// departure is that this process ends in order.
type departure struct {
	parted chan struct{} // closed when the others know it; set once

	// The guard is life.mu.
	abdicates bool // consensus shall have another one vote, and lead
	known     bool // parted is closed
}

// part takes note that the others know, who may say it again.
func (d *departure) part() {
	if !d.known {
		d.known = true
		close(d.parted)
	}
}

// leave ends this process's part in the cluster in order: the others must be
// able to agree without it, another must lead, and all shall know.
func (l *life) leave(ctx context.Context) {
	if l.gossip() == nil {
		return
	}
	defer func() { l.gossip().Leave(leaveInterval) }() // of the generation that there is then
	look := time.NewTicker(leaveInterval)
	defer look.Stop()
	for l.needed() {
		select {
		case <-ctx.Done():
			l.log.Warn("ends although the other nodes cannot agree without it yet: until a majority of the voters is back there are no new rooms")
			return
		case <-l.over: // the others have nothing to wait for
			return
		case <-look.C:
		}
	}
	l.mu.Lock()
	l.host.Leave()
	alone := l.members() <= 1
	l.mu.Unlock()
	l.wake()
	if alone {
		return
	}
	select {
	case <-l.departure.parted:
	case <-l.over:
	case <-ctx.Done():
		l.log.Warn("the others do not know yet that this node ends")
	}
}

// needed reports whether the others could not agree on anything if this process
// ended now, or would have to elect a leader first. It has consensus change
// that, as far as it leads.
func (l *life) needed() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.parts.consensus == nil || l.members() <= 1 {
		return false
	}
	if !l.votes(l.self.Name) {
		return false
	}
	l.departure.abdicates = l.spares(l.self.Name)
	if l.led.here() {
		l.balance()
		return true
	}
	return !l.departure.abdicates
}
