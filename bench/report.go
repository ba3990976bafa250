package bench

import (
	"fmt"
	"io"
	"strconv"
	"time"
)

// labelWidth is the width of the first column.
const labelWidth = 20

func printLine(w io.Writer, label, format string, args ...any) {
	fmt.Fprintf(w, "%-*s %s\n", labelWidth, label, fmt.Sprintf(format, args...))
}

// printHeader says what is measured, before it is.
func printHeader(w io.Writer, o *options) {
	printLine(w, "shape", "%s", &o.shape)
	printLine(w, "load", "%s", o.load())
	pins := "server not started here"
	if len(o.addresses) == 0 {
		pins = "server on " + cpuName(o.serverCPU)
	}
	printLine(w, "machine", "%s; %s, generator on %s", machineText(o.machine()), pins, cpuName(o.generatorCPU))
}

func cpuName(cpu int) string {
	if cpu < 0 {
		return "any CPU"
	}
	return "CPU " + strconv.Itoa(cpu)
}

// printResult prints one measurement in full.
func printResult(w io.Writer, t target, r *result) {
	printLine(w, "server", "%s", t.name)
	if t.version != "" {
		printLine(w, "version", "%s", t.version)
	}
	printLine(w, "output limit", "%s", t.limits)
	for _, f := range r.figures {
		if !f.inNotes {
			printLine(w, f.Name, "%s", f.text)
		}
	}
	for _, n := range r.notes {
		printLine(w, n.name, "%s", n.text)
	}
	printWarnings(w, r)
}

func printWarnings(w io.Writer, r *result) {
	for _, text := range r.warnings {
		printLine(w, "WARNING", "%s", text)
	}
}

// grouped writes a number from 0 with a comma between thousands.
func grouped(n int64) string { return string(appendGrouped(nil, n)) }

// appendGrouped is grouped for a loop: it allocates nothing but what b lacks.
func appendGrouped(b []byte, n int64) []byte {
	var array [20]byte
	digits := strconv.AppendInt(array[:0], n, 10)
	for i, digit := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b = append(b, ',')
		}
		b = append(b, digit)
	}
	return b
}

// count writes "1 room" or "2 rooms".
func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return grouped(int64(n)) + " " + what + "s"
}

// nanoseconds writes a time of less than a second with three digits at least.
func nanoseconds(ns float64) string {
	if ns < 100 {
		return fmt.Sprintf("%.1f ns", ns)
	}
	return grouped(int64(ns)) + " ns"
}

// rounded writes a duration with three digits or so.
func rounded(d time.Duration) string {
	switch {
	case d >= time.Second:
		return d.Round(10 * time.Millisecond).String()
	case d >= time.Millisecond:
		return d.Round(10 * time.Microsecond).String()
	}
	return d.Round(100 * time.Nanosecond).String()
}

// bytesText writes a size in MiB.
func bytesText(n int64) string { return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20)) }

// percent returns part of whole in hundredths, 0 of nothing.
func percent(part, whole time.Duration) float64 {
	if whole <= 0 {
		return 0
	}
	return 100 * float64(part) / float64(whole)
}
