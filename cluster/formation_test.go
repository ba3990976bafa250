package cluster

import (
	"errors"
	"strings"
	"syscall"
	"testing"
	"time"

	"hubsub/cluster/port"
)

var errSilent = errors.New("i/o timeout")

// seenAs describes a look at the seeds in words: "me", "-" for one that does not answer, "gone" for one that refuses the
// connection, "none" for one without a cluster, or the name of a cluster, with "!" if it has a leader.
func seenAs(words string) (seeds []sighting) {
	for i, w := range strings.Fields(words) {
		s := sighting{address: string(rune('a' + i))}
		switch w {
		case "-":
			s.err = errSilent
		case "gone":
			s.err = syscall.ECONNREFUSED
		case "me":
			s.greeting.Name = "me"
		case "none":
			s.greeting.Name = "other"
		default:
			name, led := strings.CutSuffix(w, "!")
			s.greeting = port.Greeting{Name: "member", Cluster: name, Members: len(name)}
			if led {
				s.greeting.Leader = "somebody"
			}
		}
		seeds = append(seeds, s)
	}
	return seeds
}

func TestSeek(t *testing.T) {
	outcast := false
	f := func(words string, waited time.Duration, want string) {
		t.Helper()
		got := seek("me", seenAs(words), waited, outcast)
		said := "waits: " + got.waiting
		switch {
		case got.found:
			said = "founds"
		case got.join.Cluster != "":
			said = "joins " + got.join.Cluster
		}
		if !strings.HasPrefix(said, want) {
			t.Errorf("seeds %q after %v: %s, want %q", words, waited, said, want)
		}
	}
	const late = foundAfter
	f("", 0, "founds")
	f("me", 0, "founds")
	f("me none none", 0, "founds")
	f("none me none", late, "waits: the process at a")
	f("me - none", 0, "waits: an answer of b")
	f("me - none", late, "founds")
	f("- me none", 0, "waits: an answer of a")
	f("- me none", late, "founds")
	f("- none me", late, "waits: the process at b")
	f("-", late, "waits: a cluster at one of the addresses of --join")
	f("none none", late, "waits: a cluster at one of the addresses of --join")
	f("me none x-1", 0, "joins x-1")
	f("none me - x-1", 0, "joins x-1")
	f("x-1 me yy-1", 0, "joins yy-1")
	f("yy-1 me x-1!", 0, "joins x-1")
	f("x-2! x-10! me", 0, "joins x-10")
	f("x-10 x-2! me", 0, "joins x-2")
	f("me gone -", late, "founds")

	outcast = true
	f("me - -", 0, "waits: an answer of b")
	f("me - -", late, "waits: a cluster that may be there")
	f("- me -", late, "waits: a cluster that may be there")
	f("me -", late, "waits: a cluster that may be there")
	f("me gone -", 0, "waits: an answer of b")
	f("me gone -", late, "founds")
	f("me none - none -", late, "founds") // they have restarted elsewhere
	f("me none none", 0, "founds")
	f("me - x-1", late, "joins x-1")
}

func TestMeet(t *testing.T) {
	f := func(mine, theirs port.Greeting, want, back verdict) {
		t.Helper()
		if got := meet(mine, theirs); got != want {
			t.Errorf("%+v meets %+v: %d, want %d", mine, theirs, got, want)
		}
		if got := meet(theirs, mine); got != back {
			t.Errorf("%+v meets %+v: %d, want %d", theirs, mine, got, back)
		}
	}
	is := func(cluster string, members, rooms int) port.Greeting {
		_, generation := splitCluster(cluster)
		return port.Greeting{Cluster: cluster, Generation: generation, Members: members, Rooms: rooms}
	}
	f(is("a-1", 3, 9), is("a-1", 3, 9), nothing, nothing)
	f(is("", 0, 0), is("b-2", 1, 0), nothing, nothing)
	f(is("a-5", 3, 9), is("b-2", 1, 0), stays, yields)
	f(is("a-5", 1, 1), is("b-2", 1, 0), stays, yields)
	f(is("a-2", 1, 0), is("b-5", 1, 0), stays, yields) // the older of two that nobody uses stays
	f(is("a-2", 1, 0), is("b-2", 1, 0), stays, yields)
	f(is("a-2", 2, 0), is("b-2", 2, 0), conflict, conflict)
	f(is("a-2", 1, 1), is("b-2", 3, 7), conflict, conflict)
	f(is("a-2", 1, 0), is("a-1", 9, 99), stays, yields) // the later generation is right, however small
	f(is("a-2-y", 1, 0), is("a-2-x", 9, 99), stays, yields)
}

func TestClusterNames(t *testing.T) {
	id := newCluster()
	if gotID, gotGeneration := splitCluster(joinCluster(id, 7)); gotID != id || gotGeneration != 7 {
		t.Errorf("%s, %d", gotID, gotGeneration)
	}
	if newCluster() == id || joinCluster(id, 7) == joinCluster(id, 7) {
		t.Error("two clusters have one name")
	}
}
