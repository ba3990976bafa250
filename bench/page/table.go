package page

import (
	"strings"

	"hubsub/bench/record"
)

// table has all figures of one kind: a group of rows per server, the median and then each pair.
type table struct {
	Title   string
	Columns []column
	Groups  []tableGroup
}

type column struct{ Name, Unit string }

type tableGroup struct {
	Server server
	Rows   []tableRow
}

type tableRow struct {
	Pair   string
	Median bool
	Cells  []string // empty where there is no such figure
}

// tablesOf returns the tables of a run: figures, points of the latency curves, and conditions.
func tablesOf(r *record.Run, servers []server) []table {
	var figures, points, conditions []string
	curves := curveNames(r)
	for _, name := range r.FigureNames() {
		if isPoint(name, curves) {
			points = append(points, name)
		} else {
			figures = append(figures, name)
		}
	}
	seen := make(map[string]bool)
	for _, m := range r.Measurements {
		for _, c := range m.Conditions {
			if !seen[c.Name] {
				seen[c.Name] = true
				conditions = append(conditions, c.Name)
			}
		}
	}
	var all []table
	for _, t := range []struct {
		title string
		names []string
		value func(m *record.Measurement, name string) *record.Figure
	}{
		{"Figures", figures, (*record.Measurement).Figure},
		{"Latency", points, (*record.Measurement).Figure},
		{"Conditions of each measurement", conditions, (*record.Measurement).Condition},
	} {
		if len(t.names) > 0 {
			all = append(all, newTable(r, servers, t.title, t.names, t.value))
		}
	}
	return all
}

func newTable(r *record.Run, servers []server, title string, names []string,
	value func(*record.Measurement, string) *record.Figure) table {
	t := table{Title: title}
	measures := make([]measure, len(names))
	for i, name := range names {
		measures[i] = columnMeasure(r, func(m *record.Measurement) *record.Figure { return value(m, name) })
		unit := measures[i].unit
		if unit == record.PerSecond && strings.HasSuffix(name, unit) {
			unit = "" // the name says it
		}
		t.Columns = append(t.Columns, column{name, unit})
	}
	for i, s := range servers {
		g := tableGroup{Server: s}
		of := r.Server(i)
		medians := tableRow{Pair: "median", Median: true}
		for at, name := range names {
			var values []float64
			for _, m := range of {
				if f := value(m, name); f != nil {
					values = append(values, f.Value)
				}
			}
			cell := ""
			if len(values) > 0 {
				cell = measures[at].text(record.SpreadOf(values).Median)
			}
			medians.Cells = append(medians.Cells, cell)
		}
		if len(of) > 1 {
			g.Rows = append(g.Rows, medians)
		}
		for _, m := range of {
			row := tableRow{Pair: itoa(m.Pair)}
			for at, name := range names {
				cell := ""
				if f := value(m, name); f != nil {
					cell = measures[at].text(f.Value)
				}
				row.Cells = append(row.Cells, cell)
			}
			g.Rows = append(g.Rows, row)
		}
		t.Groups = append(t.Groups, g)
	}
	return t
}

// columnMeasure returns the measure of a column: the one that suits its least value, so that none loses its digits.
func columnMeasure(r *record.Run, value func(*record.Measurement) *record.Figure) measure {
	least, unit := 0.0, ""
	for i := range r.Measurements {
		if f := value(&r.Measurements[i]); f != nil {
			unit = f.Unit
			if f.Value > 0 && (least == 0 || f.Value < least) {
				least = f.Value
			}
		}
	}
	return measureFor(unit, least)
}
