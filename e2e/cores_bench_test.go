package e2e

import (
	"os"
	"strconv"
	"strings"
	"testing"
)

// cores are how long each core of the machine has been busy and in all, in ticks.
type cores []core

type core struct{ busy, all int }

// readCores reads /proc/stat. What the host has taken counts as busy: there is no more to have.
func readCores(b *testing.B) (all cores) {
	b.Helper()
	text, err := os.ReadFile("/proc/stat")
	must(b, err)
	for line := range strings.Lines(string(text)) {
		words := strings.Fields(line)
		if !strings.HasPrefix(words[0], "cpu") || words[0] == "cpu" {
			continue
		}
		var c core
		for i, word := range words[1:9] { // user nice system idle iowait irq softirq steal
			n, err := strconv.Atoi(word)
			must(b, err)
			c.all += n
			if i != 3 && i != 4 {
				c.busy += n
			}
		}
		all = append(all, c)
	}
	return all
}

// since returns which part of the time since then the cores were busy, on average, and the busiest one.
func (c cores) since(then cores) (mean, most float64) {
	for i := range c {
		part := float64(c[i].busy-then[i].busy) / max(float64(c[i].all-then[i].all), 1)
		mean += part / float64(len(c))
		most = max(most, part)
	}
	return mean, most
}
