package engine

import (
	"net"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A waker that is slow between its two steps, so that the loop was up in
// between, makes the loop look once more, not for ever.
func TestLateWakeDoesNotSpin(t *testing.T) {
	h := newHub(t, 1, nil)
	w := waiter{poke: -1}
	if err := w.open(h.loops[0].waiter.polled()); err != nil {
		t.Fatal(err)
	}
	defer w.close()
	w.fds[0].Fd = -1 // without gnet's part

	w.poked.Store(true)
	w.awake()
	one := [8]byte{1}
	if _, err := unix.Write(w.poke, one[:]); err != nil {
		t.Fatal(err)
	}
	w.sleep(-1, false) // returns because of the late write
	w.awake()
	if n, err := unix.Poll([]unix.PollFd{{Fd: int32(w.poke), Events: unix.POLLIN}}, 0); n != 0 || err != nil {
		t.Fatalf("the eventfd is still readable (%d, %v): no sleep will last", n, err)
	}
}

// Urgent data is readable for epoll; it must be so for read too, or the loop
// looks for ever.
func TestUrgentByteDoesNotDeafenTheLoop(t *testing.T) {
	h := newHub(t, 1, nil)
	ln, err := Listen{}.tcp("127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	h.running.Go(func() { h.accept(ln) })
	defer ln.close()
	for n, addr := range []net.Addr{ln.Addr(), &net.UnixAddr{Net: "unix", Name: h.path}} {
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
