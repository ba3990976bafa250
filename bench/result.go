package bench

import (
	"fmt"
	"slices"
	"time"

	"hubsub/bench/record"
)

// result is what one measurement found, ready to print and to compare.
type result struct {
	figures    []figure        // comparable between servers
	conditions []record.Figure // how far they can be trusted
	curves     []record.Curve  // of an open loop
	notes      []note          // for the reader of the text
	published  int64
	delivered  int64
	warnings   []string
}

// figure is a number that is divided by another server's.
type figure struct {
	record.Figure
	text    string // with its unit
	inNotes bool   // a note of the full report says it too
	latency bool   // a point of a curve
}

// note is a line of the report.
type note struct{ name, text string }

// unit is what a figure is counted in, and which way is better.
type unit struct {
	name   string
	better string
	text   func(value float64) string
}

var (
	perSecond  = unit{record.PerSecond, record.Higher, func(v float64) string { return grouped(int64(v)) }}
	cpuTimes   = unit{record.Nanoseconds, record.Lower, nanoseconds}
	latencies  = unit{record.Nanoseconds, record.Lower, func(v float64) string { return rounded(time.Duration(v)) }}
	perSegment = unit{record.PerSegment, record.Neither, func(v float64) string { return fmt.Sprintf("%.2f messages per segment", v) }}
	memories   = unit{record.Bytes, record.Lower, func(v float64) string { return bytesText(int64(v)) }}
	perConn    = unit{record.Bytes, record.Lower, func(v float64) string { return fmt.Sprintf("%.2f KiB", v/1024) }}
)

func (r *result) figure(name string, value float64, in unit) {
	r.figures = append(r.figures, figure{
		Figure: record.Figure{Name: name, Value: value, Unit: in.name, Better: in.better}, text: in.text(value),
	})
}

// detail is a figure that a note of the full report gives with others.
func (r *result) detail(name string, value float64, in unit) {
	r.figure(name, value, in)
	r.figures[len(r.figures)-1].inNotes = true
}

// condition is a number that says how the measurement was, not the server.
func (r *result) condition(name string, value float64, unit string) {
	r.conditions = append(r.conditions, record.Figure{Name: name, Value: value, Unit: unit, Better: record.Neither})
}

// curve enters a histogram of latencies: the whole of it, and the points of it that are compared.
func (r *result) curve(h namedHistogram) {
	q := quantilesOf(h.histogram)
	for _, point := range []struct {
		name  string
		value time.Duration
	}{{"p50", q.p50}, {"p99", q.p99}, {"p99.9", q.p999}, {"max", q.max}} {
		r.detail(h.name+" "+point.name, float64(point.value), latencies)
		r.figures[len(r.figures)-1].latency = true
	}
	r.curves = append(r.curves, curveOf(h))
	r.note(h.name, "p50 %s, p99 %s, p99.9 %s, max %s", rounded(q.p50), rounded(q.p99), rounded(q.p999), rounded(q.max))
}

// isCurve reports whether there is a curve of that name.
func (r *result) isCurve(name string) bool {
	return slices.ContainsFunc(r.curves, func(c record.Curve) bool { return c.Name == name })
}

// measurement returns the data of the result.
func (r *result) measurement(pair, server int) record.Measurement {
	m := record.Measurement{
		Pair: pair, Server: server, Conditions: r.conditions, Curves: r.curves, Warnings: r.warnings,
		Published: r.published, Delivered: r.delivered,
	}
	for _, f := range r.figures {
		m.Figures = append(m.Figures, f.Figure)
	}
	return m
}

func (r *result) note(name, format string, args ...any) {
	r.notes = append(r.notes, note{name, fmt.Sprintf(format, args...)})
}

func (r *result) warn(format string, args ...any) {
	r.warnings = append(r.warnings, fmt.Sprintf(format, args...))
}

// loadResult derives the figures of a run that published and delivered. Those of the server's process need its pid.
func loadResult(m measurement, pid bool) *result {
	begin, end := m.samples[0], m.samples[1]
	early, late := m.surveys[0], m.surveys[1]
	took := end.at - begin.at
	deliveries := float64(end.deliveries - begin.deliveries)
	r := &result{published: m.published, delivered: m.delivered}

	r.figure(record.DeliveriesPerSecond, deliveries/took.Seconds(), perSecond)
	r.figure("publishes/s", float64(end.completed-begin.completed)/took.Seconds(), perSecond)
	if pid {
		used := end.server - begin.server
		r.figure(record.CPUPerDelivery, float64(used)/deliveries, cpuTimes)
		r.aboveIdle(m.idle, used, took, deliveries)
		core, user := percent(used, took), percent(late.user-early.user, late.user+late.system-early.user-early.system)
		r.condition("server, of a core", core, record.Percent)
		r.condition("of it in user space", user, record.Percent)
		r.note("server", "%.0f %% of a core, %.0f %% of it in user space", core, user)
		r.compareCPU(late.server-early.server, late.user+late.system-early.user-early.system)
	}
	if m.overTCP {
		segments := max(late.segments-early.segments, 1) // 0 if all had come, unread, before the first survey
		r.figure("K", float64(late.deliveries-early.deliveries)/float64(segments), perSegment)
	}
	if m.latency != nil {
		for _, h := range m.latency.named() {
			r.curve(h)
		}
		q := quantilesOf(m.latency.late)
		r.condition("queued late p99", float64(q.p99), record.Nanoseconds)
		r.condition("queued late max", float64(q.max), record.Nanoseconds)
		r.note("schedule", "publishes queued late by p50 %s, p99 %s, max %s; none skipped", rounded(q.p50), rounded(q.p99), rounded(q.max))
	}
	if pid {
		r.detail("resident", float64(late.memory.resident), memories)
		r.note("memory", "%s resident, %s proportional", bytesText(late.memory.resident), bytesText(late.memory.proportional))
	}
	spun := end.spun - begin.spun
	busy := percent(max(end.own-begin.own-spun, 0), took)
	r.condition("generator, of its core", busy, record.Percent)
	if spun > 0 {
		r.condition("generator spinning, of its core", percent(spun, took), record.Percent)
		r.note("generator", "%.0f %% of its core, and %.0f %% spinning", busy, percent(spun, took))
	} else {
		r.note("generator", "%.0f %% of its core", busy)
	}
	if busy > 100*generatorBusy {
		r.warn("the generator used %.0f %% of its core: it may be the bottleneck", busy)
	}
	if pid {
		r.disturbance(early, late)
	}
	r.note("checked", "%s deliveries of %s publishes: none lost, repeated, reordered or damaged", grouped(m.delivered), grouped(m.published))
	m.remarks(r)
	return r
}

// disturbance notes what others had of the machine meanwhile.
func (r *result) disturbance(early, late survey) {
	used := late.server - early.server + late.own - early.own
	others := percent(max(late.host.busy-early.host.busy-used, 0), late.at-early.at)
	stolen := percent(late.host.stolen-early.host.stolen, late.at-early.at)
	r.condition("other processes, of a core", others, record.Percent)
	r.condition("stolen by the host, of a core", stolen, record.Percent)
	r.note("others", "%.0f %% of a core used by other processes, %.0f %% stolen by the host", others, stolen)
	if others+stolen > 100*disturbedMuch {
		r.warn("others used %.0f %% of a core: CPU times and latency are doubtful", others+stolen)
	}
}

// compareCPU warns if the two ways to read the CPU time disagree.
func (r *result) compareCPU(clock, stat time.Duration) {
	difference := (clock - stat).Abs()
	if difference > cpuTolerance && float64(difference) > cpuToleranceShare*float64(clock) {
		r.warn("CPU time is %s by the process clock and %s by /proc/PID/stat", rounded(clock), rounded(stat))
	}
}

// idleResult derives the figures of a run of idle connections.
func idleResult(m idleMeasurement) *result {
	r := &result{}
	resident, proportional := m.perConnection()
	r.figure(record.ResidentPerConn, resident, perConn)
	r.figure("proportional/conn", proportional, perConn)
	r.condition("server, of a core while idle", percent(m.cpu, m.settle), record.Percent)
	r.note("memory", "resident %s before, %s with %s connections", bytesText(m.before.resident),
		bytesText(m.after.resident), grouped(int64(m.connections)))
	r.note("server", "%.2f %% of a core while idle for %v", percent(m.cpu, m.settle), m.settle)
	r.note("checked", "every connection still answers")
	return r
}
