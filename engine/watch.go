package engine

import (
	"sync"

	"golang.org/x/sys/unix"
)

// This file is for descriptors of others that a loop waits for together with its
// own: a connection between nodes, say, whose messages go to the loop anyhow. It
// saves each of them a change of thread.

// watch is one of them.
type watch struct {
	// Set once.
	loop  *loop
	fd    int32
	ready func()

	mu    sync.Mutex
	ended bool
}

// Watch implements Sink.
func (k sink) Watch(fd int, ready func()) (stop func()) {
	l := k.relay.loop
	w := &watch{loop: l, fd: int32(fd), ready: ready}
	if l.watches == nil {
		l.watches = make(map[int32]*watch)
	}
	l.watches[w.fd] = w
	_ = l.poller.control(unix.EPOLL_CTL_ADD, fd, eventsRead) // if it fails, for want of memory, the owner's patience ends
	return w.stop
}

// stop ends the watch. The descriptor is the owner's to close when it returns.
func (w *watch) stop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ended {
		return
	}
	w.ended = true
	l := w.loop
	l.engine.late.RLock()
	if !l.engine.over {
		_ = l.poller.control(unix.EPOLL_CTL_DEL, int(w.fd), 0)
	}
	l.engine.late.RUnlock()
	l.postLate(func() {
		if l.watches[w.fd] == w {
			delete(l.watches, w.fd)
		}
	})
}

// look tells the owner of a descriptor that it can be read, and reports whether
// there is one.
func (l *loop) look(fd int32) bool {
	w := l.watches[fd]
	if w == nil {
		return false
	}
	w.mu.Lock()
	ended := w.ended
	w.mu.Unlock()
	if !ended {
		w.ready()
		l.looked = true
	}
	return !ended
}
