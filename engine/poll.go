package engine

import (
	"fmt"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// poller is where a loop sleeps: one epoll for its sockets, and for an eventfd
// by which other goroutines poke it.
type poller struct {
	// Set once; -1 until the poller is open.
	fd   int // epoll
	poke int // eventfd

	// Any goroutine, atomic: the eventfd is, or will be, readable.
	poked atomic.Bool

	// Owned by the loop.
	events [pollEventsMax]unix.EpollEvent
}

// What a loop wants to know of a socket. Events are level-triggered: what is
// not read, because a session waits, or has sent more than one
// read takes, is reported again. The end of a connection is reported always.
const (
	eventsRead  = unix.EPOLLIN | unix.EPOLLPRI
	eventsWrite = unix.EPOLLOUT
)

func (p *poller) open() (err error) {
	if p.fd, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return fmt.Errorf("cannot make an epoll: %w", err)
	}
	if p.poke, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK); err != nil {
		unix.Close(p.fd)
		return fmt.Errorf("cannot make an eventfd: %w", err)
	}
	if err = p.control(unix.EPOLL_CTL_ADD, p.poke, eventsRead); err != nil {
		p.close()
		return fmt.Errorf("cannot watch an eventfd: %w", err)
	}
	return nil
}

func (p *poller) close() {
	p.poked.Store(true) // a late wake must not write: the number may be another file's
	unix.Close(p.fd)
	unix.Close(p.poke)
}

// control is epoll_ctl.
func (p *poller) control(operation, fd int, events uint32) error {
	return unix.EpollCtl(p.fd, operation, fd, &unix.EpollEvent{Events: events, Fd: int32(fd)})
}

// wait returns what is ready. If nothing is, it blocks until something is, a
// poke comes or the timeout is over, of a long one the whole milliseconds; a
// negative one never is. After a signal it may return nothing, too.
func (p *poller) wait(timeout time.Duration) []unix.EpollEvent {
	if timeout == 0 {
		return p.poll()
	}
	if timeout >= pollTimeMin {
		return p.waitMilliseconds(int(min(timeout, pollTimeMax) / time.Millisecond))
	}
	if timeout > 0 { // epoll counts in milliseconds, or needs Linux 5.11
		limit := unix.NsecToTimespec(int64(timeout))
		_, _ = unix.Ppoll([]unix.PollFd{{Fd: int32(p.fd), Events: unix.POLLIN}}, &limit, nil)
		return p.poll()
	}
	return p.waitMilliseconds(-1)
}

func (p *poller) waitMilliseconds(timeout int) []unix.EpollEvent {
	n, err := unix.EpollWait(p.fd, p.events[:], timeout)
	if err != nil {
		return nil
	}
	return p.events[:n]
}

// poll is wait that never blocks, so the scheduler is not told.
func (p *poller) poll() []unix.EpollEvent {
	n, _, errno := unix.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(p.fd),
		uintptr(unsafe.Pointer(&p.events[0])), uintptr(len(p.events)), 0, 0, 0)
	if errno != 0 {
		return nil
	}
	return p.events[:n]
}

// wake makes the loop run a tick. Any goroutine, after it has put down what
// the tick shall find. However many do it, it costs one write a tick.
func (p *poller) wake() {
	if p.poke >= 0 && !p.poked.Load() && !p.poked.Swap(true) {
		one := [8]byte{1}
		_, _ = unix.Write(p.poke, one[:]) // fails only when it is readable anyway, or closed
	}
}

// awake takes back the pokes so far: what was put down before them is visible
// after it. events are what wait returned; the eventfd must be read before poked
// is cleared, or a poke in between would be lost. The write of a poke may be
// still to come: it makes the loop look once more.
func (p *poller) awake(events []unix.EpollEvent) {
	for i := range events {
		if int(events[i].Fd) == p.poke {
			var count [8]byte
			_, _ = unix.Read(p.poke, count[:]) // fails only if it was read before
		}
	}
	if p.poked.Load() {
		p.poked.Store(false)
	}
}

// serve handles what the poller reported of sockets, and returns how many had
// something to read.
func (l *loop) serve(events []unix.EpollEvent) (read int) {
	for i := range events {
		fd, what := events[i].Fd, events[i].Events
		s := l.sessions[fd]
		if s == nil {
			if l.look(fd) {
				read++
			}
			continue // or a poke, or it was closed since it was polled
		}
		if what&eventsWrite != 0 {
			l.resume(s)
		}
		switch {
		case what&eventsRead != 0:
			l.receive(s)
			read++
		case what&(unix.EPOLLERR|unix.EPOLLHUP) != 0:
			l.hangUp(s) // there is nothing to read before the end, or nothing is read
		}
	}
	return read
}

// receive executes what a session has sent, as much as one read takes.
func (l *loop) receive(s *Session) {
	n, err := recvfrom(int(s.fd), l.readBuffer)
	switch {
	case n > 0:
		s.active.Store(l.now)
		l.tally.inputBytes += int64(n)
		l.execute(s, l.readBuffer[:n])
	case err == 0 && s.has(expecting): // the end comes after its answers, and is seen again then
		s.pending.full = false
		l.stall(s)
	case err == 0: // the end
		l.hangUp(s)
	case err == unix.EAGAIN || err == unix.EINTR: // a false alarm, or later
	default:
		l.close(s)
	}
}

// recvfrom reads once from a socket that does not block, so the scheduler is not
// told. n is 0 at the end of the stream, and if errno is not 0.
func recvfrom(fd int, b []byte) (n int, errno syscall.Errno) {
	r, _, errno := unix.RawSyscall6(unix.SYS_RECVFROM, uintptr(fd),
		uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)), unix.MSG_DONTWAIT, 0, 0)
	if errno != 0 {
		return 0, errno
	}
	return int(r), 0
}

// watch tells the poller what the loop wants to know of a session's socket now.
func (l *loop) watch(s *Session) {
	var events uint32
	if !s.has(waiting) {
		events |= eventsRead
	}
	if s.has(blocked) {
		events |= eventsWrite
	}
	if err := l.poller.control(unix.EPOLL_CTL_MOD, int(s.fd), events); err != nil {
		l.engine.log.Error("cannot watch a client, closing it", "id", s.id, "error", err)
		l.doom(s, closedByPeer)
	}
}

// await asks for word when the session's socket, which has refused bytes, takes
// more.
func (l *loop) await(s *Session) {
	s.backlog.waiting = true
	if !s.has(blocked) {
		s.flags |= blocked
		l.blocked[s] = struct{}{}
		l.resting.Store(false) // of this very tick, too
		l.watch(s)
	}
}

// resume lets a session whose socket takes more send its backlog in this tick.
func (l *loop) resume(s *Session) {
	if s.backlog != nil {
		s.backlog.waiting = false
		l.touch(s)
	}
}

// unblock ends what await began: the backlog is sent.
func (l *loop) unblock(s *Session) {
	if s.has(blocked) {
		s.flags &^= blocked
		delete(l.blocked, s)
		l.watch(s)
	}
}
