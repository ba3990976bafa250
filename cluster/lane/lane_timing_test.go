package lane

import "testing"

// quiet is a world that takes everything and does nothing.
type quiet struct{ sent, delivered int }

func (q *quiet) Send(Peer, *Record) bool              { q.sent++; return true }
func (q *quiet) Deliver(Kind, []byte, []byte, []byte) { q.delivered++ }
func (q *quiet) Answer(uint64, Code, int64)           {}
func (q *quiet) Own(string, bool)                     {}
func (q *quiet) Gap(string, int64, Why)               {}
func (q *quiet) Ask(string, bool)                     {}
func (q *quiet) Suspect(Peer)                         {}
func (q *quiet) Enter(string) bool                    { return true }
func (q *quiet) Leave(string)                         {}
func (q *quiet) Match([]byte, func(Peer, int64))      {}
func (q *quiet) Elsewhere() bool                      { return false }
func (q *quiet) Confirmed([]byte) bool                { return false }

var (
	benchRoom, benchChannel = []byte("r"), []byte("{r}c")
	benchMessage            = make([]byte, 100)
	benchKey                = Key{Epoch: epoch(1), Start: 1}
)

// newLeader returns a lane that leads a room, which two other nodes hear, and a
// client here.
func newLeader() (*Lane, *quiet) {
	q := &quiet{}
	l := New(Config{Sink: q, Network: q, Director: q, Foreign: q, Match: func(_, _ []byte) bool { return false }, Start: 1})
	l.Tick(1)
	l.Opened("r", epoch(1), []Peer{Self})
	for p := Peer(1); p <= 2; p++ {
		l.Receive(p, &Record{Type: Announce, Flags: Reset, Room: benchRoom, Serial: 1, Items: []Item{{Channel, benchChannel, 1}}})
	}
	l.Interest(1, Channel, benchRoom, benchChannel, 1)
	l.Flush()
	return l, q
}

// newFollower returns one that follows peer 1, with a client.
func newFollower() (*Lane, *quiet) {
	q := &quiet{}
	l := New(Config{Sink: q, Network: q, Director: q, Foreign: q, Match: func(_, _ []byte) bool { return false }, Start: 2})
	l.Tick(1)
	l.Interest(1, Channel, benchRoom, benchChannel, 1)
	l.Placed("r", epoch(1), []Peer{1})
	l.Flush()
	l.Receive(1, &Record{Type: Ack, Flags: Leads, Room: benchRoom, Key: benchKey, Serial: l.serial})
	return l, q
}

// steps are what happens for one message, in a room that is in use.
var steps = []struct {
	name string
	make func() func()
}{
	{"LeaderPublish", func() func() { // a message of this node in a room that it leads: two records and a delivery
		l, _ := newLeader()
		return func() { l.Publish(1, Channel, benchRoom, benchChannel, benchMessage) }
	}},
	{"LeaderReceive", func() func() { // one of another node: an answer, too
		l, _ := newLeader()
		rec := Record{Type: Publish, Room: benchRoom, Attempt: 1, Channel: benchChannel, Message: benchMessage}
		return func() {
			rec.Serial++
			l.Receive(1, &rec)
		}
	}},
	{"FollowerReceive", func() func() { // one of the leader
		l, _ := newFollower()
		rec := Record{Type: Message, Room: benchRoom, Key: benchKey, Channel: benchChannel, Message: benchMessage}
		return func() {
			rec.Number++
			rec.Index++
			l.Receive(1, &rec)
		}
	}},
	{"FollowerPublish", func() func() { // one of this node to the leader and its answer, a hundred under way
		l, _ := newFollower()
		r, rec := l.rooms["r"], Record{Type: Ordered, Room: benchRoom}
		return func() {
			l.Publish(1, Channel, benchRoom, benchChannel, benchMessage)
			if q := r.queue; q.len() > 100 {
				rec.Serial = q.at(0).serial
				l.Receive(1, &rec)
			}
		}
	}},
	{"Wire", func() func() { // what it takes to write it and read it
		rec := Record{Type: Message, Room: benchRoom, Key: benchKey, Number: 1000, Index: 1000, Channel: benchChannel, Message: benchMessage}
		var text []byte
		var got Record
		return func() {
			text = AppendRecord(text[:0], &rec)
			if err := ParseRecord(text, &got); err != nil {
				panic(err)
			}
		}
	}},
}

func BenchmarkMessage(b *testing.B) {
	for _, s := range steps {
		b.Run(s.name, func(b *testing.B) {
			step := s.make()
			b.ReportAllocs()
			for b.Loop() {
				step()
			}
		})
	}
}

func TestMessagesTakeNoMemory(t *testing.T) {
	for _, s := range steps {
		step := s.make()
		for range 1000 {
			step()
		}
		if n := testing.AllocsPerRun(1000, step); n > 0 {
			t.Errorf("%s takes memory %v times", s.name, n)
		}
	}
}
