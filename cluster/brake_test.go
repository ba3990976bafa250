package cluster

import (
	"slices"
	"testing"
	"time"

	"hubsub/cluster/lane"
)

// What goes to a node in a tick ends with the record that passes the room there is; more than half of it means that the
// node does not keep up.
func TestOutgoing(t *testing.T) {
	l := &Lane{lanes: &Lanes{began: time.Now()}} // without links there is outgoingMin
	f := func(to lane.Peer, bytes int, urgent, put, crowded bool) {
		t.Helper()
		l.brake.begin()
		if got := l.put(to, make([]byte, bytes), urgent); got != put || l.brake.crowded != crowded {
			t.Errorf("%v, crowded %v, with %d bytes before", got, l.brake.crowded, len(l.outgoing[to].records))
		}
	}
	f(1, 1<<20, false, true, false) // the longest message, to a link that holds less
	f(1, 1, false, false, true)
	f(1, 1, true, false, false)
	f(2, outgoingMin/2+1, false, true, false)
	f(2, 1, true, true, false)
	f(2, 1, false, true, true)
	f(2, outgoingMin, false, true, true)
	f(2, 1, false, false, true)
	if l.discard(2); l.lanes.discarded.Load() != 4 {
		t.Errorf("%d were discarded", l.lanes.discarded.Load())
	}
	f(2, 1, false, true, false)
}

// Answers wait for brakeTime: those of the room that is slowed down, and those to a node after one that waits.
func TestBrake(t *testing.T) {
	var b brake
	now := time.Second
	holds := func(to lane.Peer, room string, want bool) {
		t.Helper()
		if got := b.holds(now, to, []byte(room)); got != want {
			t.Errorf("node %d, room %s: %v", to, room, got)
		}
	}
	due := func(want ...uint64) {
		t.Helper()
		var got []uint64
		for _, a := range b.due(now) {
			got = append(got, a.tag)
		}
		if !slices.Equal(got, want) {
			t.Errorf("due are %d, want %d", got, want)
		}
	}
	if b.active() || b.next() != never {
		t.Error("nothing is slow")
	}
	b.slow(now, []byte("slow"))
	holds(1, "slow", true)
	holds(1, "other", false)
	b.hold(lateAnswer{due: now + brakeTime, tag: 1, to: 1, record: []byte("x")})
	holds(1, "other", true)
	holds(2, "other", false)
	now += brakeTime / 2
	b.hold(lateAnswer{due: now + brakeTime, tag: 2})
	holds(2, "other", false) // that one is for a client here
	due()
	now += brakeTime / 2
	holds(2, "slow", false)
	due(1)
	if !b.active() || b.next() != now+brakeTime/2 {
		t.Error("an answer waits")
	}
	now = b.next()
	due(2)
	if b.active() {
		t.Error("nothing waits any more")
	}
}
