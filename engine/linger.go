package engine

import (
	"net"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// linger sends the rest to a client that has shut down its sending side, as
// "nc" does at the end of its input: it may be reading still. The loop is done
// with a connection when it sees the end, so the rest goes to a copy of the fd,
// by a goroutine of its own: this is rare. Until then the client counts as connected.
func (l *loop) linger(s *Session) {
	if s.backlog == nil || s.has(doomed) || s.Killed() {
		return
	}
	fd, err := unix.FcntlInt(uintptr(s.fd), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return // what is queued is dropped, and counted
	}
	file := os.NewFile(uintptr(fd), "lingering client")
	conn, err := net.FileConn(file)
	file.Close()
	if err != nil {
		return
	}
	e, rest := l.engine, s.backlog
	s.backlog = nil
	s.backlogged.Store(0)
	s.set(lingering, true)
	_ = conn.SetWriteDeadline(time.Now().Add(lingerTimeMax))
	e.lingerers.Store(conn, nil) // dismissLingerers may shorten the time from here on
	e.lingering.Go(func() {
		defer conn.Close()
		defer e.lingerers.Delete(conn)
		chunks := net.Buffers(rest.chunks)
		sent, _ := chunks.WriteTo(conn) // a client that is gone needs no rest
		l.stats.outputBytes.Add(sent)
		l.stats.dropped[closedByPeer].Add(rest.bytes - sent)
		e.backlog.Add(-rest.bytes)
		e.clientMemory.Add(-rest.bytes)
		e.connections.Add(-1)
	})
}

// dismissLingerers ends all lingering at once. Any goroutine.
func (e *Engine) dismissLingerers() {
	e.lingerers.Range(func(conn, _ any) bool {
		_ = conn.(net.Conn).SetWriteDeadline(time.Now()) // fails only on one that has ended
		return true
	})
}
