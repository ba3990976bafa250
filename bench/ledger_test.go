package bench

import (
	"errors"
	"testing"
)

// TestLedgerVerdict enters what one subscriber received of five messages.
func TestLedgerVerdict(t *testing.T) {
	f := func(received []uint32, want deliveryError) {
		t.Helper()
		s := shape{rooms: 1, subscribers: 1, publishers: 1}
		l := newLedger(s.rooms, s.publishers, s.pairs(), 1)
		for range 5 {
			l.issue(0, 0)
		}
		who := newSink(-1, 0, nil, seat{rooms: 1}, 0)
		for _, number := range received {
			l.receive(who.pair(0), number, &who, mark{number: number})
		}
		err := l.verdict([]sink{who})
		if want == (deliveryError{}) {
			if err != nil {
				t.Fatalf("%v: %v", received, err)
			}
			return
		}
		var got *deliveryError
		if !errors.As(err, &got) {
			t.Fatalf("%v: got %v, want %v", received, err, &want)
		}
		want.first = got.first
		if *got != want || got.first == "" {
			t.Fatalf("%v: got %v, want %v", received, got, &want)
		}
	}
	f([]uint32{0, 1, 2, 3, 4}, deliveryError{})
	f([]uint32{0, 1, 3, 4}, deliveryError{lost: 1})
	f([]uint32{0, 1, 2}, deliveryError{lost: 2})
	f(nil, deliveryError{lost: 5})
	f([]uint32{0, 1, 1, 2, 3, 4}, deliveryError{repeated: 1})
	f([]uint32{0, 1, 2, 3, 4, 4}, deliveryError{repeated: 1})
	f([]uint32{0, 2, 1, 3, 4}, deliveryError{reordered: 1})
	f([]uint32{4, 0, 1, 2, 3}, deliveryError{reordered: 4})
	f([]uint32{0, 2, 1, 1, 4}, deliveryError{lost: 1, repeated: 1, reordered: 1})
}

// Lanes are apart: what one hears changes nothing for another.
func TestLedgerLanes(t *testing.T) {
	f := func(s shape) {
		t.Helper()
		l := newLedger(s.rooms, s.publishers, s.pairs(), 1)
		var sinks []sink
		seen := make(map[int]bool)
		pairs := 0
		for i, at := range layoutOf(&s, 1, protocols{}).seats {
			sinks = append(sinks, newSink(-1, i, nil, at, pairs))
			pairs += at.rooms
		}
		for room := range uint32(s.rooms) {
			for publisher := range uint32(s.publishers) {
				number := l.issue(room, publisher)
				heard := 0
				for i := range sinks {
					if !sinks[i].hears(room) {
						continue
					}
					heard++
					lane := sinks[i].pair(room)*s.publishers + int(publisher)
					if seen[lane] {
						t.Fatalf("%v: lane %d is used twice", &s, lane)
					}
					seen[lane] = true
					l.receive(lane, number, &sinks[i], mark{})
				}
				if heard != s.subscribers {
					t.Fatalf("%v: room %d is heard by %d", &s, room, heard)
				}
			}
		}
		if err := l.verdict(sinks); err != nil {
			t.Fatalf("%v: %v", &s, err)
		}
		if len(seen) != len(l.next) {
			t.Fatalf("%v: %d lanes used of %d", &s, len(seen), len(l.next))
		}
	}
	f(shape{rooms: 1, subscribers: 3, publishers: 2})
	f(shape{rooms: 4, subscribers: 3, publishers: 2})
	f(shape{rooms: 4, subscribers: 3, publishers: 2, seating: everyRoom})
}

func TestLedgerAnswer(t *testing.T) {
	s := shape{rooms: 1, subscribers: 10, publishers: 1}
	l := newLedger(s.rooms, s.publishers, s.pairs(), 1)
	l.answer(10, 10, 10, 0)
	if l.broken() {
		t.Fatalf("a right answer is wrong: %s", l.first)
	}
	l.answer(9, 10, 10, 0)
	var got *deliveryError
	if err := l.verdict(nil); !errors.As(err, &got) || got.wrongCount != 1 {
		t.Fatalf("a wrong answer gives %v", err)
	}
}
