package engine

import (
	"cmp"
	"slices"
)

// This file counts the memory that clients take, each and all together, and
// closes those who take most when --maxmemory-clients is not enough for all.
// Messages that wait for several slow subscribers are there once and count for
// each of them, as in Redis.

// Memory returns the bytes that the client takes: its connection, its
// subscriptions, what it sent and was not executed yet, what it was not sent
// yet. Any goroutine.
func (s *Session) Memory() int64 {
	subscriptions := int64(0)
	for kind := range s.counts {
		subscriptions += int64(s.counts[kind].Load())
	}
	return sessionBytes + subscriptions*subscriptionBytes + s.Buffered() + s.kept.Load() + s.backlogged.Load()
}

// Kept returns the bytes that the Handler keeps for the client. Any goroutine.
func (s *Session) Kept() int64 { return s.kept.Load() }

// Keep counts n bytes more, or less, that the Handler keeps for the client.
// They have the same limit as an unfinished command; ok is false if they are
// over it, and the connection is closed.
func (s *Session) Keep(n int64) (ok bool) {
	s.loop.engine.clientMemory.Add(n)
	if kept := s.kept.Add(n); n > 0 && kept > int64(s.loop.engine.settings.Load().QueryBufferBytes) {
		s.loop.doom(s, closedByQueryBuffer)
		return false
	}
	return true
}

// forgetPartial drops the session's unfinished command, if there is one.
func (s *Session) forgetPartial() {
	if p := s.partial.Swap(nil); p != nil {
		s.loop.engine.clientMemory.Add(-p.bytes.Load())
	}
}

// release gives back what the session counted for, but for its backlog and its
// subscriptions, which count themselves.
func (s *Session) release() {
	s.forgetPartial()
	s.loop.engine.clientMemory.Add(-s.kept.Swap(0) - sessionBytes)
}

// checkMemory closes clients if all together take too much. It runs once a
// tick.
func (l *loop) checkMemory() {
	e := l.engine
	most := e.settings.Load().clientMemoryMax()
	if most == 0 || e.clientMemory.Load() <= most || !e.evicting.TryLock() {
		return
	}
	defer e.evicting.Unlock()
	if now := e.clock(); now-e.evicted >= int64(evictionInterval) {
		e.evicted = now
		e.evict(most)
	}
}

// evict ends all lingering, and closes the clients that take most, on whatever
// loop, until the rest takes at most that much together. Clients that
// Identity.Lasting says to keep count, but stay. The caller holds e.evicting.
func (e *Engine) evict(most int64) {
	e.dismissLingerers() // they are going anyway
	type candidate struct {
		session *Session
		bytes   int64
	}
	var total int64
	var candidates []candidate
	e.Sessions(func(s *Session) {
		if s.Killed() {
			return
		}
		bytes := s.Memory()
		total += bytes
		if id := s.Identity.Load(); id == nil || !id.Lasting {
			candidates = append(candidates, candidate{s, bytes})
		}
	})
	slices.SortFunc(candidates, func(a, b candidate) int { return cmp.Compare(b.bytes, a.bytes) })
	for _, c := range candidates {
		if total <= most {
			return
		}
		total -= c.bytes
		e.kill(c.session, closedByMemoryLimit)
	}
}
