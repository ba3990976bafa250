package engine

import (
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"hubsub/resp"
)

// still is an engine whose loops do not run: the test takes their steps one by
// one, so that it decides what happens between two of them.
type still struct {
	*Engine
	t *testing.T
}

func newStill(t *testing.T, loops int) *still {
	t.Helper()
	e, err := New(Config{
		Loops:    loops,
		Listen:   Listen{UnixSocket: filepath.Join(t.TempDir(), "still.sock")},
		Settings: defaultSettings(),
		Handler:  plainHandler{},
		Log:      slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range e.loops {
		l.poller.poke = -1
	}
	t.Cleanup(func() {
		for _, ln := range e.listeners {
			ln.close()
		}
	})
	return &still{e, t}
}

// noSocket is a descriptor that is not open.
const noSocket = 1 << 16

// client is a session without a socket; what it is sent stays in its output.
func (e *still) client(loop int) *Session {
	s := &Session{loop: e.loops[loop], fd: noSocket}
	s.loop.touch(s) // something is to be sent, so a walk adds to it instead of sending
	s.out.Buf = []byte("#")
	return s
}

func (s *Session) subscribeTo(names ...string) {
	var list [][]byte
	for _, n := range names {
		list = append(list, []byte(n))
	}
	s.Subscribe(Channel, list, func(name []byte) { s.Push().Simple("+" + string(name)) })
}

func (s *Session) publishTo(channel, message string) {
	s.Publish(Channel, &resp.Command{Args: [][]byte{[]byte("PUBLISH"), []byte(channel), []byte(message)}})
}

func (e *still) tick(loop int) {
	l := e.loops[loop]
	l.publish()
	l.inbox.Drain(l.read)
	l.walkQueued()
}

// got returns the confirmations and payloads that a client was sent.
func (s *Session) got() string {
	var words []string
	for _, line := range strings.Split(string(s.out.Buf), "\r\n") {
		line = strings.TrimPrefix(line, "#")
		if strings.HasPrefix(line, "++") || strings.HasPrefix(line, "m") && line != "message" {
			words = append(words, strings.TrimPrefix(line, "+"))
		}
	}
	return strings.Join(words, " ")
}

func (e *still) want(s *Session, want string) {
	e.t.Helper()
	if got := s.got(); got != want {
		e.t.Errorf("got %q, want %q", got, want)
	}
}

// A room dies between a publish and the append, and has a successor: what was
// published first comes first.
func TestOrderOverRoomsRebirth(t *testing.T) {
	e := newStill(t, 2)
	pub, neighbour := e.client(0), e.client(0)
	first, second := e.client(1), e.client(1)
	first.subscribeTo("c")
	pub.publishTo("c", "m1")
	first.Unsubscribe(Channel, []byte("c"))
	second.subscribeTo("c")
	pub.publishTo("c", "m2")
	neighbour.subscribeTo("c") // settles the successor on the publisher's loop
	e.tick(0)
	e.tick(1)
	e.want(second, "+c m1 m2")
}

// A client does not hear what it published before it subscribed, though the
// room of that time is dead.
func TestNobodyHearsThePast(t *testing.T) {
	e := newStill(t, 2)
	pub, other := e.client(0), e.client(1)
	other.subscribeTo("c")
	pub.publishTo("c", "m1")
	other.Unsubscribe(Channel, []byte("c"))
	pub.subscribeTo("c")
	e.tick(0)
	e.want(pub, "+c")
}

// Messages that come while a client subscribes to several names do not come
// between its confirmations.
func TestConfirmationsAreContiguous(t *testing.T) {
	e := newStill(t, 2)
	sub, resident, pub := e.client(0), e.client(0), e.client(1)
	resident.subscribeTo("{r}a")
	sub.subscribeTo("{r}z")
	pub.publishTo("{r}z", "m1")
	e.tick(1)
	names := [][]byte{[]byte("{r}a"), []byte("{r}b"), []byte("{r}c")}
	sub.Subscribe(Channel, names, func(name []byte) {
		sub.Push().Simple("+" + string(name))
		pub.publishTo("{r}a", "m2") // as soon as it is subscribed to a
		e.tick(1)
	})
	e.tick(0)
	e.want(sub, "+{r}z m1 +{r}a +{r}b +{r}c m2 m2 m2")
	e.want(resident, "+{r}a m2 m2 m2")
}

// A pattern goes while what it heard waits for a room that is dead: the room's
// successor is not kept.
func TestRebirthForNobodyLeavesNothing(t *testing.T) {
	e := newStill(t, 2)
	pub, sub := e.client(0), e.client(1)
	sub.subscribeTo("c")
	sub.Subscribe(Pattern, [][]byte{[]byte("c*")}, func([]byte) {})
	pub.publishTo("c", "m1")
	sub.Unsubscribe(Channel, []byte("c"))
	e.loops[1].patterns["c*"].pattern.loops.Store(0) // the first step of its unsubscribe
	e.tick(0)
	if n := e.Stats().Rooms; n != 0 {
		t.Errorf("%d rooms are left", n)
	}
}

// A channel that only a pattern hears is forgotten with the append: its room
// may die then, and messages to its successor must not go round by the dead.
func TestOrderOfWhatOnlyPatternsHear(t *testing.T) {
	e := newStill(t, 2)
	pub, neighbour, listener := e.client(0), e.client(0), e.client(1)
	listener.Subscribe(Pattern, [][]byte{[]byte("{r}*")}, func([]byte) {})
	pub.publishTo("{r}x", "m0")
	e.tick(0)
	e.tick(1) // and the room is left by all
	neighbour.subscribeTo("{r}a")
	pub.publishTo("{r}a", "m1")
	pub.publishTo("{r}x", "m2")
	pub.publishTo("{r}a", "m3")
	e.tick(0)
	e.tick(1)
	e.want(listener, "m0 m1 m2 m3")
}

// The room of a channel that only a pattern hears dies within the tick that
// published to it: what follows goes by the room's successor.
func TestOrderOverRebirthWithinATick(t *testing.T) {
	e := newStill(t, 2)
	pub, other, listener := e.client(0), e.client(1), e.client(1)
	listener.Subscribe(Pattern, [][]byte{[]byte("{r}*")}, func([]byte) {})
	pub.publishTo("{r}x", "m1")
	other.publishTo("{r}x", "m0")
	e.tick(1) // and the room is left by all
	other.subscribeTo("{r}a")
	pub.publishTo("{r}a", "m2")
	pub.publishTo("{r}x", "m3")
	pub.publishTo("{r}a", "m4")
	e.tick(0)
	e.tick(1)
	e.want(listener, "m0 m1 m2 m3 m4")
}
