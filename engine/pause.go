package engine

// This file bounds what a client costs that sends commands and does not read
// the answers. Its commands wait (pause), and it is not read, so that TCP slows
// it down. Redis answers on and on.
//
// A paused session is in one of two states. Either its answers of this tick are
// still to be sent: then it goes on in the next. Or they pile up in its backlog
// (mustPause): then it goes on when its socket has taken enough of them.

// pause stops executing the session's commands and reading from its socket.
func (l *loop) pause(s *Session) {
	s.flags |= paused
	l.touch(s)
	l.watch(s)
}

// mustPause reports whether the session's backlog is too long to execute more
// of its commands. Subscribers have limits of their own and go on, for one of
// their commands may be UNSUBSCRIBE.
func (l *loop) mustPause(s *Session) bool {
	return s.backlog != nil && s.backlog.bytes >= unreadBytesMax && s.subs.count() == 0 && l.outputLimit(s) == OutputLimit{}
}

// goOn ends what keeps the session's commands waiting, executes what waits and reads on. Unless the session finishes, it runs at the
// beginning of a tick.
func (l *loop) goOn(s *Session, end sessionFlags) {
	if !s.has(end) || s.has(doomed) {
		return
	}
	s.flags &^= end
	l.execute(s, nil)
	if !s.has(waiting) {
		l.watch(s)
	}
}
