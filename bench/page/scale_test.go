package page

import (
	"math"
	"slices"
	"testing"

	"hubsub/bench/record"
)

func TestScaleFor(t *testing.T) {
	f := func(values []float64, unit string, log bool, ticks ...float64) {
		t.Helper()
		s := scaleFor(values, unit)
		if s.log != log || !slices.EqualFunc(s.ticks, ticks, func(a, b float64) bool { return math.Abs(a-b) < 1e-6*b+1e-9 }) {
			t.Errorf("%v: got %+v, want %v", values, s, ticks)
		}
		for _, v := range values {
			if at := s.at(v); at < 0 || at > 100 || math.IsNaN(at) {
				t.Errorf("%v: %v stands at %v", values, v, at)
			}
		}
		if s.at(s.low) != 0 || s.at(s.high) != 100 || s.at(s.high*9) != 100 {
			t.Errorf("%v: ends of %+v", values, s)
		}
	}
	f([]float64{20, 31}, "ns", false, 0, 10, 20, 30, 40)
	f([]float64{4750}, "ns", false, 0, 2000, 4000, 6000)
	f([]float64{100}, "", false, 0, 25, 50, 75, 100)
	f([]float64{13 << 20, 15.5 * (1 << 20)}, record.Bytes, false, 0, 5<<20, 10<<20, 15<<20, 20<<20)
	f([]float64{0}, "ns", false, 0, 0.25, 0.5, 0.75, 1)
	f([]float64{20, 40_000}, "ns", true, 30, 100, 300, 1000, 3000, 10_000, 30_000)
	f([]float64{2, 200}, "ns", true, 2, 5, 10, 20, 50, 100, 200)
}

func TestRatioScale(t *testing.T) {
	f := func(ratios []float64, ticks ...float64) {
		t.Helper()
		s := ratioScale(ratios)
		if !slices.EqualFunc(s.ticks, ticks, func(a, b float64) bool { return ratioTick(a) == ratioTick(b) }) {
			t.Errorf("%v: got %v, want %v", ratios, s.ticks, ticks)
		}
	}
	f(nil, 0.5, 1, 2)
	f([]float64{0.99, 1.01}, 0.5, 1, 2)
	f([]float64{0.2}, 0.2, 0.5, 1, 2)
	f([]float64{0.05, 16}, 0.1, 0.3, 1, 3, 10)
}

func TestQuantity(t *testing.T) {
	f := func(v float64, unit, want string) {
		t.Helper()
		if got := quantity(v, unit); got != want {
			t.Errorf("%v %s: got %q, want %q", v, unit, got, want)
		}
	}
	f(24.51, "ns", "24.5\u00a0ns")
	f(311, "ns", "311\u00a0ns")
	f(40_400, "ns", "40.4\u00a0µs")
	f(2_580_000, "ns", "2.58\u00a0ms")
	f(1234567, "/s", "1,234,567")
	f(1.064, record.PerSegment, "1.06")
	f(15.4*(1<<20), "B", "15.4\u00a0MiB")
	f(9.784*1024, "B", "9.78\u00a0KiB")
	f(0, "ns", "0\u00a0ns")
	f(-12345, "", "-12,345")
}

func TestRatioText(t *testing.T) {
	f := func(v float64, want string) {
		t.Helper()
		if got := ratioText(v); got != want {
			t.Errorf("%v: got %q, want %q", v, got, want)
		}
	}
	f(0.0123, "0.012")
	f(0.444, "0.44")
	f(1, "1.00")
	f(12.34, "12.3")
	f(1234.5, "1,234")
}

func TestNinesAxis(t *testing.T) {
	f := func(count int64, want ...string) {
		t.Helper()
		var got []string
		for _, tick := range ninesAxis(ninesScale(count)).Ticks {
			got = append(got, tick.Label)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%d values: got %q, want %q", count, got, want)
		}
	}
	f(1, "0", "50", "max")
	f(100, "0", "50", "90", "max")
	f(100_000, "50", "90", "99", "99.9", "99.99", "max")
	f(100_001, "50", "90", "99", "99.9", "99.99", "max")
}

func TestSpreadOut(t *testing.T) {
	f := func(places []float64, want ...float64) {
		t.Helper()
		spreadOut(places, 10, 100)
		if !slices.Equal(places, want) {
			t.Errorf("got %v, want %v", places, want)
		}
	}
	f([]float64{5, 50}, 5, 50)
	f([]float64{20, 22, 25}, 20, 30, 40)
	f([]float64{95, 96, 97}, 80, 90, 100)
	f([]float64{})
}

// A curve that ends earlier keeps its maximum; at each percentile the median of the pairs is drawn.
func TestSummarise(t *testing.T) {
	c := summarise(server{}, []*record.Curve{
		{Count: 10, Percentiles: []float64{0, 50, 100}, Nanoseconds: []float64{1, 2, 3}},
		{Count: 100, Percentiles: []float64{0, 50, 90, 100}, Nanoseconds: []float64{2, 4, 6, 8}},
		{Count: 100, Percentiles: []float64{0, 50, 90, 100}, Nanoseconds: []float64{3, 6, 9, 12}},
	})
	want := []record.Spread{{Median: 2, Min: 1, Max: 3}, {Median: 4, Min: 2, Max: 6}, {Median: 6, Min: 3, Max: 9}, {Median: 8, Min: 3, Max: 12}}
	if !slices.Equal(c.spreads, want) {
		t.Errorf("got %v, want %v", c.spreads, want)
	}
}
