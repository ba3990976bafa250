package cluster

import (
	"slices"
	"testing"
	"time"

	"hubsub/cluster/lane"
)

// A room's messages wait while somebody is about to join it, but not for long; those of other rooms do not.
func TestThreshold(t *testing.T) {
	out := &loop{answers: make(map[uint64]int64)}
	l := &Lane{outlet: out, lanes: &Lanes{began: time.Now()}, core: lane.New(lane.Config{})}
	s := &l.threshold
	say := func(room, message string) {
		l.Deliver(lane.Channel, []byte(room), []byte(room), []byte(message))
	}
	f := func(when string, want ...string) {
		t.Helper()
		if !slices.Equal(out.heard, want) {
			t.Errorf("%s: %q, want %q", when, out.heard, want)
		}
		out.heard = nil
	}
	nothing := func() {
		t.Helper()
		if len(s.rooms)+len(s.tags)+s.count+s.bytes != 0 || s.next() != never {
			t.Errorf("it keeps %+v", s)
		}
	}
	say("a", "0")
	f("nobody comes", "a 0")
	s.await(1, []byte("a"))
	s.await(2, []byte("a"))
	say("a", "1")
	say("b", "2")
	f("two come", "b 2")
	l.Answer(1, lane.Done, 0)
	say("a", "3")
	f("one has an answer")
	l.Joined([]byte("a"))
	f("and has joined")
	l.Answer(2, lane.TryAgain, 0)
	f("the other was refused", "a 1", "a 3")
	say("a", "4")
	f("nobody comes any more", "a 4")
	nothing()

	s.await(3, []byte("a"))
	say("a", "5")
	s.bytes += thresholdBytesMax
	say("a", "6")
	f("too much waits, and keeps its order", "a 5", "a 6")
	s.bytes -= thresholdBytesMax
	l.Answer(3, lane.Done, 0)
	say("a", "7")
	l.Own("a", true)
	f("it waits")
	if out.owns {
		t.Error("clients may overtake what waits")
	}
	l.Joined([]byte("a"))
	f("and waits no more", "a 7")
	if !out.owns {
		t.Error("clients may not publish past the lane")
	}
	nothing()

	s.await(3, []byte("a"))
	l.Answer(3, lane.Done, 0)
	say("a", "8")
	s.expire(s.next()-1, out)
	f("it waits")
	s.expire(s.next(), out)
	f("it has waited for long enough", "a 8")
	s.await(4, []byte("a"))
	say("a", "9")
	f("for one who is late nothing waits", "a 9")
	l.Joined([]byte("a"))
	l.Answer(4, lane.Done, 0)
	l.Joined([]byte("a"))
	f("and nothing waited")
	nothing()
	if n := s.early.Load(); n != 4 { // 5, 6, 8 and 9
		t.Errorf("%d were early", n)
	}
}
