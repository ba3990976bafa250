package gossip

import (
	"testing"
	"time"

	"hubsub/cluster/placement"
)

// Two halves that are cut off from each other lose each other, forget each other,
// and meet again when they can, without anybody's help.
func TestPartitionHeals(t *testing.T) {
	f := func(name string, size, left int) {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				w.found(size)
				a, b := w.nodes[:left], w.nodes[left:]
				w.cut(a, b, w.network.Cut)
				lost := w.eventually("each half has lost the other one", 40*time.Second, func() bool {
					return sees(a, left) && sees(b, size-left)
				})
				time.Sleep(5 * time.Minute)
				for _, n := range w.nodes {
					if got := len(n.view.list()); got != left && got != size-left {
						t.Errorf("%s knows %d", n.name, got)
					}
				}
				w.cut(a, b, w.network.Heal)
				healed := w.eventually("all know each other again", time.Minute, w.whole)
				t.Logf("lost after %v, together again after %v", lost, healed)
			})
		})
	}
	f("halves of two", 2, 1)
	f("one of three", 3, 1)
	f("halves of ten", 10, 5)
}

func sees(nodes []*node, count int) bool {
	for _, n := range nodes {
		if len(n.Members()) != count {
			return false
		}
	}
	return true
}

// A short break loses nobody.
func TestShortBreak(t *testing.T) {
	inWorld(t, func(w *world) {
		w.found(6)
		for range 20 {
			w.cut(w.nodes[:1], w.nodes[1:], w.network.Cut)
			time.Sleep(400 * time.Millisecond)
			w.cut(w.nodes[:1], w.nodes[1:], w.network.Heal)
			time.Sleep(10 * time.Second)
		}
		for _, n := range w.nodes {
			if n.losses() > 0 {
				t.Errorf("%s has lost %v", n.name, n.lost)
			}
		}
	})
}

// Two nodes that do not hear each other, but all others, are not lost: the
// others ask in their place.
func TestCutPair(t *testing.T) {
	f := func(name string, cut func(w *world, from, to string)) {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				w.found(5)
				cut(w, w.nodes[0].address, w.nodes[1].address)
				time.Sleep(5 * time.Minute)
				for _, n := range w.nodes {
					if n.losses() > 0 || !w.whole() {
						t.Errorf("%s has lost %v", n.name, n.lost)
					}
				}
			})
		})
	}
	f("both ways", func(w *world, a, b string) { w.network.Cut(a, b) })
	f("one way", func(w *world, a, b string) { w.network.CutOneWay(a, b) })
	f("the other way", func(w *world, a, b string) { w.network.CutOneWay(b, a) })
}

// Without an address of anybody else's that lives, contacts bring nodes together
// that never knew each other.
func TestContacts(t *testing.T) {
	inWorld(t, func(w *world) {
		a, b := w.start(0, 1), w.start(1, 1)
		a.contacts = []string{"rubbish", a.address, addressAt(7), "10.0.0.1:0"}
		b.contacts = []string{addressAt(8), b.address, a.address}
		w.eventually("they know each other", 5*time.Minute, w.whole)
	})
}

// A process that takes the place of another one at its address is another
// member.
func TestRestart(t *testing.T) {
	inWorld(t, func(w *world) {
		w.found(5)
		old := w.nodes[2]
		old.kill()
		young := w.start(2, 2)
		young.join(w.nodes[0])
		w.eventually("the old one is lost", 6*time.Second, func() bool {
			for _, n := range w.living() {
				if n != young && !n.hasLost(old.name) {
					return false
				}
			}
			return true
		})
		w.eventually("all know the young one", 4*pushPullInterval, w.whole) // news may pass one by, until he exchanges all that he knows
		time.Sleep(5 * time.Minute)
		for _, n := range w.living() {
			if n.losses() > 1 || n.hasLost(young.name) || n.Alive(old.name) {
				t.Errorf("%s has lost %v", n.name, n.lost)
			}
		}
	})
}

// A node that leaves is gone for all others at once, and stays gone.
func TestLeave(t *testing.T) {
	inWorld(t, func(w *world) {
		w.found(5)
		n := w.nodes[4]
		n.Leave(5 * time.Second)
		took := w.eventually("it is gone", 2*time.Second, func() bool { return sees(w.nodes[:4], 4) })
		t.Logf("gone after %v", took)
		if n.losses() > 0 {
			t.Errorf("it has lost %v", n.lost)
		}
		time.Sleep(30 * time.Second) // it runs still, and hears them
		n.kill()
		time.Sleep(time.Minute)
		for _, other := range w.living() {
			if other.losses() != 1 || !other.hasLost(n.name) || len(other.Members()) != 4 {
				t.Errorf("%s has lost %v", other.name, other.lost)
			}
		}
	})
}

// What the caller's functions ask of gossip does not deadlock, whatever locks
// memberlist holds when a member goes.
func TestCallbacksMayAsk(t *testing.T) {
	inWorld(t, func(w *world) {
		w.found(3)
		n := w.open(3, 1)
		c, known := n.config(), make(chan int, 10)
		c.Lost = func(name placement.Name) {
			if n.Alive(name) {
				t.Errorf("%s is lost, and lives", name)
			}
			known <- len(n.Members())
		}
		var err error
		if n.Gossip, err = Start(c); err != nil {
			t.Fatal(err)
		}
		n.join(w.nodes[0])
		w.eventually("all know each other", time.Minute, w.whole)
		w.nodes[1].kill()
		if got := <-known; got != 3 {
			t.Errorf("it knows %d members, want 3", got)
		}
	})
}
