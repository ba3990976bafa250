package placement

import (
	"slices"
	"time"
)

// idle begins to close a room that nobody uses on one of its hosts: all others
// must agree, and promise to take no user meanwhile.
func (d *Decider) idle(now time.Duration, m Idle) {
	p, ok := d.table.Room(m.Room)
	returns := func(host Name) bool { return d.roll.returning[host] } // perhaps to users
	if d.works[m.Room] != nil || !ok || p.Keep || p.Epoch != m.Epoch || slices.ContainsFunc(p.Hosts, returns) {
		return
	}
	k := &work{room: m.Room, goal: toRemove, stage: voting, prev: p}
	d.begin(k)
	for _, host := range p.Hosts {
		if d.table.Serves(host) {
			k.asked = append(k.asked, candidacy{name: host})
			d.effects.send(host, MayClose{k.attempt, k.room, p.Epoch})
		}
	}
	d.votes.push(now+voteWait, deadline{work: k})
}

// vote takes a host's answer.
func (d *Decider) vote(now time.Duration, from Name, m Vote) {
	k := d.works[m.Room]
	if k == nil || k.attempt != m.Attempt || k.stage != voting {
		return
	}
	if !m.Yes {
		d.reopen(now, k)
		return
	}
	if k.take(from, yes) && k.is(silent) == 0 {
		d.commit(k)
	}
}

// reopen ends the attempt to close a room.
func (d *Decider) reopen(now time.Duration, k *work) {
	d.openAgain(k)
	d.end(now, k)
}

// openAgain tells those who have voted, or may have.
func (d *Decider) openAgain(k *work) {
	if k.goal == toRemove {
		for _, c := range k.asked {
			d.effects.send(c.name, Reopen{d.term, k.attempt, k.room})
		}
	}
}

// unsure tells a host, which agreed to close a room and heard nothing since, what
// is with it. Its attempt is over: it was of an earlier leader, or the message
// that ended it was lost.
func (d *Decider) unsure(from Name, m Unsure) {
	if k := d.works[m.Room]; k != nil && k.goal == toRemove {
		return // not over
	}
	p, ok := d.table.Room(m.Room)
	switch {
	case !ok || !slices.Contains(p.Hosts, from):
		d.drop(from, m.Room, d.table.Now())
	case p.Epoch == m.Epoch:
		d.effects.send(from, Reopen{d.term, m.Attempt, m.Room})
	default:
		d.effects.send(from, Activate{d.term, m.Room, p.Epoch, p.Hosts})
	}
}
