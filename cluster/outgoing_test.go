package cluster

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"hubsub/cluster/lane"
)

// Two nodes cannot reach each other, and a third reaches both, so none is given up. What one publishes to a room of the other
// is answered TRYAGAIN, and must not come when they reach each other again. Then all is as before.
func TestNothingComesLongAfterTryAgain(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		nodes := w.settle(3)
		time.Sleep(settled)
		at := slices.IndexFunc(nodes, func(r *resident) bool { return r.leads() })
		c, a, b := nodes[at], nodes[(at+1)%3], nodes[(at+2)%3]
		room := ""
		for i := 0; room == ""; i++ {
			name := fmt.Sprintf("room%d", i)
			if got := c.place(name); got.Hosts[0].Cluster == b.address && got.Hosts[1].Cluster == c.address {
				room = name
			}
		}
		b.use(room, true)
		time.Sleep(time.Second)
		w.network.Cut(a.address, b.address)
		time.Sleep(20 * time.Second)
		for i := range uint64(3) {
			if n := a.publish(i, room, fmt.Sprintf("late%d", i)); n != -int64(lane.TryAgain) {
				t.Errorf("cut off, a publish is answered %d", n)
			}
		}
		time.Sleep(time.Minute)
		w.network.Heal(a.address, b.address)
		time.Sleep(10 * time.Second)
		if n := b.loop.hears(); n > 0 {
			t.Errorf("%d messages come that were answered TRYAGAIN a minute ago", n)
		}
		if a.node.Stats().Lanes.Discarded == 0 {
			t.Error("nothing was discarded")
		}
		if n := a.publish(10, room, "now"); n != 1 || b.loop.hears() != 1 {
			t.Errorf("when both reach each other again a publish is answered %d, and %d messages are heard", n, b.loop.hears())
		}
	})
}

// What no link takes is given up after outgoingTimeMax, and the lane tells all again: once then, and once when a link would
// take something.
func TestGivesUpWhatNoLinkTakes(t *testing.T) {
	l, _ := aloneLane()
	p := l.lanes.peers.of("unreachable/1")
	say := func() { l.put(p, []byte("x"), true) }
	discarded := func(want int64) {
		t.Helper()
		if got := l.lanes.discarded.Load(); got != want {
			t.Errorf("%d records are discarded, want %d", got, want)
		}
	}
	say()
	l.brake.hold(lateAnswer{to: p, record: []byte("y")})
	l.Flush()
	o := l.outgoing[p]
	l.giveUp(o.since + outgoingTimeMax - 1)
	discarded(0)
	l.giveUp(o.since + outgoingTimeMax)
	discarded(2)
	if !o.lost || o.records != nil || l.brake.waits(p) {
		t.Errorf("it keeps %+v", o)
	}
	say()
	l.Flush()
	if !o.stuck || len(l.leaving) != 1 {
		t.Errorf("%d nodes have something to get", len(l.leaving))
	}
	if next := l.Next(); next <= stuckRetry {
		t.Errorf("it tries again after %v", next)
	}
	if l.brake.begin(); l.put(p, []byte("m"), false) || l.brake.crowded {
		t.Error("a publisher waits for a node that was given up")
	}
	l.giveUp(o.since + outgoingTimeMax - 1)
	discarded(2)
	o.back = true
	l.giveUp(o.since)
	discarded(3)
	if o.lost || o.back {
		t.Error("it is lost yet")
	}
}
