package gossip

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"hubsub/cluster/placement"
)

// Members are as they describe themselves.
func TestMembers(t *testing.T) {
	inWorld(t, func(w *world) {
		w.found(3)
		for _, n := range w.nodes {
			members := n.Members()
			for i, m := range members {
				want := w.nodes[i].config().Self
				if fmt.Sprint(m) != fmt.Sprint(want) {
					t.Errorf("%s knows %+v, want %+v", n.name, m, want)
				}
			}
		}
	})
}

// The leader hears of each second of each node, and so does the node itself; who
// joins has the whole table at once.
func TestReporting(t *testing.T) {
	inWorld(t, func(w *world) {
		w.found(8)
		leader := w.nodes[2]
		w.leader.Store(leader)
		time.Sleep(2 * time.Second)
		for range 20 {
			time.Sleep(time.Second)
			for _, n := range w.nodes {
				n.mu.Lock()
				seq := n.seq
				n.mu.Unlock()
				if got := leader.last(n.name); got.Seq+1 < seq || got.CPU != 0.5 || got.Node != n.name {
					t.Errorf("the leader has heard %+v of %s, which is at %d", got, n.name, seq)
				}
				if got := n.last(n.name).Seq; got+1 < seq {
					t.Errorf("%s has heard %d of itself, which is at %d", n.name, got, seq)
				}
			}
		}
		for _, n := range w.nodes {
			for name, reports := range n.heard {
				for i := 1; i < len(reports); i++ {
					if reports[i].Seq <= reports[i-1].Seq {
						t.Errorf("%s has heard %d of %s after %d", n.name, reports[i].Seq, name, reports[i-1].Seq)
					}
				}
			}
		}
		young := w.start(8, 1)
		young.join(w.nodes[0])
		time.Sleep(time.Millisecond)
		for _, n := range w.nodes {
			if got := young.last(n.name); got.Seq == 0 {
				t.Errorf("it knows nothing of %s's load", n.name)
			}
		}
	})
}

// Gossip that begins anew in the same process, before the old one closes, as it
// does when the cluster's name changes, stays.
func TestBeginAnew(t *testing.T) {
	inWorld(t, func(w *world) {
		w.found(4)
		n := w.nodes[1]
		old := n.Gossip
		var err error
		if n.Gossip, err = Start(n.config()); err != nil {
			t.Fatal(err)
		}
		if err := old.Close(); err != nil {
			t.Fatal(err)
		}
		n.join(w.nodes[0])
		time.Sleep(time.Minute)
		for _, other := range w.nodes {
			if other.losses() > 0 || !w.whole() {
				t.Errorf("%s has lost %v", other.name, other.lost)
			}
		}
	})
}

// Clusters of different names never mix, even where the port lets them.
func TestLabel(t *testing.T) {
	inWorld(t, func(w *world) {
		a, b := w.start(0, 1), w.open(1, 1)
		c := b.config()
		c.Label = "another"
		c.Contacts = func() []string { return []string{a.address} }
		var err error
		if b.Gossip, err = Start(c); err != nil {
			t.Fatal(err)
		}
		if err := b.Join([]string{a.address}); err == nil {
			t.Error("it has joined")
		}
		time.Sleep(time.Minute)
		if len(a.Members()) != 1 || len(b.Members()) != 1 {
			t.Errorf("they know %v and %v", a.Members(), b.Members())
		}
	})
}

// After Close nothing is called any more, and nothing can be done wrong.
func TestClose(t *testing.T) {
	inWorld(t, func(w *world) {
		w.found(3)
		n := w.nodes[1]
		if err := n.Close(); err != nil {
			t.Fatal(err)
		}
		n.mu.Lock()
		n.heard, n.lost = nil, nil // to write to them panics
		n.mu.Unlock()
		if err := n.Close(); err != nil {
			t.Fatal(err)
		}
		n.Leave(time.Second)
		if err := n.Join([]string{w.nodes[0].address}); err == nil {
			t.Error("it joins after its end")
		}
		w.nodes[0].kill()
		time.Sleep(time.Minute)
		if n.Gossip.transport.openCount() != 0 || len(w.nodes[2].Members()) != 1 {
			t.Errorf("%d connections, the other one knows %v", n.Gossip.transport.openCount(), w.nodes[2].Members())
		}
	})
}

// Leaving alone, or cut off, takes no longer than it may.
func TestLeaveAlone(t *testing.T) {
	f := func(count int, within time.Duration) {
		t.Helper()
		inWorld(t, func(w *world) {
			w.found(count)
			w.apart(w.nodes[0])
			began := time.Now()
			w.nodes[0].Leave(2 * time.Second)
			if took := time.Since(began); took > within {
				t.Errorf("%d nodes: it took %v", count, took)
			}
		})
	}
	f(1, 0)
	f(3, 2*time.Second)
}

// What is wrong is said at the start.
func TestStartRefuses(t *testing.T) {
	inWorld(t, func(w *world) {
		n := w.open(0, 1)
		f := func(want string, change func(c *Config)) {
			t.Helper()
			c := n.config()
			change(&c)
			g, err := Start(c)
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%v, want %q", err, want)
			}
			if g != nil {
				g.Close()
			}
		}
		f("512", func(c *Config) { c.Self.Clients = []string{strings.Repeat("h", 500) + ":1"} })
		f("name must have", func(c *Config) { c.Label = "" })
		f("name must have", func(c *Config) { c.Label = strings.Repeat("c", 256) })
		f("cannot understand", func(c *Config) { c.Self.Cluster = "10.0.0.1" })
		f("cannot understand", func(c *Config) { c.Self.Cluster = "10.0.0.1:x" })
	})
}

// A load that is no number is not reported, and does no harm.
func TestBadReport(t *testing.T) {
	inWorld(t, func(w *world) {
		n := w.open(0, 1)
		c := n.config()
		zero := 0.0
		c.Report = func() placement.Report { return placement.Report{Seq: 1, CPU: 1 / zero} }
		c.Log = slog.New(slog.DiscardHandler)
		var err error
		if n.Gossip, err = Start(c); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2500 * time.Millisecond)
		if bad := n.Stats().ReportsBad; bad != 3 || n.last(n.name).Seq != 0 {
			t.Errorf("%d bad reports, heard %+v", bad, n.last(n.name))
		}
	})
}
