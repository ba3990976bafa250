package engine

import (
	"strings"
	"testing"
	"time"
)

// A loop that has nothing to do is not woken; what is to be looked after later
// is looked after all the same.
func TestRest(t *testing.T) {
	rests := func(h *hub) {
		t.Helper()
		for end := time.Now().Add(10 * housekeepingInterval); ; time.Sleep(10 * time.Millisecond) {
			resting := 0
			for _, l := range h.loops {
				if l.resting.Load() {
					resting++
				}
			}
			if resting == len(h.loops) {
				return
			}
			if time.Now().After(end) {
				t.Fatalf("%d of %d loops rest", resting, len(h.loops))
			}
		}
	}
	t.Run("a slow subscriber", func(t *testing.T) {
		t.Parallel()
		h := newHub(t, 2, func(s *Settings) {
			s.OutputPubSub = OutputLimit{SoftBytes: 1 << 10, SoftTime: time.Second}
		})
		rests(h)
		stalled, p := h.dial(), h.dial()
		stalled.ask("SUBSCRIBED", "SUBSCRIBE", "news")
		rests(h)
		for range 50 { // more than a socket holds
			p.ask("1", "PUBLISH", "news", strings.Repeat("x", 100_000))
		}
		for begin := time.Now(); h.Stats().OutputLimitCloses == 0; time.Sleep(10 * time.Millisecond) {
			if time.Since(begin) > 10*time.Second {
				t.Fatal("still connected")
			}
		}
		rests(h)
	})
	t.Run("a new timeout", func(t *testing.T) {
		t.Parallel()
		h := newHub(t, 2, nil)
		p := h.dial()
		p.ask("0", "PUBLISH", "news", "x")
		rests(h)
		settings := h.Settings()
		settings.Timeout = time.Second
		h.SetSettings(settings)
		p.wantClosed()
	})
	t.Run("less memory", func(t *testing.T) {
		t.Parallel()
		h := newHub(t, 2, nil)
		p := h.dial()
		p.write([]byte("*2\r\n$8000000\r\n" + strings.Repeat("x", 4_000_000))) // half of a command
		rests(h)
		settings := h.Settings()
		settings.MaxMemoryClients = 1
		h.SetSettings(settings)
		p.wantClosed()
	})
}
