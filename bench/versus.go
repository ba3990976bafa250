package bench

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"hubsub/bench/record"
)

// runVersus measures the servers of --vs in turn and prints each measurement, then the ratios to the first server. Each
// measurement has a freshly started server, and only that one runs. A failed measurement ends the run.
func (o *options) runVersus(ctx context.Context, r *record.Run, text io.Writer) error {
	for _, c := range o.versus {
		printLine(text, "server "+c.name, "%s", c.whatIs())
		r.Servers = append(r.Servers, record.Server{
			Name: c.name, Command: c.command, Address: strings.Join(c.addresses, ","), Options: strings.Join(c.settings, ", "),
		})
	}
	for pair := range o.pairs {
		for _, i := range turnOrder(pair, len(o.versus)) {
			c := o.versus[i]
			o.progress.begin(pair+1, c.name)
			found, t, err := o.measureContender(ctx, c)
			o.progress.end()
			if err != nil {
				return fmt.Errorf("pair %d, %s: %w", pair+1, c.name, err)
			}
			if pair == 0 {
				r.Servers[i].Limits, r.Servers[i].Version = t.limits, t.version
				printLine(text, "limits "+c.name, "%s", t.limits)
				if t.version != "" {
					printLine(text, "version "+c.name, "%s", t.version)
				}
			}
			printTurn(text, fmt.Sprintf("%d %s", pair+1, c.name), found)
			r.Measurements = append(r.Measurements, found.measurement(pair+1, i))
		}
	}
	r.Compare()
	printRatios(text, r)
	return nil
}

// sameNames reports whether two servers of --vs have one name, by which results are told apart.
func (o *options) sameNames() bool {
	names := make(map[string]bool)
	for _, c := range o.versus {
		names[c.name] = true
	}
	return len(names) < len(o.versus)
}

// turnOrder returns the order of n servers in a pair: forth in one, back in the next, so that none is always first.
func turnOrder(pair, n int) []int {
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	if pair%2 == 1 {
		slices.Reverse(order)
	}
	return order
}

// printTurn prints one measurement of several in short.
func printTurn(w io.Writer, label string, r *result) {
	printLine(w, label, "%s", figuresText(r.figures))
	for _, n := range r.notes {
		if r.isCurve(n.name) || n.name == "generator" || n.name == "schedule" || n.name == "others" {
			printLine(w, "", "%s: %s", n.name, n.text)
		}
	}
	printWarnings(w, r)
}

// figuresText returns the figures in a line, but for latencies: there are notes of these.
func figuresText(figures []figure) string {
	var words []string
	for _, f := range figures {
		if !f.latency {
			words = append(words, f.Name+" "+f.text)
		}
	}
	return strings.Join(words, " | ")
}

// printRatios prints, for each server but the first and for each figure, the pairs' ratios to the first server.
func printRatios(w io.Writer, r *record.Run) {
	server := ""
	for _, ratio := range r.Ratios {
		if ratio.Server != server {
			server = ratio.Server
			fmt.Fprintf(w, "\n%s / %s, %s: median (min to max) of the ratios\n", server, ratio.Base, count(r.Pairs, "pair"))
		}
		of := ""
		if ratio.Pairs < r.Pairs {
			of = ", of " + count(ratio.Pairs, "pair")
		}
		printLine(w, ratio.Figure, "%.3f (%.3f to %.3f)%s", ratio.Median, ratio.Min, ratio.Max, of)
	}
}
