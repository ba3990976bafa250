package lane

import (
	"bytes"
	"time"
)

// This file is about who follows a leader: in which order messages come, and which
// have not.

// position is how far a node with clients of a room is in its order.
type position struct {
	set    bool   // it has one: gaps are seen
	number uint64 // of the last message under the key
	got    uint64 // messages under the key that were meant for this node, and have come or are told as lost
	ended  bool   // no more come
	broken bool   // a link was
}

// succession is a leader that begins when another has ended.
type succession struct {
	key   Key
	from  Peer
	until time.Duration // then it begins anyway
	held  []Record      // its messages until then, copied
	bytes int
}

// Receive takes a record of another node.
func (l *Lane) Receive(from Peer, rec *Record) {
	if rec.Type == Announce || rec.Type == Publish || rec.Type == Message {
		r := l.room(rec.Room)
		switch rec.Type {
		case Announce:
			r.announced(from, rec)
		case Publish:
			r.published(from, rec)
		default:
			r.heard(from, rec)
		}
		return
	}
	r := l.rooms[string(rec.Room)]
	if r == nil {
		return
	}
	switch rec.Type {
	case Ack:
		r.acknowledged(from, rec)
	case NotHost:
		r.missed(from)
	case Ordered:
		r.queue.ordered(r, from, rec)
	case Refuse:
		r.queue.refuse(r, from, rec)
	case Position:
		r.passed(from, rec)
	case Lead:
		r.begins(from, rec)
	case End:
		r.ends(from, rec)
	case Handover:
		r.office.handed = rec.Key
		r.succeed()
	case Higher:
		r.hear(rec.Key)
	}
	r.proceed()
}

// contradict tells a node that its key is not the highest any more.
func (r *room) contradict(to Peer) {
	r.lane.stats.Stale++
	r.lane.send(to, Record{Type: Higher, Room: []byte(r.name), Key: r.key})
}

// heard takes a message.
func (r *room) heard(from Peer, rec *Record) {
	switch c := rec.Key.Compare(r.key); {
	case c < 0:
		r.contradict(from)
		return
	case c > 0 && r.next != nil && r.next.key == rec.Key:
		r.hold(rec)
		return
	case c > 0:
		r.follow(rec.Key, from, Takeover)
	}
	r.owner = from
	r.deliver(rec)
}

func (r *room) deliver(rec *Record) {
	p := &r.position
	switch {
	case rec.Number <= p.number:
		r.lane.stats.Repeated++
		return
	case p.set && rec.Index > p.got: // else the leader has begun to count anew
		r.sync(rec.Index - 1)
	}
	p.number, p.got = rec.Number, rec.Index
	p.set = true
	r.used = r.lane.now
	r.lane.stats.Received++
	r.lane.Sink.Deliver(rec.Kind, rec.Room, rec.Channel, rec.Message)
}

// sync takes how many messages should have come.
func (r *room) sync(index uint64) {
	p := &r.position
	if p.set && index > p.got {
		why := Full
		if p.broken {
			why = Link
		}
		r.gap(int64(index-p.got), why)
	}
	p.got = index
	p.set = len(r.local.counts) > 0 || p.set
	p.broken = false
}

// passed takes what the leader says instead of a message that it could not send.
func (r *room) passed(from Peer, rec *Record) {
	if rec.Key == r.key {
		r.owner = from
		if r.position.set {
			r.sync(max(rec.Index, r.position.got))
		}
	}
}

// begins takes that another node leads.
func (r *room) begins(from Peer, rec *Record) {
	c := rec.Key.Compare(r.key)
	known := rec.Flags&Known != 0
	switch {
	case c < 0:
		r.contradict(from)
	case c == 0:
		r.owner = from
		if !known {
			r.announceAll()
		}
	case !known || rec.Prev != r.key || !r.position.set:
		r.follow(rec.Key, from, Takeover)
	case r.position.ended:
		r.adopt(rec.Key, from)
	case rec.Flags&Planned != 0 && (r.lives(r.owner) || r.owner == from):
		r.next = &succession{key: rec.Key, from: from, until: r.lane.now + endWithin}
		r.lane.alarm(r, r.next.until)
	default:
		r.follow(rec.Key, from, Takeover)
	}
}

// ends takes that no message of a key follows.
func (r *room) ends(from Peer, rec *Record) {
	if rec.Key != r.key || r.office.leading {
		return
	}
	if r.position.set {
		r.sync(max(rec.Index, r.position.got))
		r.position.ended = true
	}
	if r.next != nil {
		r.settleSuccession()
	}
}

// hold keeps a message of the leader that is next.
func (r *room) hold(rec *Record) {
	n := r.next
	copied := *rec
	copied.Room = nil
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
	r.next = nil
	if r.position.ended {
		r.adopt(n.key, n.from)
	} else {
		r.follow(n.key, n.from, Moved)
		r.position.set = true // the new leader knew this node when it began
	}
	for i := range n.held {
		rec := &n.held[i]
		rec.Room = []byte(r.name)
		r.deliver(rec)
	}
}

// adopt follows a leader that goes on where the one before has ended.
func (r *room) adopt(key Key, from Peer) {
	r.position = position{set: true}
	r.key, r.owner, r.next = key, from, nil
	r.office.claimed, r.office.handed = 0, Key{}
	r.newLeader()
}

// follow follows a leader of a higher key. What clients here have missed nobody
// knows.
func (r *room) follow(key Key, from Peer, why Why) {
	r.step(key, from, why)
	r.newLeader()
}

// hear takes that there is a higher key, of whom is not known.
func (r *room) hear(key Key) {
	if key.Compare(r.key) <= 0 {
		return
	}
	r.step(key, nobody, Takeover)
	r.newLeader()
}

// newLeader has all be told to who leads now, and to hosts of a placement that
// this node has not heard of.
func (r *room) newLeader() {
	r.queue.retryAt = 0
	r.announceAll()
	if r.key.Epoch.Compare(r.epoch) > 0 {
		r.lost = true
		r.askAgain()
	}
}
