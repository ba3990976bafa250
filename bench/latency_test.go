package bench

import (
	"testing"
	"time"
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
