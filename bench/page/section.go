package page

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"hubsub/bench/record"
)

// section is all that the page says of one run.
type section struct {
	ID       string
	Headline string
	Range    string // of the headline's ratio, empty if there is none
	Shape    string
	Load     string
	CPU      *dotPlot
	Ratios   *ratioChart
	Curves   []*curvePlot
	Points   []string // the heads of the tables below the curves
	Small    []*dotPlot
	Tables   []table
	Facts    []fact
	Servers  []serverFacts
	Warnings []warning
	Measured int // measurements
}

// server is a server's name and its colour on the page.
type server struct {
	Name  string
	Color int
}

// fact is a line of how a run was measured.
type fact struct{ Name, Text string }

// serverFacts are what is known of a server.
type serverFacts struct {
	Server server
	Facts  []fact
}

// warning is what a measurement warned of.
type warning struct{ Where, Text string }

// colors is how many colours the style has, the first one's grey included.
const colors = 7

// palette gives each name one colour, in the order of their coming; the first is grey.
type palette map[string]int

func (p palette) serversOf(r *record.Run) []server {
	var all []server
	for _, s := range r.Servers {
		if _, ok := p[s.Name]; !ok {
			p[s.Name] = len(p)
			if len(p) > colors {
				p[s.Name] = 1 + (len(p)-2)%(colors-1)
			}
		}
		all = append(all, server{s.Name, p[s.Name]})
	}
	return all
}

// newSection prepares a run for the page.
func newSection(r *record.Run, number int, colors palette) *section {
	servers := colors.serversOf(r)
	s := &section{
		ID: "run-" + itoa(number), Headline: headline(r), Shape: r.Shape.Text, Load: r.Load.Text,
		CPU:    newDotPlot(r, servers, leadingClaim(r).figure),
		Ratios: runRatios(r, servers), Facts: facts(r), Measured: len(r.Measurements),
		Tables: tablesOf(r, servers), Range: headlineRange(r),
	}
	for _, p := range curvePoints {
		s.Points = append(s.Points, pointName(p))
	}
	curveNames := curveNames(r)
	for _, name := range curveNames {
		if p := newCurvePlot(r, servers, name); p != nil {
			s.Curves = append(s.Curves, p)
		}
	}
	for _, name := range r.FigureNames() {
		if name == leadingClaim(r).figure || name == publishesPerSecond || isPoint(name, curveNames) {
			continue
		}
		s.Small = append(s.Small, newDotPlot(r, servers, name))
	}
	for i, of := range r.Servers {
		s.Servers = append(s.Servers, serverFacts{servers[i], compact(
			fact{"command", of.Command}, fact{"address", of.Address}, fact{"load of its own", of.Options}, fact{"version", of.Version}, fact{"output limit", of.Limits})})
	}
	for _, m := range r.Measurements {
		for _, text := range m.Warnings {
			s.Warnings = append(s.Warnings, warning{where(r, m), text})
		}
	}
	return s
}

// where names a measurement.
func where(r *record.Run, m record.Measurement) string {
	if r.Pairs == 1 {
		return r.Servers[m.Server].Name
	}
	return r.Servers[m.Server].Name + ", pair " + itoa(m.Pair)
}

// headlineRange returns the range of the pairs behind a headline about one ratio, or how many pairs are behind several.
func headlineRange(r *record.Run) string {
	c := leadingClaim(r)
	var found []*record.Ratio
	for i := range r.Ratios {
		if r.Ratios[i].Figure == c.figure {
			found = append(found, &r.Ratios[i])
		}
	}
	switch {
	case len(found) == 0:
		return ""
	case found[0].Pairs == 1:
		return "One pair of measurements, which says little: give --pairs."
	case len(found) > 1:
		return "Medians of the ratios of " + plural(found[0].Pairs, "pair") + "."
	}
	return fmt.Sprintf("Median of the ratios of %s, which range from %s to %s.",
		plural(found[0].Pairs, "pair"), ratioText(found[0].Min), ratioText(found[0].Max))
}

// curveNames returns the names of all curves of a run.
func curveNames(r *record.Run) []string {
	var names []string
	for _, m := range r.Measurements {
		for _, c := range m.Curves {
			if !slices.Contains(names, c.Name) {
				names = append(names, c.Name)
			}
		}
	}
	return names
}

// isPoint reports whether a figure is a point of a curve, as "latency p50" is of "latency".
func isPoint(figure string, curves []string) bool {
	return slices.ContainsFunc(curves, func(name string) bool { return strings.HasPrefix(figure, name+" ") })
}

func pointName(p float64) string {
	if p == 100 {
		return "max"
	}
	return "p" + percentile(p)
}

// facts say how a run was measured.
func facts(r *record.Run) []fact {
	m := r.Machine
	cpu := plural(m.CPUs, "CPU")
	if m.CPU != "" {
		cpu += ", " + m.CPU
	}
	pairs := ""
	if r.Pairs > 1 {
		pairs = plural(r.Pairs, "pair") + ", the servers in turn, forth in one and back in the next, each started afresh"
	}
	var published, delivered int64
	for _, m := range r.Measurements {
		published, delivered = published+m.Published, delivered+m.Delivered
	}
	checked := ""
	if published > 0 {
		checked = group(strconv.FormatInt(delivered, 10)) + " deliveries of " + group(strconv.FormatInt(published, 10)) +
			" publishes: none lost, repeated, reordered or damaged"
	}
	return compact(
		fact{"date", r.Date.UTC().Format("2 January 2006, 15:04 MST")},
		fact{"machine", cpu},
		fact{"system", "Linux " + m.Kernel + ", TCP congestion control " + m.CongestionControl},
		fact{"pinned", pins(r)},
		fact{"shape", r.Shape.Text},
		fact{"load", r.Load.Text},
		fact{"order", pairs},
		fact{"checked", checked},
		fact{"took", quantity(r.Seconds*1e9, record.Nanoseconds)},
		fact{"load generator", "hubsub bench, built by " + m.Go},
		fact{"command", shellLine(r.Command)},
	)
}

// pins says which CPUs were whose.
func pins(r *record.Run) string {
	of := func(cpu int) string {
		if cpu < 0 {
			return "not pinned"
		}
		return "on CPU " + itoa(cpu)
	}
	return "server " + of(r.Machine.ServerCPU) + ", load generator " + of(r.Machine.GeneratorCPU)
}

// shellLine writes a command line so that a shell reads the same arguments.
func shellLine(args []string) string {
	words := make([]string, len(args))
	for i, arg := range args {
		words[i] = arg
		if arg == "" || strings.ContainsFunc(arg, func(r rune) bool {
			return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./:=,@%+", r))
		}) {
			words[i] = "'" + strings.ReplaceAll(arg, "'", `'\''`) + "'"
		}
	}
	return strings.Join(words, " ")
}

// compact returns the facts that say something.
func compact(all ...fact) []fact {
	return slices.DeleteFunc(all, func(f fact) bool { return f.Text == "" })
}

func itoa(n int) string { return strconv.Itoa(n) }
