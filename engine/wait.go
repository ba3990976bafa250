package engine

import (
	"fmt"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// waiter is where a loop sleeps: until gnet's poller has something, another
// goroutine pokes it, a blocked socket takes more, or a hold is over.
//
//	readable sockets ──── gnet's epoll ─┐
//	other loops, posts ─────── eventfd ─┼─ ppoll ── the loop goes on
//	blocked sockets ──────── our epoll ─┤
//	the hold that is due first ─ timeout ┘
//
// gnet's own wait knows the first of them only, and costs more: it yields to
// the scheduler each time before it blocks, which wakes an idle thread for
// nothing. So a tick, which gnet runs as a task, does not return before gnet
// has something to poll for. While a task runs, gnet does not notice new
// tasks: whoever is about to give it one says so first (expect).
type waiter struct {
	// Set once; poke is -1 until the waiter is open.
	poke    int // eventfd
	blocked int // our epoll of sockets that refused bytes; ONESHOT each
	fds     [3]unix.PollFd

	// Any goroutine, atomic. poked: the eventfd is, or will be, readable.
	// expected: how many tasks gnet is about to get.
	poked    atomic.Bool
	expected atomic.Int32
}

// open begins to sleep on gnet's epoll, polled, besides its own.
func (w *waiter) open(polled int) (err error) {
	if w.blocked, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return fmt.Errorf("cannot make an epoll: %w", err)
	}
	poke, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		unix.Close(w.blocked)
		return fmt.Errorf("cannot make an eventfd: %w", err)
	}
	w.poke = poke
	for i, fd := range [3]int{polled, w.poke, w.blocked} {
		w.fds[i] = unix.PollFd{Fd: int32(fd), Events: unix.POLLIN}
	}
	return nil
}

// polled returns the fd of gnet's epoll.
func (w *waiter) polled() int { return int(w.fds[0].Fd) }

func (w *waiter) close() {
	unix.Close(w.poke)
	unix.Close(w.blocked)
}

// sleep blocks until there is something to do, for at most timeout if that is
// not negative. polled says that gnet must be returned to.
func (w *waiter) sleep(timeout time.Duration, anyBlocked bool) (polled, writable bool) {
	if w.expected.Load() > 0 {
		return true, false
	}
	fds := w.fds[:2]
	if anyBlocked {
		fds = w.fds[:3]
	}
	var limit *unix.Timespec
	if timeout >= 0 {
		spec := unix.NsecToTimespec(int64(timeout))
		limit = &spec
	}
	if n, err := unix.Ppoll(fds, limit, nil); n <= 0 || err != nil {
		return false, false // the time is over, or a signal came
	}
	if fds[1].Revents != 0 {
		var count [8]byte
		_, _ = unix.Read(w.poke, count[:]) // fails only if it was read before
	}
	return fds[0].Revents != 0 || w.expected.Load() > 0, anyBlocked && fds[2].Revents != 0
}

// wake makes the loop run a tick. Any goroutine, after it has put down what
// the tick shall find. However many do it, it costs one write a tick.
func (w *waiter) wake() {
	if w.poke >= 0 && !w.poked.Load() && !w.poked.Swap(true) {
		one := [8]byte{1}
		_, _ = unix.Write(w.poke, one[:]) // fails only when it is readable anyway, or closed
	}
}

// awake takes back the pokes so far: what was put down before them is visible
// after it. The write of one may be still to come; sleep reads it.
func (w *waiter) awake() {
	if w.poked.Load() {
		w.poked.Store(false)
	}
}

// expect announces a task of gnet's, before gnet is given it.
func (w *waiter) expect() {
	w.expected.Add(1)
	w.wake()
}

// arrived says that the expected task runs. On the loop.
func (w *waiter) arrived() { w.expected.Add(-1) }

// await asks for word when the session's socket takes more.
func (l *loop) await(s *Session) {
	b := s.backlog
	if b.waiting {
		return
	}
	b.waiting = true
	l.blocked[s.fd] = s
	event := unix.EpollEvent{Events: unix.EPOLLOUT | unix.EPOLLONESHOT, Fd: s.fd, Pad: int32(b.number)}
	err := unix.EpollCtl(l.waiter.blocked, unix.EPOLL_CTL_ADD, int(s.fd), &event)
	if err == unix.EEXIST { // it was blocked before
		err = unix.EpollCtl(l.waiter.blocked, unix.EPOLL_CTL_MOD, int(s.fd), &event)
	}
	if err != nil {
		l.engine.log.Error("cannot watch a blocked client, closing it", "id", s.id, "error", err)
		l.doom(s, closedByPeer)
	}
}

// resume lets the sessions whose sockets take more send their backlogs in this
// tick.
func (l *loop) resume() {
	var events [64]unix.EpollEvent
	for {
		n, err := unix.EpollWait(l.waiter.blocked, events[:], 0)
		if n <= 0 || err != nil {
			return
		}
		for _, ev := range events[:n] {
			s := l.blocked[ev.Fd]
			if s == nil || s.backlog == nil || s.backlog.number != uint32(ev.Pad) {
				continue // another client has the fd now, or another backlog
			}
			delete(l.blocked, s.fd)
			s.backlog.waiting = false
			l.touch(s)
		}
	}
}
