package link

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"hubsub/cluster/port/porttest"
)

// stuff sends records to a node until none is taken, and returns how many were.
func (n *node) stuff(t *testing.T, to *node, from int, between func()) (taken int) {
	t.Helper()
	for i := range 100_000 {
		if !n.Send(to.name, to.address, noise(nil, uint64(from+i), 4000), 1) {
			return i
		}
		between()
	}
	t.Fatal("all is taken")
	return 0
}

// A receiver has enough for a moment: what comes waits where it is sent, and nothing is lost.
func TestReceiverHasEnough(t *testing.T) {
	inBubble(t, func(t *testing.T, network *porttest.Network) {
		a, b := pair(t, network)
		b.address = addressB
		var enough atomic.Bool
		enough.Store(true)
		b.full = enough.Load
		taken := a.stuff(t, b, 0, synctest.Wait)
		if n, _ := b.count(a); n == 0 || n > 100 {
			t.Errorf("%d records are read", n)
		}
		time.Sleep(stallTimeout / 2)
		enough.Store(false)
		time.Sleep(stallTimeout)
		b.inOrder(t, a, taken, 0)
		if s := b.Stats(); s.Paused == 0 {
			t.Errorf("counted %+v", s)
		}
		a.must(t, b, taken)
		synctest.Wait()
		b.inOrder(t, a, taken+1, 0)
	})
}

// It has enough for so long that the session is lost: the connections end, of the sender too, and with the receiver's patience
// all is as it was.
func TestReceiverHasEnoughForLong(t *testing.T) {
	inBubble(t, func(t *testing.T, network *porttest.Network) {
		a, b := pair(t, network)
		b.address = addressB
		var enough atomic.Bool
		enough.Store(true)
		b.full = enough.Load
		taken := a.stuff(t, b, 0, synctest.Wait)
		time.Sleep(2 * ageMax)
		if _, lost := a.count(b); lost == 0 {
			t.Error("nothing is lost")
		}
		if n, _ := b.count(a); n > 500 {
			t.Errorf("%d records are read of %d", n, taken)
		}
		enough.Store(false)
		time.Sleep(sessionTimeout)
		before, losses := b.count(a)
		a.must(t, b, taken)
		time.Sleep(stallTimeout)
		b.inOrder(t, a, before+1, losses)
	})
}

// So it is over sockets, whether a loop reads them or not; and what a reader has in its buffer comes when nothing else does.
func TestReceiverHasEnoughOverTCP(t *testing.T) {
	for _, boot := range []string{"1", "2"} { // the first is watched
		a := start(t, nil, "127.0.0.1:0", "3")
		b := start(t, nil, "127.0.0.1:0", boot)
		var until, asked atomic.Int64
		b.full = func() bool { // now and then
			asked.Add(1)
			return time.Now().UnixNano() < until.Load()
		}
		pausing := time.NewTicker(20 * time.Millisecond)
		defer pausing.Stop()
		taken := 0
		for end := time.Now().Add(500 * time.Millisecond); time.Now().Before(end); {
			select {
			case <-pausing.C:
				until.Store(time.Now().Add(10 * time.Millisecond).UnixNano())
			default:
			}
			if a.Send(b.name, b.address, noise(nil, uint64(taken), 4000), 1) {
				taken++
			} else {
				time.Sleep(time.Millisecond)
			}
		}
		b.arrives(t, a, taken)
		if s := b.Stats(); s.Paused == 0 {
			t.Errorf("counted %+v", s)
		}
	}
}

// Links that close do not wait for a receiver that has enough.
func TestCloseDoesNotWaitForTheReceiver(t *testing.T) {
	inBubble(t, func(t *testing.T, network *porttest.Network) {
		a, b := pair(t, network)
		b.full = func() bool { return true }
		a.must(t, b, 0)
		synctest.Wait()
		a.must(t, b, 1)
		began := time.Now()
		b.Links.Close()
		if took := time.Since(began); took > 2*closeTimeout {
			t.Errorf("it takes %v", took)
		}
	})
}
