package link

import (
	"math/rand/v2"
	"time"
)

// session is this side's half of what two processes share over all connections
// between them, until something is lost. It is guarded by the peer's lock.
//
// Each side has an id for its half and keeps the id of the half that it goes
// with. A half that is lost is replaced by one with another id; the other side
// finds out by the ids that it has lost its own. A half that goes with none yet
// takes whichever it meets, so nothing is lost before two have met, nor if the
// answer that would have told one of them never arrives.
type session struct {
	own  uint64 // id of this half
	next uint64 // and of the one that replaces it
	peer uint64 // id of the other half, 0: not met

	used      bool      // something was sent, or the other half was met: it can be lost
	since     time.Time // without a connection, if it is used and has none
	fruitless int       // connections in a row that acknowledged nothing of what waits
	stuck     time.Time // when the first of them ended

	// Batches to the peer: acked ≤ written ≤ number.
	ring     ring   // acked, exclusive, to number
	number   uint64 // the last one made
	written  uint64 // the last one that is, or is being, written to this connection
	acked    uint64
	progress time.Time // when one was acknowledged, or the ring was empty

	received uint64 // the last batch of the peer that Receive has had
}

func newSession() session { return session{own: newID(), next: newID()} }

func newID() uint64 {
	for {
		if id := rand.Uint64(); id != 0 {
			return id
		}
	}
}

// renew replaces this half. It returns the records that were lost with it, and
// whether there was anything to lose.
func (s *session) renew() (lost int, used bool) {
	lost, used = s.ring.records, s.used
	*s = session{own: s.next, next: newID()}
	return lost, used
}

// holds reports whether all behind a batch can be sent again.
func (s *session) holds(received uint64) bool { return s.acked <= received && received <= s.number }

// judge decides what the halves of a dialer and of this side, which accepts, are
// to each other: own reports whether this one is lost, theirs whether that one
// is. It changes nothing.
func (s *session) judge(h hello) (own, theirs bool) {
	switch {
	case h.Peer == s.own: // they have met
		if (s.peer == 0 || s.peer == h.Own) && s.holds(h.Received) {
			return false, false
		}
		return true, true
	case h.Peer == 0: // theirs has met none
		switch {
		case s.peer == 0:
			return false, false
		case s.peer == h.Own && h.Received == 0 && s.holds(0): // they have met, and the answer was lost
			return false, false
		}
		return true, s.peer == h.Own
	default: // theirs goes with a half that was here before
		switch {
		case s.peer == 0:
			return false, true
		case s.peer == h.Next && s.holds(0): // that was said, and the answer was lost
			return false, true
		}
		return true, true
	}
}

// agrees reports whether this half can go on as a dialer's with an answer that
// does not call it lost.
func (s *session) agrees(a answer) bool {
	return (s.peer == 0 || s.peer == a.Own) && s.holds(a.Received)
}

// meet makes this half go with another one. There is no connection yet.
func (s *session) meet(peer uint64, now time.Time) {
	s.peer = peer
	s.used, s.since = true, now
}

// lapsed reports whether a session has been without a connection for too long, or
// got nowhere.
func (s *session) lapsed(now time.Time) bool {
	return s.used && (now.Sub(s.since) >= sessionTimeout || s.nowhere(now))
}

// nowhere reports whether one connection after the other has acknowledged
// nothing, for as long as a session does without one.
func (s *session) nowhere(now time.Time) bool {
	return s.fruitless >= fruitlessMax && now.Sub(s.stuck) >= sessionTimeout
}
