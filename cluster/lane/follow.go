package lane

import (
	"bytes"
	"time"
)

// This file is about who follows a leader: in which order messages come, and which
// have not.

// position is how far a node is in a room's order, under the key that it follows.
type position struct {
	number uint64 // of the last message
	life   uint64 // of what the leader knows of this node
	got    uint64 // messages that were meant for this node, and have come or are told as lost
	set    bool   // the leader counts what is meant for this node: what is missing is seen
	broken bool   // the link was, since
	ended  bool   // no more come
	then   Key    // of whom they come then: its epoch and rank
}

// succession is a leader that begins when another has ended.
type succession struct {
	key   Key
	from  Peer
	knows bool          // what is heard here
	until time.Duration // then it begins anyway
	held  []Record      // what it has sent until then, copied
	bytes int
}

// follow follows a leader of a higher key; nobody, if it is not known who that is.
// It is clean if nothing is lost that was meant for this node: else clients here
// are told, when it is certain that they miss nothing more (see atone).
func (r *room) follow(key Key, from Peer, clean bool, why Why) {
	r.local.renewAll() // hosts that lead, or will, may not know what is heard here
	r.step(key, from, clean, why)
}

// step is follow for a leader that knows what is heard here.
func (r *room) step(key Key, from Peer, clean bool, why Why) {
	o := &r.office
	if !clean && !r.missed && (r.listening() || o.leading && r.local.confirmed) {
		r.missed, r.why = true, why
	}
	if o.leading {
		o.leading = false
		r.setOwned(false)
	}
	o.claimed, o.handed, o.vacant = 0, nil, false
	r.position, r.next = position{}, nil
	r.key, r.owner, r.local.led = key, from, 0
	r.queue.resume()
	if r.key.Epoch.Compare(r.epoch) > 0 {
		r.stale = true
	}
	r.readdress()
}

// listening reports whether the leader sends to this node what clients here hear.
// Without interest in the room that is for patterns of all rooms; what the leader
// after this one sends for them they hear when it comes.
func (r *room) listening() bool {
	p := &r.position
	return p.set && (r.local.confirmed || p.got > 0 && !p.ended)
}

// hear takes from somebody that there is a higher key. Its owner will say so, too;
// until then the order goes on that this node follows: its last messages may be on
// their way. Only who leads ends at once.
func (r *room) hear(key Key) {
	if key.Compare(r.highest()) <= 0 || r.next != nil && key == r.next.key {
		return
	}
	if r.office.leading {
		r.follow(key, r.ownerOf(key), false, Takeover)
		return
	}
	r.hint = key
	r.queue.resume()
	if key.Epoch.Compare(r.epoch) > 0 {
		r.stale = true
	}
	r.readdress()
}

// highest returns the highest key that this node has heard of.
func (r *room) highest() Key {
	if r.hint.Compare(r.key) > 0 {
		return r.hint
	}
	return r.key
}

// ownerOf returns who leads under a key, if that is known.
func (r *room) ownerOf(key Key) Peer {
	if key.Epoch == r.epoch && !key.IsZero() && int(key.Rank) < len(r.hosts) {
		return r.hosts[key.Rank]
	}
	return nobody
}

// leads takes that somebody leads under the key that this node follows.
func (r *room) leads(from Peer) {
	if r.owner != from {
		r.owner = from
		r.queue.resume()
		r.readdress()
	}
}

// contradict tells a node that its key is not the highest any more.
func (r *room) contradict(to Peer) {
	r.lane.stats.Stale++
	r.lane.send(to, Record{Type: Higher, Room: r.raw, Key: r.key})
}

// goesOn reports whether the owner of a key goes on where the order that this node
// follows has ended.
func (r *room) goesOn(key Key) bool {
	p := &r.position
	return p.ended && p.then.Epoch == key.Epoch && p.then.Rank == key.Rank
}

// heard takes what the leader says of its order: a message, or how far it is.
func (r *room) heard(from Peer, rec *Record) {
	c := rec.Key.Compare(r.key)
	switch {
	case c < 0:
		r.contradict(from)
		return
	case c > 0 && r.next != nil && r.next.key == rec.Key:
		r.hold(rec)
		return
	case c > 0 && r.finishes(from):
		r.await(rec.Key, from, true)
		r.hold(rec)
		return
	case c > 0:
		clean := rec.Type == Message && rec.Index == 1 && r.local.empty() ||
			rec.Type != Message && rec.Number == 0 && r.local.counted(from) // or what comes next is not for this node yet
		r.follow(rec.Key, from, clean && r.goesOn(rec.Key), Takeover)
	}
	r.leads(from)
	if rec.Type != Message {
		r.remembered(rec.Life)
	}
	r.take(rec)
}

// remembered takes what the leader knows of this node. If that is not what it knew
// before, something may have been lost.
func (r *room) remembered(life uint64) {
	p := &r.position
	if p.life != 0 && life != 0 && p.life != life {
		r.forgotten()
	}
	p.life = life
}

// forgotten is for a node that was not sent everything, for a while.
func (r *room) forgotten() {
	if r.listening() && !r.missed {
		r.missed, r.why = true, Takeover
	}
	r.position.got = 0
}

func (r *room) take(rec *Record) {
	if rec.Type == Message {
		r.deliver(rec)
	} else {
		r.sync(rec.Index)
		r.reset(rec.Flags)
	}
}

func (r *room) deliver(rec *Record) {
	p := &r.position
	if rec.Number <= p.number {
		r.lane.stats.Repeated++
		return
	}
	r.sync(rec.Index - 1)
	p.number, p.got = rec.Number, rec.Index
	r.used = r.lane.now
	r.measure()
	r.lane.stats.Received++
	if rec.Flags&Uncounted == 0 || r.confirmed(rec.Kind, rec.Channel) {
		r.lane.Sink.Deliver(rec.Kind, r.raw, rec.Channel, rec.Message)
	}
}

// sync takes how many messages should have come. If it is fewer than have, the
// leader had forgotten this node.
func (r *room) sync(index uint64) {
	p := &r.position
	why := Full
	if p.broken {
		why = Link
	}
	if p.set && index < p.got {
		r.forgotten()
	}
	switch {
	case r.missed:
		r.atone(r.local.empty())
	case index > p.got && (p.set || r.local.empty()): // who begins to listen has missed nothing
		r.gap(int64(index-p.got), why)
	}
	p.set, p.got, p.broken = true, index, false
}

// atone tells clients that they have missed something, if it is certain that
// nothing more is missing: the leader knows what is heard here.
func (r *room) atone(certain bool) {
	if r.missed && certain {
		r.missed = false
		r.gap(-1, r.why)
	}
}

// attach takes an acknowledgement of the leader, which tells its position too. It is
// whole if the leader knows by now what is heard here.
func (r *room) attach(from Peer, rec *Record, whole bool) {
	switch c := rec.Key.Compare(r.key); {
	case c < 0:
		r.contradict(from)
		return
	case c > 0 && r.next != nil && r.next.key == rec.Key:
		return // its messages wait
	case c > 0 && r.finishes(from):
		r.hear(rec.Key)
		return
	case c > 0:
		r.follow(rec.Key, from, rec.Number == 0 && r.goesOn(rec.Key), Takeover)
	default:
		r.leads(from)
	}
	r.remembered(rec.Life)
	r.sync(rec.Index)
	r.atone(whole)
	r.reset(rec.Flags)
	if whole {
		r.local.led = max(r.local.led, rec.Serial)
	}
}

// reset takes that the leader counts anew, if it says so, for nothing is heard here.
// It tells this node of its end no more.
func (r *room) reset(flags uint8) {
	if flags&Reset != 0 {
		r.position.got, r.position.life = 0, 0
		r.position.set = r.position.set && !r.local.empty()
	}
}

// finishes reports whether this node waits for the end of the order that it follows,
// of which somebody else than the next leader will tell. It hears the room by a
// pattern of all rooms only: what the next one sends it, it will notice.
func (r *room) finishes(next Peer) bool {
	return r.local.empty() && r.listening() && !r.position.ended && r.owner != next && r.lives(r.owner)
}

// begins takes that another node leads.
func (r *room) begins(from Peer, rec *Record) {
	p := &r.position
	known := rec.Flags&Known != 0 && r.local.counted(from)
	switch c := rec.Key.Compare(r.key); {
	case c < 0:
		r.contradict(from)
	case c == 0:
		r.leads(from)
		r.remembered(rec.Life)
		r.recall(from)
	case r.next != nil && r.next.key == rec.Key:
	case rec.Flags&Known == 0 && r.finishes(from):
		r.hear(rec.Key)
	case rec.Flags&Known != 0 && rec.Flags&Planned != 0 && rec.Prev == r.key && p.set && !p.ended && r.owner != from && r.lives(r.owner):
		r.settleSuccession()
		if r.key == rec.Prev {
			r.await(rec.Key, from, known)
		}
	default:
		clean := known && rec.Flags&Planned != 0 && rec.Prev == r.key && p.ended
		if rec.Flags&Fresh != 0 {
			r.step(rec.Key, from, clean, Takeover)
			r.local.led = r.local.acked(from) // it goes on with what it knew
		} else {
			r.follow(rec.Key, from, clean, Takeover)
			r.recall(from)
		}
		if rec.Flags&Known != 0 {
			r.remembered(rec.Life)
			r.sync(0)
			r.atone(known)
		}
	}
}

// await has a leader begin when the one before has ended.
func (r *room) await(key Key, from Peer, knows bool) {
	r.next = &succession{key: key, from: from, knows: knows, until: r.lane.now + endWithin}
	r.lane.alarm(r, r.next.until)
}

// ends takes that no message of a key follows.
func (r *room) ends(from Peer, rec *Record) {
	if rec.Key != r.key || r.office.leading {
		return
	}
	p := &r.position
	if p.set {
		r.sync(rec.Index)
		p.ended, p.then = true, rec.Prev
		if rec.Prev.IsZero() && r.local.empty() {
			*p = position{number: p.number} // the room is not used any more
		}
	}
	if rec.Prev.Epoch.Compare(r.epoch) > 0 {
		r.stale = true
	}
	r.settleSuccession()
	if r.local.empty() && r.hint.Compare(r.key) > 0 {
		r.follow(r.hint, r.ownerOf(r.hint), true, Moved)
	}
}

// hold keeps what the leader that is next has sent.
func (r *room) hold(rec *Record) {
	n := r.next
	copied := *rec
	copied.Room, copied.Items = nil, nil
	copied.Channel, copied.Message = bytes.Clone(rec.Channel), bytes.Clone(rec.Message)
	n.held = append(n.held, copied)
	if n.bytes += len(rec.Channel) + len(rec.Message); len(n.held) > heldMax || n.bytes > heldBytesMax {
		r.settleSuccession()
	}
}

// settleSuccession has the next leader begin, whether or not the last messages of
// the one before have come.
func (r *room) settleSuccession() {
	n := r.next
	if n == nil {
		return
	}
	r.follow(n.key, n.from, r.position.ended && n.knows, Moved)
	r.sync(0)
	r.atone(n.knows)
	for i := range n.held {
		r.take(&n.held[i])
	}
}

// gap tells of messages that subscribers here have missed.
func (r *room) gap(lost int64, why Why) {
	r.gaps++
	r.lane.stats.Gaps[why]++
	if lost > 0 {
		r.missing += lost
		r.lane.stats.Lost[why] += lost
	}
	r.lane.Sink.Gap(r.name, lost, why)
}

// recall has a host be told again all that is heard here.
func (r *room) recall(p Peer) {
	if r.silent() {
		r.lane.deny(p, r.raw, r.key)
		return
	}
	r.local.repeat(p)
	r.announce()
}
