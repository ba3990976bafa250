package placement

import (
	"math/rand/v2"
	"slices"
	"time"
)

// Front asks the leader on behalf of a node's clients. Of one room one question
// is under way at a time; alike ones that come meanwhile are the next, together:
// the answer that is on its way may be older than they are. A question without an
// answer is asked again, for askPatience.
type Front struct {
	// Set once.
	random *rand.Rand

	effects effects
	leader  Name // empty: nobody is known to lead
	serial  uint64
	asked   map[uint64]*question   // by the tag under which the leader has them
	rooms   map[string][]*question // in their order
	open    []*question            // in the order of their tags
}

// question is what one or more clients want to know.
type question struct {
	ask    Ask
	tags   []uint64      // the clients'
	sent   bool          // it was, at least once
	next   time.Duration // when to send it, again
	wait   time.Duration // from then to the time after it
	until  time.Duration
	missed Refusal // why there is no answer
}

// NewFront returns a node's front.
func NewFront(random *rand.Rand) *Front {
	return &Front{random: random, asked: make(map[uint64]*question), rooms: make(map[string][]*question)}
}

// Effects takes what is to be done since the last time.
func (f *Front) Effects() []Effect { return f.effects.take() }

// Leader tells who leads the cluster, as far as is known here; empty if nobody.
func (f *Front) Leader(now time.Duration, name Name) {
	if name == f.leader {
		return
	}
	f.leader = name
	for _, q := range f.open {
		q.next = now // what the old one was asked is lost
	}
}

// Ask begins to ask for a client; Answer with its tag follows.
func (f *Front) Ask(now time.Duration, tag uint64, ask Ask) {
	for _, q := range f.rooms[ask.Room] {
		if !q.sent && q.sameAs(ask) {
			q.tags = append(q.tags, tag)
			return
		}
	}
	f.serial++
	ask.Tag = f.serial
	q := &question{ask: ask, tags: []uint64{tag}, next: now, wait: askRetryMin, until: now + askPatience, missed: NoLeader}
	f.asked[ask.Tag] = q
	f.rooms[ask.Room] = append(f.rooms[ask.Room], q)
	f.open = append(f.open, q)
}

func (q *question) sameAs(ask Ask) bool {
	return ask.Delete == q.ask.Delete && ask.Create == q.ask.Create && ask.Keep == q.ask.Keep &&
		ask.Want == q.ask.Want && slices.Equal(ask.Pins, q.ask.Pins)
}

// Receive takes the leader's answer.
func (f *Front) Receive(m Told) {
	q := f.asked[m.Tag]
	switch {
	case q == nil || q.ask.Room != m.Room:
	case m.Error == NotLeader:
	case m.Error == TryAgain:
		q.missed = TryAgain
	default:
		f.answer(q, m)
	}
}

func (f *Front) answer(q *question, m Told) {
	is := func(o *question) bool { return o == q }
	delete(f.asked, q.ask.Tag)
	f.open = slices.DeleteFunc(f.open, is)
	if others := slices.DeleteFunc(f.rooms[q.ask.Room], is); len(others) > 0 {
		f.rooms[q.ask.Room] = others
	} else {
		delete(f.rooms, q.ask.Room)
	}
	for _, tag := range q.tags {
		f.effects.add(Answer{tag, m})
	}
}

// Tick sends what is due. It is called every millisecond or so, and after Ask.
func (f *Front) Tick(now time.Duration) {
	for _, q := range slices.Clone(f.open) {
		switch {
		case now >= q.until:
			f.answer(q, Told{Room: q.ask.Room, Error: q.missed})
		case now >= q.next && f.rooms[q.ask.Room][0] == q && f.leader != "":
			q.next = now + q.wait/2 + time.Duration(f.random.Int64N(int64(q.wait)))
			q.wait = min(2*q.wait, askRetryMax)
			q.sent = true
			q.ask.Open = f.open[0].ask.Tag
			f.effects.send(f.leader, q.ask)
		}
	}
}
