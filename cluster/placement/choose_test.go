package placement

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

func anyone(Name) bool { return false }

// Who is chosen of four nodes in two zones.
func TestChoose(t *testing.T) {
	const now = time.Minute
	setting := func(cpu map[string]float64, change ...func(c *chooser)) *chooser {
		table := NewTable()
		for i, id := range []string{"a", "b", "c", "d"} {
			zone := []string{"east", "west"}[i/2] // a and b; c and d
			table.Apply(uint64(i+1), []Op{{Kind: PutMember, Member: Member{Name: Name(id), ID: id, Zone: zone, Weight: 1}}})
		}
		c := newChooser(table, rand.New(rand.NewPCG(1, 1)))
		for id, share := range cpu {
			c.load(Name(id)).take(now, Report{Node: Name(id), Seq: 1, CPU: cpuFull * share})
		}
		for _, f := range change {
			f(c)
		}
		return c
	}
	quiet := map[string]float64{"a": 0.01, "b": 0.02, "c": 0.03, "d": 0.04}
	f := func(what string, c *chooser, n int, pins, zones []string, near Name, want ...Name) {
		t.Helper()
		if got := c.choose(now, n, anyone, pins, zones, near); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", what, got, want)
		}
	}
	f("the least busy", setting(quiet), 1, nil, nil, "", "a")
	f("other zones first", setting(quiet), 2, nil, nil, "", "a", "c")
	f("all zones taken", setting(quiet), 4, nil, nil, "", "a", "c", "b", "d")
	f("a host is in the east", setting(quiet), 1, nil, []string{"east"}, "", "c")
	f("where the client is", setting(quiet), 1, nil, nil, "d", "d")
	f("pinned", setting(quiet), 2, []string{"b", "d"}, nil, "", "b", "d")
	f("more than there are", setting(quiet), 9, []string{"b"}, nil, "", "b")
	f("none reports", setting(nil), 2, nil, nil, "")
	f("too busy for its zone", setting(map[string]float64{"a": 0.1, "b": 0.2, "c": 0.9, "d": 0.95}), 2, nil, nil, "", "a", "b")
	f("given since the report", setting(quiet, func(c *chooser) { c.load("a").reserved = 1000 }), 1, nil, nil, "", "b")
	f("draining", setting(quiet, func(c *chooser) {
		c.table.Apply(9, []Op{{Kind: SetState, Member: Member{Name: "a"}, State: Draining}})
	}), 1, nil, nil, "", "b")
	f("says it drains", setting(quiet, func(c *chooser) { c.load("a").take(now+1, Report{Node: "a", Seq: 2, Draining: true}) }), 1, nil, nil, "", "b")
	f("a late report", setting(quiet, func(c *chooser) { c.load("b").take(now+1, Report{Node: "b", Seq: 1, CPU: 0}) }), 1, nil, nil, "", "a")
	old := setting(quiet)
	old.load("a").at -= 2 * reportAge
	f("silent for long", old, 1, nil, nil, "", "b")
}

// Of nodes that are equally busy the one where the client is leads, however many there are.
func TestNearIsChosen(t *testing.T) {
	const now = time.Minute
	for _, size := range []int{12, 100} {
		table := NewTable()
		c := newChooser(table, rand.New(rand.NewPCG(1, 1)))
		name := func(i int) Name { return Name(fmt.Sprint("n", i)) }
		for i := range size {
			table.Apply(uint64(i+1), []Op{{Kind: PutMember, Member: Member{Name: name(i), ID: string(name(i)), Weight: 1}}})
			c.load(name(i)).take(now, Report{Node: name(i), Seq: 1, CPU: cpuFull / 100})
		}
		for i := range 500 {
			near := name(i % size)
			if got := c.choose(now, 2, anyone, nil, nil, near); len(got) != 2 || got[0] != near || got[1] == near {
				t.Fatalf("of %d nodes %v, not %s first", size, got, near)
			}
		}
	}
}

// The scarcest resource decides; what has no known limit does not count.
func TestBusy(t *testing.T) {
	f := func(want float64, r Report) {
		t.Helper()
		if got := r.Busy(); got < want-0.001 || got > want+0.001 {
			t.Errorf("%+v: %v, want %v", r, got, want)
		}
	}
	f(0, Report{})
	f(1, Report{CPU: 0.75, Queue: 0.5})
	f(0.5, Report{CPU: 0.1, Sched: 10})
	f(1, Report{Out: 70, OutMax: 100})
	f(0, Report{Out: 70})
	f(1, Report{Memory: 85, MemoryMax: 100})
	f(0.5, Report{Connections: 5, ConnectionsMax: 10})
	f(0.9, Report{Queue: 0.9})
}
