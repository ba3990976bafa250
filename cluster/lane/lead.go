package lane

import (
	"slices"
	"time"
)

// This file is about who leads a room: how this node begins to, and how it ends.

// office is what a leader has, or who may become one.
type office struct {
	leading bool
	owned   bool            // the engine publishes by itself
	vacant  bool            // this host has ended its lead when nobody used the room
	number  uint64          // of the last message under the key
	refused map[Peer]uint64 // a node's publishes up to this attempt have no place in the order

	claimed time.Duration // when this host found that it shall lead, and began to wait; 0: it does not
	handed  *handover     // nil: nobody has handed over to this host
}

// handover is what who led before has said when it ended.
type handover struct {
	as    Key           // epoch and rank of the new leader
	at    time.Duration // when it came
	nodes int64         // how many heard the room then, the new leader not counted
}

// succeed has this node lead if it shall: it is the first of the hosts that is
// not dead, and who led before has ended, or is dead, or does not answer.
func (r *room) succeed() {
	o, now := &r.office, r.lane.now
	first := r.first()
	if o.leading && r.key.Epoch.Compare(r.epoch) < 0 && first != Self {
		r.handOver()
	}
	key, before := Key{}, r.highest()
	if rank := slices.Index(r.hosts, Self); r.serving && r.served == r.epoch && rank >= 0 {
		key = Key{r.epoch, uint8(rank), r.lane.Start}
	}
	// An earlier process of this host's name may have led, though an earlier host lives.
	if key.Compare(before) <= 0 || first != Self && key.office() != before.office() {
		o.claimed = 0
		return
	}
	if o.claimed == 0 {
		o.claimed = now
	}
	wait := o.claimed + endWithin
	handed := o.handed != nil && o.handed.as == key.office() && before == r.key // and nobody else has led since
	switch {
	case o.leading:
		r.end(key)
		r.lead(key, Planned)
		return
	case before.IsZero(): // another host may know of a leader
		if wait = o.claimed + confirmWithin; r.met() {
			wait = now
		}
	case handed: // nodes shall have told this host what they hear
		if wait = o.handed.at + confirmWithin; r.listeners() >= o.handed.nodes {
			wait = now
		}
	case before == r.hint && before != r.key:
		if p := r.ownerOf(before); p != nobody && !r.lives(p) {
			wait = now
		}
	case o.vacant, r.owner == Self && !r.position.ended, r.owner != nobody && !r.lives(r.owner):
		wait = now
	}
	switch {
	case now < wait:
		r.lane.alarm(r, wait)
	case handed:
		r.lead(key, Planned)
	default:
		r.lead(key, 0)
	}
}

// met reports whether all other hosts have answered.
func (r *room) met() bool {
	return !slices.ContainsFunc(r.local.readers, func(rd reader) bool { return !rd.met })
}

// listeners returns how many other nodes hear the room, as far as this host knows.
func (r *room) listeners() (n int64) {
	for _, a := range r.audiences {
		if !a.empty() {
			n++
		}
	}
	return n
}

// lead begins to lead. Nodes that are known to hear the room get everything until
// they have told this one what they hear.
func (r *room) lead(key Key, planned uint8) {
	l, o := r.lane, &r.office
	same, prev := o.leading, r.key
	if r.missed || r.listening() && !(planned != 0 && r.position.ended) {
		r.missed = false
		r.gap(-1, Takeover)
	}
	r.position, r.next = position{}, nil
	r.key, r.owner = key, Self
	o.leading, o.number, o.claimed, o.handed, o.vacant = true, 0, 0, nil, false
	l.stats.Led++
	rec := Record{Type: Lead, Flags: planned, Room: r.raw, Key: key, Prev: prev}
	for _, h := range r.hosts {
		if h != Self && r.lives(h) && r.find(h) == nil {
			l.send(h, rec)
		}
	}
	for _, a := range r.audiences {
		rec.Flags = planned | Known
		rec.Life = a.life
		if a.index, a.fresh = 0, a.fresh && same; a.fresh {
			rec.Flags |= Fresh
		}
		if a.owed = !l.send(a.peer, rec); a.owed {
			l.alarm(r, l.now+retryInterval)
		}
		if !a.fresh {
			r.questionAt(a, l.now+announceInterval)
		}
	}
	r.queue.resume()
	r.readdress()
	r.own()
}

// tell sends a node what the leader has to say of its order.
func (r *room) tell(a *audience, t Type, flags uint8) bool {
	return r.lane.send(a.peer, Record{Type: t, Flags: flags, Room: r.raw, Key: r.key, Number: r.office.number, Index: a.index, Life: a.life})
}

// end tells all nodes that hear the room that no message of its key follows, and
// whose comes then.
func (r *room) end(then Key) {
	for _, a := range r.audiences {
		r.lane.send(a.peer, Record{Type: End, Room: r.raw, Key: r.key, Prev: then, Number: r.office.number, Index: a.index})
	}
}

// handOver ends this node's lead in favour of the first of the hosts, which may
// begin when it has heard of it.
func (r *room) handOver() {
	o := &r.office
	o.vacant = !r.inUse()
	then := r.heir()
	r.end(then)
	o.leading, o.claimed, o.handed = false, 0, nil
	r.setOwned(false)
	// Its own clients have heard all of the key, and hear the next one from its
	// first message on if the new leader knows of them.
	r.position = position{set: r.local.confirmed, ended: true, then: then, number: o.number}
	r.hand()
	r.readdress()
}

// heir returns the epoch and rank of who leads next; none, if this node has not
// heard of a later placement.
func (r *room) heir() Key {
	first := r.first()
	if first == nobody || first == Self || r.key.Epoch.Compare(r.epoch) >= 0 {
		return Key{}
	}
	return Key{Epoch: r.epoch, Rank: uint8(slices.Index(r.hosts, first))}
}

// hand tells who leads next that this node has ended its lead.
func (r *room) hand() {
	then := r.heir()
	if then.IsZero() {
		return
	}
	first := r.hosts[then.Rank]
	nodes := r.listeners()
	if a := r.find(first); a != nil && !a.empty() {
		nodes--
	}
	if !r.local.empty() {
		nodes++
	}
	r.position.then = then
	r.lane.send(first, Record{Type: Handover, Room: r.raw, Key: r.key, Prev: then, Count: nodes})
}

// handed takes that the leader has ended, in favour of this host.
func (r *room) handed(from Peer, rec *Record) {
	c := rec.Key.Compare(r.highest())
	if c < 0 || r.office.leading {
		return
	}
	if rec.Key != r.key {
		r.follow(rec.Key, from, false, Moved)
	}
	r.office.handed = &handover{rec.Prev, r.lane.now, rec.Count}
	r.succeed()
}

// shut ends this node's part as a host.
func (r *room) shut() {
	o := &r.office
	if o.leading {
		r.handOver()
	}
	for _, a := range r.audiences {
		r.turnAway(a.peer)
	}
	r.audiences = nil
	r.serving, r.entered, r.closing = false, false, false
	o.claimed = 0
	if r.epoch == r.served {
		r.stale = true
	}
	r.used = r.lane.now
	r.lane.alarm(r, r.lane.now+restInterval)
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
	r.setOwned(r.office.leading && !r.lane.isolated && !r.local.empty() && r.queue.empty() && !r.lane.Foreign.Elsewhere() &&
		!slices.ContainsFunc(r.audiences, func(a *audience) bool { return !a.fresh || !a.empty() }))
}

func (r *room) setOwned(yes bool) {
	if r.office.owned != yes {
		r.office.owned = yes
		r.lane.Sink.Own(r.name, yes)
	}
}
