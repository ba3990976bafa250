package lane

import "slices"

// This file is about the order that a leader gives to messages.

// counting is the question who hears a message.
type counting struct {
	room    *room
	clients int64
	here    bool     // some are on this node
	hearers []hearer // other nodes that get it
}

// hearer is one of them, and whether it has clients that are counted.
type hearer struct {
	*audience
	counted bool
}

// count returns how many clients hear a channel, and leaves in l.counting who gets
// its messages.
func (r *room) count(kind Kind, channel []byte) int64 {
	l := r.lane
	c := &l.counting
	c.room, c.hearers = r, c.hearers[:0]
	c.clients = r.local.hears(kind, channel, l.Match)
	c.here = c.clients > 0
	for _, a := range r.audiences {
		clients := a.hears(kind, channel, l.Match)
		if c.clients += clients; clients > 0 || !a.fresh {
			c.hearers = append(c.hearers, hearer{a, clients > 0})
		}
	}
	if kind == Channel {
		l.Foreign.Match(channel, l.foreign)
	}
	return c.clients
}

// takeForeign counts clients of a node that hear a channel by a pattern of all
// rooms.
func (l *Lane) takeForeign(p Peer, clients int64) {
	c := &l.counting
	c.clients += clients
	if p == Self {
		c.here = c.here || clients > 0
		return
	}
	a := c.room.find(p)
	if a == nil {
		if l.dead[p] {
			return
		}
		a = c.room.audience(p)
		a.whole, a.fresh = true, true // it hears nothing else
	}
	if at := slices.IndexFunc(c.hearers, func(h hearer) bool { return h.audience == a }); at >= 0 {
		c.hearers[at].counted = c.hearers[at].counted || clients > 0
		return
	}
	c.hearers = append(c.hearers, hearer{a, clients > 0})
}

// named returns how many clients hear a channel by its name.
func (r *room) named(kind Kind, channel []byte) int64 {
	n := r.local.named(kind, channel)
	for _, a := range r.audiences {
		n += a.named(kind, channel)
	}
	return n
}

// order gives a message its place and sends it to all who hear it. Who has
// published it is answered first: if that is another node, and it cannot be
// answered, the message gets no place.
func (r *room) order(from Peer, serial uint64, kind Kind, channel, message []byte) (clients int64, ok bool) {
	l, o, c := r.lane, &r.office, &r.lane.counting
	clients = r.count(kind, channel)
	if from != Self && !l.send(from, Record{Type: Ordered, Room: r.raw, Key: r.key, Serial: serial, Count: clients}) {
		return 0, false
	}
	for _, a := range c.hearers { // who is owed something shall know that before it gets the next
		if a.owed && r.tell(a.audience, Position, 0) {
			a.owed, a.tries = false, 0
		}
	}
	o.number++
	r.measure()
	l.stats.Ordered++
	rec := &l.record
	*rec = Record{Type: Message, Room: r.raw, Key: r.key, Number: o.number, Kind: kind, Channel: channel, Message: message}
	for _, a := range c.hearers {
		a.index++
		a.used = l.now
		if rec.Flags = 0; !a.counted {
			rec.Flags = Uncounted
		}
		rec.Index = a.index
		if !a.owed && l.Network.Send(a.peer, rec) {
			l.stats.Sent++
			continue
		}
		l.stats.Unsent++
		a.owed = true
		l.alarm(r, l.now+retryInterval)
	}
	if c.here {
		l.Sink.Deliver(kind, r.raw, channel, message)
	}
	return clients, true
}

// catchUp tells nodes that were not sent something how far the order is, again and
// again, and ever more rarely if they cannot be reached: they may be so in all rooms.
func (r *room) catchUp() {
	if !r.office.leading {
		return
	}
	for _, a := range r.audiences {
		switch {
		case !a.owed:
		case r.lane.now < a.retry:
			r.lane.alarm(r, a.retry)
		case r.tell(a, Position, 0):
			a.owed, a.tries = false, 0
		default:
			a.retry = r.lane.now + retryInterval<<a.tries
			a.tries = min(a.tries+1, retryDoublings)
			r.lane.alarm(r, a.retry)
		}
	}
}

// matched reports whether somebody hears a channel by a pattern of all rooms, or
// may, for not all nodes have told theirs.
func (l *Lane) matched(channel []byte) (yes bool) {
	l.Foreign.Match(channel, func(Peer, int64) { yes = true })
	return yes
}
