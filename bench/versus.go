package bench

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
)

// runVersus measures the servers of --vs in turn and prints each measurement, then the ratios to the first server. Each
// measurement has a freshly started server, and only that one runs. A failed measurement ends the run.
func runVersus(ctx context.Context, o *options, stdout io.Writer) error {
	for _, c := range o.versus {
		printLine(stdout, "server "+c.name, "%s", c.whatIs())
	}
	rounds := make([][]*result, o.pairs) // per pair, in the order of --vs
	said := make(map[string]bool)
	for pair := range rounds {
		rounds[pair] = make([]*result, len(o.versus))
		for _, i := range turnOrder(pair, len(o.versus)) {
			c := o.versus[i]
			r, limits, err := o.measureContender(ctx, c)
			if err != nil {
				return fmt.Errorf("pair %d, %s: %w", pair+1, c.name, err)
			}
			if !said[c.name] {
				said[c.name] = true
				printLine(stdout, "limits "+c.name, "%s", limits)
			}
			printLine(stdout, fmt.Sprintf("%d %s", pair+1, c.name), "%s", figuresText(r.figures))
			for _, n := range r.notes {
				if n.name == "generator" || n.name == "schedule" || n.name == "others" {
					printLine(stdout, "", "%s: %s", n.name, n.text)
				}
			}
			printWarnings(stdout, r)
			rounds[pair][i] = r
		}
	}
	printRatios(stdout, o.versus, rounds)
	return nil
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

func figuresText(figures []figure) string {
	words := make([]string, len(figures))
	for i, f := range figures {
		words[i] = f.name + " " + f.text
	}
	return strings.Join(words, " | ")
}

// printRatios prints, for each server but the first and for each figure, the pairs' ratios to the first server.
func printRatios(w io.Writer, contenders []contender, rounds [][]*result) {
	base := contenders[0].name
	for i := 1; i < len(contenders); i++ {
		fmt.Fprintf(w, "\n%s / %s, %s: median (min to max) of the ratios\n", contenders[i].name, base, count(len(rounds), "pair"))
		for _, f := range rounds[0][0].figures {
			var ratios []float64
			for _, results := range rounds {
				if value, ok := results[i].valueOf(f.name); ok {
					base, _ := results[0].valueOf(f.name)
					ratios = append(ratios, value/base)
				}
			}
			if len(ratios) < len(rounds) {
				continue // not every server has it
			}
			s := spreadOf(ratios)
			printLine(w, f.name, "%.3f (%.3f to %.3f)", s.median, s.lowest, s.highest)
		}
	}
}

// spread summarises the ratios of the pairs.
type spread struct{ median, lowest, highest float64 }

// spreadOf returns the spread of one value or more. The median of an even number is the mean of the middle two.
func spreadOf(values []float64) spread {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	return spread{
		median:  (sorted[(n-1)/2] + sorted[n/2]) / 2,
		lowest:  sorted[0],
		highest: sorted[n-1],
	}
}
