package main

import (
	"runtime/debug"
	"testing"
	"time"
)

func TestGrowthPercent(t *testing.T) {
	f := func(live uint64, want int) {
		t.Helper()
		if got := growthPercent(live); got != want {
			t.Errorf("%d bytes alive: %d %%, want %d", live, got, want)
		}
	}
	f(0, 800)
	f(4<<20, 800)
	f(16<<20, 200)
	f(64<<20, 50)
	f(1<<30, 50)
}

// The growth follows what is alive from one collection to the next.
func TestGrowthFollowsTheHeap(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(100))
	t.Setenv("GOGC", "")
	paceCollector()
	wait := func(what string, done func(percent int) bool) {
		t.Helper()
		for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
			debug.FreeOSMemory() // collects
			percent := debug.SetGCPercent(100)
			debug.SetGCPercent(percent)
			if done(percent) {
				return
			}
			if time.Now().After(deadline) {
				t.Fatalf("%s: %d %%", what, percent)
			}
		}
	}
	wait("little is alive", func(percent int) bool { return percent > 200 })
	alive := make([]byte, 256<<20)
	wait("256 MiB are alive", func(percent int) bool { return percent == heapGrowthPercent })
	alive[0] = 1 // alive until here
}
