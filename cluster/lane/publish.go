package lane

import "time"

// This file is about messages of clients of this node in rooms that others lead,
// and about those of other nodes in rooms that this one leads.

// queue is what waits for a room's leader, in the order in which it came.
type queue struct {
	list []publish
	head int    // of the list, what is before is over
	text []byte // of the channels and messages, one after the other
	base int    // where the text begins, in the bytes of all time

	sent    int    // of the list are with a leader, the first ones
	to      Peer   // which
	attempt uint64 // under which they were sent
	unsure  bool   // it may refuse: it gets one at a time
	refused uint8  // how often it has, since it last took one

	covered int           // of the list came before the question that is under way where the room lives
	retryAt time.Duration // not to be sent before
}

// publish is one message, or a question for the audience of a channel.
type publish struct {
	tag       uint64
	serial    uint64
	since     time.Duration
	kind      Kind
	countOnly bool
	at        int // where its text begins
	channel   int // bytes of it
	message   int
}

// These are for nil, too, which is an empty queue.
func (q *queue) empty() bool { return q == nil || len(q.list) == q.head }
func (q *queue) waits() bool { return q != nil && q.len() > q.sent }
func (q *queue) len() int {
	if q == nil {
		return 0
	}
	return len(q.list) - q.head
}

// resume has what waits be sent at once, to whoever leads by now.
func (q *queue) resume() {
	if q != nil {
		q.retryAt, q.unsure = 0, false
	}
}

// cover takes that a question is under way where the room lives.
func (q *queue) cover() {
	if q != nil {
		q.covered = q.len()
	}
}

func (q *queue) at(i int) *publish { return &q.list[q.head+i] }
func (p *publish) bytes() int      { return p.channel + p.message }
func (q *queue) channel(p *publish) []byte {
	at := p.at - q.base
	return q.text[at : at+p.channel : at+p.channel]
}

func (q *queue) message(p *publish) []byte {
	at := p.at - q.base + p.channel
	return q.text[at : at+p.message : at+p.message]
}

// Publish publishes a message. It returns how many clients it reaches, or -1: then
// the answer follows.
func (l *Lane) Publish(tag uint64, kind Kind, roomName, channel, message []byte) int64 {
	r := l.room(roomName)
	r.used = l.now
	if r.office.leading && !l.isolated && r.queue.empty() {
		clients, _ := r.order(Self, 0, kind, channel, message)
		return clients
	}
	r.put(publish{tag: tag, kind: kind}, channel, message)
	return -1
}

// Count asks how many clients of all nodes hear a channel by its name. The answer
// follows.
func (l *Lane) Count(tag uint64, kind Kind, roomName, channel []byte) {
	r := l.room(roomName)
	r.used = l.now
	if r.office.leading && r.queue.empty() {
		l.Sink.Answer(tag, Done, r.named(kind, channel))
		return
	}
	r.put(publish{tag: tag, kind: kind, countOnly: true}, channel, nil)
}

// put adds a publish, unless too many wait.
func (r *room) put(p publish, channel, message []byte) {
	l := r.lane
	p.channel, p.message = len(channel), len(message)
	if l.pending >= pendingMax || l.pendingBytes+p.bytes() > pendingBytesMax {
		l.stats.Crowded++
		l.Sink.Answer(p.tag, TryAgain, 0)
		return
	}
	if r.queue == nil {
		r.queue = new(queue)
	}
	q := r.queue
	q.compact()
	l.serial++
	p.serial, p.since, p.at = l.serial, l.now, q.base+len(q.text)
	q.text = append(append(q.text, channel...), message...)
	q.list = append(q.list, p)
	l.pending++
	l.pendingBytes += p.bytes()
	l.alarm(r, l.now+publishPatience)
	r.own()
	r.pump()
	r.seek()
}

// compact makes room at the end when half of the list is over.
func (q *queue) compact() {
	if q.head < 32 || q.head < len(q.list)/2 {
		return
	}
	over := len(q.text)
	if !q.empty() {
		over = q.at(0).at - q.base
	}
	q.base += over
	q.text = q.text[:copy(q.text, q.text[over:])]
	q.list = q.list[:copy(q.list, q.list[q.head:])]
	q.head = 0
}

// take removes the first publish. Its text stays until the next one is put.
func (q *queue) take(l *Lane) publish {
	p := *q.at(0)
	q.head++
	q.sent = max(q.sent-1, 0)
	q.covered = max(q.covered-1, 0)
	l.pending--
	l.pendingBytes -= p.bytes()
	return p
}

// tidy gives back the memory of a queue that is empty.
func (q *queue) tidy() {
	if !q.empty() {
		return
	}
	if cap(q.text) > spareTextMax || cap(q.list) > spareListMax {
		q.list, q.text = nil, nil
	}
	q.list, q.text, q.head, q.base = q.list[:0], q.text[:0], 0, 0
}

// answer answers the first n.
func (q *queue) answer(l *Lane, n int, code Code, count int64) {
	for range n {
		l.Sink.Answer(q.take(l).tag, code, count)
	}
	q.tidy()
}

// pump sends what waits to the leader, as soon as nothing of it is with another.
func (r *room) pump() {
	l, q := r.lane, r.queue
	if !q.waits() {
		return
	}
	to := r.target()
	switch {
	case to == nobody, q.sent > 0 && q.to != to:
		return
	case to == Self:
		r.orderQueued()
		return
	case l.now < q.retryAt:
		l.alarm(r, q.retryAt)
		return
	}
	if q.sent == 0 && q.to != to || q.attempt == 0 {
		l.attempt++
		q.to, q.attempt = to, l.attempt
	}
	for q.waits() && (q.sent == 0 || !q.unsure) {
		p := q.at(q.sent)
		rec := Record{Type: Publish, Room: r.raw, Key: r.highest(), Serial: p.serial, Attempt: q.attempt, Kind: p.kind, Channel: q.channel(p), Message: q.message(p)}
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
	l, q := r.lane, r.queue
	if l.isolated {
		q.answer(l, q.len(), Down, 0)
		return
	}
	for n := q.len(); n > 0; n-- {
		p := q.take(l)
		channel, message := q.channel(&p), q.message(&p)
		if p.countOnly {
			l.Sink.Answer(p.tag, Done, r.named(p.kind, channel))
			continue
		}
		l.Sink.Answer(p.tag, Done, r.count(p.kind, channel))
		r.order(Self, 0, p.kind, channel, message)
	}
	q.tidy()
	r.own()
}

// published takes a message of another node's client.
func (r *room) published(from Peer, rec *Record) {
	l, o := r.lane, &r.office
	r.hear(rec.Key)
	if !r.serving && !o.leading {
		r.refuse(from, rec)
		r.turnAway(from)
		return
	}
	if !o.leading || l.isolated || rec.Attempt <= o.refused[from] {
		r.refuse(from, rec)
		if !o.leading {
			r.doubt()
		}
		return
	}
	ok := true
	if rec.Flags&CountOnly != 0 {
		ok = l.send(from, Record{Type: Ordered, Room: r.raw, Key: r.key, Serial: rec.Serial, Count: r.named(rec.Kind, rec.Channel)})
	} else {
		r.used = l.now
		_, ok = r.order(from, rec.Serial, rec.Kind, rec.Channel, rec.Message)
	}
	if !ok {
		r.refuse(from, rec)
	}
}

// refuse says that a publish has no place in the order, nor those after it that
// were sent before this is heard.
func (r *room) refuse(from Peer, rec *Record) {
	o := &r.office
	if o.refused == nil {
		o.refused = make(map[Peer]uint64)
	}
	o.refused[from] = max(o.refused[from], rec.Attempt)
	r.lane.stats.Refused++
	r.lane.send(from, Record{Type: Refuse, Room: r.raw, Key: r.key, Serial: rec.Serial, Attempt: o.refused[from]})
}

// ordered takes the leader's answer: they come in the order of the publishes.
func (r *room) ordered(from Peer, rec *Record) {
	q := r.queue
	r.hear(rec.Key)
	if q == nil || q.to != from {
		return
	}
	for q.sent > 0 && q.at(0).serial < rec.Serial {
		q.answer(r.lane, 1, TryAgain, 0) // its answer is lost
	}
	if q.sent > 0 && q.at(0).serial == rec.Serial {
		q.unsure, q.refused = false, 0
		q.answer(r.lane, 1, Done, rec.Count)
	}
}

// refused takes that nothing more of what was sent has a place: it is sent again.
func (r *room) refused(from Peer, rec *Record) {
	l, q := r.lane, r.queue
	if q != nil && q.sent > 0 && q.to == from && rec.Attempt >= q.attempt {
		l.attempt = max(l.attempt, rec.Attempt) + 1
		q.sent, q.attempt = 0, l.attempt
		wait := refusedAgain(&q.refused)
		r.stale = r.stale || wait == retryInterval // it has refused for long: another one may lead, elsewhere
		q.retryAt, q.unsure = l.now+wait, true
		l.alarm(r, q.retryAt)
	}
	r.hear(rec.Key)
}

// orphaned is for publishes whose leader is gone, or the link to it: whether they
// were ordered nobody can tell.
func (r *room) orphaned(p Peer) {
	q := r.queue
	if q == nil || q.to != p {
		return
	}
	n := q.sent
	q.sent, q.to, q.attempt = 0, nobody, 0
	q.answer(r.lane, n, TryAgain, 0)
}

// expire answers what has waited for too long.
func (r *room) expire() {
	l, q := r.lane, r.queue
	for !q.empty() && l.now >= q.at(0).since+publishPatience {
		if q.sent > 0 { // the leader may answer yet, and who knows what
			r.orphaned(q.to)
			continue
		}
		q.answer(l, 1, TryAgain, 0)
	}
}
