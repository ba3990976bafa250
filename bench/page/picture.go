package page

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"strings"
	"unicode/utf8"

	"hubsub/bench/record"
)

//go:embed picture.svg
var pictureSource string

var pictureTemplate = template.Must(template.New("picture").Parse(pictureSource))

// The layout of the picture, in pixels.
const (
	pictureWidth  = 860
	pictureMargin = 24
	plotLeft      = 400 // behind the labels of the groups and the names of the servers
	plotRight     = 700 // in front of the values
	rowHeight     = 24
	groupGap      = 14
	titleLine     = 26 // a line of the headline

	// titleLetter is what a letter of the headline needs, on average and generously: it cannot be measured here.
	titleLetter = 12
)

// picture is the summary chart alone, at a fixed size.
type picture struct {
	Width, Height int
	Title         []pictureText
	Labels        []pictureText // of groups
	Notes         []pictureText
	Rules         []int // between groups
	Rows          []pictureRow
	Grid          []pictureText // lines and their labels
	Margin        int
	Left, Right   int
	Top, Bottom   int // of the plot
	One           float64
	Axis          string
	AxisAt        int
}

type pictureText struct {
	X, Y float64
	Text string
}

// pictureRow is a server's ratio.
type pictureRow struct {
	Color            int
	Y                int
	Name             string
	Least, Mid, Most float64
	Value, Spread    string
}

// WritePicture writes the chart of all runs' ratios as an SVG image that stands alone.
func WritePicture(w io.Writer, runs []*record.Run) error {
	groups := summaryGroups(runs, make(palette))
	chart := newRatioChart(groups, summaryTitle(runs))
	if chart == nil {
		return fmt.Errorf("no run compares servers: there are no ratios to draw")
	}
	return pictureTemplate.Execute(w, drawPicture(runs, chart))
}

func drawPicture(runs []*record.Run, chart *ratioChart) picture {
	title := headline(runs[0])
	if len(runs) > 1 {
		title = summaryHeadline(runs)
	}
	p := picture{Width: pictureWidth, Margin: pictureMargin, Left: plotLeft, Right: plotRight, Axis: cut(chart.Axis.Title, 120)}
	at := pictureMargin + 16
	for _, line := range wrap(title, (pictureWidth-2*pictureMargin)/titleLetter) {
		p.Title = append(p.Title, pictureText{pictureMargin, float64(at), line})
		at += titleLine
	}
	p.Top = at
	at += groupGap / 2
	for i, g := range chart.Groups {
		if i > 0 {
			p.Rules = append(p.Rules, at)
			at += groupGap / 2
		}
		p.Labels = append(p.Labels, pictureText{pictureMargin, float64(at + 16), cut(g.Label, 30)})
		p.Notes = append(p.Notes, pictureText{pictureMargin, float64(at + 33), cut(g.Note, 42)})
		rows := max(len(g.Rows)*rowHeight, 2*rowHeight-6)
		for n, row := range g.Rows {
			p.Rows = append(p.Rows, pictureRow{
				Color: row.Server.Color, Y: at + n*rowHeight + rowHeight/2, Name: cut(row.Server.Name, 15),
				Least: chart.x(row.of.Min), Mid: chart.x(row.of.Median), Most: chart.x(row.of.Max),
				Value: row.Value, Spread: row.Spread,
			})
		}
		at += rows + groupGap/2
	}
	p.Bottom = at
	for _, v := range chart.scale.ticks {
		p.Grid = append(p.Grid, pictureText{chart.x(v), float64(at + 17), ratioTick(v)})
	}
	p.One, p.AxisAt = chart.x(1), at+38
	p.Height = at + 38 + pictureMargin - 6
	return p
}

// x returns where a ratio stands in the picture.
func (c *ratioChart) x(ratio float64) float64 {
	return plotLeft + (plotRight-plotLeft)*c.scale.at(ratio)/100
}

// cut shortens a text to n letters, the last of which then says so.
func cut(text string, n int) string {
	if utf8.RuneCountInString(text) <= n {
		return text
	}
	return string([]rune(text)[:n-1]) + "…"
}

// wrap breaks a text between words into lines of at most n letters. A longer word is cut.
func wrap(text string, n int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		word = cut(word, n)
		switch {
		case line == "":
			line = word
		case utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) <= n:
			line += " " + word
		default:
			lines, line = append(lines, line), word
		}
	}
	return append(lines, line)
}
