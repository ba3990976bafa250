package link

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"hubsub/cluster/port/porttest"
)

// Both dial at the same time, again and again.
func TestSimultaneousDials(t *testing.T) {
	for range 100 {
		inBubble(t, func(t *testing.T, network *porttest.Network) {
			a, b := pair(t, network)
			for i := range 5 {
				a.must(t, b, 2*i)
				b.must(t, a, 2*i)
				a.must(t, b, 2*i+1)
				b.must(t, a, 2*i+1)
				synctest.Wait()
				time.Sleep(time.Second)
				if s, r := a.port.Stats(), b.port.Stats(); s.Open != 1 || r.Open != 1 {
					t.Fatalf("%d and %d connections are open", s.Open, r.Open)
				}
				// Both are dialed again.
				a.mu.Lock()
				c := a.Links.peers[b.name].conn
				a.mu.Unlock()
				c.Close()
			}
			time.Sleep(time.Second)
			a.inOrder(t, b, 10, 0)
			b.inOrder(t, a, 10, 0)
		})
	}
}

func TestSimultaneousDialsOverTCP(t *testing.T) {
	for range 30 {
		a, b := start(t, nil, "127.0.0.1:0", "1"), start(t, nil, "127.0.0.1:0", "2")
		var running sync.WaitGroup
		for i := range 2 {
			from, to := a, b
			if i == 1 {
				from, to = b, a
			}
			running.Go(func() {
				for i := range 50 {
					for !from.say(to, i) {
						time.Sleep(time.Millisecond)
					}
				}
			})
		}
		running.Wait()
		a.arrives(t, b, 50)
		b.arrives(t, a, 50)
		eventually(t, func() bool { return a.port.Stats().Open == 1 && b.port.Stats().Open == 1 })
		a.end()
		b.end()
	}
}
