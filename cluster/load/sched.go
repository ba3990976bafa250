package load

import (
	"math"
	"runtime/metrics"
	"slices"
)

// waits is what the runtime has counted of how long goroutines waited for a
// processor, by buckets of seconds.
type waits struct {
	counts  []uint64
	buckets []float64 // their bounds, one more than counts; the outer ones may be infinite
}

// copyWaits returns a copy of what the runtime will write over.
func copyWaits(h *metrics.Float64Histogram) waits {
	if h == nil {
		return waits{}
	}
	return waits{slices.Clone(h.Counts), slices.Clone(h.Buckets)}
}

// since returns the p99 of the waits that were counted after an earlier look, in
// seconds: the upper bound of its bucket. One wait is always left out, for of a
// few waits the longest says more of chance than of load.
func (w waits) since(earlier waits) float64 {
	total := uint64(0)
	count := func(i int) uint64 {
		if i < len(earlier.counts) {
			return w.counts[i] - earlier.counts[i]
		}
		return w.counts[i]
	}
	for i := range w.counts {
		total += count(i)
	}
	left := max(total/outlierShare, 1)
	for i := len(w.counts) - 1; i >= 0; i-- {
		n := count(i)
		if n <= left {
			left -= n
			continue
		}
		if upper := w.buckets[i+1]; !math.IsInf(upper, 0) {
			return upper
		}
		return w.buckets[i]
	}
	return 0
}
