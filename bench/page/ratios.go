package page

import (
	"strings"

	"hubsub/bench/record"
)

// ratioChart shows ratios as the median in its range, on a logarithmic axis around 1.
type ratioChart struct {
	Groups  []ratioGroup
	Axis    axis
	One     string // where 1 stands
	Summary bool   // the groups are runs

	scale scale
}

// ratioGroup is a labelled group of rows: a figure of a run, or a run of many.
type ratioGroup struct {
	Label string
	Link  string // the section it summarises, empty if it is the one it stands in
	Note  string
	Rows  []ratioRow
}

// ratioRow is one server's ratio.
type ratioRow struct {
	Server           server
	Least, Mid, Most string // places
	Value, Spread    string
	Tip              string

	of *record.Ratio
}

func newRatioRow(s server, of *record.Ratio) ratioRow {
	row := ratioRow{Server: s, Value: ratioText(of.Median), of: of}
	row.Tip = s.Name + " / " + of.Base + ", " + of.Figure + ": " + row.Value
	if of.Pairs > 1 {
		row.Spread = spreadText(of.Min, of.Max)
		row.Tip += " (" + row.Spread + "), " + plural(of.Pairs, "pair")
	}
	return row
}

// newRatioChart places the rows of the groups on one axis. It returns nil for no rows.
func newRatioChart(groups []ratioGroup, title string) *ratioChart {
	var all []float64
	for _, g := range groups {
		for _, row := range g.Rows {
			all = append(all, row.of.Min, row.of.Max)
		}
	}
	if len(all) == 0 {
		return nil
	}
	s := ratioScale(all)
	c := &ratioChart{Groups: groups, Axis: ticksOf(s, ratioTick), One: place(s.at(1)), scale: s}
	c.Axis.Title = title
	for _, g := range groups {
		for i := range g.Rows {
			row := &g.Rows[i]
			row.Least, row.Mid, row.Most = place(s.at(row.of.Min)), place(s.at(row.of.Median)), place(s.at(row.of.Max))
		}
	}
	return c
}

// runRatios returns the chart of a run's figures.
func runRatios(r *record.Run, servers []server) *ratioChart {
	var groups []ratioGroup
	for _, name := range r.FigureNames() {
		if !worthDrawing(name) {
			continue
		}
		g := ratioGroup{Label: name}
		for _, s := range servers {
			if ratio := r.Ratio(s.Name, name); ratio != nil {
				g.Note = hint(ratio.Better)
				g.Rows = append(g.Rows, newRatioRow(s, ratio))
			}
		}
		if len(g.Rows) > 0 {
			groups = append(groups, g)
		}
	}
	return newRatioChart(groups, "ratio to "+r.Servers[0].Name+", logarithmic: median and range")
}

// worthDrawing leaves out of the chart what repeats another figure, and the tails that are one message's luck. Tables
// have them.
func worthDrawing(figure string) bool {
	return figure != publishesPerSecond && figure != "proportional/conn" &&
		!strings.HasSuffix(figure, " max") && !strings.HasSuffix(figure, " p99.9")
}

// publishesPerSecond is deliveries/s divided by the audience.
const publishesPerSecond = "publishes/s"
