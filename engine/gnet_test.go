package engine

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// What the engine relies on in gnet v2.10.0 that gnet does not promise.

// The fd that epollOf reads is an epoll.
func TestEpollOfGnetPoller(t *testing.T) {
	h := newHub(t, 1, nil)
	fd := h.loops[0].waiter.polled()
	var link [64]byte
	n, err := unix.Readlink(fmt.Sprint("/proc/self/fd/", fd), link[:])
	if err != nil || string(link[:n]) != "anon_inode:[eventpoll]" {
		t.Fatalf("fd %d is %q (%v), want an epoll", fd, link[:n], err)
	}
}

// While a loop sleeps inside a task of gnet's, gnet still takes new
// connections, tasks and the end, and pokes from outside arrive.
func TestSleepingLoopIsReached(t *testing.T) {
	h := newHub(t, 1, nil)
	l := h.loops[0]
	reached := make(chan struct{})
	for range 1000 {
		l.post(func() { reached <- struct{}{} })
		<-reached
		l.task(func() { go func() { reached <- struct{}{} }() })
		<-reached
	}
	for range 200 {
		h.dial().quiet()
		l.post(func() { reached <- struct{}{} })
		<-reached
	}
}

// A connection costs no goroutine.
func TestNoGoroutinePerConnection(t *testing.T) {
	h := newHub(t, 2, nil)
	h.dial().quiet()
	before := runtime.NumGoroutine()
	for i := range 500 {
		h.dial().ask("SUBSCRIBED", "SUBSCRIBE", channelNumber(i))
	}
	// The runtime may have begun goroutines of its own: wait for their end.
	for deadline := time.Now().Add(10 * time.Second); runtime.NumGoroutine() > before+2; {
		if time.Now().After(deadline) {
			t.Fatalf("%d goroutines before, %d with 500 clients", before, runtime.NumGoroutine())
		}
		runtime.Gosched()
	}
}
