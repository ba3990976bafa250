package lane

import (
	"slices"
	"time"
)

// This file is about what a host knows of the other nodes that hear a room.

// audience is what it knows of one.
type audience struct {
	peer Peer
	tally
	serial uint64 // of its last announcement

	whole   bool          // it has told all, and its link was not broken since
	fresh   bool          // and since the leader began: until then it may hear more
	filling bool          // it is about to tell all
	ask     time.Duration // when it is asked to tell all; 0: it is not
	unacked bool          // nobody is confirmed, for the room may be about to be closed

	life  uint64        // another one than before, if the node was forgotten
	index uint64        // how many messages were meant for it under the leader's key
	owed  bool          // it shall be told of that: something was not sent
	retry time.Duration // when, if not before the next message
	tries uint8         // how often that was in vain
	used  time.Duration // when the last message was sent to it
}

// find returns a node's audience, or nil. There are few.
func (r *room) find(p Peer) *audience {
	for _, a := range r.audiences {
		if a.peer == p {
			return a
		}
	}
	return nil
}

func (r *room) audience(p Peer) *audience {
	if a := r.find(p); a != nil {
		return a
	}
	r.lane.serial++
	a := &audience{peer: p, life: r.lane.serial, used: r.lane.now}
	r.audiences = append(r.audiences, a)
	return a
}

// dismiss forgets one.
func (r *room) dismiss(a *audience) {
	r.audiences = slices.DeleteFunc(r.audiences, func(o *audience) bool { return o == a })
}

// announced takes what a node's clients hear.
func (r *room) announced(from Peer, rec *Record) {
	if !r.serving {
		r.turnAway(from)
		return
	}
	r.hear(rec.Key)
	a := r.audience(from)
	if rec.Flags&Reset != 0 {
		a.clear()
		a.whole, a.fresh, a.filling = false, false, true
	}
	for _, item := range rec.Items {
		a.set(name{item.Kind, r.text(item.Name)}, item.Count)
	}
	if rec.Serial == 0 {
		r.own()
		return // more follows
	}
	a.serial = rec.Serial
	if a.filling {
		a.whole, a.fresh, a.filling, a.ask = true, true, false, 0
	}
	r.own() // before it hears that it is heard
	if !a.whole {
		r.question(a)
		return
	}
	r.enter()
	if a.unacked = !r.entered && !a.empty(); a.unacked {
		return
	}
	if a.empty() && a.fresh {
		if r.ack(a, Reset) {
			r.dismiss(a)
		}
		r.leave()
		r.own()
	} else {
		r.ack(a, 0)
	}
	if r.office.leading {
		return
	}
	if rec.Key.Epoch == r.epoch && !a.empty() {
		r.doubt()
	}
	if r.office.claimed > 0 {
		r.succeed() // it may have waited for this one
	}
}

// question asks a node to tell all, until it has: it may have forgotten that it has
// told anything, or this host that it was told otherwise.
func (r *room) question(a *audience) {
	r.lane.send(a.peer, Record{Type: Recall, Room: r.raw, Key: r.key})
	r.questionAt(a, r.lane.now+announceInterval)
}

func (r *room) questionAt(a *audience, at time.Duration) {
	a.ask = at
	r.lane.alarm(r, at)
}

// questionAll asks those who have not told.
func (r *room) questionAll() {
	for _, a := range r.audiences {
		if a.ask != 0 && r.lane.now >= a.ask {
			r.question(a)
		} else if a.ask != 0 {
			r.lane.alarm(r, a.ask)
		}
	}
}

// turnAway tells a node that this one is no host of the room. One that believes
// otherwise believes that it is heard, too, so it is told again until a link takes it.
func (r *room) turnAway(to Peer) {
	if !r.lane.send(to, Record{Type: NotHost, Room: r.raw, Key: r.key}) {
		l := r.lane
		l.untold = append(l.untold, untold{to, r.raw})
		l.untoldAt = min(l.untoldAt, l.now+retryInterval)
	}
}

// untold is a node that was not told that this one is no host of a room.
type untold struct {
	peer Peer
	room []byte
}

// tellUntold tries again, with those who live; a link that has no room for one record
// has none for the next. It does no harm if this node is a host again: then who is
// told says again what it hears.
func (l *Lane) tellUntold() {
	full := l.peers[:0]
	l.untold = slices.DeleteFunc(l.untold, func(u untold) bool {
		switch {
		case l.dead[u.peer]:
			return true
		case slices.Contains(full, u.peer):
			return false
		case l.send(u.peer, Record{Type: NotHost, Room: u.room}):
			return true
		}
		full = append(full, u.peer)
		return false
	})
	l.peers = full[:0]
	l.untoldAt = never
	if len(l.untold) > 0 {
		l.untoldAt = l.now + retryInterval
	} else {
		l.untold = nil
	}
}

// ack tells a node that what it has told is known.
func (r *room) ack(a *audience, flags uint8) bool {
	if r.office.leading {
		flags |= Leads
	}
	return r.lane.send(a.peer, Record{Type: Ack, Flags: flags, Room: r.raw, Key: r.key, Serial: a.serial, Number: r.office.number, Index: a.index, Life: a.life})
}

// admit acknowledges what waited for the room not to be closed.
func (r *room) admit() {
	r.enter()
	if !r.entered {
		return
	}
	for _, a := range r.audiences {
		if a.unacked {
			a.unacked = false
			r.ack(a, 0)
		}
	}
}

// inUse reports whether somebody hears the room, as far as this host knows.
func (r *room) inUse() bool {
	return !r.local.empty() || slices.ContainsFunc(r.audiences, func(a *audience) bool { return !a.empty() || a.filling })
}

// enter tells the director that the room is used, leave that it is not.
func (r *room) enter() {
	if r.serving && !r.entered && r.inUse() && !r.closing {
		r.entered = r.lane.Director.Enter(r.name)
		r.closing = !r.entered
	}
}

func (r *room) leave() {
	if r.entered && !r.inUse() {
		r.entered = false
		r.lane.Director.Leave(r.name)
	}
}

// rest forgets nodes that were sent something for a pattern of all rooms only, a
// while ago, and says so: their next message is the first.
func (r *room) rest() {
	for i := 0; i < len(r.audiences); {
		a := r.audiences[i]
		if !a.fresh || !a.empty() || a.owed || r.lane.now < a.used+restInterval {
			i++
			continue
		}
		if !r.office.leading || r.tell(a, Position, Reset) {
			r.audiences = slices.Delete(r.audiences, i, i+1)
		} else {
			a.used = r.lane.now
			i++
		}
	}
}
