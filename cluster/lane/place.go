package lane

import (
	"slices"
	"time"

	"hubsub/cluster/placement"
)

// This file is about where a room lives, as far as this node knows.

// whereabouts is what it was told, and what it has asked.
type whereabouts struct {
	epoch placement.Epoch
	hosts []Peer // all of that placement, dead ones too
	stale bool   // there may be a later one

	tries uint8         // how often there was no answer, or askDoublings
	asked time.Duration // when the question that is under way was asked; 0: none is
	askAt time.Duration // not to be asked before
}

// hosted reports whether a node is a host of the room.
func (r *room) hosted(p Peer) bool { return slices.Contains(r.hosts, p) }

// lives reports whether a process is not known to be dead.
func (r *room) lives(p Peer) bool { return p != nobody && !r.lane.dead[p] }

// first returns the first host that is not known to be dead: who leads, or will.
func (r *room) first() Peer {
	for _, h := range r.hosts {
		if r.lives(h) {
			return h
		}
	}
	return nobody
}

// leader returns who leads, this node too; nobody if that is not known.
func (r *room) leader() Peer {
	switch {
	case r.office.leading:
		return Self
	case r.owner != Self && r.lives(r.owner) && !r.position.ended && r.hint.Compare(r.key) <= 0:
		return r.owner
	default:
		return nobody
	}
}

// target returns to whom publishes go; nobody if there is none yet.
func (r *room) target() Peer {
	key := r.highest()
	p := r.leader()
	if p == nobody && key == r.hint {
		p = r.ownerOf(key)
	}
	if p == nobody || p != Self && (!r.lives(p) || key.Epoch.Compare(r.epoch) < 0) {
		p = r.first()
	}
	if p == Self && !r.office.leading {
		return nobody // it will be, or be told that it is none
	}
	return p
}

// place takes a later placement.
func (r *room) place(epoch placement.Epoch, hosts []Peer) {
	r.epoch, r.hosts, r.tries = epoch, slices.Clone(hosts), 0
	r.local.repeatAll() // a host of before and of now may have been none in between, and have forgotten
	r.stale = r.first() == nobody || r.highest().Epoch.Compare(epoch) > 0
	for _, a := range r.audiences { // if the host was none for a while, others were told what they do not hear any more
		r.questionAt(a, r.lane.now+announceInterval)
	}
	if r.owner == nobody {
		r.owner = r.ownerOf(r.key)
	}
	r.queue.resume()
	r.readdress()
	r.succeed()
}

// seek asks where the room lives, if somebody here has to know.
func (r *room) seek() {
	l := r.lane
	waits := !r.local.empty() || len(r.local.waits) > 0 || r.queue.waits()
	if r.target() == nobody && !r.serving {
		r.stale = true
	}
	if r.asked != 0 || !waits || !r.epoch.IsZero() && !r.stale {
		return
	}
	if l.now < r.askAt {
		l.alarm(r, r.askAt)
		return
	}
	r.asked, r.askAt = l.now, l.now+askInterval<<r.tries
	r.stale = false
	r.queue.cover()
	l.Director.Ask(r.name, r.wanted())
}

// wanted reports whether the room shall be made if it does not exist: somebody
// here hears it, or somebody anywhere by a pattern.
func (r *room) wanted() bool {
	if !r.local.empty() {
		return true
	}
	q := r.queue
	for i := range q.len() {
		if p := q.at(i); p.kind == Channel && !p.countOnly && r.lane.matched(q.channel(p)) {
			return true
		}
	}
	return false
}

// absent is for a room that did not exist when it was asked for, or later. Who leads
// it has been heard of after that, then: a host that is none any more says so itself.
func (r *room) absent() {
	if r.leader() != nobody && r.key.Epoch.Compare(r.epoch) >= 0 {
		r.inVain()
		return
	}
	r.tries, r.askAt = 0, 0 // who publishes next is answered as soon
	if !r.serving {
		r.epoch, r.hosts, r.stale = placement.Epoch{}, nil, false
		r.owner = nobody
		r.readdress()
	}
	if q := r.queue; q != nil {
		if q.sent == 0 {
			q.answer(r.lane, min(q.covered, q.len()), Done, 0)
		}
		q.covered = 0
	}
}

// inVain has the next question wait longer.
func (r *room) inVain() { r.tries = min(r.tries+1, askDoublings) }

// unplaceable is for a question without an answer.
func (r *room) unplaceable(code Code) {
	r.inVain()
	r.stale = true
	if !r.epoch.IsZero() {
		return // it is known from before
	}
	r.fail(code)
	if q := r.queue; q != nil && q.sent == 0 {
		q.answer(r.lane, q.len(), code, 0)
	}
}

// refusedAgain counts one more refusal and returns when to try again.
func refusedAgain(times *uint8) time.Duration {
	wait := refusedInterval << *times
	if wait >= retryInterval {
		return retryInterval
	}
	*times++
	return wait
}

// turnedAway is called when a host says that it is none.
func (r *room) turnedAway(from Peer, rec *Record) {
	r.hear(rec.Key)
	if rd := r.local.reader(from); rd != nil {
		*rd = reader{peer: from, due: r.lane.now + refusedAgain(&rd.away), met: true, away: rd.away}
		if r.local.empty() {
			rd.whole, rd.told, rd.acked = 1, 1, 1 // there is nothing to tell
		}
		r.lane.alarm(r, rd.due)
	}
	if r.owner == from {
		r.owner = nobody
	}
	if r.hosted(from) || r.leader() == nobody {
		r.stale = true
	}
	r.readdress()
	if r.office.claimed > 0 {
		r.succeed()
	}
}
