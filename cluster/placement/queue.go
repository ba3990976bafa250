package placement

import "time"

// queue holds what becomes due, in the order in which it does.
type queue[T any] struct {
	waiting []due[T]
}

type due[T any] struct {
	at   time.Duration
	item T
}

// push adds an item that is due not before those that are in the queue.
func (q *queue[T]) push(at time.Duration, item T) {
	q.waiting = append(q.waiting, due[T]{at, item})
}

// pop takes the first item if it is due.
func (q *queue[T]) pop(now time.Duration) (item T, ok bool) {
	if len(q.waiting) == 0 || q.waiting[0].at > now {
		return item, false
	}
	item = q.waiting[0].item
	q.waiting = q.waiting[1:]
	return item, true
}
