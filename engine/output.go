package engine

import "slices"

// backlog is what a session's socket did not take: shared runs by reference,
// answers by ownership. It exists only that long.
type backlog struct {
	chunks  [][]byte // the first one without what of it was sent
	bytes   int64
	over    int64 // since when it is over the soft limit (ns), 0: it is not
	waiting bool  // the socket refused bytes; the poller tells when it takes more
}

// closeReason says why the engine, not the client, ended a connection.
type closeReason uint8

const (
	closedByPeer closeReason = iota // or by the client's own QUIT
	closedByKill
	closedByProtocolError
	closedByOutputLimit
	closedByMemoryLimit
	closedByQueryBuffer
	closedByTimeout
	closedByGap
	closeReasons
)

func (r closeReason) String() string {
	return [closeReasons]string{"peer", "kill", "protocol error", "output buffer limit", "maxmemory-clients",
		"query buffer limit", "timeout", "gap"}[r]
}

// touch puts the session among those that the end of the tick looks at, with a
// buffer to write to.
func (l *loop) touch(s *Session) {
	if !s.has(dirty) {
		s.flags |= dirty
		l.dirty = append(l.dirty, s)
		l.occupied.add(s.fd)
	}
	if s.out.Buf == nil {
		s.out.Buf = l.outputs.take()
	}
}

// push adds messages for a session whose output has an order of its own: by
// copy if that is cheap, else by reference.
func (s *Session) push(p *parcel) {
	l := s.loop
	l.touch(s)
	if s.backlog == nil {
		if b := l.bytes(p, s.out.V3); len(b) <= copyBytesMax {
			s.out.Buf = append(s.out.Buf, b...)
			return
		}
	}
	s.spill()
	s.owe(l.keep(p, s.out.V3))
}

// pushAll adds parcels, unless the session is about to be closed.
func (s *Session) pushAll(parcels []parcel) {
	if s.has(doomed) {
		return
	}
	for i := range parcels {
		s.push(&parcels[i])
	}
}

// spill moves what was written this tick to the backlog.
func (s *Session) spill() {
	if n := len(s.out.Buf); n > 0 {
		if n < cap(s.out.Buf)/2 {
			s.owe(slices.Clone(s.out.Buf))
			s.out.Buf = s.out.Buf[:0]
		} else {
			s.owe(s.out.Buf)
			s.out.Buf = nil
		}
	}
}

// owe adds bytes that nobody changes any more to the backlog.
func (s *Session) owe(b []byte) {
	if s.backlog == nil {
		s.backlog = &backlog{}
	}
	s.backlog.chunks = append(s.backlog.chunks, b)
	s.owes(int64(len(b)))
}

// owes counts bytes that came to the backlog, or left it.
func (s *Session) owes(n int64) {
	s.backlog.bytes += n
	s.backlogged.Store(s.backlog.bytes)
	s.loop.engine.backlog.Add(n)
	s.loop.engine.clientMemory.Add(n)
}

// forgive drops the backlog of a session that is sent no more.
func (s *Session) forgive() {
	if s.backlog != nil {
		s.loop.stats.dropped[s.reason].Add(s.backlog.bytes)
		s.owes(-s.backlog.bytes)
		s.backlog = nil
	}
}

// answer sends what the tick wrote for each session, after its walks.
func (l *loop) answer() {
	for i := 0; i < len(l.dirty); i++ {
		s := l.dirty[i]
		s.flags &^= dirty
		switch {
		case s.has(doomed):
		case s.backlog == nil && len(s.out.Buf) > 0:
			l.gather(send{session: s, fd: s.fd, bytes: s.out.Buf})
		default:
			l.endAnswer(s)
		}
	}
	l.sendGathered()
	clear(l.dirty)
	l.dirty = l.dirty[:0]
}

// answered takes note of how much of a session's output its socket took.
func (l *loop) answered(s *Session, sent int, alive bool) {
	if !alive {
		l.doom(s, closedByPeer)
		return
	}
	buf := s.out.Buf
	s.out.Buf = nil
	if sent == len(buf) {
		l.outputs.give(buf)
	} else {
		s.owe(buf[sent:])
		l.await(s)
	}
	l.endAnswer(s)
}

// endAnswer sends of a session's backlog what its socket takes, and does what
// waits for its output to be sent.
func (l *loop) endAnswer(s *Session) {
	if s.backlog != nil {
		s.spill()
		if !s.backlog.waiting && !l.sendBacklog(s) {
			return
		}
		l.checkOutput(s)
	}
	if len(s.out.Buf) == 0 {
		l.outputs.give(s.out.Buf)
		s.out.Buf = nil
	}
	if s.backlog == nil && !s.has(doomed) {
		l.occupied.remove(s.fd)
	}
	switch {
	case s.has(lastAnswer):
		if s.backlog == nil && !s.has(suspended) { // else the last answer is to come
			l.doom(s, s.reason)
		}
	case s.has(paused) && !l.mustPause(s):
		l.post(func() { l.goOn(s, paused) })
	}
}

// sendBacklog sends what the socket takes, up to writableBytesMax, and leaves
// the rest to the poller. It reports whether the connection is alive.
func (l *loop) sendBacklog(s *Session) bool {
	b := s.backlog
	for budget := writableBytesMax; len(b.chunks) > 0 && budget > 0; {
		sent, alive := sendChunks(int(s.fd), b.chunks[:min(len(b.chunks), iovecsMax)])
		if !alive {
			l.doom(s, closedByPeer)
			return false
		}
		l.tally.sends++
		if sent == 0 {
			break
		}
		l.tally.outputBytes += int64(sent)
		s.owes(-int64(sent))
		s.active.Store(l.now) // who reads is not silent, as in Redis
		budget -= sent
		for sent > 0 {
			if sent < len(b.chunks[0]) {
				b.chunks[0] = b.chunks[0][sent:]
				break
			}
			sent -= len(b.chunks[0])
			b.chunks[0] = nil
			b.chunks = b.chunks[1:]
		}
	}
	if len(b.chunks) == 0 {
		s.backlog = nil
		l.unblock(s)
		return true
	}
	l.await(s)
	return true
}

// checkOutput closes a session whose backlog is over its limit.
func (l *loop) checkOutput(s *Session) {
	if s.backlog == nil {
		return
	}
	limit := l.outputLimit(s)
	over, since := limit.exceeded(s.backlog.bytes, s.backlog.over, l.now)
	if s.backlog.over = since; over {
		l.doom(s, closedByOutputLimit)
	}
}

// Exceeds reports whether an answer of n bytes is over the client's hard limit,
// or, if it has none, over what it and all clients may take otherwise. Then its
// connection is closed.
func (s *Session) Exceeds(n int) bool {
	settings, most := s.loop.engine.settings.Load(), s.loop.outputLimit(s).HardBytes
	if most == 0 {
		most = int64(settings.QueryBufferBytes)
		if all := settings.clientMemoryMax(); all > 0 {
			most = min(most, all)
		}
	}
	if int64(n) < most {
		return false
	}
	s.loop.doom(s, closedByOutputLimit)
	return true
}

// outputLimit returns the limit of the session's backlog.
func (l *loop) outputLimit(s *Session) OutputLimit {
	settings := l.engine.settings.Load()
	switch {
	case !settings.Open && !s.has(authenticated):
		return OutputLimit{HardBytes: strangerBacklogMax}
	case s.subs.count() > 0 || s.has(subscribed):
		return settings.OutputPubSub
	default:
		return settings.OutputNormal
	}
}

// doom marks a session to be closed by the sweep: nothing is closed while
// arrays of sessions are walked.
func (l *loop) doom(s *Session, reason closeReason) {
	if s.has(doomed) {
		return
	}
	s.flags |= doomed | lastAnswer
	s.reason = reason
	l.occupied.add(s.fd)
	s.forgive()
	l.doomed = append(l.doomed, s)
}

// sweep closes the doomed.
func (l *loop) sweep() {
	for i := 0; i < len(l.doomed); i++ {
		if s := l.doomed[i]; !s.ended() {
			l.close(s)
		}
	}
	clear(l.doomed)
	l.doomed = l.doomed[:0]
}
