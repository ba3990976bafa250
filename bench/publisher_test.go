package bench

import (
	"testing"
	"time"
)

// publishing is a generator whose publishers have no connections and whose subscribers do not exist.
func publishing(s *shape, rate pace) *generator {
	l := layoutOf(s, 1, protocols{})
	g := &generator{
		audience: l.audience, pace: rate, patience: patience, zero: time.Now(), nodes: 1,
		ledger: newLedger(s.rooms, s.publishers, l.pairs(), 1),
	}
	if rate.rate > 0 {
		g.latency = newLatency(rate)
	}
	f := newFormat(resp2, s.rooms, markBytes)
	for i, post := range l.posts {
		g.publishers = append(g.publishers, newPublisher(-1, i, f, post, i*s.rooms/s.publishers, s.pipeline))
	}
	return g
}

// A publish is in flight until it has its answer and all its deliveries, in any order.
func TestPublisherInFlight(t *testing.T) {
	s := shape{rooms: 2, subscribers: 2, publishers: 1, pipeline: 2}
	g := publishing(&s, pace{})
	p := g.publishers[0]

	inFlight := func(want int) {
		t.Helper()
		if got := p.inFlight(); got != want {
			t.Fatalf("%d in flight, want %d", got, want)
		}
	}
	answer := func() {
		t.Helper()
		if err := g.answer(p, []byte(":2")); err != nil {
			t.Fatal(err)
		}
	}
	deliver := func(slot uint32, want int32) {
		t.Helper()
		if left, ok := p.delivered(p.slots[slot].mark); !ok || left != want {
			t.Fatalf("%d to come, %v; want %d", left, ok, want)
		}
	}

	g.publishFree(0)
	inFlight(2)
	oldest, newest := p.awaiting[0].slot, p.awaiting[1].slot
	g.publishFree(0)
	if g.published != 2 {
		t.Fatalf("%d published into 2 slots", g.published)
	}

	answer()
	inFlight(2)
	deliver(oldest, 1)
	inFlight(2)
	deliver(oldest, 0)
	inFlight(1)

	deliver(newest, 1)
	deliver(newest, 0)
	inFlight(1)
	if _, ok := p.delivered(p.slots[newest].mark); ok {
		t.Fatal("a third delivery to two subscribers")
	}
	answer()
	inFlight(0)
	if err := g.answer(p, []byte(":2")); err == nil {
		t.Fatal("an answer to nothing passes")
	}
}

func TestPublisherRoomsInTurn(t *testing.T) {
	s := shape{rooms: 4, subscribers: 1, publishers: 2, pipeline: 4}
	g := publishing(&s, pace{})
	if first, second := g.publishers[0].room, g.publishers[1].room; first != 0 || second != 2 {
		t.Fatalf("publishers begin at rooms %d and %d", first, second)
	}
	g.publishFree(0)
	for at, sent := range g.ledger.sent {
		if sent != 1 {
			t.Fatalf("room %d had %d of publisher %d", at/s.publishers, sent, at%s.publishers)
		}
	}
}

func TestAnswerRefused(t *testing.T) {
	s := shape{rooms: 1, subscribers: 1, publishers: 1, pipeline: 1}
	for _, line := range []string{"", "+OK", "-ERR no", ":", ":x"} {
		g := publishing(&s, pace{})
		p := g.publishers[0]
		g.publishFree(0)
		if err := g.answer(p, []byte(line)); err == nil {
			t.Errorf("answer %q passes", line)
		}
	}
}

// However late the open loop comes to publish, each message carries the time that it was due, and none is left out.
func TestPublishDue(t *testing.T) {
	s := shape{rooms: 1, subscribers: 1, publishers: 1, pipeline: 1}
	rate := pace{rate: 1000, duration: time.Second}
	g := publishing(&s, rate)
	p := g.publishers[0]
	if err := g.publishDue(99*time.Millisecond + time.Microsecond); err != nil {
		t.Fatal(err)
	}
	if g.published != 100 || g.due != 100*time.Millisecond || p.inFlight() != 100 {
		t.Fatalf("%d published, %d in flight, next due at %v", g.published, p.inFlight(), g.due)
	}
	for i := range 100 {
		frame := p.out[i*p.format.frameLen:][:p.format.frameLen]
		copy(frame[verbAt:], messageVerb)
		m, ok := p.format.parse(frame)
		if want := time.Duration(i) * time.Millisecond; !ok || time.Duration(m.intended) != want {
			t.Fatalf("message %d: %v, intended for %v, want %v", i, ok, time.Duration(m.intended), want)
		}
	}
	late := quantilesOf(g.latency.late)
	if want := 99 * time.Millisecond; (late.max - want).Abs() > time.Millisecond {
		t.Errorf("the first was queued late by %v, want %v", late.max, want)
	}
}

// A server too slow for the rate ends the run: what is in flight is bounded.
func TestPublishDueBounded(t *testing.T) {
	s := shape{rooms: 1, subscribers: 1, publishers: 1, pipeline: 1}
	rate := pace{rate: 1e6, duration: time.Second}
	g := publishing(&s, rate)
	if err := g.publishDue(time.Second); err == nil || g.published != maxInFlight {
		t.Fatalf("%d published, %v", g.published, err)
	}
}
