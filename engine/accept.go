package engine

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Listen says where clients connect.
type Listen struct {
	Bind       []string    // addresses; one with a '-' before it may be missing
	Port       int         // 0: no TCP
	Backlog    int         // of the kernel's accept queue
	UnixSocket string      // path; empty: none
	UnixMode   fs.FileMode // 0: as the umask says
}

// What a client is told that cannot be served; the beginnings are Redis's.
const (
	tooManyClients = "-ERR max number of clients reached\r\n"
	protectedMode  = "-DENIED Redis is running in protected mode: no password is set, so only clients on this machine are served. " +
		"To serve others, set a password with --requirepass or CONFIG SET requirepass, " +
		"or turn the protection off with --protected-mode no or CONFIG SET protected-mode no.\r\n"
)

// open listens everywhere, on file descriptors of at least floor.
func (c Listen) open(floor int) (listeners []*listener, err error) {
	defer func() {
		if err != nil {
			for _, ln := range listeners {
				ln.close()
			}
		}
	}()
	if c.Port > 0 {
		for _, bind := range c.Bind {
			host, optional := strings.CutPrefix(bind, "-")
			ln, err := c.tcp(host, floor)
			if err != nil {
				if optional && (errors.Is(err, unix.EADDRNOTAVAIL) || errors.Is(err, unix.EAFNOSUPPORT)) {
					continue
				}
				return listeners, err
			}
			listeners = append(listeners, ln)
		}
		if len(listeners) == 0 {
			return nil, fmt.Errorf("cannot listen on port %d: no address of --bind is on this machine", c.Port)
		}
	}
	if c.UnixSocket != "" {
		ln, err := c.unix(floor)
		if err != nil {
			return listeners, err
		}
		listeners = append(listeners, ln)
	}
	if len(listeners) == 0 {
		return nil, errors.New("cannot serve anybody: neither a TCP port nor a Unix socket is given")
	}
	return listeners, nil
}

func (c Listen) tcp(host string, floor int) (*listener, error) {
	network := "tcp"
	switch {
	case host == "*" || host == "0.0.0.0":
		host, network = "0.0.0.0", "tcp4"
	case host == "::*" || host == "::":
		host, network = "::", "tcp6"
	}
	config := net.ListenConfig{KeepAlive: -1} // accept sets it by what the settings are then
	addr := net.JoinHostPort(host, strconv.Itoa(c.Port))
	ln, err := config.Listen(context.Background(), network, addr)
	if err != nil {
		if errors.Is(err, unix.EADDRINUSE) {
			return nil, fmt.Errorf("Could not create server TCP listening socket %s:%d: bind: Address already in use", host, c.Port)
		}
		return nil, fmt.Errorf("cannot listen on %s: %w", addr, err)
	}
	return c.adopt(ln, floor)
}

// adopt makes ours what net has opened.
func (c Listen) adopt(ln net.Listener, floor int) (*listener, error) {
	if err := setBacklog(ln.(syscall.Conn), c.Backlog); err != nil {
		ln.Close()
		return nil, fmt.Errorf("cannot listen on %s: %w", ln.Addr(), err)
	}
	l, err := newListener(ln, floor)
	if err != nil {
		return nil, fmt.Errorf("cannot listen on %s: %w", ln.Addr(), err)
	}
	return l, nil
}

// setBacklog listens again with our length of queue: net always takes the
// system's largest.
func setBacklog(ln syscall.Conn, backlog int) error {
	if backlog <= 0 {
		return nil
	}
	raw, err := ln.SyscallConn()
	if err != nil {
		return err
	}
	return errors.Join(raw.Control(func(fd uintptr) { err = unix.Listen(int(fd), backlog) }), err)
}

// unix takes the place of a dead server's socket, of nothing else.
func (c Listen) unix(floor int) (*listener, error) {
	path := c.UnixSocket
	if info, err := os.Lstat(path); err == nil {
		if info.Mode().Type() != fs.ModeSocket {
			return nil, fmt.Errorf("cannot listen on Unix socket %s: there is something that is no socket", path)
		}
		if conn, err := net.Dial("unix", path); err == nil {
			conn.Close()
			return nil, fmt.Errorf("cannot listen on Unix socket %s: another server listens there", path)
		}
		if err := os.Remove(path); err != nil {
			return nil, fmt.Errorf("cannot listen on Unix socket %s: %w", path, err)
		}
	}
	ln, err := net.Listen("unix", path)
	if err != nil {
		return nil, fmt.Errorf("cannot listen on Unix socket %s: %w", path, err)
	}
	if c.UnixMode != 0 {
		if err := os.Chmod(path, c.UnixMode); err != nil {
			ln.Close()
			return nil, fmt.Errorf("cannot set the permissions of Unix socket %s: %w", path, err)
		}
	}
	return c.adopt(ln, floor)
}

// accept hands connections to the loops until the listener is closed. Lack of
// file descriptors or memory makes it rest and try again.
func (e *Engine) accept(ln *listener) {
	var pause time.Duration
	for {
		fd, remote, err := ln.accept()
		if err != nil {
			if errors.Is(err, net.ErrClosed) {
				return
			}
			if pause = min(max(2*pause, time.Millisecond), acceptPauseMax); pause == acceptPauseMax {
				e.log.Warn("cannot accept clients, trying again", "error", err)
			}
			select {
			case <-e.quit:
				return
			case <-time.After(pause):
			}
			continue
		}
		pause = 0
		e.received.Add(1)
		if reason, refusal := e.refuse(remote); refusal != "" {
			e.rejected[reason].Add(1)
			_, _ = sendto(fd, []byte(refusal)) // to a client that is going anyway
			unix.Close(fd)
			continue
		}
		prepare(fd, remote, e.settings.Load().KeepAlive)
		e.enroll(fd, remote)
	}
}

// rejectReason says why a connection was not served.
type rejectReason uint8

const (
	rejectedByMaxClients rejectReason = iota
	rejectedByProtectedMode
	rejectReasons
)

func (r rejectReason) String() string {
	return [rejectReasons]string{"maxclients", "protected-mode"}[r]
}

// refuse returns why a client is not served and what to tell it, which is empty
// if it is served.
func (e *Engine) refuse(remote address) (rejectReason, string) {
	settings := e.settings.Load()
	if settings.ProtectedMode && remote.isTCP() && !remote.addr().IsLoopback() {
		return rejectedByProtectedMode, protectedMode
	}
	if e.connections.Add(1) > int64(settings.MaxClients) {
		e.connections.Add(-1)
		return rejectedByMaxClients, tooManyClients
	}
	return 0, ""
}

// leastBusy returns the loop with the fewest connections and counts one more.
func (e *Engine) leastBusy() *loop {
	least := e.loops[0]
	for _, l := range e.loops[1:] {
		if l.load.Load() < least.load.Load() {
			least = l
		}
	}
	least.load.Add(1)
	return least
}

// enroll makes a connection a session of a loop.
func (e *Engine) enroll(fd int, remote address) {
	s := &Session{loop: e.leastBusy(), remote: remote, id: e.lastID.Add(1), created: time.Now().UnixNano(), fd: int32(fd)}
	s.protocol.Store(2)
	e.places <- struct{}{}
	s.loop.post(func() {
		<-e.places
		if err := s.loop.open(s); err != nil {
			unix.Close(fd)
			s.loop.load.Add(-1)
			e.connections.Add(-1)
			if others, ok := e.mayWarn(); ok {
				e.log.Warn("cannot take a client", "error", err, "others before", others)
			}
		}
	})
}
