package link

import (
	"testing"
	"time"
)

func TestJudge(t *testing.T) {
	const own, peer, next, other = 10, 20, 21, 30
	f := func(s session, h hello, ownLost, theirsLost bool) {
		t.Helper()
		s.own, h.Own, h.Next = own, peer, next
		if gotOwn, gotTheirs := s.judge(h); gotOwn != ownLost || gotTheirs != theirsLost {
			t.Errorf("lost: own %v, theirs %v; want %v, %v", gotOwn, gotTheirs, ownLost, theirsLost)
		}
	}
	// Nobody has met anybody.
	f(session{}, hello{}, false, false)
	// They go on.
	f(session{peer: peer, number: 9, acked: 5}, hello{Peer: own, Received: 5}, false, false)
	f(session{peer: peer, number: 9, acked: 5}, hello{Peer: own, Received: 9}, false, false)
	f(session{}, hello{Peer: own}, false, false) // this side has not had the answer
	// The answer was lost when they met first, or when theirs was replaced.
	f(session{peer: peer, number: 9}, hello{}, false, false)
	f(session{peer: next, number: 9}, hello{Peer: other}, false, true)
	// One of them has lost its half, or forgotten the other one.
	f(session{peer: other}, hello{}, true, false)
	f(session{}, hello{Peer: other}, false, true)
	f(session{peer: 31}, hello{Peer: other}, true, true)
	// What cannot be.
	f(session{peer: other}, hello{Peer: own}, true, true)
	f(session{peer: peer, number: 9, acked: 5}, hello{Peer: own, Received: 4}, true, true)
	f(session{peer: peer, number: 9, acked: 5}, hello{Peer: own, Received: 10}, true, true)
	f(session{peer: peer, number: 9, acked: 5}, hello{}, true, true)
	f(session{peer: next, number: 9, acked: 5}, hello{Peer: other}, true, true)
}

func TestRenew(t *testing.T) {
	s := newSession()
	if s.own == 0 || s.next == 0 || s.own == s.next {
		t.Fatalf("ids %d, %d", s.own, s.next)
	}
	next := s.next
	if _, used := s.renew(); used || s.own != next {
		t.Errorf("used %v", used)
	}
	s.meet(7, time.Now())
	s.ring.reserve(10)
	s.ring.commit(10, 3, time.Time{})
	s.number, s.received = 1, 5
	if lost, used := s.renew(); lost != 3 || !used || s.peer != 0 || s.number != 0 || s.received != 0 || s.ring.len() != 0 {
		t.Errorf("lost %d, used %v, and it is %+v", lost, used, s)
	}
}

func TestLapse(t *testing.T) {
	now := time.Now()
	f := func(s session, want bool) {
		t.Helper()
		if s.lapsed(now) != want {
			t.Errorf("%+v: not %v", s, want)
		}
	}
	f(session{}, false)
	f(session{used: true, since: now.Add(-sessionTimeout + 1)}, false)
	f(session{used: true, since: now.Add(-sessionTimeout)}, true)
	f(session{used: true, since: now, fruitless: fruitlessMax, stuck: now.Add(-sessionTimeout)}, true)
	f(session{used: true, since: now, fruitless: fruitlessMax, stuck: now.Add(-sessionTimeout + 1)}, false)
	f(session{used: true, since: now, fruitless: fruitlessMax - 1, stuck: now.Add(-time.Hour)}, false)
}
