package engine

import (
	"testing"
	"time"
)

// Newcomers leave an audience that waits for very many of them one by one, most
// of them in the order in which they came, but for some who wait for longer.
func TestManyNewcomersOfOneAudience(t *testing.T) {
	e := newStill(t, 1)
	l := e.loops[0]
	l.relay = newRelay(l, 0)
	const all, slow = 200_000, 100
	var comers []*newcomer
	for range all {
		n := &newcomer{session: &Session{loop: l}}
		n.expect(Channel, []byte("c"))
		comers = append(comers, n)
	}
	a := comers[0].audiences[0]
	began := time.Now()
	for _, n := range append(comers[slow:], comers[:slow]...) {
		if !a.awaited || !n.arrive(a) {
			t.Fatal("it is not awaited")
		}
		l.left(a)
		if time.Since(began) > 5*time.Second {
			t.Fatal("that takes too long")
		}
	}
	if comers[0].arrive(a) {
		t.Error("one has arrived twice")
	}
	if a.awaited || len(l.relay.coming) > 0 || e.Stats().Rooms > 0 {
		t.Error("something is left")
	}
}
