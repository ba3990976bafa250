package placement

import (
	"iter"
	"math"
	"time"
)

// Never is when nothing is due.
const Never time.Duration = math.MaxInt64

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

// next returns when the first item is due.
func (q *queue[T]) next() time.Duration {
	if len(q.waiting) == 0 {
		return Never
	}
	return q.waiting[0].at
}

// pop takes the first item.
func (q *queue[T]) pop() T {
	item := q.waiting[0].item
	q.waiting[0] = timed[T]{} // the array lives on
	q.waiting = q.waiting[1:]
	return item
}

// due takes the items that are due, one by one.
func (q *queue[T]) due(now time.Duration) iter.Seq[T] {
	return func(yield func(T) bool) {
		for len(q.waiting) > 0 && q.waiting[0].at <= now {
			if !yield(q.pop()) {
				return
			}
		}
	}
}
