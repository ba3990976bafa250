package ring

import (
	"math"
	"sync/atomic"
	"time"
)

// meterInterval is the time that a rate is taken over: long enough for one
// message in a few seconds to show, short enough to follow what somebody tries.
const meterInterval = 5 * time.Second

// Meter counts what happens, and how often in a second. Any goroutine; its zero
// value is ready. Times are nanoseconds of one clock that never stands at 0.
type Meter struct {
	total  atomic.Int64
	since  atomic.Int64  // when the interval began; 0: nothing has happened
	before atomic.Int64  // the total then
	last   atomic.Uint64 // the rate of the interval before, a float64's bits
}

// Add counts n.
func (m *Meter) Add(now, n int64) {
	total, since := m.total.Add(n), m.since.Load()
	if now-since < int64(meterInterval) && since != 0 || !m.since.CompareAndSwap(since, now) {
		return
	}
	if since == 0 {
		m.before.Store(total - n)
		return
	}
	rate := float64(total-m.before.Swap(total)) / time.Duration(now-since).Seconds()
	m.last.Store(math.Float64bits(rate))
}

// Total returns what was counted.
func (m *Meter) Total() int64 { return m.total.Load() }

// Rate returns how much of it comes in a second: the mean of about the last
// meterInterval.
func (m *Meter) Rate(now int64) float64 {
	since := m.since.Load()
	if since == 0 {
		return 0
	}
	elapsed := time.Duration(max(now-since, 0))
	counted, last := float64(m.Total()-m.before.Load()), math.Float64frombits(m.last.Load())
	switch {
	case elapsed >= meterInterval:
		return counted / elapsed.Seconds()
	case last == 0:
		return counted / max(elapsed, time.Second).Seconds()
	}
	return last*(1-elapsed.Seconds()/meterInterval.Seconds()) + counted/meterInterval.Seconds()
}
