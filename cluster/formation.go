package cluster

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"time"

	"hubsub/cluster/placement"
	"hubsub/cluster/port"
)

// sighting is what asking one address of the seeds brought: its greeting, or
// why there is none.
type sighting struct {
	address  string
	greeting port.Greeting
	err      error
}

// step is what a process without a cluster does next.
type step struct {
	found   bool          // found a cluster
	join    port.Greeting // join this one; its Cluster is empty if there is none
	waiting string        // for what, else
}

// seek decides from one look at all seeds, in the order of the operator's list.
// Only the first seed in reach founds a cluster, so that of processes with the
// same list one does: at once if every other answers that it has none either,
// else after foundAfter. A process that is not on the list never does. Nor does an
// outcast while half of the seeds are silent: that cluster may be there, and it is
// this process that is out of reach.
func seek(self placement.Name, seeds []sighting, waited time.Duration, outcast bool) step {
	var clusters []port.Greeting
	var silent []string
	listed, before := false, "" // a seed in reach that stands before this process
	free := 0                   // seeds that are in no cluster
	for _, s := range seeds {
		if s.err == nil || errors.Is(s.err, syscall.ECONNREFUSED) {
			free++
		}
		switch {
		case s.err != nil:
			silent = append(silent, fmt.Sprintf("%s (%v)", s.address, s.err))
		case s.greeting.Name == self:
			listed = true
		case s.greeting.Cluster != "":
			clusters = append(clusters, s.greeting)
		case !listed && before == "":
			before = s.address
		}
	}
	if len(clusters) > 0 {
		return step{join: slices.MinFunc(clusters, likeliest)}
	}
	switch {
	case len(seeds) == 0:
		return step{found: true}
	case !listed:
		return step{waiting: "a cluster at one of the addresses of --join, where this process itself is not: " + either(silent, "none has one yet")}
	case before != "":
		return step{waiting: "the process at " + before + ", which stands first in --join, to found a cluster"}
	case len(silent) == 0 || waited >= foundAfter && (!outcast || free > len(seeds)/2):
		return step{found: true}
	case outcast && waited >= foundAfter:
		return step{waiting: "a cluster that may be there, out of reach; restart this process if none of these nodes comes back: no answer of " + strings.Join(silent, ", ")}
	default:
		return step{waiting: "an answer of " + strings.Join(silent, ", ")}
	}
}

func either(list []string, otherwise string) string {
	if len(list) == 0 {
		return otherwise
	}
	return "no answer of " + strings.Join(list, ", ")
}

// likeliest orders clusters by which of them a newcomer joins: one that has a
// leader, the last generation of it, else the one that stays when two meet.
func likeliest(a, b port.Greeting) int {
	leaderless := func(g port.Greeting) int {
		if g.Leader == "" {
			return 1
		}
		return 0
	}
	if byLeader := cmp.Compare(leaderless(a), leaderless(b)); byLeader != 0 {
		return byLeader
	}
	aID, aGeneration := splitCluster(a.Cluster)
	if bID, bGeneration := splitCluster(b.Cluster); aID == bID && a.Cluster != b.Cluster {
		return cmp.Or(cmp.Compare(bGeneration, aGeneration), cmp.Compare(b.Cluster, a.Cluster))
	}
	return prefer(a, b)
}

// prefer orders clusters by which of two that nobody uses stays: the larger one,
// of those the older one.
func prefer(a, b port.Greeting) int {
	return cmp.Or(cmp.Compare(b.Members, a.Members), cmp.Compare(b.Rooms, a.Rooms),
		cmp.Compare(a.Generation, b.Generation), cmp.Compare(a.Cluster, b.Cluster))
}

// verdict is what follows for a process when its cluster meets another.
type verdict uint8

const (
	nothing  verdict = iota
	yields           // it leaves its cluster and joins the other
	stays            // the other does
	conflict         // neither: it is for the operator
)

// meet says what follows when two processes of different clusters meet. Two
// clusters never become one in silence: only a process alone and without rooms
// yields. Of two generations of one cluster the later is right: it was begun by
// somebody who knew that the earlier could not go on.
func meet(mine, theirs port.Greeting) verdict {
	if mine.Cluster == "" || theirs.Cluster == "" || mine.Cluster == theirs.Cluster {
		return nothing
	}
	myID, myGeneration := splitCluster(mine.Cluster)
	theirID, theirGeneration := splitCluster(theirs.Cluster)
	alone := func(g port.Greeting) bool { return g.Members <= 1 && g.Rooms == 0 }
	switch {
	case myID == theirID && cmp.Or(cmp.Compare(myGeneration, theirGeneration), cmp.Compare(mine.Cluster, theirs.Cluster)) < 0:
		return yields
	case myID == theirID:
		return stays
	case alone(mine) && (!alone(theirs) || prefer(theirs, mine) < 0):
		return yields
	case alone(theirs):
		return stays
	default:
		return conflict
	}
}
