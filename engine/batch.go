package engine

import (
	"slices"

	"hubsub/resp"
)

// Result is the answer to one question.
type Result struct {
	N    int64
	Code Code
}

// Batch is questions of one command that are answered together: the publishes
// of an EXEC or a script, or a SUBSCRIBE's names. Its session is suspended from
// Wait to the last answer. It belongs to the session's loop.
type Batch struct {
	session *Session
	results []Result
	left    int     // of them, Pending
	waits   bool    // Wait was called, and the session is suspended
	muted   bool    // as of then
	written bool    // done has run, the session waits for its turn to go on
	quick   bool    // done writes and does nothing else
	done    func()  // with the session there
	then    func()  // when that is over; may be nil
	undone  func()  // without it; may be nil
	here    []*room // what it published to past their lanes
	tick    int     // in that tick
}

// NewBatch returns a batch for the publishes of the command that is executed.
func (s *Session) NewBatch() *Batch { return &Batch{session: s, quick: true} }

// Publish publishes a message, cmd.Args being verb, channel and message. Its
// result is the batch's next; it may be Pending.
func (b *Batch) Publish(kind Kind, cmd *resp.Command) Result {
	s := b.session
	l := s.loop
	name, message := cmd.Args[1], cmd.Args[2]
	if l.relay == nil || b.publishesHere(kind, cmd) {
		_, _, receivers := l.publishOne(kind, cmd)
		b.results = append(b.results, Result{N: receivers})
		return b.results[len(b.results)-1]
	}
	l.tally.published++
	if l.relay.tooLarge(len(name) + len(message)) {
		b.results = append(b.results, Result{Code: TooLarge})
		return b.results[len(b.results)-1]
	}
	b.results = append(b.results, Result{Code: Pending})
	r := l.relay.ask(question{what: askPublish, kind: kind}, name, message, b.ticket())
	b.asked(r)
	if r.Code == Pending {
		s.await().asked++
	}
	return r
}

// publishesHere is Session.publishesHere, but for rooms that the batch has
// published to in this tick already: what is to be contiguous goes one way, to
// channels too that only patterns hear.
func (b *Batch) publishesHere(kind Kind, cmd *resp.Command) bool {
	s, name := b.session, cmd.Args[1]
	if IsLocal(name) {
		return true
	}
	l := s.loop
	if b.tick != l.ticks {
		b.tick, b.here = l.ticks, b.here[:0]
	}
	in := roomName(name)
	if slices.ContainsFunc(b.here, func(r *room) bool { return r.name == string(in) }) {
		return !l.relay.tooLarge(len(name) + len(cmd.Args[2]))
	}
	ch := s.owned(kind, cmd)
	if ch != nil {
		b.here = append(b.here, ch.room)
	}
	return ch != nil
}

// ticket returns the ticket of the last result.
func (b *Batch) ticket() ticket {
	return ticket{session: b.session, batch: b, place: uint64(len(b.results) - 1)}
}

// asked takes note of what the last question was answered with, if it was.
func (b *Batch) asked(r Result) {
	b.results[len(b.results)-1] = r
	if r.Code == Pending {
		b.left++
	}
}

// fill answers a question and reports whether it was the last that was waited
// for.
func (b *Batch) fill(place uint64, r Result) (complete bool) {
	b.results[place] = r
	b.left--
	return b.left == 0 && b.waits
}

// Results returns what is known.
func (b *Batch) Results() []Result { return b.results }

// Wait has done called when there is an answer to all: at once, or later, with
// the client's commands waiting meanwhile. Of a client that has gone by then
// nothing is called. done may only write to the client; then, which is called
// next and may be nil, may do more.
func (b *Batch) Wait(done, then func()) {
	b.done, b.then = done, then
	if b.left == 0 {
		b.done()
		b.goOn()
		return
	}
	s := b.session
	b.waits, b.muted = true, s.has(muted)
	s.flags |= suspended
	s.loop.watch(s)
}

func (b *Batch) goOn() {
	if b.then != nil {
		b.then()
	}
}

// alive reports whether the session still waits for the batch. One that finishes
// does if it was the batch's command that said so.
func (b *Batch) alive() bool {
	s := b.session
	return !s.ended() && s.has(suspended) && !s.has(doomed)
}

// write runs a quick batch's done, as soon as it can.
func (b *Batch) write() {
	if b.quick && !b.written && b.alive() {
		b.written = true
		b.session.as(b.muted, b.done)
	}
}

// finish ends a batch that is complete, at the beginning of a tick or its end.
func (b *Batch) finish() {
	switch {
	case b.written:
		if b.alive() {
			b.session.proceed(b.muted, b.goOn)
		}
	case b.alive():
		b.session.proceed(b.muted, func() { b.done(); b.goOn() })
	case b.undone != nil:
		b.undone()
	}
}
