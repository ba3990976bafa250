package bench

import (
	"math"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"hubsub/bench/record"
)

// latency holds the histograms of an open loop, in nanoseconds from the intended time of sending. Only messages
// intended for the measured time enter.
type latency struct {
	from, to int64 // intended times that count, ns since the run began

	every *hdrhistogram.Histogram // each delivery
	first *hdrhistogram.Histogram // the first delivery of each publish
	last  *hdrhistogram.Histogram // the last delivery of each publish
	late  *hdrhistogram.Histogram // how late the generator handed each publish to its socket
}

func newLatency(p pace) *latency {
	histogram := func() *hdrhistogram.Histogram {
		return hdrhistogram.New(int64(latencyLowest), int64(latencyHighest), latencyDigits)
	}
	return &latency{
		from: int64(p.warmup), to: int64(p.warmup + p.duration),
		every: histogram(), first: histogram(), last: histogram(), late: histogram(),
	}
}

// record enters a delivery read at now.
func (l *latency) record(intended, now int64, first, last bool) {
	if intended < l.from || intended >= l.to {
		return
	}
	took := clampLatency(now - intended)
	l.every.RecordValue(took)
	if first {
		l.first.RecordValue(took)
	}
	if last {
		l.last.RecordValue(took)
	}
}

// sent enters how late a publish was queued.
func (l *latency) sent(intended, now time.Duration) {
	if int64(intended) >= l.from && int64(intended) < l.to {
		l.late.RecordValue(clampLatency(int64(now - intended)))
	}
}

// clampLatency keeps a value inside the histograms' range, so that recording cannot fail.
func clampLatency(ns int64) int64 { return min(max(ns, 0), int64(latencyHighest)) }

// quantiles are the figures given of a histogram.
type quantiles struct{ p50, p99, p999, max time.Duration }

func quantilesOf(h *hdrhistogram.Histogram) quantiles {
	at := func(q float64) time.Duration { return time.Duration(h.ValueAtQuantile(q)) }
	return quantiles{p50: at(50), p99: at(99), p999: at(99.9), max: time.Duration(h.Max())}
}

// namedHistogram is a histogram of deliveries with its name in the report.
type namedHistogram struct {
	name      string
	histogram *hdrhistogram.Histogram
}

func (l *latency) named() []namedHistogram {
	return []namedHistogram{{"latency", l.every}, {"first delivery", l.first}, {"last delivery", l.last}}
}

// curveOf returns a histogram as quantiles dense enough to draw: stepsPerNine between 0 and 90 %, as many between 90 and
// 99 %, and so on as far as the values reach; the median; and the highest.
func curveOf(h namedHistogram) record.Curve {
	c := record.Curve{Name: h.name, Count: h.histogram.TotalCount()}
	add := func(percentile float64) {
		c.Percentiles = append(c.Percentiles, percentile)
		c.Nanoseconds = append(c.Nanoseconds, float64(h.histogram.ValueAtQuantile(percentile)))
	}
	below := 0.0
	for step := 0; ; step++ {
		above := math.Pow(10, -float64(step)/stepsPerNine) // the share of values above it
		if above*float64(c.Count) < 1 {
			break
		}
		percentile := math.Round(100*(1-above)*1e9) / 1e9 // so that 99.9 is 99.9
		if below < 50 && percentile > 50 {
			add(50)
		}
		add(percentile)
		below = percentile
	}
	c.Percentiles = append(c.Percentiles, 100)
	c.Nanoseconds = append(c.Nanoseconds, float64(h.histogram.Max()))
	return c
}
