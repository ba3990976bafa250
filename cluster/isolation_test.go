package cluster

import (
	"context"
	"testing"
	"time"

	"hubsub/cluster/lane"
)

// With --partition strict a node that is cut off from the others leads no room soon after, and does again when they
// meet, under whatever name.
func TestStrictCutOff(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		for range 3 {
			w.resident().strict = true
		}
		var seeds []string
		for _, r := range w.nodes {
			seeds = append(seeds, r.address)
		}
		for _, r := range w.nodes {
			r.join = seeds
			r.start()
		}
		w.await("a cluster", func() bool { return w.agree(3) })
		time.Sleep(10 * time.Second) // three voters
		victim := w.nodes[2]
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if _, err := victim.node.Place(ctx, "r", RoomOptions{Replicas: 1, Pins: []string{victim.address}, Keep: true}); err != nil {
			t.Fatal(err)
		}
		victim.use("r", true)
		tag := uint64(0)
		publish := func() int64 {
			tag++
			mine := tag
			const pending = 1 << 40
			answered := int64(pending)
			victim.loop.do(func(l *Lane) {
				if n := l.Publish(mine, lane.Channel, []byte("r"), []byte("r"), []byte("m")); n >= 0 {
					victim.loop.Answer(mine, lane.Done, n)
				}
			})
			w.await("an answer", func() bool {
				victim.loop.mu.Lock()
				defer victim.loop.mu.Unlock()
				n, ok := victim.loop.answers[mine]
				answered = n
				return ok
			})
			return answered
		}
		w.await("a subscriber", func() bool { return publish() == 1 })
		for _, other := range w.nodes[:2] {
			w.network.Cut(victim.address, other.address)
		}
		took := w.await("an end of its lead", func() bool { return publish() == -int64(lane.Down) })
		if took > 4*time.Second {
			t.Errorf("cut off it led for %v", took)
		}
		for _, other := range w.nodes[:2] {
			w.network.Heal(victim.address, other.address)
		}
		w.await("a cluster again", func() bool { return w.agree(3) })
		w.await("a subscriber again", func() bool { return publish() == 1 })
	})
}
