package engine

import "slices"

// newcomer is a session whose subscriptions the lanes have not all answered yet.
// Nodes count it as soon as they know of it, for each name at another time; it
// joins when the last answer is here. What comes for its names meanwhile is put
// aside and follows the confirmations: whoever was told that a message reaches
// it shall be right. Nobody else waits for that.
type newcomer struct {
	session   *Session
	audiences []*audience // they count it, and have it in newcomers.coming
}

// newcomers are those of a loop.
type newcomers struct {
	arrivals map[*Session]*newcomer
	coming   map[*audience][]*newcomer // the same, by what they are about to join
}

func makeNewcomers() newcomers {
	return newcomers{make(map[*Session]*newcomer), make(map[*audience][]*newcomer)}
}

// newcomer has a session become one. What was published before is not for it.
func (y *relay) newcomer(s *Session) *newcomer {
	s.settleNames(Channel, nil)
	n := &newcomer{session: s}
	y.arrivals[s] = n
	return n
}

// newcomer returns the session as one; nil if it is none.
func (s *Session) newcomer() *newcomer {
	if y := s.loop.relay; y != nil {
		return y.arrivals[s]
	}
	return nil
}

// expect counts the session as a subscriber of a name. It joins by Subscribe, or
// turns back.
func (n *newcomer) expect(kind Kind, name []byte) {
	l := n.session.loop
	a := l.enlist(kind, name)
	a.awaited = true
	l.relay.coming[a] = append(l.relay.coming[a], n)
	n.audiences = append(n.audiences, a)
}

// arrive ends the newcomer's waiting for an audience, which counts it still; ok is
// false if it does not. Most arrive in about the order in which they came, so the
// search begins with the first, and that takes the place of who goes before it.
func (n *newcomer) arrive(a *audience) (ok bool) {
	coming := n.session.loop.relay.coming
	all := coming[a]
	at := slices.Index(all, n)
	if at < 0 {
		return false
	}
	all[at], all[0] = all[0], nil
	if len(all) > 1 {
		coming[a] = all[1:]
	} else {
		delete(coming, a)
		a.awaited = false
	}
	return true
}

// enter is for one whose session has joined.
func (n *newcomer) enter() {
	delete(n.session.loop.relay.arrivals, n.session)
	n.session.arrived()
}

// turnBack is for one that does not join, or has gone. Twice does no harm.
func (n *newcomer) turnBack() {
	s := n.session
	y := s.loop.relay
	if y.arrivals[s] != n {
		return
	}
	delete(y.arrivals, s)
	if s.has(arriving) && !s.withheld() {
		s.stepBack()
	}
	for _, a := range n.audiences {
		if n.arrive(a) {
			s.loop.left(a)
		}
	}
	s.turnedBack()
}
