package cluster

import (
	"errors"
	"testing"
	"time"

	"hubsub/cluster/bubble"
	"hubsub/cluster/lane"
)

// Each node tells how any other sees a room: who leads, who hears it, how far its
// order is.
func TestInspect(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		nodes := w.settle(3)
		if _, _, err := nodes[0].node.Inspect(t.Context(), "nosuch"); !errors.Is(err, ErrNoRoom) {
			t.Errorf("of no room: %v", err)
		}
		name := "\xff room" // a name may be any bytes
		placed := nodes[0].place(name)
		var leader, host, guest *resident
		for _, r := range nodes {
			switch r.address {
			case placed.Hosts[0].Cluster:
				leader = r
			case placed.Hosts[1].Cluster:
				host = r
			default:
				guest = r
			}
		}
		guest.use(name, true)
		time.Sleep(time.Second)
		const messages = 5
		for i := range messages {
			host.loop.do(func(l *Lane) { l.Publish(uint64(i+1), lane.Channel, []byte(name), []byte(name), []byte{'0' + byte(i)}) })
		}
		time.Sleep(time.Second)
		if got := guest.loop.hears(); got != messages {
			t.Fatalf("the guest heard %d messages", got)
		}

		for _, asked := range nodes {
			found, views, err := asked.node.Inspect(t.Context(), name)
			if err != nil || found.Name != name || found.Hosts[0].ID != leader.address {
				t.Fatalf("%s: %+v, %v", asked.address, found, err)
			}
			of := make(map[string]NodeView)
			for _, v := range views {
				of[v.ID] = v
			}
			l, h, g := of[leader.address], of[host.address], of[guest.address]
			if len(views) != 3 || l.Role() != "leader" || h.Role() != "host" || g.Role() != "guest" {
				t.Fatalf("%s: %+v", asked.address, views)
			}
			if l.Audience[guest.address] != 1 || l.Audience[host.address] != 0 {
				t.Errorf("%s: the leader sends to %v", asked.address, l.Audience)
			}
			if l.Clients != 0 || h.Clients != 0 || g.Clients != 1 || l.Number != messages || g.Number != messages {
				t.Errorf("%s: %+v", asked.address, views)
			}
			if l.Key == "" || g.Key != l.Key || g.Gaps != 0 || g.Lost != 0 || len(g.Addresses) != 1 {
				t.Errorf("%s: %+v", asked.address, views)
			}
		}

		// Who is dead is left out, and so is what it heard.
		guest.kill()
		w.await("two", func() bool { return w.agree(2) })
		_, views, err := host.node.Inspect(t.Context(), name)
		if err != nil || len(views) != 2 {
			t.Fatalf("%+v, %v", views, err)
		}
		for _, v := range views {
			if v.Audience[guest.address] != 0 {
				t.Errorf("%s sends to the dead: %v", v.ID, v.Audience)
			}
		}
	})
}

// A loop that does not answer is not waited for for long.
func TestViewOfStuckLoop(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		begin := time.Now()
		if v := newLanes().view("a"); v != nil || time.Since(begin) != queryTimeMax {
			t.Errorf("%+v after %v", v, time.Since(begin))
		}
	})
}
