package cluster

import (
	"slices"
	"testing"

	"hubsub/cluster/lane"
)

// A room's messages wait while one of its subscriptions does, and until the tick after its answer; those of other rooms
// do not.
func TestThreshold(t *testing.T) {
	var heard []string
	out := &loop{answers: make(map[uint64]int64)}
	l := &Lane{outlet: out}
	say := func(room, message string) {
		l.Deliver(lane.Channel, []byte(room), []byte(room), []byte(message))
	}
	f := func(when string, want ...string) {
		t.Helper()
		heard = append(heard, out.heard...)
		out.heard = nil
		if !slices.Equal(heard, want) {
			t.Errorf("%s: %q, want %q", when, heard, want)
		}
		heard = nil
	}
	say("a", "0")
	f("nobody comes", "a 0")
	l.threshold.await(1, []byte("a"))
	l.threshold.await(2, []byte("a"))
	say("a", "1")
	say("b", "2")
	f("two come", "b 2")
	l.Answer(1, lane.Done, 0)
	say("a", "3")
	l.threshold.pass(out.Deliver)
	f("one has an answer")
	l.Answer(2, lane.TryAgain, 0)
	say("a", "4")
	f("both have, and may not have joined")
	l.threshold.pass(out.Deliver)
	f("the next tick", "a 1", "a 3", "a 4")
	say("a", "5")
	f("nobody comes any more", "a 5")
	if s := &l.threshold; len(s.coming)+len(s.tags)+len(s.held)+len(s.opened)+s.bytes != 0 {
		t.Errorf("it keeps %+v", s)
	}

	l.threshold.await(3, []byte("a"))
	say("a", "6")
	l.threshold.bytes += thresholdBytesMax
	say("a", "7")
	f("too much waits, and keeps its order", "a 6", "a 7")
}
