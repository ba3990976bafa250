package record

import (
	"math"
	"slices"
	"testing"
)

func TestSpreadOf(t *testing.T) {
	f := func(values []float64, want Spread) {
		t.Helper()
		given := slices.Clone(values)
		if got := SpreadOf(values); got != want {
			t.Errorf("%v: got %+v, want %+v", values, got, want)
		}
		if !slices.Equal(values, given) {
			t.Errorf("%v became %v", given, values)
		}
	}
	f([]float64{3}, Spread{3, 3, 3})
	f([]float64{2, 1}, Spread{1.5, 1, 2})
	f([]float64{5, 1, 2}, Spread{2, 1, 5})
	f([]float64{4, 1, 3, 2}, Spread{2.5, 1, 4})
}

// The ratios are taken within each pair and only then summarised: the median of ratios, not the ratio of medians.
func TestCompare(t *testing.T) {
	const name = "cost"
	f := func(base, other []float64, want ...Ratio) {
		t.Helper()
		r := &Run{Servers: []Server{{Name: "a"}, {Name: "b"}}}
		for server, values := range [][]float64{base, other} {
			for pair, value := range values {
				m := Measurement{Pair: pair + 1, Server: server}
				if !math.IsNaN(value) {
					m.Figures = []Figure{{Name: name, Value: value, Better: Lower}}
				}
				r.Measurements = append(r.Measurements, m)
			}
		}
		r.Compare()
		if !slices.Equal(r.Ratios, want) {
			t.Errorf("%v to %v: got %+v, want %+v", other, base, r.Ratios, want)
		}
	}
	ratio := func(pairs int, median, least, most float64) Ratio {
		return Ratio{Server: "b", Base: "a", Figure: name, Better: Lower, Pairs: pairs, Spread: Spread{median, least, most}}
	}
	none := math.NaN()
	f([]float64{100, 400, 200}, []float64{50, 100, 150}, ratio(3, 0.5, 0.25, 0.75))
	f([]float64{100, none, 200}, []float64{50, 100, 150}, ratio(2, 0.625, 0.5, 0.75))
	f([]float64{100, 0, 200}, []float64{50, 100, 150}, ratio(2, 0.625, 0.5, 0.75))
	f([]float64{100, 200}, []float64{none, none})
	f([]float64{100}, nil)
}

// A figure that only some measurements have stands where it stood among the others.
func TestFigureNames(t *testing.T) {
	m := func(names ...string) (m Measurement) {
		for _, name := range names {
			m.Figures = append(m.Figures, Figure{Name: name})
		}
		return m
	}
	r := &Run{Measurements: []Measurement{m("a", "c"), m("a", "b", "c", "d"), m("d")}}
	if got := r.FigureNames(); !slices.Equal(got, []string{"a", "b", "c", "d"}) {
		t.Errorf("got %q", got)
	}
}
