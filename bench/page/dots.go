package page

import "hubsub/bench/record"

// dotPlot shows one figure: a dot per pair and the median, a row per server.
type dotPlot struct {
	Title string
	Hint  string // which way is better
	Rows  []dotRow
	Axis  axis
}

// dotRow is one server's figure. Without dots it was not measured.
type dotRow struct {
	Server server
	Dots   []dot
	Median string // where the median stands
	Value  string // the median, with its unit
	Spread string // the least and the greatest, empty if there is one dot
	Ratio  string // to the first server, empty if there is none
}

type dot struct{ At, Tip string }

// axis is the horizontal axis under a plot.
type axis struct {
	Title string
	Ticks []tick
}

// tick is a labelled place of an axis. The outermost labels lean inwards, so that none leaves the plot.
type tick struct{ At, Label, Anchor string }

// newDotPlot returns the plot of a figure, nil if no measurement has it.
func newDotPlot(r *record.Run, servers []server, name string) *dotPlot {
	var all []float64
	var unit, better string
	for i := range r.Measurements {
		if f := r.Measurements[i].Figure(name); f != nil {
			all = append(all, f.Value)
			unit, better = f.Unit, f.Better
		}
	}
	if len(all) == 0 {
		return nil
	}
	s := scaleFor(all, unit)
	p := &dotPlot{Title: name, Hint: hint(better), Axis: valueAxis(s, name, unit)}
	for i, server := range servers {
		row := dotRow{Server: server}
		var values []float64
		for _, m := range r.Server(i) {
			if f := m.Figure(name); f != nil {
				values = append(values, f.Value)
				tip := server.Name + ", pair " + group(itoa(m.Pair)) + ": " + quantity(f.Value, unit)
				row.Dots = append(row.Dots, dot{place(s.at(f.Value)), tip})
			}
		}
		if len(values) > 0 {
			spread := record.SpreadOf(values)
			row.Median, row.Value = place(s.at(spread.Median)), quantity(spread.Median, unit)
			if len(values) > 1 {
				m := measureFor(unit, spread.Median)
				row.Spread = m.text(spread.Min) + " to " + m.text(spread.Max)
			}
		}
		if ratio := r.Ratio(server.Name, name); ratio != nil {
			row.Ratio = ratioText(ratio.Median) + " of " + ratio.Base
		}
		p.Rows = append(p.Rows, row)
	}
	return p
}

// valueAxis returns the axis of a figure's scale.
func valueAxis(s scale, name, unit string) axis {
	if s.log {
		a := ticksOf(s, func(v float64) string { return quantityTick(v, unit) })
		a.Title = name + ", logarithmic"
		return a
	}
	m := measureFor(unit, s.high)
	a := ticksOf(s, m.tick)
	a.Title = name
	if m.unit != "" && m.unit != record.PerSecond {
		a.Title += ", " + m.unit
	}
	return a
}

// quantityTick writes a round value with its unit.
func quantityTick(v float64, unit string) string {
	m := measureFor(unit, v*(1+1e-9))
	if m.unit == record.PerSecond || m.unit == "" || m.unit == record.PerSegment {
		return m.tick(v)
	}
	return m.tick(v) + "\u00a0" + m.unit
}

func ticksOf(s scale, label func(float64) string) axis {
	var a axis
	for _, v := range s.ticks {
		at := s.at(v)
		anchor := "middle"
		if at < 4 {
			anchor = "start"
		} else if at > 96 {
			anchor = "end"
		}
		a.Ticks = append(a.Ticks, tick{place(at), label(v), anchor})
	}
	return a
}

// hint says which way is better.
func hint(better string) string {
	switch better {
	case record.Lower, record.Higher:
		return better + " is better"
	}
	return ""
}
