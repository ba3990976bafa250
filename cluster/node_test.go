package cluster

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"hubsub/cluster/placement"
)

func TestFoundsAlone(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		r := w.resident()
		r.start()
		w.await("a cluster of one", func() bool { return w.agree(1) })
		if got := r.place("lobby"); len(got.Hosts) != 1 || got.Hosts[0].Cluster != r.address {
			t.Errorf("placed at %+v", got)
		}
	})
}

func TestPlacesAgree(t *testing.T) {
	for _, n := range []int{2, 3, 5} {
		inTown(t, func(t *testing.T, w *town) {
			nodes := w.settle(n)
			for i := range 20 {
				room := fmt.Sprint("room", i)
				first := nodes[i%n].place(room)
				if len(first.Hosts) != 2 {
					t.Errorf("of %d nodes %d host %s", n, len(first.Hosts), room)
				}
				for _, r := range nodes {
					if got := r.place(room); !reflect.DeepEqual(got, first) {
						t.Errorf("%s says %+v, another %+v", r.address, got, first)
					}
				}
			}
			if err := nodes[0].node.CloseRoom(context.Background(), "room7"); err != nil {
				t.Error(err)
			}
			if _, err := nodes[1].node.Find(context.Background(), "room7"); !errors.Is(err, ErrNoRoom) {
				t.Errorf("a closed room is found: %v", err)
			}
		})
	}
}

// A killed node is known to all at once, whoever it was.
func TestDeathIsKnown(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		nodes := w.settle(5)
		leads := func(r *resident) bool {
			_, leader := r.up()
			return r.node.life.Load().self.Name == leader
		}
		for _, victimLeads := range []bool{false, true} {
			at := slices.IndexFunc(w.nodes, func(r *resident) bool { return r.node != nil && leads(r) == victimLeads })
			before := 0
			for _, r := range nodes {
				if r.node != nil {
					before++
				}
			}
			time.Sleep(5 * time.Second) // for the voters to be right
			nodes[at].kill()
			known := w.await("word of the death", func() bool {
				for _, r := range nodes {
					if r.node != nil {
						if up, _ := r.up(); up != before-1 {
							return false
						}
					}
				}
				return true
			})
			led := w.await("one leader", func() bool { return w.agree(before - 1) })
			t.Logf("leader %v: known after %v, one leader %v later", victimLeads, known, led)
		}
	})
}

// Of two the survivor goes on, both ways; and when the other was cut off only, it gives way.
func TestTwoNodesTakeOver(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		nodes := w.settle(2)
		for i := range 4 {
			victim, other := nodes[i%2], nodes[1-i%2]
			other.place(fmt.Sprint("before", i))
			time.Sleep(3 * time.Second) // for the other to have the table
			if i < 2 {
				victim.kill()
			} else {
				w.network.Cut(victim.address, other.address)
			}
			w.await("a leader", func() bool {
				_, leader := other.up()
				return leader == other.node.life.Load().self.Name
			})
			// It leads because the other is dead, and need not ask it whether it lives.
			if late := w.await("the survivor alone", func() bool { up, _ := other.up(); return up == 1 }); late > helloTimeMax/4 {
				t.Errorf("the survivor of %d leads for %v before it takes the other for dead", i, late)
			}
			if got := other.place(fmt.Sprint("before", i)); len(got.Hosts) != 1 {
				t.Errorf("the survivor says %+v", got)
			}
			if i < 2 {
				victim.start()
			} else {
				w.network.Heal(victim.address, other.address)
			}
			w.await("both", func() bool { return w.agree(2) })
			if got := victim.place(fmt.Sprint("before", i)); len(got.Hosts) == 0 {
				t.Errorf("the other says %+v", got)
			}
		}
	})
}

// Without a majority there are no new rooms; when it is back, there are.
func TestMinorityRefuses(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		nodes := w.settle(3)
		alone := nodes[2]
		for _, r := range nodes[:2] {
			w.network.Cut(r.address, alone.address)
		}
		time.Sleep(10 * time.Second)
		if _, err := alone.node.Place(context.Background(), "new", RoomOptions{}); !errors.Is(err, ErrNoLeader) {
			t.Errorf("a node that is cut off says %v", err)
		}
		if got := nodes[0].place("new"); len(got.Hosts) == 0 {
			t.Error("the majority made no room")
		}
		for _, r := range nodes[:2] {
			w.network.Heal(r.address, alone.address)
		}
		w.await("all three", func() bool { return w.agree(3) })
		alone.place("new")
	})
}

// A room that nobody uses is closed; one that somebody uses, or that was configured, is not.
func TestIdleRoomsClose(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		nodes := w.settle(3)
		ctx := context.Background()
		nodes[0].place("idle")
		used := nodes[0].place("used")
		for _, r := range nodes {
			if r.address == used.Hosts[1].Cluster {
				r.use("used", true)
			}
		}
		if _, err := nodes[1].node.Place(ctx, "kept", RoomOptions{Keep: true}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(3 * idleFor)
		for room, want := range map[string]error{"idle": ErrNoRoom, "used": nil, "kept": nil} {
			if _, err := nodes[2].node.Find(ctx, room); !errors.Is(err, want) {
				t.Errorf("%s: %v, want %v", room, err, want)
			}
		}
	})
}

// A node that ends in order is no member any more when it is gone.
func TestLeave(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		nodes := w.settle(4)
		for range 3 {
			at := slices.IndexFunc(nodes, func(r *resident) bool { return r.node != nil })
			nodes[at].node.Leave()
			if err := nodes[at].node.Ready(); !errors.Is(err, errLeaving) {
				t.Errorf("a node that leaves: %v", err)
			}
			nodes[at].kill()
			left := 0
			for _, r := range nodes {
				if r.node != nil {
					left++
				}
			}
			w.await("the others", func() bool { return w.agree(left) })
			nodes[at].start()
			w.await("all again", func() bool { return w.agree(4) })
		}
	})
}

// Two clusters that have members do not become one, and say so; one process alone gives way.
func TestClustersMeet(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		a, b, c := w.resident(), w.resident(), w.resident()
		a.start()
		b.start()
		w.await("two clusters", func() bool { return a.node.Ready() == nil && b.node.Ready() == nil })
		a.place("precious")
		c.join = []string{a.address, b.address}
		c.start()
		w.await("the third", func() bool { return c.node.Ready() == nil })
		w.await("one cluster", func() bool { return w.agree(3) })
		if got, err := b.node.Find(context.Background(), "precious"); err != nil || len(got.Hosts) == 0 {
			t.Errorf("%+v, %v", got, err)
		}
	})
}

// A cluster whose nodes keep a data directory goes on after all have ended at once.
func TestDataDirectory(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		var seeds []string
		for range 3 {
			r := w.resident()
			r.dir = t.TempDir()
			seeds = append(seeds, r.address)
		}
		for _, r := range w.nodes {
			r.join = seeds
			r.start()
		}
		w.await("a cluster", func() bool { return w.agree(3) })
		before := w.nodes[0].place("lobby")
		names := map[placement.Name]bool{}
		for _, r := range w.nodes {
			names[r.node.life.Load().self.Name] = true
		}
		time.Sleep(5 * time.Second)
		for _, r := range w.nodes {
			r.kill()
		}
		for _, r := range w.nodes {
			r.start()
		}
		w.await("the cluster", func() bool { return w.agree(3) })
		for _, r := range w.nodes {
			if !names[r.node.life.Load().self.Name] {
				t.Errorf("%s has another name than before", r.address)
			}
			if got := r.place("lobby"); !reflect.DeepEqual(got, before) {
				t.Errorf("%s says %+v, before it was %+v", r.address, got, before)
			}
		}
	})
}

// A node whose clock goes back is let in all the same.
func TestClockGoesBack(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		nodes := w.settle(3)
		time.Sleep(5 * time.Second)
		ahead := nodes[2]
		ahead.kill()
		w.await("the others", func() bool { return w.agree(2) })
		// The last process of the node had a clock an hour ahead.
		leader := slices.IndexFunc(nodes, func(r *resident) bool {
			if r.node == nil {
				return false
			}
			_, leads := r.up()
			return r.node.life.Load().self.Name == leads
		})
		future := uint64(time.Now().Add(time.Hour).UnixNano())
		ghost := placement.Member{Name: placement.NameOf(ahead.address, future), ID: ahead.address, Boot: future, Cluster: ahead.address, Weight: 1}
		nodes[leader].node.life.Load().receive(ghost.Name, placement.Join{Member: ghost})
		time.Sleep(20 * time.Second)
		ahead.start()
		w.await("all three", func() bool { return w.agree(3) })
	})
}

// Many nodes are as one: a death is known to all, of whoever leads too.
func TestManyNodes(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		nodes := w.settle(crowd)
		alive := len(nodes)
		for _, leader := range []bool{false, true} {
			time.Sleep(settled) // the first to die may be a voter, too, and two of three at once leave no majority
			at := slices.IndexFunc(nodes, func(r *resident) bool { return r.node != nil && r.leads() == leader })
			nodes[at].kill()
			alive--
			t.Logf("leader %v: all agree after %v", leader, w.await("word of the death", func() bool { return w.agree(alive) }))
		}
		first := nodes[crowd-2].place("lobby")
		if got := nodes[crowd-1].place("lobby"); len(first.Hosts) != 2 || !reflect.DeepEqual(got, first) {
			t.Errorf("%+v and %+v", first, got)
		}
	})
}
