package engine

// Subscribe adds subscriptions; a name the client has already is left alone.
// After each name confirm is called, which writes the confirmation: what was
// published before comes out before the first, and nothing between them. A
// message that another client publishes after it hears of the confirmation
// reaches this one; one that was answered before does not.
func (s *Session) Subscribe(kind Kind, names [][]byte, confirm func(name []byte)) {
	s.settleNames(kind, names)
	n := s.newcomer()
	if !s.withheld() {
		s.set(arriving, false) // join finds a place for all of its subscriptions
	}
	for _, name := range names {
		if a := s.loop.audience(kind, name); a == nil || s.subs.find(a) < 0 {
			if n == nil || a == nil || !n.arrive(a) {
				a = s.loop.enlist(kind, name)
			}
			s.join(a)
		}
		confirm(name)
	}
	if n != nil {
		n.enter()
	}
}

// settleNames brings out all that was published before to those who hear the
// names, and to the session if this may be its second subscription.
func (s *Session) settleNames(kind Kind, names [][]byte) {
	l := s.loop
	l.catchUp()
	for _, name := range names {
		if a := l.audience(kind, name); a != nil {
			l.walk(a)
		}
	}
	if s.subs.count() == 1 {
		l.walk(s.subs.at(0).audience)
	}
}

// enlist counts one more subscriber of a name and returns the audience, which
// the session joins next.
func (l *loop) enlist(kind Kind, name []byte) *audience {
	if kind == Pattern {
		pt := l.engine.patterns.subscribe(name, l.id)
		a := l.patterns[pt.name]
		if a == nil {
			a = &audience{pattern: pt, walked: never}
			l.patterns[pt.name] = a
		}
		return a
	}
	ch, reader := l.engine.directory.subscribe(kind, name, l.id, l.inbox)
	a := l.audienceOf(ch)
	if a == nil {
		a = &audience{channel: ch, walked: never}
		l.setAudience(ch, a)
		reader.Interest++
	}
	return a
}

// Unsubscribe removes a subscription if the client has it. It writes nothing
// but what was published before. No message of that name follows.
func (s *Session) Unsubscribe(kind Kind, name []byte) {
	if a := s.loop.audience(kind, name); a != nil {
		if sub := s.subs.find(a); sub >= 0 {
			s.loop.settle(a)
			s.leave(sub)
		}
	}
}

// Settle brings out to the client all that was published before now: what it
// shall see before the answer that comes next.
func (s *Session) Settle() {
	l := s.loop
	if s.subs.count() == 0 {
		return
	}
	l.catchUp()
	if s.subs.count() == 1 {
		l.walk(s.subs.at(0).audience)
	}
}

// Names returns what the client is subscribed to.
func (s *Session) Names(kind Kind) []string {
	names := make([]string, 0, s.Subscriptions(kind))
	for i := range s.subs.count() {
		if a := s.subs.at(i).audience; a.kind() == kind {
			names = append(names, a.name())
		}
	}
	return names
}

// settle brings out all that was published before to those who hear a.
func (l *loop) settle(a *audience) {
	l.catchUp()
	l.walk(a)
}

// join ties the session to a, which is settled. A session's second
// subscription moves its first from alone to many.
func (s *Session) join(a *audience) {
	s.unplace() // settled: nothing is pending for it
	s.subs.add(a)
	switch last := s.subs.count() - 1; last {
	case 0:
		s.loop.engine.subscribers.Add(1)
		a.enter(s, 0)
	case 1:
		s.subs.at(0).audience.enter(s, 0)
		a.enter(s, 1)
	default:
		a.enter(s, last)
	}
	s.counts[a.kind()].Add(1)
	s.loop.engine.clientMemory.Add(subscriptionBytes)
}

// leave cuts the tie number sub, whose audience is settled. When one remains,
// it moves back from many to alone.
func (s *Session) leave(sub int) {
	s.cut(sub)
	if s.subs.count() == 1 {
		s.loop.settle(s.subs.at(0).audience)
		s.unplace()
		s.replace()
	}
}

// leaveAll cuts all ties, when the connection ends.
func (s *Session) leaveAll() {
	for n := s.subs.count(); n > 0; n-- {
		s.cut(n - 1)
	}
}

func (s *Session) cut(sub int) {
	a := s.subs.at(sub).audience
	if s.loop.relay != nil && !s.subs.at(sub).told {
		s.loop.relay.tell(a.kind(), []byte(a.name()), -1)
	}
	a.exit(s, sub)
	if s.subs.remove(sub) {
		moved := s.subs.at(sub)
		(*moved.audience.list(moved.list))[moved.place].sub = int32(sub)
	}
	if s.subs.count() == 0 {
		s.loop.engine.subscribers.Add(-1)
	}
	s.counts[a.kind()].Add(-1)
	s.loop.engine.clientMemory.Add(-subscriptionBytes)
	s.loop.left(a)
}

// unplace and replace take a session with one subscription out of its
// audience's array and put it into the one where it belongs now. In between,
// the audience must not be walked.
func (s *Session) unplace() {
	if s.subs.count() == 1 {
		s.subs.at(0).audience.exit(s, 0)
	}
}

func (s *Session) replace() {
	if s.subs.count() == 1 {
		s.subs.at(0).audience.enter(s, 0)
	}
}
