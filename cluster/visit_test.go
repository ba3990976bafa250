package cluster

import (
	"testing"
	"time"

	"hubsub/cluster/placement"
	"hubsub/cluster/port"
)

// Who only says that it is of a later generation, or leads without being a member, makes no node do anything.
func TestForgedGreeting(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		nodes := w.settle(3)
		for _, r := range nodes {
			l := r.node.life.Load()
			mine := l.greeting()
			id, generation := splitCluster(mine.Cluster)
			for _, at := range []string{"10.0.0.99:7000", nodes[0].address, ""} {
				l.visited(port.Greeting{Cluster: joinCluster(id, generation+5), Name: "stranger/1", Address: at, Members: 99, Rooms: 9, Leader: "stranger/1"})
			}
			l.receive("stranger/1", placement.Roster{Term: placement.Term{Generation: 1 << 31}})
			if _, leader := r.up(); leader == "stranger/1" || leader == "" {
				t.Errorf("%s follows %q", r.address, leader)
			}
		}
		time.Sleep(10 * time.Second)
		for _, r := range nodes {
			if lives := r.node.Stats().Lives; lives != 1 {
				t.Errorf("%s has %d lives", r.address, lives)
			}
		}
	})
}
