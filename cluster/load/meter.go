package load

import (
	"io/fs"
	"math"
	"os"
	"runtime"
	"runtime/metrics"
	"sync"
	"syscall"
	"time"

	"hubsub/cluster/placement"
)

// Sources are what the meter cannot know by itself. One that is nil counts as 0.
// They are called by whoever asks for a report.
type Sources struct {
	Connections func() (n, max int)
	BytesOut    func() uint64  // since the start, to clients and nodes
	Queue       func() float64 // the fullest queue, of what it may hold
}

// Meter measures the load of this process. Any goroutine.
type Meter struct {
	sources Sources
	root    fs.FS
	now     func() time.Time
	cpuTime func() time.Duration // of the process, so far

	mu      sync.Mutex
	samples []metrics.Sample // read anew for each report; keeps the runtime's buffers
	machine machine
	readAt  time.Time // the machine

	// As of the last report.
	at    time.Time
	cpu   time.Duration
	out   uint64
	waits waits
	rates placement.Report // only CPU, Sched and Out
}

// What is read of the runtime, in the order of Meter.samples.
const (
	schedLatencies = iota
	memoryTotal
	memoryReleased
	memoryLimit
)

// NewMeter returns a meter whose first report tells of the time since now.
func NewMeter(sources Sources) *Meter {
	return newMeter(sources, os.DirFS("/"), time.Now, cpuTime)
}

func newMeter(sources Sources, root fs.FS, now func() time.Time, cpuTime func() time.Duration) *Meter {
	m := &Meter{sources: sources, root: root, now: now, cpuTime: cpuTime, samples: []metrics.Sample{
		schedLatencies: {Name: "/sched/latencies:seconds"},
		memoryTotal:    {Name: "/memory/classes/total:bytes"},
		memoryReleased: {Name: "/memory/classes/heap/released:bytes"},
		memoryLimit:    {Name: "/gc/gomemlimit:bytes"},
	}}
	metrics.Read(m.samples)
	m.at, m.cpu, m.out, m.waits = now(), cpuTime(), m.bytesOut(), m.readWaits()
	m.look(m.at)
	return m
}

// Report returns the load since the last report. Node, Seq, Rooms and Draining
// are the caller's to fill in.
func (m *Meter) Report() placement.Report {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.now()
	if now.Sub(m.readAt) >= machineInterval {
		m.look(now)
	}
	metrics.Read(m.samples)
	if elapsed := now.Sub(m.at); elapsed >= reportIntervalMin {
		cpu, out, waits := m.cpuTime(), m.bytesOut(), m.readWaits()
		m.rates.CPU = min(max((cpu-m.cpu).Seconds()/elapsed.Seconds()/m.cpus(), 0), 1)
		m.rates.Sched = waits.since(m.waits) * 1000
		m.rates.Out = max(float64(int64(out-m.out)), 0) / elapsed.Seconds() // what counts them may begin again
		m.at, m.cpu, m.out, m.waits = now, cpu, out, waits
	}
	r := m.rates
	r.OutMax = m.machine.out
	r.Memory = float64(m.integer(memoryTotal) - m.integer(memoryReleased))
	r.MemoryMax = m.machine.memory
	if limit := m.integer(memoryLimit); limit < math.MaxInt64 {
		r.MemoryMax = least(r.MemoryMax, float64(limit))
	}
	if m.sources.Connections != nil {
		r.Connections, r.ConnectionsMax = m.sources.Connections()
	}
	if m.sources.Queue != nil {
		r.Queue = m.sources.Queue()
	}
	return r
}

// Weight returns how much this node can do relative to others, 10 for each
// processor that it may use, and 1 at least.
func (m *Meter) Weight() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return max(int(math.Round(10*m.cpus())), 1)
}

// look reads the machine's limits. The caller holds mu, or nobody knows m yet.
func (m *Meter) look(now time.Time) {
	m.machine, m.readAt = readMachine(m.root), now
}

// cpus returns how many processors the process may use.
func (m *Meter) cpus() float64 {
	return least(m.machine.cpus, float64(min(runtime.GOMAXPROCS(0), runtime.NumCPU())))
}

func (m *Meter) bytesOut() uint64 {
	if m.sources.BytesOut == nil {
		return 0
	}
	return m.sources.BytesOut()
}

// readWaits returns the histogram of the last look at the runtime.
func (m *Meter) readWaits() waits {
	if v := m.samples[schedLatencies].Value; v.Kind() == metrics.KindFloat64Histogram {
		return copyWaits(v.Float64Histogram())
	}
	return waits{} // of a runtime that does not count them
}

// integer returns a sample's value, 0 if the runtime does not have it.
func (m *Meter) integer(i int) uint64 {
	if v := m.samples[i].Value; v.Kind() == metrics.KindUint64 {
		return v.Uint64()
	}
	return 0
}

// cpuTime returns the CPU time that the process has used, on all processors.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0 // it has no other error than a bad argument
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
