package lane

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"hubsub/cluster/placement"
)

// bench is one lane and what it does to the world, as text.
type bench struct {
	*Lane
	t    testing.TB
	done []string
	full map[Peer]bool // Send is false
}

func newBench(t testing.TB) *bench {
	b := &bench{t: t, full: make(map[Peer]bool)}
	match := func(pattern, name []byte) bool { yes, _ := path.Match(string(pattern), string(name)); return yes }
	b.Lane = New(Config{Sink: b, Network: b, Director: b, Foreign: NewPatterns(b, &globs{}, func(tag uint64, code Code) { b.Answer(tag, code, 0) }), Match: match, Start: 7})
	b.Tick(1)
	return b
}

func (b *bench) note(format string, args ...any) {
	b.done = append(b.done, fmt.Sprintf(format, args...))
}

func (b *bench) Send(to Peer, r *Record) bool {
	if b.full[to] {
		return false
	}
	b.note("%d ← %s", to, strings.Join(strings.Fields(brief(r)), " "))
	return true
}

func (b *bench) Deliver(_ Kind, _, channel, message []byte) {
	b.note("deliver %s %s", channel, message)
}
func (b *bench) Answer(tag uint64, code Code, n int64) { b.note("answer %d: %d, %d", tag, code, n) }
func (b *bench) Own(room string, own bool)             { b.note("own %s %v", room, own) }
func (b *bench) Gap(room string, lost int64, why Why)  { b.note("gap %s %d %d", room, lost, why) }
func (b *bench) Ask(room string, create bool)          { b.note("ask %s %v", room, create) }
func (b *bench) Suspect(p Peer)                        { b.note("suspect %d", p) }
func (b *bench) Enter(room string) bool                { b.note("enter %s", room); return true }
func (b *bench) Leave(room string)                     { b.note("leave %s", room) }

// brief is a record without what tests of whole conversations do not look at.
func brief(r *Record) string {
	s := typeNames[r.Type]
	for _, i := range r.Items {
		s += fmt.Sprintf(" %s=%d", i.Name, i.Count)
	}
	switch r.Type {
	case Message:
		s += fmt.Sprintf(" %s %s #%d/%d", r.Channel, r.Message, r.Number, r.Index)
		if r.Flags&Uncounted != 0 {
			s += " uncounted"
		}
	case Publish:
		s += fmt.Sprintf(" %s %s attempt %d", r.Channel, r.Message, r.Attempt)
	case Ordered:
		s += fmt.Sprintf(" %d", r.Count)
	case Position, Ack:
		s += fmt.Sprintf(" %d", r.Index)
	}
	return s
}

// wants checks what the lane has done since the last time.
func (b *bench) wants(want ...string) {
	b.t.Helper()
	if !slices.Equal(b.done, want) {
		b.t.Errorf("it does\n\t%s\nand shall do\n\t%s", strings.Join(b.done, "\n\t"), strings.Join(want, "\n\t"))
	}
	b.done = nil
}

// hosts opens room r on this node and others, this one first.
func (b *bench) hosts(others ...Peer) {
	b.Opened("r", epoch(1), append([]Peer{Self}, others...))
	b.Flush()
	for _, p := range others {
		b.Receive(p, &Record{Type: NotHost, Room: []byte("r")}) // who was not told yet knows of no leader
	}
	b.done = nil
}

func epoch(i uint64) placement.Epoch { return placement.Epoch{Generation: 1, Index: i} }

func (b *bench) announce(from Peer, serial uint64, channel string, clients int64) {
	b.Receive(from, &Record{Type: Announce, Flags: Reset, Room: []byte("r"), Serial: serial, Items: []Item{{Channel, []byte(channel), clients}}})
}

// A room that nobody else hears is the engine's, until somebody does.
func TestOwnEndsBeforeInterestIsAcknowledged(t *testing.T) {
	b := newBench(t)
	b.hosts()
	b.Interest(1, Channel, []byte("r"), []byte("c"), 1)
	b.wants("enter r", "own r true", "answer 1: 0, 0")
	b.announce(5, 1, "c", 2)
	b.wants("own r false", "5 ← Ack 0")
	if n := b.Publish(2, Channel, []byte("r"), []byte("c"), []byte("m")); n != 3 {
		t.Errorf("it reaches %d", n)
	}
	b.wants("5 ← Message c m #1/1", "deliver c m")
}

// Who leads answers the publisher before its message comes.
func TestOrderedComesBeforeTheMessage(t *testing.T) {
	b := newBench(t)
	b.hosts()
	b.announce(5, 1, "c", 1)
	b.done = nil
	b.Receive(5, &Record{Type: Publish, Room: []byte("r"), Serial: 1, Attempt: 1, Channel: []byte("c"), Message: []byte("m")})
	b.wants("5 ← Ordered 1", "5 ← Message c m #1/1")
	b.full[5] = true // an answer that cannot be given: no place in the order, for this and what follows
	b.Receive(5, &Record{Type: Publish, Room: []byte("r"), Serial: 2, Attempt: 1, Channel: []byte("c"), Message: []byte("n")})
	b.full[5] = false
	b.Receive(5, &Record{Type: Publish, Room: []byte("r"), Serial: 3, Attempt: 1, Channel: []byte("c"), Message: []byte("o")})
	b.wants("5 ← Refuse")
}

// What could not be sent is told of before the next message.
func TestWhoIsOwedMessagesHearsOfThemFirst(t *testing.T) {
	b := newBench(t)
	b.hosts()
	b.announce(5, 1, "c", 1)
	b.full[5] = true
	b.Publish(1, Channel, []byte("r"), []byte("c"), []byte("m"))
	b.full[5] = false
	b.done = nil
	b.Publish(2, Channel, []byte("r"), []byte("c"), []byte("n"))
	b.wants("5 ← Position 1", "5 ← Message c n #2/2")
}

// What a leader may have got that is gone is not sent again; what it has refused is,
// one at a time until somebody takes it.
func TestNeverTwiceAndInOrder(t *testing.T) {
	b := newBench(t)
	b.Publish(1, Channel, []byte("r"), []byte("c"), []byte("m"))
	b.wants("ask r false")
	b.Placed("r", epoch(1), []Peer{5, 6})
	b.Publish(2, Channel, []byte("r"), []byte("c"), []byte("n"))
	b.wants("5 ← Publish c m attempt 8", "5 ← Publish c n attempt 8")
	b.Receive(5, &Record{Type: Refuse, Room: []byte("r"), Serial: 8, Attempt: 8})
	b.Receive(5, &Record{Type: Refuse, Room: []byte("r"), Serial: 9, Attempt: 8})
	b.wants()
	b.Tick(retryInterval + 1)
	b.wants("5 ← Publish c m attempt 9")
	b.Receive(5, &Record{Type: Ordered, Room: []byte("r"), Serial: 8, Count: 3})
	b.wants("answer 1: 0, 3", "5 ← Publish c n attempt 9")
	b.Dead(5)
	b.wants("answer 2: 1, 0")
}

// A room that does not exist answers only what was asked before.
func TestAbsenceAnswersWhatCameBefore(t *testing.T) {
	b := newBench(t)
	b.Publish(1, Channel, []byte("r"), []byte("c"), []byte("m"))
	b.Publish(2, Channel, []byte("r"), []byte("c"), []byte("n"))
	b.wants("ask r false")
	b.Unplaced("r", Done)
	b.wants("answer 1: 0, 0", "ask r false")
	b.Unplaced("r", Done)
	b.wants("answer 2: 0, 0")
}

// A new leader's messages wait until the one before has ended.
func TestNothingOfTheNextLeaderComesBeforeTheEnd(t *testing.T) {
	b := newBench(t)
	r := []byte("r")
	k1, k2 := Key{Epoch: epoch(1), Start: 1}, Key{Epoch: epoch(2), Start: 2}
	b.Interest(1, Channel, r, []byte("c"), 1)
	b.Placed("r", epoch(1), []Peer{5})
	b.Flush()
	b.Receive(5, &Record{Type: Ack, Flags: Leads, Room: r, Key: k1, Serial: b.serial})
	b.done = nil
	b.Receive(6, &Record{Type: Lead, Flags: Planned | Known, Room: r, Key: k2, Prev: k1})
	b.Receive(6, &Record{Type: Message, Room: r, Key: k2, Number: 1, Index: 1, Channel: []byte("c"), Message: []byte("second")})
	b.wants()
	b.Receive(5, &Record{Type: Message, Room: r, Key: k1, Number: 1, Index: 1, Channel: []byte("c"), Message: []byte("first")})
	b.wants("deliver c first")
	b.Receive(5, &Record{Type: End, Room: r, Key: k1, Number: 1, Index: 1})
	b.wants("deliver c second")
}

// A node that may hear anything gets everything, and is told of what nobody there is counted for, by name or by pattern.
func TestUncounted(t *testing.T) {
	b := newBench(t)
	p := b.Foreign.(*Patterns)
	b.hosts()
	p.Members([]Peer{5})
	p.Receive(5, tellsPatterns(1, Reset, Item{Pattern, []byte("p*"), 1}))
	b.announce(5, 1, "c", 1)
	b.Broken(5)
	b.done = nil
	for _, channel := range []string{"c", "p", "x"} {
		b.Publish(1, Channel, []byte("r"), []byte(channel), []byte("m"))
	}
	b.wants("5 ← Message c m #1/1", "5 ← Message p m #2/2", "5 ← Message x m #3/3 uncounted")
}

// A message that its leader has counted nobody here for reaches those who were told
// that they hear it, and nobody who has come since it was answered.
func TestWhatNobodyHeardReachesNobodyLater(t *testing.T) {
	b := newBench(t)
	p := b.Foreign.(*Patterns)
	p.Members([]Peer{5})
	k := Key{Epoch: epoch(1), Start: 1}
	number := uint64(0)
	comes := func(flags uint8, channel string) {
		number++
		b.Receive(5, &Record{Type: Message, Flags: flags, Room: []byte("r"), Key: k, Number: number, Index: number, Channel: []byte(channel), Message: []byte("m")})
	}
	b.Placed("r", epoch(1), []Peer{5})
	b.Interest(1, Channel, []byte("r"), []byte("c"), 1)
	b.Interest(2, Pattern, []byte("r"), []byte("d*"), 1)
	p.Interest(3, []byte("e*"), 1)
	b.Flush()
	p.Flush()
	b.done = nil
	for _, channel := range []string{"c", "d", "e"} {
		comes(Uncounted, channel)
		b.wants()
		comes(0, channel) // it has counted them meanwhile, and its answer is on its way
		b.wants("deliver " + channel + " m")
	}
	for range 2 {
		b.Flush()
		b.Receive(5, &Record{Type: Ack, Flags: Leads, Room: []byte("r"), Key: k, Serial: b.local(t, "r").reader(5).told, Index: number})
	}
	p.Receive(5, &Record{Type: PatternAck, Serial: p.mine.reader(5).told})
	b.Interest(4, Channel, []byte("r"), []byte("c"), 1)
	b.Interest(5, Pattern, []byte("r"), []byte("d*"), 1)
	p.Interest(6, []byte("e*"), 1)
	b.done = nil
	for _, channel := range []string{"c", "d", "e"} { // each has one who waits, and one who does not
		comes(Uncounted, channel)
		b.wants("deliver " + channel + " m")
	}
}

// An announcement that is cut short does not count as all that a node hears.
func TestHalfAnAnnouncementIsNone(t *testing.T) {
	b := newBench(t)
	b.hosts()
	b.announce(5, 0, "a", 1) // more follows
	b.Publish(1, Channel, []byte("r"), []byte("b"), []byte("m"))
	b.wants("5 ← Message b m #1/1 uncounted")
	b.Receive(5, &Record{Type: Announce, Room: []byte("r"), Serial: 3, Items: []Item{{Channel, []byte("b"), 1}}})
	b.Publish(2, Channel, []byte("r"), []byte("c"), []byte("m"))
	b.wants("enter r", "5 ← Ack 1")
}

func TestInfo(t *testing.T) {
	b := newBench(t)
	if _, ok := b.Info("r"); ok {
		t.Error("it knows a room of which it never heard")
	}
	b.hosts()
	b.announce(5, 1, "c", 2)
	b.Interest(0, Shard, []byte("r"), []byte("s"), 1)
	b.Publish(1, Channel, []byte("r"), []byte("c"), []byte("m"))
	i, _ := b.Info("r")
	want := Info{Key: Key{epoch(1), 0, 7}, Leader: Self, Serves: true, Leads: true, Number: 1, Clients: 1, Rate: 1, Nodes: []Listener{{5, 2}}}
	if fmt.Sprint(i) != fmt.Sprint(want) {
		t.Errorf("it knows %+v\nnot %+v", i, want)
	}
}

func TestAlarms(t *testing.T) {
	l := &Lane{untoldAt: never}
	one, two, gone := &room{name: "one"}, &room{name: "two"}, &room{name: "gone"}
	l.alarm(gone, 5)
	for _, at := range []time.Duration{30, 20, 25, 10} {
		l.alarm(one, at)
	}
	l.alarm(two, 15)
	l.alarms.clear(gone)
	var got []string
	for now := time.Duration(1); now < 40; now++ {
		for r := l.alarms.due(now); r != nil; r = l.alarms.due(now) {
			got = append(got, fmt.Sprintf("%s %d", r.name, now))
		}
	}
	if want := []string{"one 10", "two 15"}; !slices.Equal(got, want) { // the later ones were replaced
		t.Errorf("it looks at %v and not at %v", got, want)
	}
	if at := l.Next(); at != never {
		t.Errorf("it looks again at %v", at)
	}
}

// A publish to a room that does not exist is answered as soon as the cluster has
// said so, and so is the next one; nothing of the room stays.
func TestAbsentRoom(t *testing.T) {
	b := newBench(t)
	for tag := range uint64(3) {
		b.Publish(tag+1, Channel, []byte("r"), []byte("r"), []byte("m"))
		b.wants("ask r false")
		b.Unplaced("r", Done)
		b.wants(fmt.Sprintf("answer %d: 0, 0", tag+1))
		b.Flush()
		if b.Rooms() != 0 || b.Next() != never {
			t.Fatalf("it knows %d rooms and looks at one at %v", b.Rooms(), b.Next())
		}
	}
	b.Interest(9, Channel, []byte("r"), []byte("r"), 1)
	b.Unplaced("r", Done)
	if b.Rooms() != 1 {
		t.Error("it has forgotten a room that a client wants to hear")
	}
}

// A room with clients here that another node leads is looked at when there is
// something to do, and an idle one has nothing.
func TestIdleRoomIsLeftAlone(t *testing.T) {
	b := newBench(t)
	k := Key{Epoch: epoch(1), Start: 1}
	b.Interest(1, Channel, []byte("r"), []byte("r"), 1)
	b.Placed("r", epoch(1), []Peer{5})
	for range 2 { // a leader of whom this node has not heard is told all again
		b.Flush()
		b.Receive(5, &Record{Type: Ack, Flags: Leads, Room: []byte("r"), Key: k, Serial: b.serial})
	}
	if !slices.Contains(b.done, "answer 1: 0, 0") {
		t.Fatalf("nobody is confirmed: %v", b.done)
	}
	for b.Next() < time.Minute {
		b.Tick(b.Next())
		b.Flush()
	}
	if at := b.Next(); at != never {
		t.Errorf("it is looked at after %v", at)
	}
	b.Interest(2, Channel, []byte("r"), []byte("r"), -1)
	b.Flush()
	b.Receive(5, &Record{Type: Ack, Flags: Leads | Reset, Room: []byte("r"), Key: k, Serial: b.serial})
	for b.Next() < time.Hour {
		b.Tick(b.Next())
		b.Flush()
	}
	if b.Rooms() != 0 {
		t.Errorf("an hour after the last client has left it knows %d rooms", b.Rooms())
	}
}

// What a crowd costs that is confirmed at once: it waited for a leader.
func BenchmarkConfirmCrowd(b *testing.B) {
	const crowd = 40_000
	for b.Loop() {
		l := newBench(b)
		for tag := range uint64(crowd) {
			l.Interest(tag+1, Channel, []byte("r"), []byte("r"), 1)
		}
		l.done = nil
		l.Opened("r", epoch(1), []Peer{Self})
		if len(l.done) < crowd {
			b.Fatalf("only %d are answered", len(l.done))
		}
	}
}

// A host of a new room may hear of it a moment after who wants to use it: that asks
// again soon, and ever later.
func TestHostThatIsNoneYetIsAskedAgainSoon(t *testing.T) {
	b := newBench(t)
	b.Interest(1, Channel, []byte("r"), []byte("r"), 1)
	b.Placed("r", epoch(1), []Peer{5})
	b.Flush()
	var waits []time.Duration
	for range 8 {
		b.done = nil
		begin := b.now
		b.Receive(5, &Record{Type: NotHost, Room: []byte("r")})
		b.Unplaced("r", TryAgain)
		for !slices.Contains(b.done, "5 ← Announce r=1") {
			b.Tick(b.Next())
			b.Flush()
		}
		waits = append(waits, b.now-begin)
	}
	ms := time.Millisecond
	if want := []time.Duration{ms, 2 * ms, 4 * ms, 8 * ms, 16 * ms, 32 * ms, 50 * ms, 50 * ms}; !slices.Equal(waits, want) {
		t.Errorf("it asks again after %v", waits)
	}
}

// That a room does not exist is old news when its leader has been heard of since.
func TestAbsenceIsOldNews(t *testing.T) {
	b := newBench(t)
	b.Publish(1, Channel, []byte("r"), []byte("c"), []byte("m"))
	b.wants("ask r false")
	b.Interest(2, Channel, []byte("r"), []byte("c"), 1)
	k := Key{Epoch: epoch(1), Start: 1}
	for range 2 {
		b.Receive(5, &Record{Type: Ack, Flags: Leads, Room: []byte("r"), Key: k, Serial: b.serial})
		b.Flush()
	}
	b.Receive(5, &Record{Type: Ack, Flags: Leads, Room: []byte("r"), Key: k, Serial: b.serial})
	b.done = nil
	b.Unplaced("r", Done)
	b.Flush()
	b.wants() // above all it does not tell the leader that nobody hears the room here
}

// A node that is no host any more says so to all that believe it, when a link takes it.
func TestWhoIsNoHostSaysSoInTheEnd(t *testing.T) {
	b := newBench(t)
	b.hosts()
	b.announce(5, 1, "c", 2)
	b.full[5] = true
	b.Shut("r")
	b.Tick(b.Next())
	b.done = nil
	b.full[5] = false
	b.Tick(b.now + retryInterval)
	b.wants("5 ← NotHost")
	b.Tick(b.now + retryInterval)
	b.wants()
}

// A host of a new placement is told again what is heard here: in one between the two
// that this node has heard of it may have been none.
func TestHostsOfANewPlacementAreToldAgain(t *testing.T) {
	b := newBench(t)
	b.Interest(1, Channel, []byte("r"), []byte("c"), 1)
	b.Placed("r", epoch(1), []Peer{5})
	k := Key{Epoch: epoch(1), Start: 1}
	for range 3 {
		b.Flush()
		b.Receive(5, &Record{Type: Ack, Flags: Leads, Room: []byte("r"), Key: k, Serial: b.serial})
	}
	b.done = nil
	b.Placed("r", epoch(3), []Peer{5})
	b.Flush()
	b.wants("5 ← Announce c=1")
}

// Who is refused for long asks where the room lives by now.
func TestRefusedForLong(t *testing.T) {
	b := newBench(t)
	b.Publish(1, Channel, []byte("r"), []byte("c"), []byte("m"))
	b.Placed("r", epoch(1), []Peer{5})
	refusals := 0
	for b.done = nil; !slices.Contains(b.done, "ask r false"); refusals++ {
		if refusals > 10 {
			t.Fatal("it never asks")
		}
		b.Receive(5, &Record{Type: Refuse, Room: []byte("r"), Serial: b.serial, Attempt: b.attempt})
		b.Tick(b.Next())
	}
	if refusals < 5 {
		t.Errorf("it asks after %d refusals, which may be a leader that begins", refusals)
	}
}

// A leader that goes on under a new key knows what it knew: nobody waits for it to say so.
func TestLeaderThatGoesOnKnowsWhatItKnew(t *testing.T) {
	b := newBench(t)
	k := Key{Epoch: epoch(1), Start: 1}
	b.Interest(1, Channel, []byte("r"), []byte("c"), 1)
	b.Placed("r", epoch(1), []Peer{5, 6})
	for range 3 {
		b.Flush()
		b.Receive(5, &Record{Type: Ack, Flags: Leads, Room: []byte("r"), Key: k, Serial: b.local(t, "r").reader(5).told})
	}
	b.done = nil // the other host has not answered yet
	b.Receive(5, &Record{Type: End, Room: []byte("r"), Key: k, Prev: Key{Epoch: epoch(2)}})
	b.Receive(5, &Record{Type: Lead, Flags: Known | Fresh | Planned, Room: []byte("r"), Key: Key{Epoch: epoch(2), Start: 1}, Prev: k})
	b.Tick(b.now + confirmWithin)
	if !slices.Contains(b.done, "answer 1: 0, 0") {
		t.Errorf("the subscription is not confirmed: %v", b.done)
	}
}

func (b *bench) local(t *testing.T, room string) *interest {
	t.Helper()
	r := b.rooms[room]
	if r == nil {
		t.Fatalf("no room %s", room)
	}
	return &r.local
}

// A leader whose first word this node has missed, and that does not know what clients
// here hear, may order messages that are not for this node, until it does.
func TestLeaderThatDoesNotKnow(t *testing.T) {
	b := newBench(t)
	k := Key{Epoch: epoch(1), Start: 1}
	b.Interest(1, Channel, []byte("r"), []byte("c"), 1)
	b.Placed("r", epoch(1), []Peer{5})
	for range 3 {
		b.Flush()
		b.Receive(5, &Record{Type: Ack, Flags: Leads, Room: []byte("r"), Key: k, Serial: b.local(t, "r").reader(5).told})
	}
	next := Key{Epoch: epoch(2), Start: 1}
	b.Receive(5, &Record{Type: End, Room: []byte("r"), Key: k, Prev: Key{Epoch: epoch(2)}})
	b.Receive(6, &Record{Type: Position, Room: []byte("r"), Key: next})
	b.Placed("r", epoch(2), []Peer{6})
	b.Flush()
	b.done = nil
	b.Receive(6, &Record{Type: Ack, Flags: Leads, Room: []byte("r"), Key: next, Number: 2, Serial: b.local(t, "r").reader(6).told})
	if !slices.Contains(b.done, "gap r -1 0") {
		t.Errorf("it tells of no gap: %v", b.done)
	}
}
