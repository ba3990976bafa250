package ring

import "sync/atomic"

// Inbox collects the readers of one loop whose logs have something new. Many
// goroutines push, one drains. It has no bound and needs none: a reader is in
// it at most once, so it never holds more than the loop has readers, nobody
// ever waits for room in it, and two loops cannot wait for each other.
type Inbox[T any] struct {
	loop int
	// The last reader pushed; each links to the one pushed before it.
	top atomic.Pointer[Reader[T]]
}

// NewInbox returns the inbox of the loop with this number, 0 to MaxLoops-1.
func NewInbox[T any](loop int) *Inbox[T] {
	if loop < 0 || loop >= MaxLoops {
		panic("ring: loop number out of range")
	}
	return &Inbox[T]{loop: loop}
}

// push adds r. The caller has just turned r.queued from false to true, so it
// owns r.link until the exchange succeeds.
func (b *Inbox[T]) push(r *Reader[T]) {
	for {
		top := b.top.Load()
		r.link = top
		if b.top.CompareAndSwap(top, r) {
			return
		}
	}
}

// Drain takes what is in the inbox now and visits each reader once, in the
// order in which they came. What is appended to a reader's log after its visit
// began puts the reader into the inbox again.
func (b *Inbox[T]) Drain(visit func(*Reader[T])) {
	if b.top.Load() == nil {
		return
	}
	var oldest *Reader[T]
	for r := b.top.Swap(nil); r != nil; {
		next := r.link
		r.link = oldest
		oldest, r = r, next
	}
	for r := oldest; r != nil; {
		next := r.link
		r.link = nil
		r.queued.Store(false) // from here a writer may push r, and then owns r.link
		visit(r)
		r = next
	}
}
