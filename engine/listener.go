package engine

import (
	"fmt"
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
	net.Listener
	socket *os.File        // a copy of its socket
	raw    syscall.RawConn // of the copy
}

// newListener owns ln.
func newListener(ln net.Listener) (*listener, error) {
	socket, err := ln.(interface{ File() (*os.File, error) }).File()
	if err != nil {
		ln.Close()
		return nil, fmt.Errorf("cannot listen on %s: %w", ln.Addr(), err)
	}
	l := &listener{Listener: ln, socket: socket}
	if l.raw, err = socket.SyscallConn(); err != nil {
		l.close()
		return nil, fmt.Errorf("cannot listen on %s: %w", ln.Addr(), err)
	}
	return l, nil
}

func (ln *listener) close() error {
	ln.socket.Close() // it has nothing to lose
	return ln.Listener.Close()
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
