package ring

import (
	"math"
	"sync"
	"testing"
	"time"
)

func TestMeter(t *testing.T) {
	var m Meter
	now := int64(time.Hour)
	f := func(when string, total int64, rate float64) {
		t.Helper()
		if got := m.Rate(now); m.Total() != total || math.Abs(got-rate) > 0.01 {
			t.Errorf("%s: %d, %.2f a second; want %d, %.2f", when, m.Total(), got, total, rate)
		}
	}
	f("nothing", 0, 0)
	m.Add(now, 3)
	f("the first", 3, 3)
	now += int64(2 * time.Second)
	f("later", 3, 1.5)
	for i := range 100 { // ten a second
		now += int64(time.Second / 10)
		m.Add(now, 1)
		if i > 85 {
			f("steady", int64(4+i), 10)
		}
	}
	now += int64(meterInterval) * 3
	if got := m.Rate(now); got > 4 {
		t.Errorf("%.2f a second in silence", got)
	}
	m.Add(now, 1)
	now += int64(meterInterval) - 1
	if got := m.Rate(now); got > 0.5 {
		t.Errorf("%.2f a second after silence", got)
	}
}

// Many add at once, and nothing is lost.
func TestMeterOfMany(t *testing.T) {
	var m Meter
	var adding sync.WaitGroup
	for range 4 {
		adding.Go(func() {
			for i := range int64(100_000) {
				m.Add(1+i*int64(time.Millisecond), 1)
			}
		})
	}
	adding.Wait()
	if m.Total() != 400_000 {
		t.Errorf("%d", m.Total())
	}
	if got := m.Rate(100_000 * int64(time.Millisecond)); got < 0 {
		t.Errorf("%.2f a second", got)
	}
}
