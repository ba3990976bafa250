package bench

import (
	"errors"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// fixture is a generator of one publisher and one subscriber whose servers' ends of the sockets the test holds.
type fixture struct {
	*generator
	toPublisher, toSink int
}

func newFixture(t *testing.T, rate pace) fixture {
	t.Helper()
	pair := func() (ours, theirs int) {
		fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { unix.Close(fds[0]) })
		return fds[0], fds[1]
	}
	g := publishing(&shape{rooms: 1, subscribers: 1, publishers: 1, pipeline: 2}, rate)
	var err error
	if g.poll, err = newPoller(); err != nil {
		t.Fatal(err)
	}
	g.buffer = make([]byte, 4096)
	f := fixture{generator: g}
	var sinkEnd int
	f.toPublisher, g.publishers[0].fd = pair()
	f.toSink, sinkEnd = pair()
	g.sinks = []sink{newSink(sinkEnd, 0, g.publishers[0].format, seat{rooms: 1}, 0)}
	t.Cleanup(g.close)
	return f
}

func (f *fixture) write(t *testing.T, fd int, b []byte) {
	t.Helper()
	if _, err := unix.Write(fd, b); err != nil {
		t.Fatal(err)
	}
}

// delivered returns what a server would make of the publisher's queued commands.
func (f *fixture) delivered() []byte {
	b := append([]byte(nil), f.publishers[0].out...)
	for at := 0; at < len(b); at += f.sinks[0].format.frameLen {
		copy(b[at+verbAt:], messageVerb)
	}
	return b
}

// Answers and messages may come in pieces of any length.
func TestReadPieces(t *testing.T) {
	f := newFixture(t, pace{})
	f.publishFree(0)
	for _, b := range []byte(":1\r\n:1\r\n") {
		f.write(t, f.toPublisher, []byte{b})
		if err := f.readPublisher(f.publishers[0], unix.EPOLLIN); err != nil {
			t.Fatal(err)
		}
	}
	if f.answers != 2 || f.inFlight() != 2 {
		t.Fatalf("%d answers, %d in flight", f.answers, f.inFlight())
	}
	for _, b := range f.delivered() {
		f.write(t, f.toSink, []byte{b})
		if err := f.readSink(&f.sinks[0], unix.EPOLLIN); err != nil {
			t.Fatal(err)
		}
	}
	if f.deliveries != 2 || f.inFlight() != 0 {
		t.Fatalf("%d deliveries, %d in flight", f.deliveries, f.inFlight())
	}
	if err := f.verdict(); err != nil {
		t.Fatal(err)
	}
}

// What one read does not hold is read by the next: an edge comes only once.
func TestReadMoreThanBuffer(t *testing.T) {
	f := newFixture(t, pace{})
	f.buffer = f.buffer[:f.sinks[0].format.frameLen]
	f.publishFree(0)
	f.write(t, f.toSink, f.delivered())
	if err := f.readSink(&f.sinks[0], unix.EPOLLIN); err != nil || f.deliveries != 2 {
		t.Fatalf("%d deliveries, %v", f.deliveries, err)
	}
}

func TestReadEndOfStream(t *testing.T) {
	f := newFixture(t, pace{})
	f.publishFree(0)
	f.write(t, f.toSink, f.delivered())
	unix.Shutdown(f.toSink, unix.SHUT_WR)
	if err := f.readSink(&f.sinks[0], unix.EPOLLIN|unix.EPOLLRDHUP); !errors.Is(err, errClosed) || f.deliveries != 2 {
		t.Fatalf("%d deliveries, %v", f.deliveries, err)
	}
	unix.Shutdown(f.toPublisher, unix.SHUT_WR)
	if err := f.readPublisher(f.publishers[0], unix.EPOLLIN); !errors.Is(err, errClosed) {
		t.Fatalf("got %v", err)
	}
}

func TestFence(t *testing.T) {
	f := func(answer string, want error) {
		t.Helper()
		x := newFixture(t, pace{})
		x.patience = 100 * time.Millisecond
		if err := x.poll.add(x.sinks[0].fd, 0, unix.EPOLLIN|unix.EPOLLET); err != nil {
			t.Fatal(err)
		}
		x.write(t, x.toSink, []byte(answer))
		if err := x.fence(t.Context()); !errors.Is(err, want) {
			t.Errorf("%q: got %v, want %v", answer, err, want)
		}
	}
	f(string(pongPush), nil)
	f("*2\r\n$4\r\nping\r\n$0\r\n\r\n", errNoFrame)
	f("", errOverdue)
}

// What was due before the end is published although the end has come: a late generator leaves nothing out.
func TestPublishUntilEnd(t *testing.T) {
	f := newFixture(t, pace{rate: 1000, duration: time.Second})
	f.zero = time.Now().Add(-time.Second)
	f.lastArrival = f.now()
	if err := f.publishUntil(t.Context(), 100*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	if f.published < 100 {
		t.Fatalf("%d published of 100 that were due", f.published)
	}
}
