// Package bubble runs tests in bubbles of testing/synctest, where time passes only while every goroutine waits.
//
// It exists for one defect of the runtime, seen in Go 1.26: the timers of a bubble share one context of the race
// detector, and a timer that is due when it is set fires on the processor of the goroutine that set it. Two that fire at
// once on two processors break the context's stack of calls, and the detector then ends the process with a segmentation
// fault, far from its cause. On one processor no two fire at once; what the detector knows of goroutines, it knows from
// what orders them, not from where they run.
//
// Only tests import it.
package bubble

import (
	"runtime"
	"testing"
	"testing/synctest"
)

// Test is synctest.Test on one processor. Like it, it must not be called from within a bubble, and its callers must not
// run in parallel: the number of processors is the process's.
func Test(t *testing.T, f func(*testing.T)) {
	t.Helper()
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	synctest.Test(t, f)
}
