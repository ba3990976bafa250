package lane

import "time"

// This file is about who leads a room: how this node begins to, and how it ends.

// office is what a leader has.
type office struct {
	leading bool
	number  uint64          // of the last message under the key
	owned   bool            // the engine publishes by itself
	refused map[Peer]uint32 // a node's publishes up to this attempt have no place in the order

	claimed time.Duration // when this host became the next leader, and began to wait for the one before; 0: it does not
	handed  Key           // whose leader has handed over
}

// succeed has this node lead if it shall: it is the first of the hosts that is
// not dead, and who led before has ended, or is dead, or does not answer.
func (r *room) succeed() {
	o := &r.office
	if !r.serving || r.served != r.epoch {
		return
	}
	if r.first() != Self {
		o.claimed = 0
		if o.leading && r.key.Epoch != r.epoch {
			r.handOver()
		}
		return
	}
	rank := 0
	for r.hosts[rank] != Self {
		rank++
	}
	key := Key{r.epoch, uint8(rank), r.lane.Start}
	if key.Compare(r.key) <= 0 {
		o.claimed = 0
		return
	}
	now := r.lane.now
	switch {
	case o.leading:
		r.tellAll(End, 0)
		r.lead(key, Planned)
	case r.key.IsZero():
		r.lead(key, 0)
	case o.handed == r.key:
		r.lead(key, Planned)
	case !r.lives(r.owner), r.owner == Self, o.claimed > 0 && now >= o.claimed+endWithin:
		r.lead(key, 0)
	case o.claimed == 0:
		o.claimed = now
		r.lane.alarm(r, now+endWithin)
	}
}

// lead begins to lead. Nodes that the former leader knew get everything until
// they have told this one what they hear.
func (r *room) lead(key Key, planned uint8) {
	o := &r.office
	same := o.leading
	prev := r.key
	if planned == 0 && r.position.set {
		r.gap(-1, Takeover)
	}
	r.position, r.next = position{}, nil
	r.key, r.owner = key, Self
	o.leading, o.number, o.claimed, o.handed = true, 0, 0, Key{}
	for _, a := range r.audiences {
		a.index, a.owed = 0, false
		a.fresh = a.fresh && same
	}
	r.lane.stats.Led++
	for _, h := range r.hosts {
		if h != Self && r.lives(h) && r.find(h) == nil {
			r.lane.send(h, Record{Type: Lead, Flags: planned, Room: []byte(r.name), Key: key, Prev: prev})
		}
	}
	for _, a := range r.audiences {
		r.lane.send(a.peer, Record{Type: Lead, Flags: planned | Known, Room: []byte(r.name), Key: key, Prev: prev})
	}
	r.own()
	r.confirm()
	r.pump()
}

// tell sends a node what the leader has to say of its key.
func (r *room) tell(to Peer, t Type, flags uint8) {
	rec := Record{Type: t, Flags: flags, Room: []byte(r.name), Key: r.key, Number: r.office.number}
	if a := r.find(to); a != nil {
		rec.Index = a.index
	}
	r.lane.send(to, rec)
}

// tellAll tells it all nodes that hear the room.
func (r *room) tellAll(t Type, flags uint8) {
	for _, a := range r.audiences {
		r.tell(a.peer, t, flags)
	}
}

// handOver ends this node's lead in favour of the first of the hosts, which may
// begin when it has heard of it.
func (r *room) handOver() {
	r.tellAll(End, 0)
	r.office.leading = false
	r.setOwned(false)
	for _, h := range r.hosts {
		if h != Self && r.lives(h) {
			r.lane.send(h, Record{Type: Handover, Room: []byte(r.name), Key: r.key})
		}
	}
	// Its own clients have heard all of the key, and hear the next one from its
	// first message on if the new leader knows of them.
	r.position = position{set: len(r.local.counts) > 0, ended: true}
	r.announceAll()
}

// shut ends this node's part as a host.
func (r *room) shut() {
	if r.office.leading {
		r.handOver()
	}
	for _, a := range r.audiences {
		r.lane.send(a.peer, Record{Type: NotHost, Room: []byte(r.name), Key: r.key})
	}
	r.audiences = nil
	r.serving, r.entered, r.closing = false, false, false
	r.office.claimed = 0
	if r.epoch == r.served {
		r.lost = true
	}
	r.used = r.lane.now
	r.lane.alarm(r, r.lane.now+restInterval)
}

// step ends this node's lead, if it leads, and what it knows of the order, for a
// higher key.
func (r *room) step(key Key, owner Peer, why Why) {
	o := &r.office
	if r.position.set || o.leading && len(r.local.counts) > 0 {
		r.gap(-1, why)
	}
	if o.leading {
		o.leading = false
		r.setOwned(false)
	}
	o.claimed, o.handed = 0, Key{}
	r.position, r.next = position{}, nil
	r.key, r.owner = key, owner
}

// doubt is for a host that somebody takes for the leader: those before it may be
// dead.
func (r *room) doubt() {
	for _, h := range r.hosts {
		if h == Self {
			return
		}
		if r.lives(h) {
			r.lane.Director.Suspect(h)
		}
	}
}

// own tells the engine whether it may publish by itself.
func (r *room) own() {
	r.setOwned(r.office.leading && !r.lane.isolated && len(r.audiences) == 0 && len(r.queue.list) == 0 &&
		len(r.local.counts) > 0 && !r.lane.Foreign.Elsewhere())
}

func (r *room) setOwned(yes bool) {
	if r.office.owned != yes {
		r.office.owned = yes
		r.lane.Sink.Own(r.name, yes)
	}
}

// hearer is another node that gets a message.
type hearer struct{ audience *audience }

// count returns how many clients hear a channel, and leaves the nodes that get
// its messages in lane.hearers; here is whether this one does.
func (r *room) count(kind Kind, channel []byte) (n int64, here bool) {
	l := r.lane
	l.hearers = l.hearers[:0]
	n = hears(r.local.counts, true, l.Match, kind, channel)
	here = n > 0
	for _, a := range r.audiences {
		clients := hears(a.counts, a.bound > 0, l.Match, kind, channel)
		if n += clients; clients > 0 || !a.fresh {
			l.hearers = append(l.hearers, hearer{a})
		}
	}
	if kind != Channel {
		return n, here
	}
	l.Foreign.Match(channel, func(p Peer, clients int64) {
		n += clients
		if p == Self {
			here = here || clients > 0
			return
		}
		a := r.audience(p)
		for _, h := range l.hearers {
			if h.audience == a {
				return
			}
		}
		l.hearers = append(l.hearers, hearer{a})
	})
	return n, here
}

// named returns how many clients hear a channel by its name.
func (r *room) named(kind Kind, channel []byte) (n int64) {
	n = r.local.counts[name{kind, string(channel)}]
	for _, a := range r.audiences {
		n += a.counts[name{kind, string(channel)}]
	}
	return n
}

// order gives a message its place and sends it to all who hear it. A node that
// has published it is answered first.
func (r *room) order(from Peer, serial uint64, kind Kind, channel, message []byte) (n int64) {
	l := r.lane
	n, here := r.count(kind, channel)
	if from != Self {
		l.send(from, Record{Type: Ordered, Room: []byte(r.name), Serial: serial, Count: n})
	}
	o := &r.office
	o.number++
	l.stats.Ordered++
	for _, h := range l.hearers {
		a := h.audience
		a.index++
		if l.send(a.peer, Record{Type: Message, Room: []byte(r.name), Key: r.key, Number: o.number, Index: a.index, Kind: kind, Channel: channel, Message: message}) {
			l.stats.Sent++
			a.owed = false
		} else {
			l.stats.Unsent++
			a.owed = true
			l.alarm(r, l.now+retryInterval)
		}
	}
	if here {
		l.Sink.Deliver(kind, []byte(r.name), channel, message)
	}
	return n
}

// catchUp tells nodes whose last messages were not sent how far the order is.
func (r *room) catchUp() {
	for _, a := range r.audiences {
		if a.owed && r.office.leading {
			a.owed = !r.lane.send(a.peer, Record{Type: Position, Room: []byte(r.name), Key: r.key, Number: r.office.number, Index: a.index})
		}
	}
}

// matched reports whether somebody hears a channel by a pattern of all rooms.
func (l *Lane) matched(channel []byte) (yes bool) {
	l.Foreign.Match(channel, func(_ Peer, clients int64) { yes = yes || clients > 0 })
	return yes
}
