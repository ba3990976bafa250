package placement

import (
	"testing"
	"time"
)

func newTestHost() *Host {
	h := NewHost("n0/1", func(string) bool { return false }, func() bool { return false })
	h.Receive(0, "n1/1", Activate{Room: "r", Epoch: Epoch{1, 1}, Hosts: []Name{"n0/1"}})
	h.Effects()
	return h
}

// A request to close that is older than the one it has agreed to, and the end of
// that older one, do not open the room again.
func TestLateMayClose(t *testing.T) {
	h := newTestHost()
	older, newer := Attempt{Term{}, 1}, Attempt{Term{}, 2}
	h.Receive(0, "n1/1", MayClose{newer, "r", Epoch{1, 1}})
	h.Receive(0, "n1/1", MayClose{older, "r", Epoch{1, 1}})
	h.Receive(0, "n1/1", Reopen{Term{}, older, "r"})
	if _, _, open, ok := h.Hosts("r"); open || !ok {
		t.Errorf("open %v, hosted %v", open, ok)
	}
	h.Receive(0, "n1/1", Reopen{Term{}, newer, "r"})
	if _, _, open, _ := h.Hosts("r"); !open {
		t.Error("it stays closed")
	}
}

// What a host was told to drop it remembers for its time, whatever it was told
// before.
func TestGraves(t *testing.T) {
	h := newTestHost()
	h.Receive(0, "n1/1", Drop{Room: "r", Epoch: Epoch{1, 5}})
	h.Receive(buriedFor-time.Second, "n1/1", Drop{Room: "r", Epoch: Epoch{1, 9}})
	h.Tick(buriedFor)
	h.Receive(buriedFor, "n1/1", Activate{Room: "r", Epoch: Epoch{1, 7}, Hosts: []Name{"n0/1"}})
	if _, _, _, ok := h.Hosts("r"); ok {
		t.Error("it hosts what it has dropped")
	}
	h.Tick(2 * buriedFor)
	if len(h.buried) != 0 {
		t.Errorf("%v is remembered for ever", h.buried)
	}
}
