package cluster

import (
	"slices"
	"time"

	"hubsub/cluster/placement"
)

// This file is the director: it hands to the deciding parts what happens, one at
// a time under mu, and carries out what they want done. Nothing of that waits:
// messages and proposals go to queues.

// wake has the effects carried out soon. What comes meanwhile is carried out
// with them: that makes one entry and one frame of many.
func (l *life) wake() {
	select {
	case l.dirty <- struct{}{}:
	default:
	}
}

// drive carries out effects and tells the deciding parts the time when they
// want to know it.
func (l *life) drive() {
	due := time.NewTimer(0)
	defer due.Stop()
	for {
		select {
		case <-l.ended:
			return
		case <-due.C:
		case <-l.dirty:
		}
		l.mu.Lock()
		now := l.now()
		l.decider.Tick(now)
		l.host.Tick(now)
		l.front.Tick(now)
		l.bring()
		next := min(l.decider.Next(), l.host.Next(), l.front.Next())
		l.mu.Unlock()
		due.Reset(max(next-l.now(), tickMin))
	}
}

// bring carries out all effects. The caller holds mu.
func (l *life) bring() {
	for {
		effects := slices.Concat(l.decider.Effects(), l.host.Effects(), l.front.Effects())
		mine := l.toSelf
		l.toSelf = nil
		if len(effects)+len(mine) == 0 {
			return
		}
		for _, m := range mine {
			l.route(l.self.Name, m)
		}
		for _, e := range effects {
			l.do(e)
		}
	}
}

func (l *life) do(e placement.Effect) {
	switch e := e.(type) {
	case placement.Send:
		l.send(e.To, e.Message)
	case placement.Propose:
		l.parts.consensus.Propose(e.ID, e.Ops)
	case placement.Verify:
		l.parts.consensus.Verify(func(leads bool) {
			l.mu.Lock()
			l.decider.Verified(e.ID, leads)
			l.mu.Unlock()
			l.wake()
		})
	case placement.Open:
		l.usage.open(e.Room, l.now())
		l.lanes().opened(e.Room, e.Epoch, e.Hosts)
	case placement.Shut:
		l.usage.shut(e.Room)
		delete(l.used, e.Room)
		l.lanes().shut(e.Room)
	case placement.Members:
		l.roster()
	case placement.Rejoin:
		l.log.Warn("the cluster has given this node up: it begins anew", "node", l.self.Name)
		l.giveUp(true, l.known()...)
	case placement.Parted:
		l.departure.part()
	case placement.Answer:
		if l.questions.lanes[e.Tag] {
			delete(l.questions.lanes, e.Tag)
			l.lanes().told(e.Told)
			return
		}
		answer(l.questions.rooms, e.Tag, e.Told)
	case placement.Page:
		answer(l.questions.pages, e.Tag, e.Scanned)
	}
}

// send sends a message, to this process too.
func (l *life) send(to placement.Name, m placement.Message) {
	if to == l.self.Name {
		l.toSelf = append(l.toSelf, m)
		return
	}
	if address := l.addressOf(to); address != "" {
		l.parts.control.Send(to, address, m)
	} else {
		l.counted.unaddressed++
	}
}

// receive takes a message of another node. Any goroutine.
func (l *life) receive(from placement.Name, m placement.Message) {
	l.mu.Lock()
	l.route(from, m)
	l.mu.Unlock()
	l.wake()
}

// route hands a message to the part that it is for. The caller holds mu.
func (l *life) route(from placement.Name, m placement.Message) {
	now := l.now()
	l.deaths.hear(from)
	switch m := m.(type) {
	case placement.Told:
		l.front.Receive(m)
		l.deposed(from, m.Error)
	case placement.Scanned:
		l.front.Receive(m)
		l.deposed(from, m.Error)
	case placement.Leave:
		if !l.led.here() || l.spares(from) {
			l.decider.Receive(now, from, m)
		}
	case placement.Reserve, placement.Release, placement.Activate, placement.Drop, placement.MayClose, placement.Reopen,
		placement.List, placement.Gone:
		l.order(now, from, m)
	case placement.Roster:
		l.order(now, from, m)
		l.obey(from, m)
	case placement.Join:
		l.whereabouts.hear(now, from, m.Member.Cluster)
		l.decider.Receive(now, from, m)
	default:
		l.decider.Receive(now, from, m)
	}
}
