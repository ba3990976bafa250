package page

import (
	"cmp"
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strconv"
	"strings"

	"hubsub/bench/record"
)

//go:embed growth.svg
var growthSource string

var growthTemplate = template.Must(template.Must(pictureTemplate.Clone()).New("growth").Parse(growthSource))

// The layout of the picture of a growth, in pixels; its width and margin are the other picture's.
const (
	growthLeft   = 80  // behind the labels of the vertical axis
	growthRight  = 640 // in front of the names
	growthHeight = 260 // of the plot
)

// growth is the chart of a record.Growth at a fixed size.
type growth struct {
	Width, Height, Margin    int
	Title                    []pictureText
	Left, Right, Top, Bottom int // of the plot
	Grid, Sizes              []pictureText
	Lines                    []growthLine
	Axis                     string
	AxisAt                   int
}

// growthLine is what one server becomes as it gets more nodes.
type growthLine struct {
	Color int
	Path  string // through the medians
	Dots  []pictureText
	Marks []growthMark
	Name  pictureText
}

// growthMark is a median, with its value at a distance below: that of the highest stands above it.
type growthMark struct {
	pictureText
	Below int
}

// The distances, in pixels.
const (
	markAbove = -10
	markBelow = 20
)

// WriteGrowth writes the chart of a growth as an SVG image that stands alone.
func WriteGrowth(w io.Writer, g *record.Growth) error {
	var values []float64
	most := 0
	for _, s := range g.Servers {
		for _, p := range s.Points {
			if len(p.Values) == 0 {
				return fmt.Errorf("%s has no value with %d nodes", s.Name, p.Nodes)
			}
			values = append(values, p.Values...)
			most = max(most, p.Nodes)
		}
	}
	if len(values) == 0 {
		return fmt.Errorf("there is nothing to draw")
	}
	return growthTemplate.Execute(w, drawGrowth(g, scaleFor(values, g.Unit), scale{high: float64(most) * 1.18}))
}

func drawGrowth(g *record.Growth, y, x scale) growth {
	p := growth{Width: pictureWidth, Margin: pictureMargin, Left: growthLeft, Right: growthRight, Axis: cut(g.Axis, 120)}
	at := pictureMargin + 16
	for _, line := range wrap(g.Title, (pictureWidth-2*pictureMargin)/titleLetter) {
		p.Title = append(p.Title, pictureText{pictureMargin, float64(at), line})
		at += titleLine
	}
	p.Top, p.Bottom = at, at+growthHeight
	left := func(nodes int) float64 { return growthLeft + (growthRight-growthLeft)*x.at(float64(nodes))/100 }
	up := func(v float64) float64 { return float64(p.Bottom) - growthHeight*y.at(v)/100 }
	for _, v := range y.ticks {
		p.Grid = append(p.Grid, pictureText{growthLeft, up(v), quantityTick(v, g.Unit)})
	}
	sizes := make(map[int]bool)
	for i, s := range g.Servers {
		line := growthLine{Color: i, Path: "M"}
		for n, point := range s.Points {
			if !sizes[point.Nodes] {
				sizes[point.Nodes] = true
				p.Sizes = append(p.Sizes, pictureText{left(point.Nodes), float64(p.Bottom + 18), strconv.Itoa(point.Nodes) + " nodes"})
			}
			for _, v := range point.Values {
				line.Dots = append(line.Dots, pictureText{X: left(point.Nodes), Y: up(v)})
			}
			middle := record.SpreadOf(point.Values).Median
			if n > 0 {
				line.Path += "L"
			}
			line.Path += pixels(left(point.Nodes)) + "," + pixels(up(middle))
			line.Marks = append(line.Marks, growthMark{pictureText{left(point.Nodes), up(middle), quantity(middle, g.Unit)}, markBelow})
			line.Name = pictureText{growthRight, up(middle), cut(s.Name, 24)}
		}
		p.Lines = append(p.Lines, line)
	}
	p.place()
	p.AxisAt = p.Bottom + 42
	p.Height = p.AxisAt + pictureMargin - 6
	return p
}

// place puts values above and below each other, and names that would cover each other, too.
func (g *growth) place() {
	highest := make(map[float64]*growthMark)
	byEnd := make([]*growthLine, len(g.Lines))
	for i := range g.Lines {
		byEnd[i] = &g.Lines[i]
		for n := range g.Lines[i].Marks {
			m := &g.Lines[i].Marks[n]
			if h := highest[m.X]; h == nil || m.Y < h.Y {
				highest[m.X] = m
			}
		}
	}
	for _, m := range highest {
		m.Below = markAbove
	}
	slices.SortStableFunc(byEnd, func(a, b *growthLine) int { return cmp.Compare(a.Name.Y, b.Name.Y) })
	places := make([]float64, len(byEnd))
	for i, line := range byEnd {
		places[i] = line.Name.Y
	}
	spreadOut(places, labelHeight, float64(g.Bottom))
	for i, line := range byEnd {
		line.Name.Y = places[i]
	}
}

// String returns the chart as text: what it shows, and what reads it aloud says.
func (g growth) String() string {
	var b strings.Builder
	for _, line := range g.Lines {
		fmt.Fprintf(&b, "%s:", line.Name.Text)
		for i, m := range line.Marks {
			fmt.Fprintf(&b, " %s %s", g.Sizes[i].Text, m.Text)
		}
		b.WriteString(". ")
	}
	return strings.TrimSpace(b.String())
}
