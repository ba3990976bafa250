package bench

import (
	"bytes"
	"fmt"
	"math/rand/v2"
)

// wanderer is a subscriber that is in one room at a time and goes from room to room as fast as messages come: it leaves
// a room when it has heard a few there. Owned by the loop.
//
// What it may hear begins with the confirmation of its SUBSCRIBE and ends with that of its UNSUBSCRIBE, and in between
// it must have every publisher's messages without a gap. It must have those that were published after the confirmation
// was read, and those that were answered before UNSUBSCRIBE was sent; it must not have those that were answered before
// SUBSCRIBE was sent. Those under way meanwhile may go either way. Between nodes, and in NATS, an answer is no promise:
// there the ledger has none.
type wanderer struct {
	room     uint32
	awaits   []byte // the confirmation that is to come; nil when it stays
	leaving  bool   // what awaits confirms
	remain   int    // messages to hear before it leaves
	heard    []hearing
	random   *rand.Rand
	messages int64 // heard since the run began
	moves    int64 // rooms joined
}

// hearing is what a wanderer has of one publisher in its room.
type hearing struct {
	begun  bool
	next   uint32 // the number that must come next, if it has begun; else the highest that may come first
	lowest uint32 // the lowest number that may come first
	due    uint32 // leaving: the number below which all must have come
}

// guests are all wanderers. A nil one has none.
type guests struct {
	sinks []*sink
	rooms []int32    // one of each subscriber's: where wanderers go, so large rooms have more of them
	here  []presence // per room
}

// presence counts the wanderers that came to a room and left it, as far as is known here, since the run began.
type presence struct {
	asked, joined   int32 // SUBSCRIBE sent, and confirmed
	leaving, parted int32 // UNSUBSCRIBE sent, and confirmed
}

func newGuests(l *layout) *guests {
	if len(l.guests) == 0 {
		return nil
	}
	v := &guests{here: make([]presence, len(l.audience))}
	for _, seat := range l.seats {
		v.rooms = append(v.rooms, int32(seat.first))
	}
	return v
}

// in returns the presence in a room.
func (v *guests) in(room uint32) presence {
	if v == nil {
		return presence{}
	}
	return v.here[room]
}

// bounds returns how many wanderers at least and at most may have been in a room at a moment between then and now.
func (v *guests) bounds(room uint32, then presence) (low, high int64) {
	if v == nil {
		return 0, 0
	}
	now := &v.here[room]
	return int64(max(0, then.joined-now.leaving)), int64(now.asked - then.parted)
}

// enter makes the i-th sink a wanderer and sends it to its first room.
func (g *generator) enter(s *sink, i int) error {
	s.guest = &wanderer{heard: make([]hearing, g.ledger.publishers), random: rand.New(rand.NewPCG(chance, uint64(i)))}
	g.guests.sinks = append(g.guests.sinks, s)
	return g.join(s)
}

// join sends a wanderer that is nowhere to some room.
func (g *generator) join(s *sink) error {
	w := s.guest
	w.room = uint32(g.guests.rooms[w.random.IntN(len(g.guests.rooms))])
	w.remain = 1 + w.random.IntN(wandererStay)
	for publisher := range w.heard {
		w.heard[publisher] = hearing{lowest: g.ledger.answered(w.room, publisher), next: g.ledger.issued(w.room, publisher)}
	}
	w.leaving = false
	w.moves++
	g.guests.here[w.room].asked++
	var command []byte
	command, w.awaits = s.format.protocol.join(channel(int(w.room)))
	return sendWhole(s.fd, command)
}

// leave sends a wanderer away from its room.
func (g *generator) leave(s *sink) error {
	w := s.guest
	for publisher := range w.heard {
		w.heard[publisher].due = g.ledger.answered(w.room, publisher)
	}
	w.leaving = true
	g.guests.here[w.room].leaving++
	var command []byte
	command, w.awaits = s.format.protocol.leave(channel(int(w.room)))
	return sendWhole(s.fd, command)
}

// takeVisit accounts for what a wanderer received, as takeMessages does for others.
func (g *generator) takeVisit(s *sink, b []byte) (rest []byte, err error) {
	w := s.guest
	for {
		if w.awaits != nil && bytes.HasPrefix(b, w.awaits) {
			b = b[len(w.awaits):]
			if err := g.confirm(s); err != nil {
				return b, err
			}
			continue
		}
		if w.awaits != nil && bytes.HasPrefix(b, respError) {
			return b, errRefused
		}
		// A confirmation is shorter than any message.
		if len(b) < s.format.frameLen {
			return b, nil
		}
		if err := g.overhear(s, b[:s.format.frameLen]); err != nil {
			return b, err
		}
		b = b[s.format.frameLen:]
		if w.remain--; w.remain <= 0 && w.awaits == nil && !g.draining {
			if err := g.leave(s); err != nil {
				return b, err
			}
		}
	}
}

// confirm takes the confirmation that a wanderer waited for.
func (g *generator) confirm(s *sink) error {
	w := s.guest
	w.awaits = nil
	here := &g.guests.here[w.room]
	if !w.leaving {
		here.joined++
		for publisher := range w.heard {
			if h := &w.heard[publisher]; !h.begun {
				h.next = g.ledger.issued(w.room, publisher)
			}
		}
		return nil
	}
	here.parted++
	for publisher, h := range w.heard {
		if h.due > h.next {
			g.ledger.miss(int64(h.due-h.next), fmt.Sprintf("wanderer %d, %s, publisher %d: left with %d of %d messages",
				s.index, channel(int(w.room)), publisher, h.next, h.due))
		}
	}
	return g.join(s)
}

// overhear accounts for a message to a wanderer.
func (g *generator) overhear(s *sink, frame []byte) error {
	w := s.guest
	m, ok := s.format.parse(frame)
	switch {
	case !ok:
		return errDamaged
	case int(m.publisher) >= len(g.publishers):
		return errUnknown
	case m.room != w.room, w.awaits != nil && !w.leaving && s.format.protocol != nats:
		return errNotHeard
	}
	if known := g.publishers[m.publisher].markOf(m); known != m {
		return errUnknown
	}
	g.deliveries++
	w.messages++
	h := &w.heard[m.publisher]
	limit := h.next
	if w.awaits != nil && !w.leaving { // NATS: nothing says where it begins until PONG
		limit = g.ledger.issued(w.room, int(m.publisher))
	}
	switch {
	case m.number >= g.ledger.issued(m.room, int(m.publisher)):
		return errUnknown
	case !h.begun && m.number < h.lowest:
		return errEarly
	case m.number < h.next && h.begun:
		g.ledger.repeat(fmt.Sprintf("wanderer %d, %s, publisher %d: message %d came where %d was due",
			s.index, channel(int(w.room)), m.publisher, m.number, h.next))
		return nil
	case m.number > limit || h.begun && m.number > h.next:
		g.ledger.miss(int64(m.number-h.next), fmt.Sprintf("wanderer %d, %s, publisher %d: message %d came where %d was due",
			s.index, channel(int(w.room)), m.publisher, m.number, h.next))
	}
	h.begun, h.next = true, m.number+1
	return nil
}

// messages and moves return what all wanderers heard, and how many rooms they joined.
func (v *guests) messages() (n int64) {
	if v != nil {
		for _, s := range v.sinks {
			n += s.guest.messages
		}
	}
	return n
}

func (v *guests) moves() (n int64) {
	if v != nil {
		for _, s := range v.sinks {
			n += s.guest.moves
		}
	}
	return n
}

// unsettled returns how many wanderers wait for a confirmation or for messages that were published.
func (v *guests) unsettled(l *ledger) (n int) {
	if v == nil {
		return 0
	}
	for _, s := range v.sinks {
		if s.guest.awaits != nil || s.guest.missing(l) > 0 {
			n++
		}
	}
	return n
}

// missing returns how many messages, of those that were published while it was in its room, have not come yet.
func (w *wanderer) missing(l *ledger) (n int64) {
	for publisher, h := range w.heard {
		n += int64(l.issued(w.room, publisher) - h.next)
	}
	return n
}

// verdict enters what wanderers still miss when nothing is in flight any more.
func (v *guests) verdict(l *ledger) {
	if v == nil {
		return
	}
	for _, s := range v.sinks {
		w := s.guest
		if n := w.missing(l); n > 0 && w.awaits == nil {
			l.miss(n, fmt.Sprintf("wanderer %d, %s: %d messages did not come", s.index, channel(int(w.room)), n))
		} else if w.awaits != nil {
			l.miss(1, fmt.Sprintf("wanderer %d, %s: %q did not come", s.index, channel(int(w.room)), w.awaits))
		}
	}
}
