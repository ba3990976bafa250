package lane

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// This file is about what clients of this node hear, and how it is confirmed.

// interest is what is heard here of one room.
type interest struct {
	bulletin         // for the room's hosts
	queued    bool   // the room is in lane.dirty
	confirmed bool   // somebody was told that it hears the room
	firm      uint64 // the issue that tells of the last who was
	led       uint64 // the last issue that the leader knows, which led when it said so
	waits     []wait // in their order
}

// wait is a client's that is confirmed when the hosts know.
type wait struct {
	tag    uint64
	name   name
	added  bool          // a subscription, not its end
	serial uint64        // of the issue that tells of it; 0: the next
	since  time.Duration // when it began
	led    time.Duration // when the leader had it; 0: it has not
}

// nextIssue stands for the serial of an issue that is to come.
const nextIssue = math.MaxUint64

// counted reports whether a host knows all that clients here were told they hear.
func (i *interest) counted(host Peer) bool { return !i.confirmed || i.knows(host, i.firm) }

// Interest says that delta more clients of this node hear a name, or fewer. With a
// tag the answer follows: Done when the leader knows, and the other hosts do or
// have had time to. Anything else says that a subscription has not happened.
func (l *Lane) Interest(tag uint64, kind Kind, roomName, text []byte, delta int) {
	r := l.room(roomName)
	r.used = l.now
	i := &r.local
	n := name{kind, r.text(text)}
	if i.empty() && !r.listening() {
		r.position.set = false // until the leader says how far it is, nothing is missed
	}
	i.change(n, int64(delta))
	r.expect()
	i.confirmed = i.confirmed && !i.empty()
	if tag == 0 && delta > 0 {
		i.confirmed, i.firm = true, nextIssue
	} else if tag != 0 {
		i.waits = append(i.waits, wait{tag: tag, name: n, added: delta > 0, since: l.now})
		l.alarm(r, l.now+publishPatience)
	}
	r.enter()
	r.leave()
	r.own()
	r.announce()
	r.confirm()
	r.seek()
}

// announce has the hosts be told at the end of the tick.
func (r *room) announce() {
	if !r.local.queued {
		r.local.queued = true
		r.lane.dirty = append(r.lane.dirty, r)
	}
}

// silent reports whether there is nothing to tell the hosts: nothing was ever heard
// here, and they need not know of a host either.
func (r *room) silent() bool {
	return r.local.serial == 0 && r.local.empty() && len(r.local.waits) == 0 && !r.serving
}

// issue tells the hosts what is heard here.
func (r *room) issue() {
	l, i := r.lane, &r.local
	i.queued = false
	if r.silent() {
		i.dirty, i.changed = false, nil // what was to be told is over
		return
	}
	i.issue(l.now, &l.serial, &l.items, func(to Peer, flags uint8, serial uint64, items []Item) bool {
		return l.send(to, Record{Type: Announce, Flags: flags, Room: r.raw, Key: r.highest(), Serial: serial, Items: items})
	})
	for w := range i.waits {
		if i.waits[w].serial == 0 {
			i.waits[w].serial = i.serial
		}
	}
	i.firm = min(i.firm, i.serial)
	r.confirm()
	if next := i.next(); next > l.now {
		l.alarm(r, next)
	}
}

// readdress has the living hosts, and who leads, be told what is heard here.
func (r *room) readdress() {
	few := r.lane.peers[:0]
	for _, h := range r.hosts {
		if h != Self && r.lives(h) {
			few = append(few, h)
		}
	}
	if p := r.leader(); p != nobody && p != Self && !slices.Contains(few, p) {
		few = append(few, p)
	}
	gone := r.local.address(few, few[len(few):])
	for _, p := range gone {
		if r.lives(p) {
			r.lane.deny(p, r.raw, r.key)
		}
	}
	r.lane.peers = few[:0]
	if !r.silent() && r.local.next() <= r.lane.now {
		r.announce()
	}
}

// acknowledged takes that a host knows what is heard here.
func (r *room) acknowledged(from Peer, rec *Record) {
	whole := r.local.acknowledged(from, rec.Serial)
	if rec.Flags&Leads != 0 {
		r.attach(from, rec, whole)
	} else {
		r.hear(rec.Key)
		if from == r.owner && rec.Key == r.key { // it leads no more
			r.reset(rec.Flags)
		}
	}
	if r.office.claimed > 0 {
		r.succeed() // it may have waited for this one
	}
}

// alone reports whether this node leads and no other one must know.
func (r *room) alone() bool {
	return r.office.leading && !slices.ContainsFunc(r.hosts, func(h Peer) bool { return h != Self && r.lives(h) })
}

// confirm answers clients whose interest the hosts know.
func (r *room) confirm() {
	i := &r.local
	if len(i.waits) == 0 {
		return
	}
	if r.serving {
		if r.enter(); !r.entered && !i.empty() {
			return
		}
	}
	leader := r.leader()
	for len(i.waits) > 0 {
		w := &i.waits[0]
		switch {
		case !w.added && r.epoch.IsZero() && leader == nobody: // it hears nothing from nowhere
		case r.alone():
		case leader == nobody, w.serial == 0, leader != Self && i.led < w.serial:
			return
		default:
			if w.led == 0 {
				w.led = r.lane.now
			}
			if r.lane.now < w.led+confirmWithin && slices.ContainsFunc(i.readers, func(rd reader) bool { return rd.lacks(w.serial) }) {
				r.lane.alarm(r, w.led+confirmWithin)
				return
			}
		}
		r.settle(Done)
	}
}

// settle answers the first that waits. A subscription that has failed is taken back.
func (r *room) settle(code Code) {
	i := &r.local
	w := i.waits[0]
	i.waits[0] = wait{}
	if i.waits = i.waits[1:]; len(i.waits) == 0 { // a room of a hundred thousand is answered at once
		i.waits = nil
	}
	if code != Done && w.added {
		i.change(w.name, -1)
		r.expect()
		r.announce()
		r.leave()
		r.own()
	}
	if !w.added {
		code = Done // it has ended here
	} else if code == Done {
		i.confirmed, i.firm = !i.empty(), cmp.Or(w.serial, nextIssue)
	}
	r.lane.Sink.Answer(w.tag, code, 0)
}

// fail answers all that wait for the room to have a place.
func (r *room) fail(code Code) {
	for len(r.local.waits) > 0 {
		r.settle(code)
	}
}

// confirmed reports whether a client here was told that it hears a channel, which
// the leader need not know. It may have answered that nobody does before those came
// who wait yet: what nobody heard they do not hear later.
func (r *room) confirmed(kind Kind, channel []byte) bool {
	l, i := r.lane, &r.local
	clients := i.hears(kind, channel, l.Match)
	for w := 0; w < len(i.waits) && clients > 0; w++ {
		n := i.waits[w].name
		if i.waits[w].added && (n.kind == kind && n.text == string(channel) || n.kind == Pattern && kind == Channel && l.Match([]byte(n.text), channel)) {
			clients--
		}
	}
	return clients > 0 || kind == Channel && l.Foreign.Confirmed(channel)
}

// giveUp answers who has waited for too long.
func (r *room) giveUp() {
	for len(r.local.waits) > 0 && r.lane.now >= r.local.waits[0].since+publishPatience {
		r.settle(TryAgain)
	}
}
