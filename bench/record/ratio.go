package record

import "slices"

// Ratio is a server's figure divided by the first server's, pair by pair, and only then summarised: the machine drifts
// by more than servers differ.
type Ratio struct {
	Server string `json:"server"`
	Base   string `json:"base"` // the first server
	Figure string `json:"figure"`
	Better string `json:"better"` // lower, higher or neither
	Pairs  int    `json:"pairs"`  // that have the figure of both servers, above 0
	Spread
}

// Spread summarises values, one of each pair.
type Spread struct {
	Median float64 `json:"median"`
	Min    float64 `json:"min"`
	Max    float64 `json:"max"`
}

// SpreadOf returns the spread of one value or more. The median of an even number is the mean of the middle two.
func SpreadOf(values []float64) Spread {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	return Spread{Median: (sorted[(n-1)/2] + sorted[n/2]) / 2, Min: sorted[0], Max: sorted[n-1]}
}

// Compare fills in the ratios: for each server but the first, of each figure that some pair has of both.
func (r *Run) Compare() {
	r.Ratios = nil
	base := r.Server(0)
	for i := 1; i < len(r.Servers); i++ {
		other := r.Server(i)
		for _, name := range r.FigureNames() {
			var ratios []float64
			var better string
			for _, m := range other {
				at := slices.IndexFunc(base, func(b *Measurement) bool { return b.Pair == m.Pair })
				if at < 0 {
					continue
				}
				f, b := m.Figure(name), base[at].Figure(name)
				if f == nil || b == nil || f.Value <= 0 || b.Value <= 0 {
					continue
				}
				ratios, better = append(ratios, f.Value/b.Value), f.Better
			}
			if len(ratios) > 0 {
				r.Ratios = append(r.Ratios, Ratio{
					Server: r.Servers[i].Name, Base: r.Servers[0].Name, Figure: name, Better: better,
					Pairs: len(ratios), Spread: SpreadOf(ratios),
				})
			}
		}
	}
}

// Ratio returns the ratio of a server's figure, nil if there is none.
func (r *Run) Ratio(server, figure string) *Ratio {
	for i := range r.Ratios {
		if r.Ratios[i].Server == server && r.Ratios[i].Figure == figure {
			return &r.Ratios[i]
		}
	}
	return nil
}
