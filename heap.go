package main

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

const (
	// heapGrowthPercent lets the heap grow by half of what is alive before it is
	// collected: most of a large heap is idle clients, which are never garbage.
	heapGrowthPercent = 50

	// heapGrowthBytes is how far it may grow at the least. A server with few clients
	// has 2 MB alive and would be collected a hundred times a second under load:
	// between two loops 1 → 1 with 128 in flight took 2.7 times the CPU.
	heapGrowthBytes = 32 << 20
)

// collected is garbage: its finalizer runs after each collection.
type collected struct{ _ [16]byte }

// paceCollector sets how far the heap may grow, anew after each collection,
// unless the operator has set GOGC.
func paceCollector() {
	if os.Getenv("GOGC") == "" {
		current := 100 // Go's own
		setGrowth(&current)
	}
}

// setGrowth sets the growth that fits what is alive, current being the one in
// force, and comes again after the next collection.
func setGrowth(current *int) {
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(live)
	// Setting it stops the world for a moment: small changes are not worth it.
	if wanted := growthPercent(live[0].Value.Uint64()); wanted > *current*5/4 || wanted < *current*3/4 {
		debug.SetGCPercent(wanted)
		*current = wanted
	}
	runtime.SetFinalizer(new(collected), func(*collected) { setGrowth(current) })
}

// growthPercent returns Go's GC percentage for a heap with so many bytes alive.
func growthPercent(live uint64) int {
	return max(heapGrowthPercent, int(100*heapGrowthBytes/max(live, 4<<20)))
}
