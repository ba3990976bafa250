package engine

import "hubsub/resp"

// This file is for publishes to rooms that this node does not have to itself:
// the room's lane orders them. Its answer may be there at once; if not, it has a
// slot in the session's pending.

// owned returns the channel if the session may publish to it without the lane of
// its room, else nil. While the session waits for what lanes say of earlier
// messages, it may not: a later one must not overtake them.
func (s *Session) owned(kind Kind, cmd *resp.Command) *channel {
	if s.pending != nil && s.pending.asked > 0 || s.loop.relay.tooLarge(len(cmd.Args[1])+len(cmd.Args[2])) {
		return nil
	}
	if ch := s.loop.engine.directory.lookup(kind, cmd.Args[1]); ch != nil && ch.owned.Load() {
		return ch
	}
	return nil
}

// publishOwned is publishOne for a channel that was looked up. They are apart
// because a server without lanes shall not pay for it.
func (l *loop) publishOwned(ch *channel, cmd *resp.Command) (m *matches, receivers int64) {
	if p := l.passing; p != nil && ch.room != p.room && ch.room.name == p.room.name {
		l.passing = nil
	}
	if ch.kind == Channel {
		m = l.engine.patterns.match(ch, cmd.Args[1])
	}
	l.tally.published++
	receivers = m.subscribers() + ch.subscribers.Load()
	if receivers > 0 {
		l.add(ch, m, cmd)
	}
	return m, receivers
}

// publishesHere reports whether the session may publish without a lane.
func (s *Session) publishesHere(kind Kind, cmd *resp.Command) bool {
	return s.owned(kind, cmd) != nil || IsLocal(cmd.Args[1])
}

// publishThere publishes by the room's lane.
func (s *Session) publishThere(kind Kind, name, message []byte) {
	l := s.loop
	l.tally.published++
	size := len(name) + len(message)
	if l.relay.tooLarge(size) {
		s.writeResult(s.Reply(), Result{Code: TooLarge})
		return
	}
	who := ticket{session: s, place: s.nextSlot()}
	if r := l.relay.ask(question{what: askPublish, kind: kind}, name, message, who); r.Code == Pending {
		s.addSlot(size)
	} else {
		s.writeResult(s.Reply(), r)
	}
}

// tooLong reports whether a command of so many bytes, which differs from cmd in
// the message only, has too long a message for the lane. A channel of this node
// has none, and no bounds.
func (y *relay) tooLong(cmd *resp.Command, size int) bool {
	head := len(cmd.Raw) - resp.BulkLen(len(cmd.Args[2]))
	return y.max > 0 && size > head+resp.BulkLen(y.max-len(cmd.Args[1])) && !IsLocal(cmd.Args[1])
}

// publishAllThere does so for cmd and for those that follow it in the pipeline
// and differ from it in the message only, as many as may wait for an answer.
func (s *Session) publishAllThere(kind Kind, cmd *resp.Command) {
	l := s.loop
	name := cmd.Args[1]
	s.publishThere(kind, name, cmd.Args[2])
	if cmd.Raw == nil {
		return
	}
	head := len(cmd.Raw) - resp.BulkLen(len(cmd.Args[2]))
	for s.mayPublish() {
		size := cmd.Again(l.rest, l.limits)
		if size == 0 {
			return
		}
		message, _ := frame(l.rest, head)
		s.publishThere(kind, name, message)
		l.rest = l.rest[size:]
		l.tally.commands++
	}
}
