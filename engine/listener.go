package engine

import (
	"errors"
	"net"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// listener is one address that clients connect to. It waits for them in Go's
// poller, but accepts by itself: net would make each connection known to that
// poller, too, and leave behind as much garbage as the session takes.
type listener struct {
	socket *os.File
	raw    syscall.RawConn
	path   string // of a Unix socket, else empty
}

// newListener takes ln's socket, and closes ln. It gives the socket a file
// descriptor of at least floor, where the limit of open files allows one.
//
// The kernel closes the files of a killed process from the last to the first.
// A client that connects again at once is refused only if the listeners are
// gone by then, so they stand above the clients. Else its connection would be
// taken by nobody and reset a moment later, which some libraries do not
// survive: node-redis 5.9 then believes that it is connected, for ever.
func newListener(ln net.Listener, floor int) (*listener, error) {
	defer ln.Close()
	raw, err := ln.(syscall.Conn).SyscallConn()
	if err != nil {
		return nil, err
	}
	fd := -1
	controlErr := raw.Control(func(socket uintptr) {
		if fd, err = unix.FcntlInt(socket, unix.F_DUPFD_CLOEXEC, floor); err != nil {
			fd, err = unix.FcntlInt(socket, unix.F_DUPFD_CLOEXEC, 0)
		}
	})
	if err := errors.Join(controlErr, err); err != nil {
		return nil, err
	}
	l := &listener{socket: os.NewFile(uintptr(fd), ln.Addr().String())}
	if ln, ok := ln.(*net.UnixListener); ok {
		ln.SetUnlinkOnClose(false)
		l.path = ln.Addr().String()
	}
	if l.raw, err = l.socket.SyscallConn(); err != nil {
		return nil, errors.Join(err, l.close())
	}
	return l, nil
}

func (ln *listener) close() error {
	if ln.path != "" {
		_ = os.Remove(ln.path) // it may have been removed by hand
	}
	return ln.socket.Close()
}

// accept waits for the next client and returns its socket, which does not
// block. The error is net.ErrClosed once the listener is closed.
func (ln *listener) accept() (fd int, remote address, err error) {
	for {
		var from unix.Sockaddr
		waitErr := ln.raw.Read(func(socket uintptr) (done bool) {
			fd, from, err = unix.Accept4(int(socket), unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC)
			return err != unix.EAGAIN
		})
		switch {
		case waitErr != nil:
			return -1, address{}, net.ErrClosed
		case err == unix.ECONNABORTED || err == unix.EINTR: // that client is gone, or none has come
		default:
			return fd, addressOf(from), err
		}
	}
}

// prepare sets the options of a client's socket. They fail only on a connection
// that is lost.
func prepare(fd int, remote address, keepAlive time.Duration) {
	set := func(level, option, value int) { _ = unix.SetsockoptInt(fd, level, option, value) }
	// Urgent data is ordinary: an urgent byte is readable for epoll and not for
	// read, so the loop would look for ever.
	set(unix.SOL_SOCKET, unix.SO_OOBINLINE, 1)
	if !remote.isTCP() {
		return
	}
	set(unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
	if idle := int(keepAlive / time.Second); idle > 0 {
		// In Redis's ratio: three probes, a third of the idle time apart.
		set(unix.IPPROTO_TCP, unix.TCP_KEEPIDLE, idle)
		set(unix.IPPROTO_TCP, unix.TCP_KEEPINTVL, max(idle/3, 1))
		set(unix.IPPROTO_TCP, unix.TCP_KEEPCNT, 3)
		set(unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1)
	}
}
