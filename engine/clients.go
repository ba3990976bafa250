package engine

import (
	"time"

	"golang.org/x/sys/unix"
)

// Sessions calls yield for every session of every loop, a loop at a time.
// yield only reads, and not for long: the loop waits if it wants to accept or
// close meanwhile. Any goroutine.
func (e *Engine) Sessions(yield func(*Session)) {
	for _, l := range e.loops {
		l.mu.RLock()
		for _, s := range l.sessions {
			yield(s)
		}
		l.mu.RUnlock()
	}
}

// Kill closes a session from outside; what it was sent before is dropped. It
// counts as gone at once. Any goroutine.
func (e *Engine) Kill(s *Session) { e.kill(s, closedByKill) }

func (e *Engine) kill(s *Session, reason closeReason) {
	if s.killed.Swap(true) {
		return
	}
	s.loop.post(func() {
		if !s.ended() {
			s.loop.doom(s, reason)
		}
	})
}

// Do has f run on the session's loop, soon, unless the session has ended by
// then. What f sees was done before Do was called. Any goroutine.
func (e *Engine) Do(s *Session, f func()) {
	s.loop.post(func() {
		if !s.ended() {
			f()
		}
	})
}

// Killed reports whether somebody killed the session. Any goroutine.
func (s *Session) Killed() bool { return s.killed.Load() }

// Active returns when the client last sent something. Any goroutine.
func (s *Session) Active() time.Time { return s.loop.engine.start.Add(time.Duration(s.active.Load())) }

// Buffered returns the bytes of an unfinished command. Any goroutine.
func (s *Session) Buffered() int64 {
	if p := s.partial.Load(); p != nil {
		return p.bytes.Load()
	}
	return 0
}

// Backlogged returns the bytes that the client's socket did not take. Any
// goroutine.
func (s *Session) Backlogged() int64 { return s.backlogged.Load() }

// Fd returns the connection's file descriptor. Any goroutine that has the
// session from Sessions, while in its yield.
func (s *Session) Fd() int { return int(s.fd) }

// RemoteAddr names the client's end as Redis does: ip:port, or the Unix
// socket's path and port 0. Any goroutine that has the session from Sessions,
// while in its yield.
func (s *Session) RemoteAddr() string { return s.addr(s.remote) }

// LocalAddr names the server's end in the same way.
func (s *Session) LocalAddr() string {
	local, _ := unix.Getsockname(int(s.fd)) // cannot fail: the session is there
	return s.addr(addressOf(local))
}

func (s *Session) addr(a address) string {
	if !a.isTCP() {
		return s.loop.engine.unixPath + ":0"
	}
	return a.String()
}
