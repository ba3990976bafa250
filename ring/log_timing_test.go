package ring

import (
	"sync/atomic"
	"testing"
)

// exchangeLog is the lock-free form of the log's list: one atomic exchange of
// the tail is an append. It stands here to be measured against Log; doc.go says
// why Log has a mutex.
type exchangeLog struct {
	tail   atomic.Pointer[entry[int]]
	reader atomic.Pointer[Reader[int]]
}

func (l *exchangeLog) append(v int) {
	empty := new(entry[int])
	filled := l.tail.Swap(empty)
	filled.value = v
	filled.next.Store(empty)
	if r := l.reader.Load(); !r.queued.Load() && !r.queued.Swap(true) {
		r.inbox.push(r)
	}
}

func drainAll(inbox *Inbox[int]) {
	inbox.Drain(func(r *Reader[int]) {
		for _, ok := r.Next(); ok; _, ok = r.Next() {
		}
	})
}

func BenchmarkAppend(b *testing.B) {
	b.Run("mutex", func(b *testing.B) {
		b.ReportAllocs()
		inbox := NewInbox[int](0)
		var log Log[int]
		log.Join(inbox)
		value := []int{1}
		for range b.N {
			log.Append(value, 0, nil)
			drainAll(inbox)
		}
	})
	b.Run("exchange", func(b *testing.B) {
		b.ReportAllocs()
		inbox := NewInbox[int](0)
		var log exchangeLog
		log.tail.Store(new(entry[int]))
		log.reader.Store(&Reader[int]{inbox: inbox, at: log.tail.Load()})
		for range b.N {
			log.append(1)
			drainAll(inbox)
		}
	})
}

// One log, as many writers as cores, each draining the inbox of its own loop,
// as loops do.
func BenchmarkAppendContended(b *testing.B) {
	b.Run("mutex", func(b *testing.B) {
		var log Log[int]
		var loops atomic.Int32
		b.RunParallel(func(pb *testing.PB) {
			inbox := NewInbox[int](int(loops.Add(1)) - 1)
			log.Join(inbox)
			value := []int{1}
			for pb.Next() {
				log.Append(value, 0, nil)
				drainAll(inbox)
			}
		})
	})
	b.Run("exchange", func(b *testing.B) {
		var log exchangeLog
		log.tail.Store(new(entry[int]))
		var loops atomic.Int32
		b.RunParallel(func(pb *testing.PB) {
			inbox := NewInbox[int](int(loops.Add(1)) - 1)
			r := &Reader[int]{inbox: inbox, at: log.tail.Load()}
			log.reader.Store(r)
			for pb.Next() {
				log.append(1)
				// The other loop's mark is missing here: in favour of the exchange.
				for _, ok := r.Next(); ok; _, ok = r.Next() {
				}
			}
		})
	})
}
