package bench

import (
	"fmt"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// poller is an epoll instance whose registrations carry a number of the caller's.
type poller struct {
	fd     int
	events []unix.EpollEvent
	spin   bool          // wait without sleeping
	spun   time.Duration // the time that this took
}

func newPoller() (*poller, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("cannot create an epoll instance: %w", err)
	}
	return &poller{fd: fd, events: make([]unix.EpollEvent, pollEvents)}, nil
}

// add registers a descriptor; its events carry id.
func (p *poller) add(fd, id int, events uint32) error {
	event := unix.EpollEvent{Events: events, Fd: int32(id)}
	if err := unix.EpollCtl(p.fd, unix.EPOLL_CTL_ADD, fd, &event); err != nil {
		return fmt.Errorf("cannot watch a connection: %w", err)
	}
	return nil
}

// poll returns what is ready now, without waiting.
func (p *poller) poll() []unix.EpollEvent {
	return p.block(0)
}

// wait returns what is ready, waiting at most the given time (epoll_pwait2, exact to the timer slack). An interrupted
// wait returns nothing.
func (p *poller) wait(d time.Duration) ([]unix.EpollEvent, error) {
	if ready := p.poll(); len(ready) > 0 || d <= 0 {
		return ready, nil
	}
	if p.spin {
		return p.spinFor(d), nil
	}
	timeout := unix.NsecToTimespec(int64(d))
	n, _, errno := unix.Syscall6(unix.SYS_EPOLL_PWAIT2, uintptr(p.fd),
		uintptr(unsafe.Pointer(&p.events[0])), uintptr(len(p.events)), uintptr(unsafe.Pointer(&timeout)), 0, 0)
	switch errno {
	case 0:
		return p.events[:n], nil
	case unix.EINTR:
		return nil, nil
	}
	return nil, fmt.Errorf("cannot wait for events: %w", errno)
}

// spinFor looks again and again instead of waiting.
func (p *poller) spinFor(d time.Duration) (ready []unix.EpollEvent) {
	begin := time.Now()
	passed := time.Duration(0)
	for len(ready) == 0 && passed < d {
		ready = p.poll()
		passed = time.Since(begin)
	}
	p.spun += passed
	return ready
}

// block waits like wait but keeps its scheduler slot meanwhile: nothing is handed over and taken back per wait. It is for
// a process that does nothing else.
func (p *poller) block(d time.Duration) []unix.EpollEvent {
	n, _, errno := unix.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(p.fd),
		uintptr(unsafe.Pointer(&p.events[0])), uintptr(len(p.events)), uintptr(d.Milliseconds()), 0, 0)
	if errno != 0 {
		return nil
	}
	return p.events[:n]
}

func (p *poller) close() {
	unix.Close(p.fd)
}

// receive reads once from a non-blocking socket, without telling the scheduler: it never blocks. It returns 0, EAGAIN
// when there is nothing and 0, nil at the end of the stream.
func receive(fd int, b []byte) (int, error) {
	for {
		n, _, errno := unix.RawSyscall6(unix.SYS_RECVFROM, uintptr(fd),
			uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)), unix.MSG_DONTWAIT, 0, 0)
		switch errno {
		case 0:
			return int(n), nil
		case unix.EINTR:
			continue
		}
		return 0, errno
	}
}

// send writes once to a non-blocking socket, as receive reads.
func send(fd int, b []byte) (int, error) {
	for {
		n, _, errno := unix.RawSyscall6(unix.SYS_SENDTO, uintptr(fd),
			uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)), unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL, 0, 0)
		switch errno {
		case 0:
			return int(n), nil
		case unix.EINTR:
			continue
		}
		return 0, errno
	}
}

// sendWhole writes a few bytes that a socket with nothing queued always has room for.
func sendWhole(fd int, b []byte) error {
	n, err := send(fd, b)
	if err == nil && n < len(b) {
		err = unix.EAGAIN
	}
	if err != nil {
		return fmt.Errorf("cannot send: %w", err)
	}
	return nil
}
