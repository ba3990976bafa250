package lane

import (
	"slices"
	"time"
)

// This file is about messages of clients of this node in rooms that others lead,
// and about those of other nodes in rooms that this one leads.

// queue is what waits for a room's leader, in the order in which it came.
type queue struct {
	list    []publish
	sent    int    // of them are with a leader, the first ones
	to      Peer   // which
	attempt uint32 // under which they were sent
	serial  uint64 // of the last

	covered int           // of them came before the question that is under way where the room lives
	retryAt time.Duration // not to be sent before
}

// publish is one message, or a question for the audience of a channel.
type publish struct {
	tag       uint64
	serial    uint64
	since     time.Duration
	kind      Kind
	countOnly bool
	channel   []byte
	message   []byte
}

func (p *publish) bytes() int { return len(p.channel) + len(p.message) }

// Publish publishes a message. It returns how many clients it reaches, or -1: then
// the answer follows.
func (l *Lane) Publish(tag uint64, kind Kind, roomName, channel, message []byte) int64 {
	r := l.room(roomName)
	r.used = l.now
	if r.office.leading && !l.isolated && len(r.queue.list) == 0 {
		return r.order(Self, 0, kind, channel, message)
	}
	r.put(publish{tag: tag, kind: kind, channel: slices.Clone(channel), message: slices.Clone(message)})
	return -1
}

// Count asks how many clients of all nodes hear a channel by its name. The answer
// follows.
func (l *Lane) Count(tag uint64, kind Kind, roomName, channel []byte) {
	r := l.room(roomName)
	r.used = l.now
	if r.office.leading && len(r.queue.list) == 0 {
		l.Sink.Answer(tag, Done, r.named(kind, channel))
		return
	}
	r.put(publish{tag: tag, kind: kind, channel: slices.Clone(channel), countOnly: true})
}

// put adds a publish, unless too many wait.
func (r *room) put(p publish) {
	l, q := r.lane, &r.queue
	if l.pending >= pendingMax || l.pendingBytes+p.bytes() > pendingBytesMax {
		l.stats.Crowded++
		l.Sink.Answer(p.tag, TryAgain, 0)
		return
	}
	q.serial++
	p.serial, p.since = q.serial, l.now
	q.list = append(q.list, p)
	l.pending++
	l.pendingBytes += p.bytes()
	l.alarm(r, l.now+publishPatience)
	r.own()
	r.pump()
	if r.placeless() {
		r.ask()
	}
}

// take removes the first publish.
func (q *queue) take(r *room) publish {
	p := q.list[0]
	q.list[0] = publish{}
	if q.list = q.list[1:]; len(q.list) == 0 {
		q.list = nil
	}
	q.sent = max(q.sent-1, 0)
	q.covered = max(q.covered-1, 0)
	r.lane.pending--
	r.lane.pendingBytes -= p.bytes()
	return p
}

// answer answers the first n.
func (q *queue) answer(r *room, n int, code Code, count int64) {
	for range n {
		r.lane.Sink.Answer(q.take(r).tag, code, count)
	}
}

// pump sends what waits to the leader, as soon as nothing of it is with another.
func (r *room) pump() {
	l, q := r.lane, &r.queue
	if len(q.list) == q.sent || l.now < q.retryAt {
		return
	}
	to := r.target()
	switch {
	case r.epoch.IsZero() || r.lost || to == nobody:
		return
	case q.sent > 0 && q.to != to:
		return
	case to == Self:
		r.orderQueued()
		return
	}
	if q.sent == 0 {
		q.to = to
		q.attempt = max(q.attempt, 1)
	}
	for q.sent < len(q.list) {
		p := &q.list[q.sent]
		rec := Record{Type: Publish, Room: []byte(r.name), Key: r.key, Serial: p.serial, Attempt: q.attempt, Kind: p.kind, Channel: p.channel, Message: p.message}
		if p.countOnly {
			rec.Flags = CountOnly
		}
		if !l.send(to, rec) {
			q.retryAt = l.now + retryInterval
			l.alarm(r, q.retryAt)
			return
		}
		q.sent++
		l.stats.Forwarded++
	}
}

// orderQueued is for who leads by now.
func (r *room) orderQueued() {
	l, q := r.lane, &r.queue
	if !r.office.leading {
		if !r.serving { // as it will be told soon
			r.askAgain()
		}
		return
	}
	if l.isolated {
		q.answer(r, len(q.list), Down, 0)
		return
	}
	for len(q.list) > 0 {
		p := q.take(r)
		n := int64(0)
		if p.countOnly {
			n = r.named(p.kind, p.channel)
		} else {
			n, _ = r.count(p.kind, p.channel)
		}
		l.Sink.Answer(p.tag, Done, n)
		if !p.countOnly {
			r.order(Self, 0, p.kind, p.channel, p.message)
		}
	}
	r.own()
}

// published takes a message of another node's client.
func (r *room) published(from Peer, rec *Record) {
	l, o := r.lane, &r.office
	switch {
	case !r.serving && !o.leading:
		l.send(from, Record{Type: Refuse, Room: rec.Room, Key: r.key, Serial: rec.Serial, Attempt: rec.Attempt})
		l.send(from, Record{Type: NotHost, Room: rec.Room, Key: r.key})
	case !o.leading || l.isolated || rec.Attempt <= o.refused[from]:
		if o.refused == nil {
			o.refused = make(map[Peer]uint32)
		}
		o.refused[from] = max(o.refused[from], rec.Attempt)
		l.stats.Refused++
		l.send(from, Record{Type: Refuse, Room: rec.Room, Key: r.key, Serial: rec.Serial, Attempt: o.refused[from]})
		if !o.leading {
			r.doubt()
		}
	case rec.Flags&CountOnly != 0:
		l.send(from, Record{Type: Ordered, Room: rec.Room, Serial: rec.Serial, Count: r.named(rec.Kind, rec.Channel)})
	default:
		r.used = l.now
		r.order(from, rec.Serial, rec.Kind, rec.Channel, rec.Message)
	}
}

// ordered takes the leader's answer: they come in the order of the publishes.
func (q *queue) ordered(r *room, from Peer, rec *Record) {
	if q.sent > 0 && q.to == from && q.list[0].serial == rec.Serial {
		q.answer(r, 1, Done, rec.Count)
	}
}

// refuse takes that one, and all after it, have no place in the order.
func (q *queue) refuse(r *room, from Peer, rec *Record) {
	if q.sent == 0 || q.to != from || rec.Attempt < q.attempt || q.list[0].serial != rec.Serial {
		return
	}
	q.sent = 0
	q.attempt = rec.Attempt + 1
	q.retryAt = r.lane.now + retryInterval
	r.lane.alarm(r, q.retryAt)
	if rec.Key.Compare(r.key) > 0 {
		r.hear(rec.Key)
	}
}

// orphaned is for publishes whose leader is gone, or the link to it: whether they
// were ordered nobody can tell.
func (q *queue) orphaned(r *room, p Peer) {
	if q.sent > 0 && q.to == p {
		q.answer(r, q.sent, TryAgain, 0)
	}
	if q.to == p {
		q.attempt++
	}
}

// absent answers what was asked before it was known that the room does not exist.
func (q *queue) absent(r *room) {
	q.answer(r, min(q.covered, len(q.list)-q.sent), Done, 0)
}

// fail answers what no leader has.
func (q *queue) fail(r *room, code Code) {
	if q.sent == 0 {
		q.answer(r, len(q.list), code, 0)
	}
}

// expire answers what has waited for too long for a leader.
func (q *queue) expire(r *room) {
	for q.sent == 0 && len(q.list) > 0 && r.lane.now >= q.list[0].since+publishPatience {
		q.answer(r, 1, TryAgain, 0)
	}
}
