package engine

import "hubsub/resp"

// This file is for commands whose answer takes longer than a tick because it
// comes from elsewhere: from other nodes, say. The loop goes on; the session's
// later commands wait and it is not read, as in pause.go, so every answer keeps
// its place. What the session hears by subscription does not wait.

// Suspend lets the answer of the command that is being executed come later. The
// function it returns gives the answer: any goroutine may call it, once. What it
// is given writes on the session's loop, to where Reply would have led, and
// then the commands that waited are executed. If the connection has ended by
// then, or is about to, nothing happens. It may never be called, too, if the
// session may wait for ever.
//
// Nobody waits for the answer but the session: not the end of the engine, and
// not Finish.
func (s *Session) Suspend() (answer func(write func(*resp.Writer))) {
	l := s.loop
	s.flags |= suspended
	l.watch(s)
	mute := s.has(muted) // as of this command: CLIENT REPLY SKIP is for one
	return func(write func(*resp.Writer)) {
		l.postLate(func() {
			if s.ended() || !s.has(suspended) || s.has(doomed) {
				return
			}
			s.proceed(mute, func() { write(s.Reply()) })
		})
	}
}

// proceed ends a suspension: f gives the answer, and may suspend the session
// again; mute is as of the command.
func (s *Session) proceed(mute bool, f func()) {
	s.flags &^= suspended
	s.as(mute, f)
	s.active.Store(s.loop.now) // it was not silent: it waited
	if !s.has(suspended) {
		s.flags |= suspended
		s.loop.goOn(s, suspended)
	}
}

// as calls f with answers off, or not. What f changes of that itself stays.
func (s *Session) as(mute bool, f func()) {
	now := s.has(muted)
	s.set(muted, mute)
	f()
	if s.has(muted) == mute {
		s.set(muted, now)
	}
}

// postLate is post for who may call it when the loops have ended.
func (l *loop) postLate(f func()) {
	l.engine.late.RLock()
	defer l.engine.late.RUnlock()
	if !l.engine.over {
		l.post(f)
	}
}
