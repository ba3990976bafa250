package cluster

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"hubsub/cluster/consensus"
)

// settled is how long a cluster needs to have all its voters.
const settled = 15 * time.Second

// settleOnDisk starts n nodes with a data directory each.
func (w *town) settleOnDisk(n int) []*resident {
	var seeds []string
	for range n {
		r := w.resident()
		r.dir = w.t.TempDir()
		seeds = append(seeds, r.address)
	}
	for _, r := range w.nodes {
		r.join = seeds
		r.start()
	}
	w.await("a cluster", func() bool { return w.agree(n) })
	time.Sleep(settled)
	return w.nodes
}

// leads reports whether a running node leads, as it knows itself.
func (r *resident) leads() bool {
	if r.node == nil {
		return false
	}
	l := r.node.life.Load()
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.led.here()
}

// Nodes with a data directory that end in order, together or in turn, go on with their rooms.
func TestOrderlyEndKeepsData(t *testing.T) {
	f := func(n int, together bool) {
		inTown(t, func(t *testing.T, w *town) {
			nodes := w.settleOnDisk(n)
			if _, err := nodes[0].node.Place(context.Background(), "kept", RoomOptions{Keep: true}); err != nil {
				t.Fatal(err)
			}
			time.Sleep(2 * time.Second)
			var ends sync.WaitGroup
			for _, r := range nodes {
				ends.Go(func() {
					r.node.Leave()
					r.kill()
				})
				if !together {
					ends.Wait()
				}
			}
			ends.Wait()
			time.Sleep(3 * time.Second)
			for _, r := range nodes {
				r.start()
			}
			w.await(fmt.Sprintf("all of %d, ended together: %v", n, together), func() bool { return w.agree(n) })
			if _, err := nodes[0].node.Find(context.Background(), "kept"); err != nil {
				t.Errorf("the room of %d nodes, ended together: %v: %v", n, together, err)
			}
		})
	}
	for _, n := range []int{1, 2, 3} {
		f(n, false)
		f(n, true)
	}
}

// Whoever was taken for dead is alive again when it is back under its name.
func TestDurableVotersReturn(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		nodes := w.settleOnDisk(3)
		for _, r := range nodes {
			if !r.leads() {
				r.kill()
			}
		}
		time.Sleep(2 * time.Second)
		for _, r := range nodes {
			if r.node == nil {
				r.start()
			}
		}
		w.await("all three", func() bool { return w.agree(3) })
	})
}

// A switch that is out, for however long, costs no cluster its voters.
func TestBlackout(t *testing.T) {
	f := func(n int, d time.Duration) {
		inTown(t, func(t *testing.T, w *town) {
			nodes := w.settle(n)
			time.Sleep(settled)
			nodes[0].place("precious")
			for i, a := range nodes {
				for _, b := range nodes[:i] {
					w.network.Cut(a.address, b.address)
				}
			}
			time.Sleep(d)
			for i, a := range nodes {
				for _, b := range nodes[:i] {
					w.network.Heal(a.address, b.address)
				}
			}
			w.await(fmt.Sprintf("all of %d after %v", n, d), func() bool { return w.agree(n) })
		})
	}
	for _, n := range []int{3, 5} {
		for _, d := range []time.Duration{8 * time.Second, 15 * time.Second, 2 * time.Minute} {
			f(n, d)
		}
	}
}

// A node that ends right after another was restarted waits for that one to vote.
func TestRollingRestart(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		nodes := w.settle(3)
		time.Sleep(settled)
		for _, r := range nodes {
			r.node.Leave()
			r.kill()
			r.start()
			w.await("the node", func() bool { return r.node.Ready() == nil })
		}
		w.await("all three", func() bool { return w.agree(3) })
	})
}

// What comes back with the data of a generation that is over joins the next one.
func TestReturnAfterRecovery(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		nodes := w.settleOnDisk(3)
		survivor, back := nodes[0], nodes[1]
		nodes[1].kill()
		nodes[2].kill()
		time.Sleep(10 * time.Second)
		l := survivor.node.life.Load()
		if err := l.mayRecover(); err != nil {
			t.Fatal(err)
		}
		if err := l.recover(); err != nil {
			t.Fatal(err)
		}
		w.await("the survivor", func() bool { return w.agree(1) })
		back.start()
		w.await("both", func() bool { return w.agree(2) })
	})
}

// An operator who has two survivors recover gets one cluster.
func TestRecoveredTwice(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		nodes := w.settle(5)
		time.Sleep(settled)
		// Of three voters two die, the leader first, so that nobody replaces the other: a voter and the standby know
		// where rooms live, and there is no majority.
		slices.SortStableFunc(nodes, func(a, b *resident) int { return cmp.Compare(b.role(), a.role()) })
		nodes[0].kill()
		nodes[1].kill()
		time.Sleep(10 * time.Second)
		var lives []*life
		for _, r := range nodes[2:4] {
			l := r.node.life.Load()
			lives = append(lives, l)
			if err := l.mayRecover(); err != nil {
				t.Error(err)
			}
		}
		for _, l := range lives {
			if err := l.recover(); err != nil {
				t.Error(err)
			}
		}
		if lives[0].greeting().Cluster == lives[1].greeting().Cluster {
			t.Errorf("two generations have one name, %s", lives[0].greeting().Cluster)
		}
		w.await("one cluster", func() bool { return w.agree(3) })
	})
}

// role orders nodes by what they are in consensus: nothing, a standby, a voter, the leader.
func (r *resident) role() int {
	servers := r.node.life.Load().parts.consensus.Servers()
	switch at := slices.IndexFunc(servers, func(s consensus.Server) bool { return s.Name == r.node.life.Load().self.Name }); {
	case r.leads():
		return 3
	case at >= 0 && servers[at].Voter:
		return 2
	case at >= 0:
		return 1
	}
	return 0
}

// Who did not hear that another leads now finds out.
func TestFormerLeader(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		nodes := w.settle(3)
		time.Sleep(settled)
		at := slices.IndexFunc(nodes, (*resident).leads)
		former, next, deaf := nodes[at], nodes[(at+1)%3], nodes[(at+2)%3]
		w.network.Cut(next.address, deaf.address)
		w.await("another leader", func() bool {
			if former.leads() {
				former.node.life.Load().parts.consensus.Transfer()
			}
			time.Sleep(time.Second)
			return next.leads() || deaf.leads()
		})
		if deaf.leads() {
			next, deaf = deaf, next
		}
		time.Sleep(15 * time.Second)
		w.network.Heal(next.address, deaf.address)
		time.Sleep(20 * time.Second)
		deaf.place("new")
	})
}

// The founder, started again without --join, is found before it has rooms of its own.
func TestFounderReturnsAlone(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		founder, a, b := w.resident(), w.resident(), w.resident()
		founder.start()
		for _, r := range []*resident{a, b} {
			r.join = []string{founder.address}
			r.start()
		}
		w.await("a cluster", func() bool { return w.agree(3) })
		time.Sleep(settled)
		a.place("precious")
		founder.kill()
		w.await("the others", func() bool { return w.agree(2) })
		time.Sleep(20 * time.Second)
		founder.start()
		took := w.await("all three", func() bool { return w.agree(3) })
		if took > 2*time.Second {
			t.Errorf("found after %v only: a client may have made a room there", took)
		}
	})
}

// Lives that begin in vain hand on no more addresses than there are.
func TestContactsStayFew(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		nodes := w.settle(2)
		time.Sleep(settled)
		nodes[1].kill()
		w.await("the survivor", func() bool { return w.agree(1) })
		for range 20 {
			forsake(nodes[0].node.life.Load(), nodes[1].address, nodes[0].address)
			time.Sleep(100 * time.Millisecond)
		}
		if n := len(nodes[0].node.life.Load().contacts); n > 2 {
			t.Errorf("%d contacts of two addresses", n)
		}
	})
}

// A data directory that cannot be used now is kept for later.
func TestUnusableDataDirectory(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		r := w.settleOnDisk(1)[0]
		r.place("precious")
		if _, err := r.node.Place(context.Background(), "kept", RoomOptions{Keep: true}); err != nil {
			t.Fatal(err)
		}
		r.kill()
		log := filepath.Join(r.dir, "raft", "log.db")
		for _, err := range []error{os.Rename(log, log+".away"), os.Mkdir(log, 0o700)} {
			if err != nil {
				t.Fatal(err)
			}
		}
		r.start()
		time.Sleep(3*retryInterval + time.Second) // it does not look in this moment
		if err := r.node.Ready(); err == nil {
			t.Error("ready without its data")
		}
		for _, err := range []error{os.Remove(log), os.Rename(log+".away", log)} {
			if err != nil {
				t.Fatal(err)
			}
		}
		w.await("the node", func() bool { return w.agree(1) })
		if _, err := r.node.Find(context.Background(), "kept"); err != nil {
			t.Errorf("the room: %v", err)
		}
	})
}
