package placement

import "time"

// Report is what a node says of its load, once a second and as JSON. Of two
// reports of one node the one with the higher Seq is newer.
type Report struct {
	Node           Name    `json:"node"`
	Seq            uint64  `json:"seq"`
	CPU            float64 `json:"cpu"`   // of all it may use, 0 to 1
	Sched          float64 `json:"sched"` // how long goroutines wait for a processor, p99, ms
	Out            float64 `json:"out"`   // bytes/s
	OutMax         float64 `json:"out_max,omitempty"`
	Memory         float64 `json:"mem"` // bytes
	MemoryMax      float64 `json:"mem_max,omitempty"`
	Connections    int     `json:"conns"`
	ConnectionsMax int     `json:"conns_max,omitempty"`
	Queue          float64 `json:"queue"` // the fullest queue, of what it may hold
	Rooms          int     `json:"rooms"` // that it hosts or keeps a place for
	Draining       bool    `json:"draining,omitempty"`
}

// What of a resource counts as all of it: above, latency suffers, or one burst
// is too much.
const (
	cpuFull    = 0.75
	outFull    = 0.7
	memoryFull = 0.85
	schedFull  = 20 // ms
)

// Busy returns the load as the share of the scarcest resource that is used, 1
// and above when it is all used. A maximum that is not known does not count.
func (r *Report) Busy() float64 {
	share := func(used, most, full float64) float64 {
		if most <= 0 {
			return 0
		}
		return used / (full * most)
	}
	return max(
		r.CPU/cpuFull,
		r.Sched/schedFull,
		share(r.Out, r.OutMax, outFull),
		share(r.Memory, r.MemoryMax, memoryFull),
		share(float64(r.Connections), float64(r.ConnectionsMax), 1),
		r.Queue,
	)
}

// load is what the leader knows of a node's.
type load struct {
	report   Report
	at       time.Duration // when it came
	busy     float64       // a moving average
	reserved int           // rooms it was asked to take and that are not in the table yet
	patience time.Duration // how long a refusal counts
	refuses  time.Duration // until then
}

// refused notes that the node did not take a room. Refusals that come together are
// one.
func (l *load) refused(now time.Duration) {
	if now >= l.refuses {
		l.patience = min(max(2*l.patience, refusalMin), refusalMax)
		l.refuses = now + l.patience
	}
}

// accepted notes that it did.
func (l *load) accepted() { l.patience, l.refuses = 0, 0 }

// busyHalfLife is how fast the average follows: placement shall not chase bursts.
const busyHalfLife = 5 * time.Second

func (l *load) take(now time.Duration, r Report) {
	if l.at > 0 && r.Seq <= l.report.Seq {
		return // gossip brings them in any order
	}
	busy := r.Busy()
	if l.at > 0 {
		part := min(float64(now-l.at)/float64(busyHalfLife), 1)
		busy = l.busy + part*(busy-l.busy)
	}
	l.report, l.at, l.busy = r, now, busy
}
