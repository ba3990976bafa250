package cluster

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"hubsub/cluster/lane"
)

// asks has the loop ask its lane something and returns the answer, which is negative if it is an error.
func (r *resident) asks(tag uint64, ask func(*Lane)) (n int64) {
	r.town.t.Helper()
	r.loop.do(ask)
	r.town.await(fmt.Sprintf("answer %d", tag), func() (so bool) {
		r.loop.mu.Lock()
		defer r.loop.mu.Unlock()
		n, so = r.loop.answers[tag]
		return so
	})
	return n
}

func (r *resident) subscribe(tag uint64, room string) int64 {
	r.town.t.Helper()
	return r.asks(tag, func(l *Lane) { l.Interest(tag, lane.Channel, []byte(room), []byte(room), 1) })
}

func (r *resident) publish(tag uint64, room, message string) int64 {
	r.town.t.Helper()
	return r.asks(tag, func(l *Lane) {
		if n := l.Publish(tag, lane.Channel, []byte(room), []byte(room), []byte(message)); n >= 0 {
			r.loop.Answer(tag, lane.Done, n)
		}
	})
}

// A node that comes back with its data directory is heard by all again, whether the cluster had given it up or not.
func TestReturnIsHeard(t *testing.T) {
	for _, down := range []time.Duration{50 * time.Millisecond, time.Second, 10 * time.Second, time.Minute} {
		for _, leaves := range []bool{false, true} {
			t.Run(fmt.Sprintf("down for %v, leaves %v", down, leaves), func(t *testing.T) {
				inTown(t, func(t *testing.T, w *town) {
					nodes := w.settleOnDisk(3)
					at := slices.IndexFunc(nodes, func(r *resident) bool { return !r.leads() })
					back := nodes[at]
					if leaves {
						back.node.Leave()
					}
					back.kill()
					time.Sleep(down)
					back.start()
					w.await("back", func() bool { return w.agree(3) })
					time.Sleep(settled)
					for i, other := range []*resident{nodes[(at+1)%3], nodes[(at+2)%3]} {
						tag, room := uint64(10*i), fmt.Sprintf("room%d", i)
						if n := other.subscribe(tag+1, room); n < 0 {
							t.Fatalf("the one who was there is answered %d", n)
						}
						if n := back.publish(tag+2, room, "from one who is back"); n != 1 {
							t.Errorf("a message reaches %d", n)
						}
						if n := back.subscribe(tag+3, room); n < 0 {
							t.Errorf("a subscription is answered %d", n)
						}
						if n := other.publish(tag+4, room, "to one who is back"); n != 2 {
							t.Errorf("a message reaches %d", n)
						}
					}
				})
			})
		}
	}
}
