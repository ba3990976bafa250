package placement

import (
	"container/heap"
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
	lowest  uint64                 // no question without an answer has a lower tag
	asked   map[uint64]*question   // without an answer, by the tag under which the leader has them
	rooms   map[string][]*question // in their order
	sends   sends                  // the first of each room, and all scans
	ends    queue[*question]       // in the order of their tags, answered ones too
}

// question is what one or more clients want to know.
type question struct {
	ask    Ask
	scan   *Scan         // instead
	tag    uint64        // the leader's
	tags   []uint64      // the clients'
	sent   bool          // it was, at least once
	next   time.Duration // when to send it, again
	wait   time.Duration // from then to the time after it
	at     int           // its place in sends
	missed Refusal       // why there is no answer
}

// NewFront returns a node's front. Its tags are above after: they must be higher
// than those of an earlier process of that name.
func NewFront(random *rand.Rand, after uint64) *Front {
	return &Front{random: random, serial: after, lowest: after + 1, asked: make(map[uint64]*question), rooms: make(map[string][]*question)}
}

// Effects takes what is to be done since the last time.
func (f *Front) Effects() []Effect { return f.effects.take() }

// Leader tells who leads the cluster, as far as is known here; empty if nobody.
func (f *Front) Leader(now time.Duration, name Name) {
	if name == f.leader {
		return
	}
	f.leader = name
	for _, q := range f.sends {
		q.next = now // what the old one was asked is lost
	}
	heap.Init(&f.sends)
}

// Ask begins to ask for a client; Answer with its tag follows.
func (f *Front) Ask(now time.Duration, tag uint64, ask Ask) {
	others := f.rooms[ask.Room]
	for _, q := range others {
		if !q.sent && q.sameAs(ask) {
			q.tags = append(q.tags, tag)
			return
		}
	}
	q := f.begin(now, tag)
	q.ask = ask
	f.rooms[ask.Room] = append(others, q)
	if len(others) == 0 {
		heap.Push(&f.sends, q)
	}
}

// Scan begins to list rooms for a client; Page with its tag follows.
func (f *Front) Scan(now time.Duration, tag uint64, cursor uint64, count int) {
	q := f.begin(now, tag)
	q.scan = &Scan{Cursor: cursor, Count: count}
	heap.Push(&f.sends, q)
}

func (f *Front) begin(now time.Duration, tag uint64) *question {
	f.serial++
	q := &question{tag: f.serial, tags: []uint64{tag}, next: now, wait: askRetryMin, missed: NoLeader}
	f.asked[q.tag] = q
	f.ends.push(now+askPatience, q)
	return q
}

func (q *question) sameAs(ask Ask) bool {
	return ask.Delete == q.ask.Delete && ask.Create == q.ask.Create && ask.Keep == q.ask.Keep &&
		ask.Want == q.ask.Want && slices.Equal(ask.Pins, q.ask.Pins)
}

// Receive takes the leader's answer.
func (f *Front) Receive(m Message) {
	switch m := m.(type) {
	case Told:
		if q := f.asked[m.Tag]; q != nil && q.sent && q.scan == nil && q.ask.Room == m.Room && q.settled(m.Error) {
			f.answer(q, m)
		}
	case Scanned:
		if q := f.asked[m.Tag]; q != nil && q.sent && q.scan != nil && q.settled(m.Error) {
			f.page(q, m)
		}
	}
}

// settled reports whether an answer is the last word.
func (q *question) settled(e Refusal) bool {
	if e == TryAgain {
		q.missed = TryAgain
	}
	return e != TryAgain && e != NotLeader
}

// answer answers the first question of a room, and lets the next be sent.
func (f *Front) answer(q *question, m Told) {
	f.end(q)
	if others := f.rooms[q.ask.Room][1:]; len(others) > 0 {
		f.rooms[q.ask.Room] = others
		heap.Push(&f.sends, others[0])
	} else {
		delete(f.rooms, q.ask.Room)
	}
	for _, tag := range q.tags {
		f.effects.add(Answer{tag, m})
	}
}

func (f *Front) page(q *question, m Scanned) {
	f.end(q)
	for _, tag := range q.tags {
		f.effects.add(Page{tag, m})
	}
}

func (f *Front) end(q *question) {
	delete(f.asked, q.tag)
	heap.Remove(&f.sends, q.at)
}

// open returns the lowest tag without an answer.
func (f *Front) open() uint64 {
	for f.lowest <= f.serial && f.asked[f.lowest] == nil {
		f.lowest++
	}
	return f.lowest
}

// Next returns when Tick has something to do, unless something happens before.
func (f *Front) Next() time.Duration {
	next := f.ends.next()
	if len(f.sends) > 0 && f.leader != "" {
		next = min(next, f.sends[0].next)
	}
	return next
}

// Tick sends what is due. It is called when Next says so, and after all else that
// is called.
func (f *Front) Tick(now time.Duration) {
	for len(f.ends.waiting) > 0 {
		switch q := f.ends.waiting[0].item; {
		case f.asked[q.tag] == nil:
		case now < f.ends.next():
			f.send(now)
			return
		case q.scan != nil:
			f.page(q, Scanned{Error: q.missed})
		default: // the first of its room: those behind it were asked later
			f.answer(q, Told{Room: q.ask.Room, Error: q.missed})
		}
		f.ends.pop()
	}
}

func (f *Front) send(now time.Duration) {
	for f.leader != "" && f.sends[0].next <= now {
		q := f.sends[0]
		q.next = now + q.wait/2 + time.Duration(f.random.Int64N(int64(q.wait)))
		q.wait = min(2*q.wait, askRetryMax)
		q.sent = true
		heap.Fix(&f.sends, 0)
		if q.scan != nil {
			f.effects.send(f.leader, Scan{q.tag, f.open(), q.scan.Cursor, q.scan.Count})
			continue
		}
		q.ask.Tag, q.ask.Open = q.tag, f.open()
		f.effects.send(f.leader, q.ask)
	}
}

// sends are questions by when to send them: a heap.
type sends []*question

func (s sends) Len() int { return len(s) }

func (s sends) Less(i, j int) bool {
	return s[i].next < s[j].next || s[i].next == s[j].next && s[i].tag < s[j].tag
}

func (s sends) Swap(i, j int) {
	s[i], s[j] = s[j], s[i]
	s[i].at, s[j].at = i, j
}

func (s *sends) Push(x any) {
	q := x.(*question)
	q.at = len(*s)
	*s = append(*s, q)
}

func (s *sends) Pop() any {
	last := len(*s) - 1
	q := (*s)[last]
	(*s)[last] = nil
	*s = (*s)[:last]
	return q
}
