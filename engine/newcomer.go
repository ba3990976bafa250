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
	aside     []sidelined // in their order
	bytes     int64
}

// newcomers are those of a loop.
type newcomers struct {
	arrivals map[*Session]*newcomer
	coming   map[*audience][]*newcomer // the same, by what they are about to join
}

func makeNewcomers() newcomers {
	return newcomers{make(map[*Session]*newcomer), make(map[*audience][]*newcomer)}
}

// sidelined is a parcel that was put aside.
type sidelined struct {
	parcel
	had bool // for a subscription that the session has already
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

// wait is for one that is about to join. It must see messages as they come, so it
// is no audience's alone; it is settled.
func (n *newcomer) wait() {
	s := n.session
	s.unplace()
	s.set(arriving, true)
	s.replace()
}

// putAside keeps a parcel. What a newcomer may take is what its backlog may,
// later.
func (n *newcomer) putAside(p *parcel, had bool) {
	s := n.session
	l := s.loop
	if s.has(doomed | lastAnswer) {
		return
	}
	kept := parcel{head: p.head, frames: p.frames}
	b := l.keep(p, s.out.V3)
	kept.forms[formOf(s.out.V3)].bytes = b
	n.aside = append(n.aside, sidelined{kept, had})
	n.bytes += int64(len(b))
	most := l.engine.settings.Load().OutputPubSub.HardBytes
	if s.Keep(int64(len(b))) && most > 0 && n.bytes >= most {
		l.doom(s, closedByOutputLimit)
	}
}

// sideline puts a parcel for a subscription that the session has behind others
// that were put aside, if there are any: they may be of one room.
func (s *Session) sideline(p *parcel) bool {
	n := s.loop.relay.arrivals[s]
	if len(n.aside) > 0 {
		n.putAside(p, true)
		return true
	}
	return false
}

// arrive ends the newcomer's waiting for an audience, which counts it still; ok is
// false if it does not.
func (n *newcomer) arrive(a *audience) (ok bool) {
	all := n.session.loop.relay.coming
	at := slices.Index(all[a], n)
	if at < 0 {
		return false
	}
	if all[a] = slices.Delete(all[a], at, at+1); len(all[a]) == 0 {
		delete(all, a)
		a.awaited = false
	}
	return true
}

// enter brings the session, which has joined, what was put aside.
func (n *newcomer) enter() {
	for i := range n.aside {
		if !n.aside[i].had {
			n.session.loop.tally.delivered += int64(n.aside[i].frames)
		}
	}
	n.end(func(*sidelined) bool { return true })
}

// turnBack is for one that does not join, or has gone. Twice does no harm.
func (n *newcomer) turnBack() {
	s := n.session
	if s.has(arriving) {
		s.Settle()
		s.unplace()
		s.set(arriving, false)
		s.replace()
	}
	for _, a := range n.audiences {
		if n.arrive(a) {
			s.loop.left(a)
		}
	}
	n.end(func(p *sidelined) bool { return p.had })
}

func (n *newcomer) end(isFor func(*sidelined) bool) {
	s := n.session
	delete(s.loop.relay.arrivals, s)
	if !s.has(doomed) { // else all that it keeps is given back
		s.Keep(-n.bytes)
		for i := range n.aside {
			if isFor(&n.aside[i]) {
				s.push(&n.aside[i].parcel)
			}
		}
	}
	n.aside, n.bytes = nil, 0
}
