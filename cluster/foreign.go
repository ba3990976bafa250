package cluster

import (
	"sync"
	"sync/atomic"
	"time"

	"hubsub/cluster/lane"
)

// foreign are the patterns of all nodes that are bound to no room. Lane 0 changes
// them, the others match; it is the lanes' lane.Foreign.
type foreign struct {
	// Set once.
	lanes *Lanes

	// Guarded by mu, changed on loop 0 only.
	mu       sync.RWMutex
	patterns *lane.Patterns

	next atomic.Int64 // when they have something to do; each tick looks

	// Owned by loop 0. A node is told that its patterns are known when all loops
	// know that somebody elsewhere may hear what they publish by themselves.
	elsewhere bool // what the patterns said last
	learning  int  // lanes that have yet to hear that this has changed
	acks      []ack
}

// ack tells a node that its patterns are known.
type ack struct {
	to     lane.Peer
	record lane.Record
}

// change changes the patterns, on loop 0, and tells all lanes if other nodes have
// some from now on, or have none any more.
func (f *foreign) change(do func(*lane.Patterns)) {
	f.mu.Lock()
	f.patterns.Tick(f.lanes.now())
	do(f.patterns)
	now := f.patterns.Elsewhere()
	f.next.Store(int64(f.patterns.Next()))
	f.mu.Unlock()
	if now != f.elsewhere {
		f.elsewhere = now
		f.learning += len(f.lanes.all)
		f.lanes.each(func(l *Lane) {
			l.core.PatternsChanged()
			f.lanes.all[0].post(letter{do: func(*Lane) {
				f.learning--
				f.acknowledge()
			}})
		})
	}
	f.acknowledge()
}

// Send is the patterns' lane.Network.
func (f *foreign) Send(to lane.Peer, r *lane.Record) bool {
	if r.Type == lane.PatternAck {
		f.acks = append(f.acks, ack{to, *r}) // it has numbers only
		return true
	}
	return f.lanes.all[0].Send(to, r)
}

// acknowledge sends the acknowledgements that wait for no lane. One that does not
// leave is asked for again.
func (f *foreign) acknowledge() {
	if f.learning > 0 {
		return
	}
	for i := range f.acks {
		f.lanes.all[0].Send(f.acks[i].to, &f.acks[i].record)
	}
	clear(f.acks)
	f.acks = f.acks[:0]
}

// Match, Elsewhere and Confirmed are of lane.Foreign.
func (f *foreign) Match(channel []byte, yield func(lane.Peer, int64)) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	f.patterns.Match(channel, yield)
}

func (f *foreign) Elsewhere() bool {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.patterns.Elsewhere()
}

func (f *foreign) Confirmed(channel []byte) bool {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.patterns.Confirmed(channel)
}

// patternsNext returns when they have something to do. Any goroutine.
func (f *foreign) patternsNext() time.Duration { return time.Duration(f.next.Load()) }

// Patterns returns how many different patterns the clients of all nodes have,
// that are bound to no room.
func (f *foreign) Patterns() int {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.patterns.Patterns()
}
