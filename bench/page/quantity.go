package page

import (
	"math"
	"strconv"
	"strings"

	"hubsub/bench/record"
)

// measure is how the values of a column or an axis are written: all in one unit.
type measure struct {
	divisor float64
	unit    string
}

// measureFor returns the largest measure in which v is at least 1.
func measureFor(unit string, v float64) measure {
	steps := []measure{{1, unit}}
	switch unit {
	case record.Nanoseconds:
		steps = []measure{{1, "ns"}, {1e3, "µs"}, {1e6, "ms"}, {1e9, "s"}}
	case record.Bytes:
		steps = []measure{{1, "B"}, {1 << 10, "KiB"}, {1 << 20, "MiB"}, {1 << 30, "GiB"}}
	}
	best := steps[0]
	for _, step := range steps {
		if v >= step.divisor {
			best = step
		}
	}
	return best
}

// text writes a value in the measure, without the unit, with three digits at least.
func (m measure) text(v float64) string {
	v /= m.divisor
	switch size := math.Abs(v); {
	case size == 0:
		return "0"
	case size >= 99.95:
		return group(strconv.FormatFloat(v, 'f', 0, 64))
	case size >= 9.995:
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	return strconv.FormatFloat(v, 'f', 2, 64)
}

// quantity writes one value with the unit that suits it.
func quantity(v float64, unit string) string {
	m := measureFor(unit, v)
	if m.unit == "" || m.unit == record.PerSegment || m.unit == record.PerSecond {
		return m.text(v) // the figure's name says it
	}
	return m.text(v) + "\u00a0" + m.unit
}

// tick writes a round value of an axis, as short as it can be: 250, 0.5, 20 k, 1.5 M.
func (m measure) tick(v float64) string {
	v /= m.divisor
	suffix := ""
	switch {
	case v >= 1e6:
		v, suffix = v/1e6, "\u00a0M"
	case v >= 1e4:
		v, suffix = v/1e3, "\u00a0k"
	}
	return group(strconv.FormatFloat(v, 'g', 6, 64)) + suffix
}

// group puts commas between the thousands of a number.
func group(number string) string {
	whole, rest, dot := strings.Cut(number, ".")
	sign := ""
	if strings.HasPrefix(whole, "-") {
		sign, whole = "-", whole[1:]
	}
	for at := len(whole) - 3; at > 0; at -= 3 {
		whole = whole[:at] + "," + whole[at:]
	}
	if dot {
		whole += "." + rest
	}
	return sign + whole
}

// ratioText writes a ratio with two significant digits or more.
func ratioText(v float64) string {
	switch {
	case v < 0.0995:
		return strconv.FormatFloat(v, 'f', 3, 64)
	case v < 9.95:
		return strconv.FormatFloat(v, 'f', 2, 64)
	case v < 99.5:
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	return group(strconv.FormatFloat(v, 'f', 0, 64))
}

// ratioTick writes a round ratio.
func ratioTick(v float64) string { return strconv.FormatFloat(v, 'g', 6, 64) }

// spreadText writes the least and the greatest of several ratios.
func spreadText(low, high float64) string { return ratioText(low) + " to " + ratioText(high) }

// plural writes "1 run" or "2 runs".
func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return group(strconv.Itoa(n)) + " " + what + "s"
}

// percentile writes a percentile: 50, 99.9.
func percentile(p float64) string { return strconv.FormatFloat(p, 'f', -1, 64) }

// place writes a percentage of a plot's width for an attribute.
func place(v float64) string { return strconv.FormatFloat(v, 'f', 2, 64) + "%" }
