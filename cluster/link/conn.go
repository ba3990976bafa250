package link

import (
	"net"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// conn is a connection to a peer, after both have agreed on it.
type conn struct {
	// Set once.
	net.Conn
	raw     syscall.RawConn // nil: there is no descriptor
	dialed  bool            // from here
	attempt uint64          // of the one who dialed
	s2      bool            // the peer reads it
	done    chan struct{}   // closed when nobody reads or writes it any more
	endsAt  atomic.Int64    // Unix ns: for who does not read it, when it has ended; 0: it has not

	// Guarded by the peer's lock.
	acknowledged bool // something, over it
	fruitful     bool // a batch or an acknowledgement has come
	stalled      bool // it was closed for that
	failed       bool // a write did: nothing more is written

	socket *descriptor // nil: the runtime polls it

	// Owned by who writes.
	out   []byte
	taken int
	fault error
	send  func(fd uintptr) bool // sendto, made once
}

// newConn makes a connection of one that both have agreed on, whose socket is
// watched or not.
func newConn(nc net.Conn, dialed bool, attempt uint64, s2, watched bool) *conn {
	c := &conn{Conn: nc, dialed: dialed, attempt: attempt, s2: s2, done: make(chan struct{})}
	if watched {
		c.socket = detach(nc)
	}
	if s, ok := nc.(syscall.Conn); ok {
		if raw, err := s.SyscallConn(); err == nil {
			c.raw = raw
		}
	}
	c.send = c.sendto
	return c
}

// Close and SetReadDeadline are told to who waits before it reads on, too.
func (c *conn) Close() error {
	c.endsAt.Store(1)
	return c.Conn.Close()
}

func (c *conn) SetReadDeadline(t time.Time) error {
	for at := t.UnixNano(); ; {
		before := c.endsAt.Load()
		if before != 0 && before <= at || c.endsAt.CompareAndSwap(before, at) {
			break
		}
	}
	return c.Conn.SetReadDeadline(t)
}

// ended reports whether nothing more is to be read.
func (c *conn) ended() bool {
	at := c.endsAt.Load()
	return at != 0 && time.Now().UnixNano() >= at
}

// fail ends the writing. What has come before is still read: the peer need not
// send it again.
func (c *conn) fail() {
	c.failed = true
	c.SetReadDeadline(time.Now().Add(stallTimeout)) // the end is to come long before
}

// try writes what the socket takes at once, in one system call. Only for
// connections with a descriptor.
func (c *conn) try(b []byte) (n int, err error) {
	c.out, c.taken, c.fault = b, 0, nil
	err = c.raw.Write(c.send)
	if err == nil {
		err = c.fault
	}
	c.out = nil
	return c.taken, err
}

// sendto cannot block, so the scheduler is not told.
func (c *conn) sendto(fd uintptr) bool {
	for {
		n, _, errno := unix.RawSyscall6(unix.SYS_SENDTO, fd,
			uintptr(unsafe.Pointer(unsafe.SliceData(c.out))), uintptr(len(c.out)), unix.MSG_NOSIGNAL|unix.MSG_DONTWAIT, 0, 0)
		switch errno {
		case 0:
			c.taken = int(n)
		case unix.EINTR:
			continue
		case unix.EAGAIN:
		default:
			c.fault = errno
		}
		return true
	}
}
