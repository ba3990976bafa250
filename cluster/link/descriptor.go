package link

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// descriptor is a socket that the runtime does not poll: who is told that it can
// be read reads it (Config.Watch). Otherwise each batch that comes would wake a
// thread of the runtime's, too.
type descriptor struct {
	// Set once.
	fd     int
	local  net.Addr
	remote net.Addr

	// Owned by who reads.
	drained bool // the last read got less than it had asked for

	// Any goroutine.
	shut      atomic.Bool
	writeTill atomic.Int64 // Unix ns; 0: for ever
	mu        sync.Mutex
	readEnd   *time.Timer
}

// errAgain is for a read of what has not come yet.
var errAgain = errors.New("there is nothing to read yet")

// detachable is a connection of the port that has a socket.
type detachable interface {
	Detach(wrap func(fd int) net.Conn) error
}

// detach has a connection read and write its socket itself. It returns nil if the
// connection has none.
func detach(nc net.Conn) (d *descriptor) {
	c, ok := nc.(detachable)
	if !ok {
		return nil
	}
	local, remote := nc.LocalAddr(), nc.RemoteAddr()
	if c.Detach(func(fd int) net.Conn {
		d = &descriptor{fd: fd, local: local, remote: remote}
		return d
	}) != nil {
		return nil
	}
	return d
}

// Read returns errAgain instead of waiting. What comes after that, the end too,
// whoever watches is told of.
func (d *descriptor) Read(b []byte) (int, error) {
	if d.drained {
		d.drained = false
		return 0, errAgain
	}
	for {
		n, _, errno := unix.RawSyscall(unix.SYS_READ, uintptr(d.fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)))
		switch {
		case errno == unix.EINTR:
			continue
		case errno == unix.EAGAIN:
			return 0, errAgain
		case errno != 0:
			return 0, errno
		case n == 0:
			return 0, io.EOF
		}
		d.drained = int(n) < len(b)
		return int(n), nil
	}
}

// Write waits until all is written.
func (d *descriptor) Write(b []byte) (written int, err error) {
	for written < len(b) {
		n, err := unix.SendmsgN(d.fd, b[written:], nil, nil, unix.MSG_NOSIGNAL|unix.MSG_DONTWAIT)
		switch err {
		case nil:
			written += n
		case unix.EINTR:
		case unix.EAGAIN:
			if err := d.await(); err != nil {
				return written, err
			}
		default:
			return written, err
		}
	}
	return written, nil
}

// await waits until the socket takes more.
func (d *descriptor) await() error {
	wait := -1
	if till := d.writeTill.Load(); till != 0 {
		if wait = int(time.Until(time.Unix(0, till)).Milliseconds()); wait <= 0 {
			return os.ErrDeadlineExceeded
		}
	}
	_, err := unix.Poll([]unix.PollFd{{Fd: int32(d.fd), Events: unix.POLLOUT}}, wait)
	if err == unix.EINTR {
		return nil
	}
	return err
}

// Close ends the connection for who reads and writes; free closes the socket when
// none of them has it any more.
func (d *descriptor) Close() error {
	if d.shut.Swap(true) {
		return nil
	}
	return unix.Shutdown(d.fd, unix.SHUT_RDWR)
}

func (d *descriptor) free() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.readEnd != nil {
		d.readEnd.Stop()
	}
	d.shut.Store(true)
	unix.Close(d.fd)
}

func (d *descriptor) LocalAddr() net.Addr  { return d.local }
func (d *descriptor) RemoteAddr() net.Addr { return d.remote }

func (d *descriptor) SetDeadline(t time.Time) error {
	return errors.Join(d.SetReadDeadline(t), d.SetWriteDeadline(t))
}

// SetReadDeadline ends the connection at a time.
func (d *descriptor) SetReadDeadline(t time.Time) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.readEnd != nil {
		d.readEnd.Stop()
	}
	d.readEnd = nil
	if !t.IsZero() && !d.shut.Load() {
		d.readEnd = time.AfterFunc(time.Until(t), func() {
			d.mu.Lock() // free has not run, or shut says so
			defer d.mu.Unlock()
			d.Close()
		})
	}
	return nil
}

func (d *descriptor) SetWriteDeadline(t time.Time) error {
	if t.IsZero() {
		d.writeTill.Store(0)
	} else {
		d.writeTill.Store(t.UnixNano())
	}
	return nil
}

// Control, with its descriptor as the runtime would give it.
func (d *descriptor) SyscallConn() (syscall.RawConn, error) { return rawDescriptor{d}, nil }

type rawDescriptor struct{ *descriptor }

func (r rawDescriptor) Control(f func(fd uintptr)) error {
	f(uintptr(r.fd))
	return nil
}

func (r rawDescriptor) Read(f func(fd uintptr) bool) error {
	f(uintptr(r.fd))
	return nil
}

func (r rawDescriptor) Write(f func(fd uintptr) bool) error {
	f(uintptr(r.fd))
	return nil
}
