package engine

// This file tells lanes who hears what. In a cluster a subscription is announced
// before the session joins and withdrawn before it leaves, so that whoever reads
// the confirmation knows that all nodes know; a connection that ends withdraws
// without waiting.

// Announce asks the lanes for interest in the names that the client does not
// have, and then calls done: at once, or later, with the client's commands
// waiting meanwhile. With Done the names may be subscribed to, and done reports
// whether they were; otherwise nothing has changed. Then, with all taken back
// that was not, it calls then: who announces more has to wait for that. names
// must not change until then. Of a client that has gone by then nothing is
// called.
func (s *Session) Announce(kind Kind, names [][]byte, done func(code Code) (subscribed bool), then func()) {
	y := s.loop.relay
	if y == nil {
		done(Done)
		then()
		return
	}
	names = s.unknown(kind, names)
	b, n := &Batch{session: s}, y.newcomer(s)
	for _, name := range names {
		b.results = append(b.results, Result{Code: Pending})
		if y.tooLarge(len(name)) {
			b.asked(Result{Code: TooLarge})
		} else {
			n.expect(kind, name) // first, for the call may deliver
			b.asked(y.ask(question{askInterest, kind, 1}, name, nil, b.ticket()))
		}
	}
	b.undone = func() {
		y.takeBack(kind, names, b.results)
		n.turnBack()
	}
	if len(names) > 0 { // though all may be answered: what comes until it joins is put aside
		s.stepAside()
	}
	b.Wait(func() {
		code := verdict(b.results)
		if !done(code) || code != Done {
			b.undone()
		}
	}, then)
}

// unknown returns those of the names, each once, that the client is not
// subscribed to and that lanes are to know of.
func (s *Session) unknown(kind Kind, names [][]byte) (unknown [][]byte) {
	var seen map[string]struct{}
	if len(names) > 1 {
		seen = make(map[string]struct{}, len(names))
	}
	for _, name := range names {
		if kind != Pattern && IsLocal(name) || s.subscription(kind, name) != nil {
			continue
		}
		if seen != nil {
			if _, twice := seen[string(name)]; twice {
				continue
			}
			seen[string(name)] = struct{}{}
		}
		unknown = append(unknown, name)
	}
	return unknown
}

// subscription returns the client's end of the tie to a name, or nil.
func (s *Session) subscription(kind Kind, name []byte) *subscription {
	if a := s.loop.audience(kind, name); a != nil {
		if sub := s.subs.find(a); sub >= 0 {
			return s.subs.at(sub)
		}
	}
	return nil
}

// verdict returns Done, or what the first question that was refused was
// answered with.
func verdict(results []Result) Code {
	for i := range results {
		if results[i].Code != Done {
			return results[i].Code
		}
	}
	return Done
}

// takeBack withdraws what was granted.
func (y *relay) takeBack(kind Kind, names [][]byte, results []Result) {
	for i, name := range names {
		if results[i].Code == Done {
			y.tell(kind, name, -1)
		}
	}
}

// tell changes the interest in a name and waits for nothing.
func (y *relay) tell(kind Kind, name []byte, delta int8) {
	if kind == Pattern || !IsLocal(name) {
		y.ask(question{askInterest, kind, delta}, name, nil, ticket{})
	}
}

// Withdraw tells the lanes that the client is about to unsubscribe from the
// names, and calls done as Announce does: then all that was published before is
// here, and the names are to be unsubscribed from.
func (s *Session) Withdraw(kind Kind, names [][]byte, done func()) {
	b := &Batch{session: s}
	for _, name := range names {
		sub := s.subscription(kind, name)
		if s.loop.relay == nil || sub == nil || sub.told || kind != Pattern && IsLocal(name) {
			continue
		}
		sub.told = true
		b.results = append(b.results, Result{Code: Pending})
		b.asked(s.loop.relay.ask(question{askInterest, kind, -1}, name, nil, b.ticket()))
	}
	b.Wait(done, nil)
}

// CountSubscribers asks how many clients of all nodes are subscribed to each
// channel, and calls done as Announce does, with the counts in the order of the
// names, or with what the first that was refused was answered.
func (s *Session) CountSubscribers(kind Kind, names [][]byte, done func(counts []Result, code Code)) {
	l := s.loop
	b := &Batch{session: s}
	for _, name := range names {
		b.results = append(b.results, Result{Code: Pending})
		switch {
		case l.relay == nil || IsLocal(name):
			b.asked(Result{N: l.engine.Subscribers(kind, name)})
		case l.relay.tooLarge(len(name)):
			b.asked(Result{}) // nobody can be
		default:
			b.asked(l.relay.ask(question{askCount, kind, 0}, name, nil, b.ticket()))
		}
	}
	b.Wait(func() { done(b.results, verdict(b.results)) }, nil)
}
