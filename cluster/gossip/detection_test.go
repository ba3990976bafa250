package gossip

import (
	"fmt"
	"testing"
	"time"
)

// A node that dies, or hangs, is lost on all others within 6 s, and nobody else
// is.
func TestDetection(t *testing.T) {
	f := func(count int, how string, end func(w *world, n *node), within time.Duration) {
		t.Run(fmt.Sprintf("%d nodes, one %s", count, how), func(t *testing.T) {
			inWorld(t, func(w *world) {
				w.found(count)
				time.Sleep(5 * time.Second)
				victim := w.nodes[count/2]
				others := append(append([]*node{}, w.nodes[:count/2]...), w.nodes[count/2+1:]...)
				end(w, victim)
				all := w.eventually("all have lost it", within, func() bool {
					for _, n := range others {
						if !n.hasLost(victim.name) {
							return false
						}
					}
					return true
				})
				w.Logf("all have lost it after %v", all)
				for _, n := range others {
					if n.losses() != 1 || n.Alive(victim.name) || len(n.Members()) != count-1 {
						w.Errorf("%s has lost %d nodes, %d are left", n.name, n.losses(), len(n.Members()))
					}
				}
			})
		})
	}
	dies := func(_ *world, n *node) { n.kill() }
	hangs := func(w *world, n *node) { w.apart(n) }
	for _, count := range []int{2, 3, 4, 5, 7, 12} {
		f(count, "dies", dies, 6*time.Second)
		f(count, "hangs", hangs, 6*time.Second)
	}
	f(many, "dies", dies, 10*time.Second)
}
