package bench

import (
	"time"

	"hubsub/bench/record"
)

// remarks adds notes on what was checked or found beside the figures.
func (m *measurement) remarks(r *result) {
	if m.ordered {
		r.note("total order", "all subscribers of a room saw one order")
	}
	if m.guests != nil {
		r.note("wanderers", "%s messages in %s visits, none missing and none outside", grouped(m.guests.messages()), grouped(m.guests.moves()))
	}
	if m.partCount > 0 {
		r.note("answers", "%s PUBLISH answers below the audience: a node may count its own subscribers only", grouped(m.partCount))
	}
}

// aboveIdle gives the CPU time per delivery without what the server uses when nothing is published, if that is known.
func (r *result) aboveIdle(idle idleCPU, used, took time.Duration, deliveries float64) {
	if idle.took == 0 {
		return
	}
	share := float64(idle.used) / float64(idle.took)
	above := (float64(used) - share*float64(took)) / deliveries
	r.figure("CPU above idle", above, cpuTimes)
	r.condition("idle server, of a core", 100*share, record.Percent)
	r.note("idle server", "%.2f %% of a core for %s with all connections and nothing published", 100*share, rounded(idle.took))
}
