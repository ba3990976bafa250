package load

import (
	"math"
	"os"
	"runtime"
	"runtime/debug"
	"sync/atomic"
	"testing"
	"time"
)

// bench is a meter with a clock of its own.
type bench struct {
	*Meter
	now  time.Time
	cpu  time.Duration
	sent uint64
}

func newBench(files map[string]string) *bench {
	b := &bench{now: time.Unix(1, 0)}
	b.Meter = newMeter(Sources{
		Connections: func() (int, int) { return 3, 100 },
		BytesOut:    func() uint64 { return b.sent },
		Queue:       func() float64 { return 0.25 },
	}, tree(files), func() time.Time { return b.now }, func() time.Duration { return b.cpu })
	return b
}

// pass lets time pass in which CPU time is used and bytes are sent.
func (b *bench) pass(d, cpu time.Duration, sent uint64) {
	b.now, b.cpu, b.sent = b.now.Add(d), b.cpu+cpu, b.sent+sent
}

func near(a, b float64) bool { return math.Abs(a-b) <= 1e-9*max(math.Abs(a), math.Abs(b), 1) }

func TestRates(t *testing.T) {
	b := newBench(map[string]string{
		"proc/self/cgroup":         "0::/\n",
		"sys/fs/cgroup/cpu.max":    "50000 100000\n",
		"sys/class/net/eth0/speed": "1000\n",
	})
	f := func(what string, cpu, out float64) {
		t.Helper()
		r := b.Report()
		if !near(r.CPU, cpu) || !near(r.Out, out) || r.OutMax != 125e6 {
			t.Errorf("%s: CPU %v, out %v of %v; want %v, %v", what, r.CPU, r.Out, r.OutMax, cpu, out)
		}
		if r.Connections != 3 || r.ConnectionsMax != 100 || r.Queue != 0.25 {
			t.Errorf("%s: %+v", what, r)
		}
	}
	f("at the start", 0, 0)
	b.pass(2*time.Second, 250*time.Millisecond, 4000)
	f("a quarter of half a processor", 0.25, 2000)
	b.pass(reportIntervalMin/2, time.Second, 1<<30)
	f("asked again too early", 0.25, 2000)
	b.pass(reportIntervalMin/2, 0, 0)
	f("the burst", 1, (1<<30)/reportIntervalMin.Seconds())
	b.pass(time.Second, 0, 0)
	f("quiet", 0, 0)
	b.sent = 0
	b.pass(time.Second, -time.Second, 0)
	f("counters that begin again", 0, 0)
}

func TestSourcesAreOptional(t *testing.T) {
	m := newMeter(Sources{}, tree(nil), time.Now, cpuTime)
	if r := m.Report(); r.Connections != 0 || r.Queue != 0 || r.Out != 0 || r.Memory <= 0 {
		t.Errorf("%+v", r)
	}
}

func TestWeight(t *testing.T) {
	usable := min(runtime.GOMAXPROCS(0), runtime.NumCPU())
	f := func(cpuMax string, want int) {
		t.Helper()
		b := newBench(map[string]string{"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": cpuMax})
		if got := b.Weight(); got != want {
			t.Errorf("%q: weight %d, want %d", cpuMax, got, want)
		}
	}
	f("max 100000", 10*usable)
	f("50000 100000", 5)
	f("1000 100000", 1)
	f("99999999 1000", 10*usable)
}

// What is known of the machine follows it, half a minute later.
func TestMachineChanges(t *testing.T) {
	files := map[string]string{"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "10000 100000\n"}
	b := newBench(files)
	files["sys/fs/cgroup/cpu.max"] = "20000 100000\n"
	b.root = tree(files)
	f := func(want int) {
		t.Helper()
		b.Report()
		if got := b.Weight(); got != want {
			t.Errorf("weight %d, want %d", got, want)
		}
	}
	f(1)
	b.pass(machineInterval-1, 0, 0)
	f(1)
	b.pass(1, 0, 0)
	f(2)
}

func TestMemoryLimit(t *testing.T) {
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(-1))
	b := newBench(map[string]string{"proc/meminfo": "MemTotal: 4194304 kB\n"})
	f := func(limit int64, want float64) {
		t.Helper()
		debug.SetMemoryLimit(limit)
		if r := b.Report(); r.MemoryMax != want || r.Memory <= 0 || r.Memory > want {
			t.Errorf("%.0f of %.0f bytes, want of %.0f", r.Memory, r.MemoryMax, want)
		}
	}
	f(math.MaxInt64, 4<<30)
	f(8<<30, 4<<30)
	f(3<<30, 3<<30)
}

func TestWaits(t *testing.T) {
	buckets := []float64{math.Inf(-1), 0.001, 0.01, 0.1, math.Inf(1)}
	f := func(earlier, later []uint64, want float64) {
		t.Helper()
		if got := (waits{later, buckets}).since(waits{earlier, buckets}); got != want {
			t.Errorf("%v to %v: %v, want %v", earlier, later, got, want)
		}
	}
	f([]uint64{0, 0, 0, 0}, []uint64{0, 0, 0, 0}, 0)
	f([]uint64{5, 5, 5, 5}, []uint64{5, 5, 5, 5}, 0)
	f([]uint64{0, 0, 0, 0}, []uint64{0, 0, 1, 0}, 0) // one may be chance
	f([]uint64{0, 0, 0, 0}, []uint64{0, 0, 2, 0}, 0.1)
	f([]uint64{0, 0, 0, 0}, []uint64{98, 1, 1, 0}, 0.01)
	f([]uint64{9, 9, 9, 9}, []uint64{1008, 9, 19, 9}, 0.001)
	f([]uint64{9, 9, 9, 9}, []uint64{1008, 9, 20, 9}, 0.1)
	f([]uint64{0, 0, 0, 0}, []uint64{0, 0, 0, 50}, 0.1) // at least
	if got := (waits{}).since(waits{}); got != 0 {
		t.Errorf("nothing counted: %v", got)
	}
	if got := (waits{[]uint64{0, 3, 0, 0}, buckets}).since(waits{}); got != 0.01 {
		t.Errorf("nothing before: %v", got)
	}
}

// A process that computes says so, and the figures are possible ones.
func TestThisProcess(t *testing.T) {
	b := newMeter(Sources{}, os.DirFS("/"), time.Now, cpuTime)
	var stop atomic.Bool
	defer stop.Store(true)
	go func() {
		for !stop.Load() {
		}
	}()
	for b.Report().CPU < 0.01 { // nothing else in this process comes near it
		time.Sleep(reportIntervalMin)
	}
	r := b.Report()
	if r.CPU > 1 || r.Sched < 0 || r.Memory <= 0 || r.Memory > r.MemoryMax || b.Weight() < 1 {
		t.Errorf("%+v, weight %d", r, b.Weight())
	}
}

// A second's report costs far less than a millisecond of it: go test -bench.
func BenchmarkReport(b *testing.B) {
	m := NewMeter(Sources{})
	for b.Loop() {
		m.at = m.at.Add(-time.Second)
		m.Report()
	}
}
