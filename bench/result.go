package bench

import (
	"fmt"
	"time"
)

// result is what one measurement found, ready to print and to compare.
type result struct {
	figures  []figure // comparable between servers
	notes    []note   // the rest
	warnings []string
}

// figure is a number that is divided by another server's.
type figure struct {
	name    string
	value   float64
	text    string // with its unit
	inNotes bool   // a note of the full report says it too
}

// note is a line of the report.
type note struct{ name, text string }

func (r *result) figure(name string, value float64, text string) {
	r.figures = append(r.figures, figure{name: name, value: value, text: text})
}

// detail is a figure that a note of the full report gives with others.
func (r *result) detail(name string, value float64, text string) {
	r.figures = append(r.figures, figure{name: name, value: value, text: text, inNotes: true})
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
	r := &result{}

	r.figure("deliveries/s", deliveries/took.Seconds(), grouped(int64(deliveries/took.Seconds())))
	publishes := float64(end.completed-begin.completed) / took.Seconds()
	r.figure("publishes/s", publishes, grouped(int64(publishes)))
	if pid {
		used := end.server - begin.server
		perDelivery := float64(used) / deliveries
		r.figure("CPU per delivery", perDelivery, nanoseconds(perDelivery))
		r.aboveIdle(m.idle, used, took, deliveries)
		r.note("server", "%.0f %% of a core, %.0f %% of it in user space",
			percent(used, took), percent(late.user-early.user, late.user+late.system-early.user-early.system))
		r.compareCPU(late.server-early.server, late.user+late.system-early.user-early.system)
	}
	if m.overTCP {
		segments := max(late.segments-early.segments, 1) // 0 if all had come, unread, before the first survey
		k := float64(late.deliveries-early.deliveries) / float64(segments)
		r.figure("K", k, fmt.Sprintf("%.2f messages per segment", k))
	}
	if m.latency != nil {
		for _, h := range m.latency.named() {
			q := quantilesOf(h.histogram)
			r.detail(h.name+" p50", float64(q.p50), rounded(q.p50))
			r.detail(h.name+" p99", float64(q.p99), rounded(q.p99))
			r.note(h.name, "p50 %s, p99 %s, p99.9 %s, max %s", rounded(q.p50), rounded(q.p99), rounded(q.p999), rounded(q.max))
		}
		q := quantilesOf(m.latency.late)
		r.note("schedule", "publishes queued late by p50 %s, p99 %s, max %s; none skipped", rounded(q.p50), rounded(q.p99), rounded(q.max))
	}
	if pid {
		r.detail("resident", float64(late.memory.resident), bytesText(late.memory.resident))
		r.note("memory", "%s resident, %s proportional", bytesText(late.memory.resident), bytesText(late.memory.proportional))
	}
	busy := percent(end.own-begin.own, took)
	r.note("generator", "%.0f %% of its core", busy)
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
	r.figure("resident/conn", resident, fmt.Sprintf("%.2f KiB", resident/1024))
	r.figure("proportional/conn", proportional, fmt.Sprintf("%.2f KiB", proportional/1024))
	r.note("memory", "resident %s before, %s with %s connections", bytesText(m.before.resident),
		bytesText(m.after.resident), grouped(int64(m.connections)))
	r.note("server", "%.2f %% of a core while idle for %v", percent(m.cpu, m.settle), m.settle)
	r.note("checked", "every connection still answers")
	return r
}
