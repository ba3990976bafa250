package simtest

import (
	"flag"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

var (
	seeds = flag.Int("sim.seeds", 300, "how many seeds the simulator runs")
	first = flag.Uint64("sim.first", 1, "the first of them")
	one   = flag.Uint64("sim.seed", 0, "run this seed alone, and print what happens")
)

// Print prints what happens at a time of the simulation.
type Print func(now time.Duration, format string, args ...any)

// Seeds runs lives until one fails, as many at once as there are processors. print is nil unless it is one that somebody
// asked for.
func Seeds(t *testing.T, live func(seed uint64, print Print) error) {
	t.Helper()
	if *one != 0 {
		err := live(*one, func(now time.Duration, format string, args ...any) {
			t.Logf("%12v "+format, append([]any{now}, args...)...)
		})
		if err != nil {
			t.Fatalf("seed %d: %v", *one, err)
		}
		return
	}
	defer debug.SetGCPercent(debug.SetGCPercent(800)) // a world is small, and soon over
	var next atomic.Uint64
	next.Store(*first - 1)
	var found atomic.Bool
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for seed := next.Add(1); seed < *first+uint64(*seeds) && !found.Load(); seed = next.Add(1) {
				if err := live(seed, nil); err != nil {
					found.Store(true)
					t.Errorf("seed %d: %v\nagain, told: go test . -run '^TestSim$' -v -sim.seed %d", seed, err, seed)
				}
			}
		})
	}
	workers.Wait()
}
