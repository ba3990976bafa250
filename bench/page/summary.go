package page

import "hubsub/bench/record"

// summary compares several runs: one chart of the ratios of each run's leading figure, and a table of them.
type summary struct {
	Chart   *ratioChart
	Servers []server     // that are compared in some run
	Rows    []summaryRow // one per run
}

type summaryRow struct {
	Link   string
	Shape  string
	Load   string
	Figure string
	Base   string   // the first server and its median
	Cells  []string // per server; empty if it is not in the run
}

// newSummary returns the summary of the runs.
func newSummary(runs []*record.Run, colors palette) *summary {
	s := &summary{Chart: newRatioChart(summaryGroups(runs, colors), summaryTitle(runs))}
	if s.Chart != nil {
		s.Chart.Summary = true
	}
	seen := make(map[string]bool)
	for _, r := range runs {
		for _, of := range colors.serversOf(r)[1:] {
			if !seen[of.Name] {
				seen[of.Name] = true
				s.Servers = append(s.Servers, of)
			}
		}
	}
	for i, r := range runs {
		figure := leadingClaim(r).figure
		row := summaryRow{
			Link: "#run-" + itoa(i+1), Shape: r.Shape.Text, Load: r.Load.Text, Figure: figure, Base: r.Servers[0].Name,
		}
		var values []float64
		unit := ""
		for _, m := range r.Server(0) {
			if f := m.Figure(figure); f != nil {
				values, unit = append(values, f.Value), f.Unit
			}
		}
		if len(values) > 0 {
			row.Base += " " + quantity(record.SpreadOf(values).Median, unit)
		}
		for _, of := range s.Servers {
			cell := ""
			if ratio := r.Ratio(of.Name, figure); ratio != nil {
				cell = ratioText(ratio.Median)
				if ratio.Pairs > 1 {
					cell += " (" + spreadText(ratio.Min, ratio.Max) + ")"
				}
			}
			row.Cells = append(row.Cells, cell)
		}
		s.Rows = append(s.Rows, row)
	}
	return s
}

// summaryGroups returns a group per run that compares servers.
func summaryGroups(runs []*record.Run, colors palette) []ratioGroup {
	var groups []ratioGroup
	for i, r := range runs {
		figure := leadingClaim(r).figure
		g := ratioGroup{Label: r.Shape.Name, Link: "#run-" + itoa(i+1), Note: shortLoad(r)}
		if c := leadingClaim(r); c != leadingClaim(runs[0]) {
			g.Note = c.noun + " " + g.Note
		}
		for _, s := range colors.serversOf(r) {
			if ratio := r.Ratio(s.Name, figure); ratio != nil {
				g.Rows = append(g.Rows, newRatioRow(s, ratio))
			}
		}
		if len(g.Rows) > 0 {
			groups = append(groups, g)
		}
	}
	return groups
}

// summaryTitle is the title of the chart's axis.
func summaryTitle(runs []*record.Run) string {
	base := runs[0].Servers[0].Name
	where := ""
	for _, r := range runs {
		if r.Servers[0].Name != base {
			base = "the first server"
		}
		if leadingClaim(r) != leadingClaim(runs[0]) {
			where = ", or the figure named"
		}
	}
	return leadingClaim(runs[0]).noun + where + ": ratio to " + base
}

// shortLoad is the load in a few words.
func shortLoad(r *record.Run) string {
	text := plural(r.Shape.Rooms, "room") + " × " + group(itoa(r.Shape.Subscribers))
	switch r.Load.Loop {
	case record.NoLoop:
		return "of " + plural(r.Shape.Subscribers, "connection")
	case record.OpenLoop:
		return text + ", " + measure{divisor: 1}.tick(r.Load.Rate) + " publishes/s"
	}
	if r.Shape.Publishers > 1 {
		text += ", " + group(itoa(r.Shape.Publishers)) + " × " + group(itoa(r.Load.Pipeline)) + " in flight"
	} else {
		text += ", " + group(itoa(r.Load.Pipeline)) + " in flight"
	}
	if r.Load.Spin {
		text += ", spinning"
	}
	return text
}
