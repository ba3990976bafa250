package engine

import (
	"net"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A waker that is slow between its two steps, so that the loop was up in
// between, makes the loop look once more, not for ever.
func TestLateWakeDoesNotSpin(t *testing.T) {
	h := newHub(t, 1, nil)
	var w waiter
	if err := w.open(h.loops[0].gnet); err != nil {
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

// Urgent data is readable for epoll; it must be so for read too, or gnet's
// loop turns for ever and no tick comes.
func TestUrgentByteDoesNotDeafenTheLoop(t *testing.T) {
	h := newHub(t, 1, nil)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	h.running.Go(func() { h.accept(&listener{Listener: ln}) })
	defer ln.Close()
	c, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	raw, err := c.(*net.TCPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	if err := raw.Control(func(fd uintptr) { err = unix.Sendto(int(fd), []byte("!"), unix.MSG_OOB, nil) }); err != nil {
		t.Fatal(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	l, reached := h.loops[0], make(chan struct{})
	for deadline := time.Now().Add(10 * time.Second); ; {
		buffered := make(chan int64, 1)
		l.task(func() {
			var n int64
			for _, s := range l.sessions {
				n += s.Buffered()
			}
			buffered <- n
		})
		if <-buffered == 1 { // the byte has come in, as any other
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the urgent byte was not read")
		}
	}
	for range 100 {
		l.post(func() { reached <- struct{}{} })
		select {
		case <-reached:
		case <-time.After(10 * time.Second):
			t.Fatal("the loop does not notice pokes")
		}
	}
}
