package ring

import (
	"math/bits"
	"sync"
	"sync/atomic"
)

// MaxLoops is how many inboxes one log can tell apart: a set of loops is one
// machine word.
const MaxLoops = 64

// Log is an ordered sequence with many writers and many readers. Every reader
// sees the values appended after it joined, each once, in the one order that
// all other readers see. The zero value is an empty log.
type Log[T any] struct {
	mu      sync.Mutex
	closed  bool
	tail    *entry[T]  // the empty entry that the next value fills; nil while nobody reads
	readers *Reader[T] // a list; few, so that a log of a small room stays small
}

type entry[T any] struct {
	value T
	// Storing next publishes value: a reader that sees next may read value.
	next atomic.Pointer[entry[T]]
}

// Reader is one loop's position in one log. It is made by [Log.Join] or
// [Log.Append].
type Reader[T any] struct {
	// Set once.
	inbox *Inbox[T]

	// Guarded by the log's mutex.
	next *Reader[T]

	// Owned by the inbox's loop. at is the entry that is filled next, nil after
	// Leave: the entry lives on for others, and a reader that left may still be
	// in the inbox.
	at *entry[T]
	// Interest is the owner's: how many things it reads this log for. Append
	// and Join leave it alone.
	Interest int

	// Any goroutine. queued is true from the push into the inbox to the pop;
	// link is written by whoever turned queued true, then owned by the inbox.
	queued atomic.Bool
	link   *Reader[T]
}

// Append adds values in their order, with nothing between them, after it made
// sure that every loop of the set join (bit i: inboxes[i]) is among the readers.
// Each reader is then in its loop's inbox. It returns the set of loops that
// were put there now: the caller wakes them. heard is false if nobody reads the
// log; open is false if it is closed, and then nothing has happened.
func (l *Log[T]) Append(values []T, join uint64, inboxes []*Inbox[T]) (wake uint64, heard, open bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return 0, false, false
	}
	for ; join != 0; join &= join - 1 {
		l.join(inboxes[bits.TrailingZeros64(join)])
	}
	if l.readers == nil {
		return 0, false, true
	}
	for _, v := range values {
		filled, empty := l.tail, new(entry[T])
		filled.value = v
		filled.next.Store(empty) // readers own filled from here
		l.tail = empty
	}
	for r := l.readers; r != nil; r = r.next {
		if !r.queued.Load() && !r.queued.Swap(true) {
			r.inbox.push(r)
			wake |= 1 << r.inbox.loop
		}
	}
	return wake, true, true
}

// Private reports whether the log is open and nobody but the inbox's loop reads
// it, which has read all: what that loop would append it may as well take as
// read. read is false if nobody reads it. Only the owner of the inbox calls it.
func (l *Log[T]) Private(inbox *Inbox[T]) (private, read bool) {
	l.mu.Lock() // no defer: most messages come here
	r := l.readers
	switch {
	case l.closed:
	case r == nil:
		private = true
	default:
		private, read = r.inbox == inbox && r.next == nil && r.at == l.tail, true
	}
	l.mu.Unlock()
	return private, read
}

// Join returns the inbox's reader of this log, new or old. A new one reads what
// is appended from now on. ok is false if the log is closed.
func (l *Log[T]) Join(inbox *Inbox[T]) (r *Reader[T], ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil, false
	}
	return l.join(inbox), true
}

// Reader returns the inbox's reader, or nil if it has none.
func (l *Log[T]) Reader(inbox *Inbox[T]) *Reader[T] {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.reader(inbox)
}

func (l *Log[T]) reader(inbox *Inbox[T]) *Reader[T] {
	for r := l.readers; r != nil; r = r.next {
		if r.inbox == inbox {
			return r
		}
	}
	return nil
}

func (l *Log[T]) join(inbox *Inbox[T]) *Reader[T] {
	if r := l.reader(inbox); r != nil {
		return r
	}
	if l.tail == nil {
		l.tail = new(entry[T])
	}
	l.readers = &Reader[T]{inbox: inbox, at: l.tail, next: l.readers}
	return l.readers
}

// Leave ends the reader's part in the log and reports whether it did: a reader
// that has something unread stays, and is in its inbox. Only the owner of the
// inbox calls it.
func (l *Log[T]) Leave(r *Reader[T]) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if r.at != nil && r.at.next.Load() != nil {
		return false
	}
	r.at = nil
	for place := &l.readers; *place != nil; place = &(*place).next {
		if *place == r {
			*place = r.next
			break
		}
	}
	if l.readers == nil {
		l.tail = nil
	}
	return true
}

// Close ends a log that nobody reads and reports whether it did. A closed log
// takes no value and no reader any more.
func (l *Log[T]) Close() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.readers != nil {
		return false
	}
	l.closed = true
	return true
}

// Next returns the next value and steps over it; ok is false when all is read.
func (r *Reader[T]) Next() (v T, ok bool) {
	if r.at == nil {
		return v, false
	}
	next := r.at.next.Load()
	if next == nil {
		return v, false
	}
	v = r.at.value
	r.at = next
	return v, true
}
