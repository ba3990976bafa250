package engine

import (
	"slices"
	"sync"
	"sync/atomic"

	"hubsub/engine/glob"
)

// pattern is one PSUBSCRIBEd glob. It exists while it has a subscriber.
type pattern struct {
	// Set once.
	name string

	// Written under patterns.mu, read by anyone.
	subscribers atomic.Int64
	loops       atomic.Uint64 // the loops with a subscriber
}

// matches are the patterns that match one channel, as of one generation. It is
// never changed.
type matches struct {
	generation uint64
	patterns   []*pattern
}

// patterns knows all patterns of all loops.
type patterns struct {
	mu    sync.RWMutex
	index glob.Index[*pattern]
	// Grows when a pattern comes or goes, under mu, before the client hears of
	// it; read by anyone. Matches of an older generation are worthless.
	generation atomic.Uint64
	// How many there are; read by anyone.
	count atomic.Int64
}

// subscribe counts one more subscriber on the loop.
func (p *patterns) subscribe(name []byte, loop int) *pattern {
	p.mu.Lock()
	defer p.mu.Unlock()
	pt, known := p.index.Get(string(name))
	if !known {
		pt = &pattern{name: string(name)}
		p.index.Add(pt.name, pt)
		p.count.Add(1)
		p.generation.Add(1)
	}
	pt.subscribers.Add(1)
	pt.loops.Store(pt.loops.Load() | 1<<loop)
	return pt
}

// unsubscribe counts one subscriber less; last says that the loop has no other.
func (p *patterns) unsubscribe(pt *pattern, loop int, last bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if last {
		pt.loops.Store(pt.loops.Load() &^ (1 << loop))
	}
	if pt.subscribers.Add(-1) == 0 {
		p.index.Remove(pt.name)
		p.count.Add(-1)
		p.generation.Add(1)
	}
}

// each calls yield for each pattern with its subscribers, under the lock.
func (p *patterns) each(yield func(name string, subscribers int64)) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	for name, pt := range p.index.All() {
		yield(name, pt.subscribers.Load())
	}
}

// match returns the patterns that match a channel, nil if none does. ch may be
// nil; otherwise it remembers the answer until a pattern comes or goes.
func (p *patterns) match(ch *channel, name []byte) *matches {
	if p.count.Load() == 0 {
		return nil
	}
	if ch != nil {
		if m := ch.matches.Load(); m != nil && m.generation == p.generation.Load() {
			return m.orNil()
		}
	}
	p.mu.RLock()
	var few [8]*pattern
	found := p.index.AppendMatches(few[:0], name)
	generation := p.generation.Load()
	p.mu.RUnlock()
	if ch == nil && len(found) == 0 {
		return nil
	}
	m := &matches{generation: generation, patterns: slices.Clone(found)}
	if ch != nil && len(found) <= matchesMax {
		ch.matches.Store(m)
	}
	return m.orNil()
}

func (m *matches) orNil() *matches {
	if len(m.patterns) == 0 {
		return nil
	}
	return m
}

// subscribers sums the patterns' subscribers: Redis counts a client once for
// each of its patterns.
func (m *matches) subscribers() (n int64) {
	if m == nil {
		return 0
	}
	for _, pt := range m.patterns {
		n += pt.subscribers.Load()
	}
	return n
}

// loops is the set of loops that hear the channel by a pattern.
func (m *matches) loops() (set uint64) {
	if m == nil {
		return 0
	}
	for _, pt := range m.patterns {
		set |= pt.loops.Load()
	}
	return set
}
