package bench

import (
	"slices"
	"strings"
	"testing"

	"hubsub/bench/record"
)

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

// A ratio that not every pair has says so; a figure that a server lacks has none.
func TestPrintRatios(t *testing.T) {
	r := &record.Run{Pairs: 3, Servers: []record.Server{{Name: "redis"}, {Name: "floor"}}}
	add := func(pair, server int, cpu, k float64) {
		m := record.Measurement{Pair: pair, Server: server, Figures: []record.Figure{{Name: "CPU per delivery", Value: cpu}}}
		if k > 0 {
			m.Figures = append(m.Figures, record.Figure{Name: "K", Value: k})
		}
		r.Measurements = append(r.Measurements, m)
	}
	add(1, 0, 100, 2)
	add(1, 1, 50, 4)
	add(2, 1, 100, 0)
	add(2, 0, 400, 2)
	add(3, 0, 200, 0)
	add(3, 1, 150, 2)
	r.Compare()
	var b strings.Builder
	printRatios(&b, r)
	want := "floor / redis, 3 pairs: median (min to max) of the ratios\n" +
		"CPU per delivery     0.500 (0.250 to 0.750)\n" +
		"K                    2.000 (2.000 to 2.000), of 1 pair\n"
	if got := strings.TrimSpace(b.String()) + "\n"; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
