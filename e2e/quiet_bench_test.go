package e2e

import (
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// quietEvery is how often a quiet room has a message.
const quietEvery = 5 * time.Millisecond

// A quiet room has one publisher and one subscriber, and tells how long messages are under way: from just before the
// publisher writes one until the subscriber has it.
type quiet struct {
	sent, answered atomic.Int64 // messages
	refused        atomic.Int64 // of the answered
	reached, came  atomic.Int64 // by the answers, and indeed
	stop           chan struct{}

	mu    sync.Mutex
	found delays
}

// delays are what was found in a while: how long messages were under way, and by how much the publisher's timer was late,
// which is no part of that and tells how soon this process gets to run.
type delays struct{ way, late millis }

type millis []float64

// at returns the quantile.
func (m millis) at(quantile float64) float64 {
	if len(m) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(m))
	return sorted[int(quantile*float64(len(m)-1))]
}

// newQuiet begins to publish at one node and to listen at another.
func newQuiet(b *testing.B, room string, tell, hear *node) *quiet {
	b.Helper()
	q := &quiet{stop: make(chan struct{})}
	from, to := dial(b, tell.server), dial(b, hear.server)
	must(b, to.expect("[subscribe "+room+" 1]", "SUBSCRIBE", room))
	base := time.Now()
	go func() {
		for {
			r, err := to.read()
			if err != nil {
				return
			}
			at, _ := strconv.ParseInt(r.items[2].text, 10, 64) // as it was written below
			took := time.Since(base) - time.Duration(at)
			q.came.Add(1)
			q.mu.Lock()
			q.found.way = append(q.found.way, took.Seconds()*1e3)
			q.mu.Unlock()
		}
	}()
	go func() {
		for {
			r, err := from.read()
			if err != nil {
				return
			}
			if r.kind != ':' {
				q.refused.Add(1)
			}
			q.reached.Add(r.n)
			q.answered.Add(1)
		}
	}()
	go func() {
		for next := time.Now(); ; next = next.Add(quietEvery) {
			select {
			case <-q.stop:
				return
			case <-time.After(time.Until(next)):
			}
			late := time.Since(next)
			q.mu.Lock()
			q.found.late = append(q.found.late, late.Seconds()*1e3)
			q.mu.Unlock()
			q.sent.Add(1)
			if err := from.send("PUBLISH", room, strconv.FormatInt(int64(time.Since(base)), 10)); err != nil {
				return
			}
		}
	}()
	return q
}

// take returns what was found since it was last called.
func (q *quiet) take() delays {
	q.mu.Lock()
	defer q.mu.Unlock()
	found := q.found
	q.found = delays{}
	return found
}

// end stops publishing, and returns how many messages were refused, and how many were not and have not come.
func (q *quiet) end() (refused, missing int64) {
	close(q.stop)
	for giveUp := time.Now().Add(afterFlood); time.Now().Before(giveUp); time.Sleep(10 * time.Millisecond) {
		if q.answered.Load() == q.sent.Load() && q.came.Load() >= q.reached.Load() {
			break
		}
	}
	return q.refused.Load(), q.reached.Load() - q.came.Load()
}
