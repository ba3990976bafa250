package bench

import (
	"slices"
	"testing"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

func TestLatencyRecord(t *testing.T) {
	l := newLatency(pace{warmup: time.Second, duration: time.Second})
	at := func(d time.Duration) int64 { return int64(d) }
	l.record(at(999*time.Millisecond), at(1100*time.Millisecond), true, true) // warm-up
	l.record(at(1000*time.Millisecond), at(1010*time.Millisecond), true, false)
	l.record(at(1000*time.Millisecond), at(1020*time.Millisecond), false, false)
	l.record(at(1000*time.Millisecond), at(1040*time.Millisecond), false, true)
	l.record(at(2000*time.Millisecond), at(2100*time.Millisecond), true, true) // after the end

	f := func(name string, n int64, got quantiles, p50, highest time.Duration) {
		t.Helper()
		near := func(got, want time.Duration) bool { return (got - want).Abs() <= want/1000 }
		if !near(got.p50, p50) || !near(got.max, highest) || !near(got.p999, highest) {
			t.Errorf("%s: %+v, want p50 %v and max %v", name, got, p50, highest)
		}
		if want := map[string]int64{"every": 3, "first": 1, "last": 1}[name]; n != want {
			t.Errorf("%s: %d values, want %d", name, n, want)
		}
	}
	f("every", l.every.TotalCount(), quantilesOf(l.every), 20*time.Millisecond, 40*time.Millisecond)
	f("first", l.first.TotalCount(), quantilesOf(l.first), 10*time.Millisecond, 10*time.Millisecond)
	f("last", l.last.TotalCount(), quantilesOf(l.last), 40*time.Millisecond, 40*time.Millisecond)
}

// A value outside the histogram's range is entered at its edge, not left out.
func TestLatencyRange(t *testing.T) {
	l := newLatency(pace{duration: time.Hour})
	l.record(0, int64(2*latencyHighest), false, false)
	l.record(int64(time.Second), 0, false, false)
	if n := l.every.TotalCount(); n != 2 {
		t.Fatalf("%d values entered of 2", n)
	}
	if got := time.Duration(l.every.Max()); got < latencyHighest {
		t.Fatalf("max is %v", got)
	}
}

// A curve has the percentiles that people ask for, exactly, as far as the values reach, and the values at them.
func TestCurveOf(t *testing.T) {
	h := hdrhistogram.New(1, 1_000_000, 5)
	f := func(values int, last float64, has map[float64]float64) {
		t.Helper()
		h.Reset()
		for v := range values {
			h.RecordValue(int64(v + 1))
		}
		c := curveOf(namedHistogram{"x", h})
		if c.Count != int64(values) || len(c.Percentiles) != len(c.Nanoseconds) || !slices.IsSorted(c.Percentiles) {
			t.Fatalf("%d values: %+v", values, c)
		}
		for percentile, want := range has {
			if at := slices.Index(c.Percentiles, percentile); at < 0 || c.Nanoseconds[at] != want {
				t.Errorf("%d values: %v %% is not %v in %+v", values, percentile, want, c)
			}
		}
		if n := len(c.Percentiles); n > 1 && c.Percentiles[n-2] != last {
			t.Errorf("%d values: the last before the maximum is %v, want %v", values, c.Percentiles[n-2], last)
		}
	}
	f(0, 0, map[float64]float64{100: 0})
	f(1, 0, map[float64]float64{0: 1, 100: 1})
	f(1000, 99.9, map[float64]float64{0: 1, 50: 500, 90: 900, 99: 990, 99.9: 999, 100: 1000})
	f(100_000, 99.999, map[float64]float64{50: 50_000, 99.99: 99_990, 100: 100_000})
}
