package placement

import (
	"iter"
	"time"
)

// queue holds what becomes due, in the order in which it does.
type queue[T any] struct {
	waiting []timed[T]
}

type timed[T any] struct {
	at   time.Duration
	item T
}

// push adds an item that is due not before those that are in the queue.
func (q *queue[T]) push(at time.Duration, item T) {
	q.waiting = append(q.waiting, timed[T]{at, item})
}

// due takes the items that are due, one by one.
func (q *queue[T]) due(now time.Duration) iter.Seq[T] {
	return func(yield func(T) bool) {
		for len(q.waiting) > 0 && q.waiting[0].at <= now {
			item := q.waiting[0].item
			q.waiting = q.waiting[1:]
			if !yield(item) {
				return
			}
		}
	}
}
