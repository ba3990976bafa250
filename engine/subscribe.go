package engine

// Subscribe adds a subscription; a name the client has already is left alone.
// It writes nothing. A message that another client publishes after it hears of
// the confirmation reaches this one; one that was answered before does not.
func (s *Session) Subscribe(kind Kind, name []byte) {
	l := s.loop
	if kind == Pattern {
		l.settleAll()
		a := l.patterns[string(name)]
		if a != nil && s.find(a) >= 0 {
			return
		}
		pt := l.engine.patterns.subscribe(name, l.id)
		if a == nil {
			a = &audience{pattern: pt, walked: never}
			l.patterns[pt.name] = a
		}
		s.join(a)
		return
	}
	if r := l.engine.directory.lookupRoom(name); r != nil {
		l.settle(r)
		if a := l.audience(kind, name); a != nil {
			if s.find(a) >= 0 {
				return
			}
			l.walk(a)
		}
	}
	ch, reader := l.engine.directory.subscribe(kind, name, l.inbox)
	a := l.audiences[ch]
	if a == nil {
		a = &audience{channel: ch, walked: never}
		l.audiences[ch] = a
		reader.Interest++
	}
	s.join(a)
}

// Unsubscribe removes a subscription if the client has it. It writes nothing
// but what was published before. No message of that name follows.
func (s *Session) Unsubscribe(kind Kind, name []byte) {
	var a *audience
	if kind == Pattern {
		a = s.loop.patterns[string(name)]
	} else {
		a = s.loop.audience(kind, name)
	}
	if a != nil {
		if sub := s.find(a); sub >= 0 {
			s.settle(a)
			s.leave(sub)
		}
	}
}

// Names returns what the client is subscribed to.
func (s *Session) Names(kind Kind) []string {
	names := make([]string, 0, s.Subscriptions(kind))
	for _, sub := range s.subs {
		if sub.audience.kind() == kind {
			names = append(names, sub.audience.name())
		}
	}
	return names
}

// find returns the place of the subscription to a in s.subs, or -1.
func (s *Session) find(a *audience) int {
	if s.bySub != nil {
		if at, ok := s.bySub[a]; ok {
			return int(at)
		}
		return -1
	}
	for i := range s.subs {
		if s.subs[i].audience == a {
			return i
		}
	}
	return -1
}

// settle brings out all that was published before to those who hear a.
func (s *Session) settle(a *audience) {
	if a.pattern != nil {
		s.loop.settleAll()
		return
	}
	s.loop.settle(a.channel.room)
	s.loop.walk(a)
}

// join ties the session to a, which is settled. A session's second
// subscription moves its first from alone to many.
func (s *Session) join(a *audience) {
	if len(s.subs) == 1 {
		s.settle(s.subs[0].audience)
		s.unplace()
	}
	s.subs = append(s.subs, subscription{audience: a})
	sub := len(s.subs) - 1
	if sub == 0 {
		s.loop.engine.subscribers.Add(1)
	}
	switch {
	case s.bySub != nil:
		s.bySub[a] = int32(sub)
	case len(s.subs) >= indexedSubscriptionsMin:
		s.bySub = make(map[*audience]int32, 2*len(s.subs))
		for i := range s.subs {
			s.bySub[s.subs[i].audience] = int32(i)
		}
	}
	if sub == 1 {
		s.subs[0].audience.enter(s, 0)
	}
	a.enter(s, sub)
	s.counts[a.kind()].Add(1)
}

// leave cuts the tie number sub, whose audience is settled. When one remains,
// it moves back from many to alone.
func (s *Session) leave(sub int) {
	s.cut(sub)
	if len(s.subs) == 1 {
		s.settle(s.subs[0].audience)
		s.unplace()
		s.replace()
	}
}

// leaveAll cuts all ties, when the connection ends.
func (s *Session) leaveAll() {
	for len(s.subs) > 0 {
		s.cut(len(s.subs) - 1)
	}
}

func (s *Session) cut(sub int) {
	a := s.subs[sub].audience
	a.exit(s, sub)
	last := len(s.subs) - 1
	if sub != last {
		moved := s.subs[last]
		s.subs[sub] = moved
		(*moved.audience.list(moved.list))[moved.place].sub = int32(sub)
		if s.bySub != nil {
			s.bySub[moved.audience] = int32(sub)
		}
	}
	s.subs[last] = subscription{}
	s.subs = s.subs[:last]
	if s.bySub != nil {
		delete(s.bySub, a)
	}
	if last == 0 {
		s.subs, s.bySub = nil, nil
		s.loop.engine.subscribers.Add(-1)
	}
	s.counts[a.kind()].Add(-1)
	s.loop.left(a)
}

// unplace and replace take a session with one subscription out of its
// audience's array and put it into the one where it belongs now. In between,
// the audience must not be walked.
func (s *Session) unplace() {
	if len(s.subs) == 1 {
		s.subs[0].audience.exit(s, 0)
	}
}

func (s *Session) replace() {
	if len(s.subs) == 1 {
		s.subs[0].audience.enter(s, 0)
	}
}
