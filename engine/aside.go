package engine

// This file is for what a session hears before it may be sent it: what comes for
// a newcomer follows its confirmations (newcomer.go), and what comes while an
// EXEC subscribes follows the answer to that, which is not written yet.

// aside is what is put aside for a session. It exists only as long as something
// is, or may be.
type aside struct {
	parcels  []sidelined // in their order
	bytes    int64
	withheld bool // all that the session hears, whether something is there or not
}

// sidelined is a parcel that was put aside. It has its RESP2 form only.
type sidelined struct {
	parcel
	audience *audience
	had      bool // the session is in the audience; else it is about to join
}

// Withhold puts aside what the client hears from now on, until HandOver: there is
// an answer to come that shall be before it. What was published before comes out.
func (s *Session) Withhold() {
	if !s.withheld() {
		s.Settle()
		s.loop.asides[s] = &aside{withheld: true}
		s.stepAside()
	}
}

// HandOver ends what Withhold began. A RESP2 client does not get what came for a
// name that it is not subscribed to any more: it would take that for an answer.
func (s *Session) HandOver() {
	if s.withheld() {
		s.stepBack()
		s.bringOut(func(p *sidelined) bool {
			return s.out.V3 || s.subscription(p.audience.kind(), []byte(p.audience.name())) != nil
		})
	}
}

func (s *Session) withheld() bool {
	if !s.has(arriving) {
		return false
	}
	x := s.loop.asides[s]
	return x != nil && x.withheld
}

// stepAside is for a session that is settled and must see messages as they come:
// it is no audience's alone. stepBack ends that.
func (s *Session) stepAside() {
	s.unplace()
	s.set(arriving, true)
	s.replace()
}

func (s *Session) stepBack() {
	s.Settle()
	s.unplace()
	s.set(arriving, false)
	s.replace()
}

// sideline puts a parcel for a subscription that the session has behind others
// that were put aside, if there are any: they may be of one room.
func (s *Session) sideline(a *audience, p *parcel) bool {
	x := s.loop.asides[s]
	if x == nil || !x.withheld && len(x.parcels) == 0 {
		return false
	}
	s.putAside(a, p, true)
	return true
}

// putAside keeps a parcel. What a session may have so is what its backlog may,
// later.
func (s *Session) putAside(a *audience, p *parcel, had bool) {
	if s.has(doomed | lastAnswer) {
		return
	}
	l := s.loop
	x := l.asides[s]
	if x == nil {
		x = &aside{}
		l.asides[s] = x
	}
	l.keep(p, false)
	kept := parcel{forms: [2]form{p.forms[0]}, head: p.head, frames: p.frames}
	x.parcels = append(x.parcels, sidelined{kept, a, had})
	size := int64(len(kept.forms[0].bytes))
	x.bytes += size
	most := l.engine.settings.Load().OutputPubSub.HardBytes
	if s.Keep(size) && most > 0 && x.bytes >= most {
		l.doom(s, closedByOutputLimit)
	}
}

// arrived takes note that a newcomer has joined: what was put aside for that is
// for the session.
func (s *Session) arrived() {
	x := s.loop.asides[s]
	if x == nil {
		return
	}
	for i := range x.parcels {
		if p := &x.parcels[i]; !p.had {
			p.had = true
			s.loop.tally.delivered += int64(p.frames)
		}
	}
	if !x.withheld {
		s.bringOut(func(*sidelined) bool { return true })
	}
}

// turnedBack takes note that it has not.
func (s *Session) turnedBack() {
	x := s.loop.asides[s]
	switch {
	case x == nil:
	case x.withheld:
		left := x.parcels[:0]
		for _, p := range x.parcels {
			if p.had {
				left = append(left, p)
				continue
			}
			size := int64(len(p.forms[0].bytes))
			x.bytes -= size
			s.Keep(-size)
		}
		clear(x.parcels[len(left):])
		x.parcels = left
	default:
		s.bringOut(func(p *sidelined) bool { return p.had })
	}
}

// bringOut writes what was put aside, as far as it is for the session.
func (s *Session) bringOut(isFor func(*sidelined) bool) {
	x := s.loop.asides[s]
	if x == nil {
		return
	}
	delete(s.loop.asides, s)
	if s.has(doomed) {
		return // all that it keeps is given back
	}
	s.Keep(-x.bytes)
	for i := range x.parcels {
		if p := &x.parcels[i]; isFor(p) {
			s.push(&p.parcel)
		}
	}
}
