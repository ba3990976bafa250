package page

import (
	"testing"

	"hubsub/bench/record"
)

func TestHeadline(t *testing.T) {
	// Each server but the first has one value per pair; the first has 100 in each.
	f := func(want, figure, unit, better string, servers ...[]float64) {
		t.Helper()
		r := &record.Run{Servers: []record.Server{{Name: "redis"}}}
		names := []string{"redis", "b", "c", "d", "e"}
		add := func(server, pair int, v float64) {
			r.Measurements = append(r.Measurements, record.Measurement{Pair: pair, Server: server,
				Figures: []record.Figure{{Name: figure, Value: v, Unit: unit, Better: better}}})
		}
		for pair := range 2 {
			add(0, pair, 100)
		}
		for i, values := range servers {
			r.Servers = append(r.Servers, record.Server{Name: names[i+1]})
			for pair, v := range values {
				add(i+1, pair, v)
			}
		}
		r.Compare()
		if got := headline(r); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	cpu := func(want string, servers ...[]float64) {
		t.Helper()
		f(want, record.CPUPerDelivery, record.Nanoseconds, record.Lower, servers...)
	}
	at := func(values ...float64) []float64 { return values }
	cpu("redis needs 100\u00a0ns of CPU per delivery")
	cpu("b needs 0.44 of redis’s CPU per delivery", at(43, 45))
	cpu("b needs 1.50 times redis’s CPU per delivery", at(140, 160))
	cpu("b needs about 0.99 of redis’s CPU per delivery", at(97, 101))
	cpu("b needs 0.015 of redis’s CPU per delivery", at(1.5))
	cpu("Of redis’s CPU per delivery, b needs 0.44 and c 1.50", at(44), at(150))
	cpu("Of redis’s CPU per delivery, b needs about 1.10 and c 1.50", at(90, 130), at(150))
	cpu("Of redis’s CPU per delivery, b needs 0.44, c 1.50 and d 12.0", at(44), at(150), at(1200))
	cpu("Of 5 servers, d does best: it needs 0.40 of redis’s CPU per delivery", at(44), at(150), at(40), at(50))
	cpu("None of 4 other servers does better than redis: c needs 1.10 of its CPU per delivery", at(144), at(110), at(140), at(150))
	f("b makes 2.00 times redis’s deliveries per second", record.DeliveriesPerSecond, record.PerSecond, record.Higher, at(200))
	f("Of 5 servers, c does best: it makes 3.00 times redis’s deliveries per second",
		record.DeliveriesPerSecond, record.PerSecond, record.Higher, at(200), at(300), at(40), at(50))
	f("redis delivers 99 % of messages within 100\u00a0ns", "latency p99", record.Nanoseconds, record.Lower)
	f("1 server measured", "something else", "", record.Lower)
}
