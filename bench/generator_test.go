package bench

import (
	"errors"
	"strings"
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

// What a NATS server says beside its messages, in pieces of any length, disturbs nothing and PING is answered.
func TestNATSAsides(t *testing.T) {
	x := newFixture(t, pace{})
	x.sinks[0].format = newFormat(nats, 1, markBytes)
	x.publishFree(0)
	b := []byte("INFO {\"server_id\":\"" + strings.Repeat("x", 100) + "\"}\r\n")
	for number := range uint32(2) {
		b = append(b, messageOf(x.sinks[0].format, mark{number: number, slot: x.publishers[0].awaiting[number].slot})...)
		b = append(b, natsPing...)
	}
	for _, b := range b {
		x.write(t, x.toSink, []byte{b})
		if err := x.readSink(&x.sinks[0], unix.EPOLLIN); err != nil {
			t.Fatal(err)
		}
	}
	if err := x.verdict(); err != nil || x.deliveries != 2 {
		t.Errorf("%d deliveries, %v", x.deliveries, err)
	}
	pongs := make([]byte, 100)
	n, err := unix.Read(x.toSink, pongs)
	if err != nil || string(pongs[:n]) != "PONG\r\nPONG\r\n" {
		t.Errorf("PING is answered %q, %v", pongs[:n], err)
	}
}

func TestNATSFaults(t *testing.T) {
	f := func(stream string, want error) {
		t.Helper()
		x := newFixture(t, pace{})
		x.sinks[0].format = newFormat(nats, 1, markBytes)
		x.publishFree(0)
		x.write(t, x.toSink, []byte(stream))
		if err := x.readSink(&x.sinks[0], unix.EPOLLIN); !errors.Is(err, want) {
			t.Errorf("%q: got %v, want %v", stream, err, want)
		}
	}
	first := mark{slot: 1} // the free slot that is taken first
	payload := string(newFormat(nats, 1, markBytes).appendPayload(nil, first))
	f("MSG room:000000 000000 24\r\n"+payload, nil)
	f("MSG room:000000 000001 24\r\n"+payload, errDamaged)
	f("MSG room:000001 000000 24\r\n"+payload, errDamaged)
	f("MSG room:000000 000000 25\r\n"+payload, errDamaged)
	f("HMSG room:000000 000000 24\r\n"+payload, errDamaged)
	f("-ERR 'Slow Consumer'\r\n", errRefused)
	f("PINGPONG"+strings.Repeat("x", 50), errDamaged)
}

// In NATS a publish is in flight until it is delivered: there is no answer.
func TestNATSPublisher(t *testing.T) {
	x := newFixture(t, pace{})
	p := x.publishers[0]
	p.format = newFormat(nats, 1, markBytes)
	x.protocols = protocols{nats, nats}
	x.publishFree(0)
	if len(p.awaiting) != 0 || p.inFlight() != 2 || x.completed() != 0 {
		t.Fatalf("%d wait for answers, %d in flight, %d completed", len(p.awaiting), p.inFlight(), x.completed())
	}
	p.delivered(p.slots[0].mark)
	if p.inFlight() != 1 || x.completed() != 1 {
		t.Errorf("%d in flight, %d completed", p.inFlight(), x.completed())
	}
	x.write(t, x.toPublisher, []byte("PING\r\nINFO {}\r\n"))
	queued := len(p.out)
	if err := x.readPublisher(p, unix.EPOLLIN); err != nil || string(p.out[queued:]) != "PONG\r\n" {
		t.Errorf("PING is answered %q, %v", p.out[queued:], err)
	}
	x.write(t, x.toPublisher, []byte("-ERR 'Permissions Violation'\r\n"))
	if err := x.readPublisher(p, unix.EPOLLIN); !errors.Is(err, errRefused) {
		t.Errorf("got %v", err)
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
	f(string(pongPush)+string(pongPush), errNoFrame)
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
