package engine

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// allowed reports whether the kernel gives us a ring. Many containers forbid
// it; then what is tested is that the loops do without, and this says so.
func allowed(t *testing.T) bool {
	r, err := newUring()
	if err == nil {
		r.close()
		return true
	}
	fmt.Fprintf(os.Stderr, "%s: %v: tested without (with: Linux 6.6 and sysctl kernel.io_uring_disabled=0)\n", t.Name(), err)
	h := newHub(t, 1, nil)
	ring := make(chan *uring)
	h.loops[0].post(func() { ring <- h.loops[0].uring })
	if <-ring != nil {
		t.Error("the loop has a ring all the same")
	}
	return false
}

// socketPair returns two connected sockets; the test closes the second.
func socketPair(t *testing.T) (near, far int) {
	t.Helper()
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(pair[0]) })
	return pair[0], pair[1]
}

// A send by the ring ends as sendto does: with all, with a part, with nothing
// because the socket is full, or because the other end is gone, and it ends
// before submit returns. The rings go round several times.
func TestUringSendsLikeSendto(t *testing.T) {
	if !allowed(t) {
		return
	}
	r, err := newUring()
	if err != nil {
		t.Fatal(err)
	}
	defer r.close()
	big := bytes.Repeat([]byte("x"), 4<<20)
	for round := range 20 {
		small := bytes.Repeat([]byte("s"), 1+round) // no round's results are another's
		var fds []int
		var sends [][]byte
		var want []int32
		add := func(fd int, b []byte, result int32) {
			fds, sends, want = append(fds, fd), append(sends, b), append(want, result)
		}
		var readers []int
		for range 30 {
			near, far := socketPair(t)
			add(near, small, int32(len(small)))
			readers = append(readers, far)
		}
		full, far := socketPair(t)
		defer unix.Close(far)
		part, _ := sendto(full, big)
		add(full, small, -int32(unix.EAGAIN))
		short, far := socketPair(t)
		defer unix.Close(far)
		add(short, big, int32(part))
		gone, far := socketPair(t)
		unix.Close(far)
		add(gone, small, -int32(unix.EPIPE))
		add(-1, small, -int32(unix.EBADF))

		got := make([]int32, len(fds))
		for i := range fds {
			r.put(i, fds[i], sends[i])
		}
		taken, err := r.submit(got)
		if err != nil || taken != len(fds) {
			t.Fatalf("round %d: %d of %d taken, %v", round, taken, len(fds), err)
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("round %d:\n got %v\nwant %v", round, got, want)
		}
		for _, fd := range readers {
			b := make([]byte, 30)
			if n, err := unix.Read(fd, b); err != nil || string(b[:n]) != string(small) {
				t.Fatalf("read %q, %v", b[:max(n, 0)], err)
			}
			unix.Close(fd)
		}
	}
}

// A crowd whose sockets take a part of each message gets everything in order,
// by the ring or in its absence by sendto.
func TestCrowdByUring(t *testing.T) {
	f := func(name string, prepare func(l *loop), want bool) {
		t.Run(name, func(t *testing.T) {
			h := newHub(t, 1, nil)
			l := h.loops[0]
			changed := make(chan struct{})
			l.post(func() { prepare(l); close(changed) })
			<-changed
			const crowd, messages = 2*sendsMax + 1, 8 // two calls and one that is not worth it
			subs, p := h.crowd(crowd, "news"), h.dial()
			filler := strings.Repeat("x", 300<<10) // more than a socket takes: it takes a part
			for i := range messages {
				p.ask(fmt.Sprint(crowd), "PUBLISH", "news", fmt.Sprint(i, filler))
			}
			for _, sub := range []*peer{subs[0], subs[sendsMax], subs[crowd-1]} {
				for i := range messages {
					sub.want(fmt.Sprint("message news ", i, filler))
				}
			}
			has := make(chan bool)
			l.post(func() { has <- l.uring != nil })
			if got := <-has; got != want {
				t.Errorf("the loop has a ring: %v, want %v", got, want)
			}
		})
	}
	f("none", func(l *loop) {
		if l.uring != nil {
			l.uring.close()
			l.uring = nil
		}
	}, false)
	if !allowed(t) {
		return
	}
	f("ring", func(*loop) {}, true)
	f("broken", func(l *loop) { // by whatever: the loop goes on without
		null, err := os.Open(os.DevNull)
		if err != nil {
			t.Fatal(err)
		}
		defer null.Close()
		if err := unix.Dup3(int(null.Fd()), l.uring.fd, unix.O_CLOEXEC); err != nil {
			t.Fatal(err)
		}
	}, false)
}

// Audiences that are walked together, each with several messages to join, get
// their own.
func TestGatheredWalksJoinApart(t *testing.T) {
	h := newHub(t, 1, func(s *Settings) { s.CoalesceMax = time.Hour })
	p := h.dial()
	var subs [2][]*peer
	for i := range subs {
		subs[i] = h.crowd(holdAudienceMin, fmt.Sprint("crowd", i))
		for n := range 3 { // the first is sent at once, the others are held
			p.ask(fmt.Sprint(holdAudienceMin), "PUBLISH", fmt.Sprint("crowd", i), fmt.Sprint(i, n))
		}
	}
	l, done := h.loops[0], make(chan struct{})
	l.post(func() { l.settleAll(); close(done) })
	<-done
	for i := range subs {
		for _, sub := range subs[i] {
			for n := range 3 {
				sub.want(fmt.Sprint("message crowd", i, " ", i, n))
			}
		}
	}
}
