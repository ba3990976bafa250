package engine

import (
	"net"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A waker that is slow between its two steps, so that the loop was up in
// between, makes the loop look once more, not for ever.
func TestLateWakeDoesNotSpin(t *testing.T) {
	l := &loop{}
	if err := l.poller.open(); err != nil {
		t.Fatal(err)
	}
	defer l.poller.close()
	l.poller.poked.Store(true)
	l.poller.awake(nil)
	one := [8]byte{1}
	if _, err := unix.Write(l.poller.poke, one[:]); err != nil {
		t.Fatal(err)
	}
	events := l.poller.wait(-1) // because of the late write
	if len(events) != 1 {
		t.Fatalf("%d events, want 1", len(events))
	}
	l.poller.awake(events)
	if n := len(l.poller.poll()); n != 0 {
		t.Fatal("the eventfd is still readable: no sleep will last")
	}
}

// A wake after the end writes nothing into the file that has the eventfd's number
// since.
func TestWakeAfterClose(t *testing.T) {
	var p poller
	if err := p.open(); err != nil {
		t.Fatal(err)
	}
	p.close()
	other, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		t.Fatal(err)
	}
	if other != p.poke {
		if err := unix.Dup3(other, p.poke, unix.O_CLOEXEC); err != nil {
			t.Fatal(err)
		}
		defer unix.Close(p.poke)
	}
	defer unix.Close(other)
	p.wake()
	var count [8]byte
	if n, err := unix.Read(other, count[:]); err != unix.EAGAIN {
		t.Errorf("%d bytes to read from another file, %v", n, err)
	}
}

// Long sleeps end before their time is over, by less than what is slept exactly.
func TestWaitInTime(t *testing.T) {
	var p poller
	if err := p.open(); err != nil {
		t.Fatal(err)
	}
	defer p.close()
	for _, sleep := range []time.Duration{0, 300 * time.Microsecond, 4900 * time.Microsecond, 5 * time.Millisecond, 12900 * time.Microsecond} {
		least := sleep
		if sleep >= pollTimeMin {
			least = sleep - time.Millisecond
		}
		var longest time.Duration
		for attempt := 0; attempt < 100 && longest < least; attempt++ { // the runtime's signals end some
			begin := time.Now()
			if events := p.wait(sleep); len(events) > 0 {
				t.Fatalf("%d events", len(events))
			}
			longest = max(longest, time.Since(begin))
		}
		if longest < least {
			t.Errorf("slept %v of %v", longest, sleep)
		}
	}
	p.wake()
	for len(p.wait(1<<62)) != 1 { // a sleep of years is ended by a wake
	}
}

// A loop that sleeps takes new connections, and what is posted from outside.
func TestSleepingLoopIsReached(t *testing.T) {
	h := newHub(t, 1, nil)
	l := h.loops[0]
	reached := make(chan struct{})
	for range 1000 {
		l.post(func() { reached <- struct{}{} })
		<-reached
	}
	for range 200 {
		h.dial().quiet()
		l.post(func() { reached <- struct{}{} })
		<-reached
	}
}

// A connection costs no goroutine.
func TestNoGoroutinePerConnection(t *testing.T) {
	h := newHub(t, 2, nil)
	h.dial().quiet()
	before := runtime.NumGoroutine()
	for i := range 500 {
		h.dial().ask("SUBSCRIBED", "SUBSCRIBE", channelNumber(i))
	}
	// The runtime may have begun goroutines of its own: wait for their end.
	for deadline := time.Now().Add(10 * time.Second); runtime.NumGoroutine() > before+2; {
		if time.Now().After(deadline) {
			t.Fatalf("%d goroutines before, %d with 500 clients", before, runtime.NumGoroutine())
		}
		runtime.Gosched()
	}
}

// Urgent data is readable for epoll; it must be so for read too, or the loop
// looks for ever.
func TestUrgentByteDoesNotDeafenTheLoop(t *testing.T) {
	h := newHub(t, 1, nil)
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ln, err := newListener(tcp, 0)
	if err != nil {
		t.Fatal(err)
	}
	h.running.Go(func() { h.accept(ln) })
	defer ln.close()
	for n, addr := range []net.Addr{tcp.Addr(), &net.UnixAddr{Net: "unix", Name: h.path}} {
		c, err := net.Dial(addr.Network(), addr.String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		raw, err := c.(syscall.Conn).SyscallConn()
		if err != nil {
			t.Fatal(err)
		}
		var sendErr error
		err = raw.Control(func(fd uintptr) { sendErr = unix.Sendto(int(fd), []byte("!"), unix.MSG_OOB, nil) })
		if err != nil || sendErr != nil {
			t.Fatal(err, sendErr)
		}
		h.waitForBuffered(int64(n + 1)) // the byte has come in, as any other
	}
	l, reached := h.loops[0], make(chan struct{})
	for range 100 {
		l.post(func() { reached <- struct{}{} })
		select {
		case <-reached:
		case <-time.After(10 * time.Second):
			t.Fatal("the loop does not notice pokes")
		}
	}
}

// waitForBuffered returns when the clients' unfinished commands have so many
// bytes together.
func (h *hub) waitForBuffered(want int64) {
	h.t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; {
		var n int64
		h.Sessions(func(s *Session) { n += s.Buffered() })
		if n == want {
			return
		}
		if time.Now().After(deadline) {
			h.t.Fatalf("%d bytes have come in, want %d", n, want)
		}
		time.Sleep(time.Millisecond)
	}
}

// An engine that never ran, or whose start failed, shuts down.
func TestShutdownWithoutStart(t *testing.T) {
	e, err := tryListen(t, Listen{UnixSocket: filepath.Join(t.TempDir(), "s")})
	if err != nil {
		t.Fatal(err)
	}
	e.loops[0].post(func() { t.Error("a loop ran") }) // wakes nobody, writes nowhere
	if err := e.Shutdown(); err != nil {
		t.Fatal(err)
	}
}
