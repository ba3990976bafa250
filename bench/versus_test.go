package bench

import (
	"slices"
	"strings"
	"testing"
)

func TestSpreadOf(t *testing.T) {
	f := func(values []float64, want spread) {
		t.Helper()
		given := slices.Clone(values)
		if got := spreadOf(values); got != want {
			t.Errorf("%v: got %+v, want %+v", values, got, want)
		}
		if !slices.Equal(values, given) {
			t.Errorf("%v became %v", given, values)
		}
	}
	f([]float64{3}, spread{3, 3, 3})
	f([]float64{2, 1}, spread{1.5, 1, 2})
	f([]float64{5, 1, 2}, spread{2, 1, 5})
	f([]float64{4, 1, 3, 2}, spread{2.5, 1, 4})
}

func TestTurnOrder(t *testing.T) {
	f := func(pair, n int, want ...int) {
		t.Helper()
		if got := turnOrder(pair, n); !slices.Equal(got, want) {
			t.Errorf("pair %d of %d servers: %v, want %v", pair, n, got, want)
		}
	}
	f(0, 2, 0, 1)
	f(1, 2, 1, 0)
	f(2, 2, 0, 1)
	f(0, 3, 0, 1, 2)
	f(3, 3, 2, 1, 0)
}

// The ratios are taken within each pair and only then summarised: the median of ratios, not the ratio of medians.
func TestPrintRatios(t *testing.T) {
	r := func(value float64) *result {
		return &result{figures: []figure{{name: "CPU per delivery", value: value}}}
	}
	var b strings.Builder
	printRatios(&b, []contender{{name: "redis"}, {name: "floor"}},
		[][]*result{{r(100), r(50)}, {r(400), r(100)}, {r(200), r(150)}})
	want := "floor / redis, 3 pairs: median (min to max) of the ratios\n" +
		"CPU per delivery   0.500 (0.250 to 0.750)\n"
	if got := strings.TrimSpace(b.String()) + "\n"; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
