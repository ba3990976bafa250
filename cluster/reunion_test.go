package cluster

import (
	"testing"
	"time"
)

func TestReunionDue(t *testing.T) {
	var r reunion
	f := func(now time.Duration, serving int, want time.Duration) {
		t.Helper()
		r.count(now, serving)
		if got := r.due(now); got != want {
			t.Errorf("at %v with %d members: after %v, want %v", now, serving, got, want)
		}
	}
	f(1, 3, contactInterval)
	f(2, 3, contactInterval)
	f(3, 2, watchInterval)
	f(3+returnTime-1, 2, watchInterval)
	f(3+returnTime, 2, contactInterval)
	f(4+returnTime, 3, contactInterval)
	f(5+returnTime, 1, watchInterval)
}

func TestReunionGivesUp(t *testing.T) {
	var r reunion
	for range lossesMax - 1 {
		if r.round(true) {
			t.Error("gives up early")
		}
	}
	r.round(false)
	for i := range lossesMax {
		if last := i == lossesMax-1; r.round(true) != last {
			t.Errorf("round %d in vain", i)
		}
	}
}

func TestPace(t *testing.T) {
	var p pace
	f := func(now time.Duration, want bool) {
		t.Helper()
		if got := p.pass(now, 10); got != want {
			t.Errorf("at %d: %v", now, got)
		}
	}
	f(1, true)
	f(10, false)
	f(11, true)
	f(12, false)
	f(99, true)
}
