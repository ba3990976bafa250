package page

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"

	"hubsub/bench/record"
)

// curvePlot shows the latency of all servers by percentile. The horizontal axis has as much room from 90 to 99 % as from
// 99 to 99.9 %: an axis of nines. The vertical one is logarithmic.
type curvePlot struct {
	Title  string
	Height int // pixels
	Lines  []curveLine
	X      axis
	Y      []level

	Crowded bool // so many bands that they must be pale
}

// level is a labelled height.
type level struct {
	At    string // pixels from the top
	Label string
}

// curveLine is a server's curve: at each percentile the median of the pairs, in the band from the least to the greatest.
type curveLine struct {
	Server server
	Path   string // in a box of curveWidth by Height
	Band   string // empty if there is one pair
	Label  string // pixels from the top
	Points []string

	end float64 // the height of its last point
}

const (
	curveWidth  = 1000 // of the box that is stretched to the plot's width
	curveHeight = 280  // pixels
	labelHeight = 17   // pixels between the labels of two curves
	labelShare  = 14   // percent of the axis that a label needs on a phone
)

// curvePoints are the percentiles in the table below a plot; 100 is the maximum.
var curvePoints = []float64{50, 90, 99, 99.9, 100}

// curve is the summary of a server's curves of all pairs.
type curve struct {
	server      server
	percentiles []float64
	spreads     []record.Spread
}

// newCurvePlot returns the plot of a run's curves of one name, nil if there are none.
func newCurvePlot(r *record.Run, servers []server, name string) *curvePlot {
	var curves []curve
	var count int64
	low, high := math.Inf(1), 0.0
	for i, s := range servers {
		var of []*record.Curve
		for _, m := range r.Server(i) {
			if c := m.Curve(name); c != nil && c.Count > 0 {
				of = append(of, c)
				count = max(count, c.Count)
			}
		}
		if len(of) == 0 {
			continue
		}
		c := summarise(s, of)
		curves = append(curves, c)
		for _, spread := range c.spreads {
			low, high = min(low, spread.Min), max(high, spread.Max)
		}
	}
	if len(curves) == 0 {
		return nil
	}
	x := ninesScale(count)
	y := logScale(max(low, 1), max(high, 2))
	p := &curvePlot{Title: curveTitle(name), Crowded: len(curves) > 3, Height: curveHeight, X: ninesAxis(x)}
	for _, v := range y.ticks {
		p.Y = append(p.Y, level{pixels(heightOf(y, v)), quantityTick(v, record.Nanoseconds)})
	}
	for _, c := range curves {
		p.Lines = append(p.Lines, drawCurve(c, x, y))
	}
	p.placeLabels()
	return p
}

// curveTitle says what a curve is of.
func curveTitle(name string) string {
	switch name {
	case "latency":
		return "all deliveries"
	case "first delivery", "last delivery":
		return name + " of each publish"
	}
	return name
}

// summarise takes the spread of several curves at each percentile. A curve of fewer values ends with its maximum earlier
// and keeps it to the end.
func summarise(s server, of []*record.Curve) curve {
	longest := slices.MaxFunc(of, func(a, b *record.Curve) int { return cmp.Compare(len(a.Percentiles), len(b.Percentiles)) })
	c := curve{server: s, percentiles: longest.Percentiles}
	for _, percentile := range longest.Percentiles {
		var values []float64
		for _, one := range of {
			values = append(values, valueAt(one, percentile))
		}
		c.spreads = append(c.spreads, record.SpreadOf(values))
	}
	return c
}

// valueAt returns a curve's value at the first of its percentiles that is not below the given one.
func valueAt(c *record.Curve, percentile float64) float64 {
	at, _ := slices.BinarySearch(c.Percentiles, percentile)
	return c.Nanoseconds[min(at, len(c.Nanoseconds)-1)]
}

// nines returns 1 for 90 %, 2 for 99 % and so on.
func nines(percentile float64) float64 { return -math.Log10(1 - percentile/100) }

// ninesScale returns the scale from 0 % to the maximum of so many values.
func ninesScale(count int64) scale {
	return scale{high: max(math.Log10(float64(count)), 1)}
}

// ninesAxis labels percentiles as far as there are values to tell them from the maximum.
func ninesAxis(s scale) axis {
	a := axis{Title: "percentile"}
	add := func(at float64, label, anchor string) {
		a.Ticks = append(a.Ticks, tick{place(s.at(at)), label, anchor})
	}
	if s.at(nines(50)) > labelShare {
		add(0, "0", "start")
	}
	add(nines(50), "50", "middle")
	for n := 1.0; s.at(n) < 100-labelShare; n++ {
		add(n, percentile(math.Round((100-math.Pow(10, 2-n))*1e9)/1e9), "middle")
	}
	add(s.high, "max", "end")
	return a
}

func drawCurve(c curve, x, y scale) curveLine {
	line := curveLine{Server: c.server}
	var forth, back, middle []string
	point := func(i int, value float64) string {
		at := 100.0
		if p := c.percentiles[i]; p < 100 {
			at = x.at(nines(p))
		}
		line.end = heightOf(y, c.spreads[i].Median)
		return strconv.FormatFloat(at/100*curveWidth, 'f', 1, 64) + "," + pixels(heightOf(y, value))
	}
	for i, spread := range c.spreads {
		middle = append(middle, point(i, spread.Median))
		forth = append(forth, point(i, spread.Max))
		back = append(back, point(i, spread.Min))
	}
	line.Path = "M" + strings.Join(middle, "L")
	slices.Reverse(back)
	line.Band = "M" + strings.Join(append(forth, back...), "L") + "Z"
	for _, want := range curvePoints {
		at, _ := slices.BinarySearch(c.percentiles, want)
		line.Points = append(line.Points, quantity(c.spreads[min(at, len(c.spreads)-1)].Median, record.Nanoseconds))
	}
	return line
}

// placeLabels puts each curve's name beside its end, and names that would cover each other below each other.
func (p *curvePlot) placeLabels() {
	order := make([]*curveLine, len(p.Lines))
	for i := range p.Lines {
		order[i] = &p.Lines[i]
	}
	slices.SortStableFunc(order, func(a, b *curveLine) int { return cmp.Compare(a.end, b.end) })
	places := make([]float64, len(order))
	for i, line := range order {
		places[i] = line.end
	}
	spreadOut(places, labelHeight, float64(p.Height))
	for i, line := range order {
		line.Label = pixels(places[i])
	}
}

// spreadOut moves rising places apart until neighbours have the gap between them, none beyond the end.
func spreadOut(places []float64, gap, end float64) {
	for i := 1; i < len(places); i++ {
		places[i] = max(places[i], places[i-1]+gap)
	}
	for i := len(places) - 1; i >= 0; i-- {
		places[i] = min(places[i], end)
		end = places[i] - gap
	}
}

// heightOf returns the pixels from the top of a plot to a value.
func heightOf(s scale, v float64) float64 { return curveHeight * (1 - s.at(v)/100) }

func pixels(v float64) string { return strconv.FormatFloat(v, 'f', 1, 64) }
