package cluster

import (
	"sync"

	"hubsub/cluster/placement"
)

// watching is a link's socket that a loop reads: what it brings is mostly for
// lanes of that loop, or of the others, and needs no goroutine of its own.
type watching struct {
	lane  *Lane
	fd    int
	ready func()

	mu    sync.Mutex
	ended bool
	stop  func() // the loop's; nil: it has not begun
}

// watch has a loop call ready while a link's socket can be read.
func (s *Lanes) watch(peer placement.Name, fd int, ready func()) (stop func()) {
	w := &watching{lane: s.all[s.config.Of([]byte(peer), len(s.all))], fd: fd, ready: ready}
	w.lane.post(letter{do: func(*Lane) { w.begin() }})
	return w.end
}

// begin runs on the loop.
func (w *watching) begin() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.ended {
		w.stop = w.lane.outlet.Watch(w.fd, w.read)
	}
}

// read runs on the loop: what is put into the lane's box meanwhile is found there
// before the tick ends, and wakes nobody.
func (w *watching) read() {
	w.lane.reading.Store(true)
	w.ready()
	w.lane.reading.Store(false)
}

func (w *watching) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ended = true
	if w.stop != nil {
		w.stop()
	}
}
