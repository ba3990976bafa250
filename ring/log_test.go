package ring

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
)

// stamp names a value by its writer and the writer's own count.
type stamp struct {
	writer, number int32
}

// loopPart is one loop of a test: an inbox, the wake that would end its
// epoll_wait, and what it has read.
type loopPart struct {
	inbox *Inbox[stamp]
	wake  chan struct{}
	seen  []stamp
}

func newLoops(n int) ([]*loopPart, []*Inbox[stamp]) {
	loops := make([]*loopPart, n)
	inboxes := make([]*Inbox[stamp], n)
	for i := range loops {
		inboxes[i] = NewInbox[stamp](i)
		loops[i] = &loopPart{inbox: inboxes[i], wake: make(chan struct{}, 1)}
	}
	return loops, inboxes
}

func wakeAll(loops []*loopPart, set uint64) {
	for i, l := range loops {
		if set&(1<<i) != 0 {
			select {
			case l.wake <- struct{}{}:
			default:
			}
		}
	}
}

func (l *loopPart) drain() {
	l.inbox.Drain(func(r *Reader[stamp]) {
		for v, ok := r.Next(); ok; v, ok = r.Next() {
			l.seen = append(l.seen, v)
		}
	})
}

// messages is how many values a writer of the large tests appends.
func messages(t *testing.T) int {
	if testing.Short() {
		return 2_000
	}
	return 400_000
}

// Four writers append in chains of one to three, four loops read: each loop
// sees each value once, all see the same order, and it keeps each writer's own.
func TestLogGivesEveryReaderOneOrder(t *testing.T) {
	const writers, readers = 4, 4
	perWriter := messages(t)
	loops, inboxes := newLoops(readers)
	var log Log[stamp]
	for _, l := range loops {
		log.Join(l.inbox)
	}

	var writing sync.WaitGroup
	for w := range int32(writers) {
		writing.Go(func() {
			var chain []stamp
			for n := int32(0); n < int32(perWriter); {
				chain = chain[:0]
				for size := 1 + n%3; size > 0 && n < int32(perWriter); size-- {
					chain = append(chain, stamp{w, n})
					n++
				}
				wake, _, ok := log.Append(chain, 0, inboxes)
				if !ok {
					t.Error("a log with readers closed")
				}
				wakeAll(loops, wake)
			}
		})
	}
	var reading sync.WaitGroup
	for _, l := range loops {
		reading.Go(func() {
			for len(l.seen) < writers*perWriter {
				<-l.wake
				l.drain()
			}
		})
	}
	writing.Wait()
	reading.Wait()

	var next [writers]int32
	for i, v := range loops[0].seen {
		if v.number != next[v.writer] {
			t.Fatalf("value %d: writer %d's number is %d, want %d", i, v.writer, v.number, next[v.writer])
		}
		next[v.writer]++
	}
	for i, l := range loops[1:] {
		for j := range l.seen {
			if l.seen[j] != loops[0].seen[j] {
				t.Fatalf("loop %d differs from loop 0 at value %d", i+1, j)
			}
		}
		if len(l.seen) != len(loops[0].seen) {
			t.Fatalf("loop %d saw %d values, loop 0 %d", i+1, len(l.seen), len(loops[0].seen))
		}
	}
}

// While two writers append, loops join and leave again and again. What a loop
// sees between a join and the leave is a contiguous piece of the one order.
func TestLogReadersJoinAndLeave(t *testing.T) {
	const writers, guests = 2, 3
	perWriter := messages(t)
	loops, inboxes := newLoops(guests + 1)
	var log Log[stamp]
	witness := loops[guests] // reads from first to last
	log.Join(witness.inbox)

	var done atomic.Bool
	stays := make([][][]stamp, guests) // per guest, what each of its stays saw
	var running sync.WaitGroup
	for g := range guests {
		running.Go(func() {
			l := loops[g]
			for !done.Load() {
				l.seen = nil
				r, _ := log.Join(l.inbox)
				for range 50 {
					l.drain()
					runtime.Gosched()
				}
				for !log.Leave(r) {
					l.drain()
				}
				stays[g] = append(stays[g], l.seen)
			}
		})
	}
	running.Go(func() {
		for len(witness.seen) < writers*perWriter {
			<-witness.wake
			witness.drain()
		}
		done.Store(true)
	})
	for w := range int32(writers) {
		running.Go(func() {
			for n := range int32(perWriter) {
				wake, _, _ := log.Append([]stamp{{w, n}}, 0, inboxes)
				wakeAll(loops, wake)
			}
		})
	}
	running.Wait()

	position := make(map[stamp]int, len(witness.seen))
	for i, v := range witness.seen {
		position[v] = i
	}
	pieces := 0
	for g, all := range stays {
		for _, piece := range all {
			for i := range piece {
				if at := position[piece[0]] + i; witness.seen[at] != piece[i] {
					t.Fatalf("guest %d: its value %d is not the witness's %d", g, i, at)
				}
			}
			if len(piece) > 1 {
				pieces++
			}
		}
	}
	if pieces == 0 {
		t.Fatal("no guest saw anything: the test tested nothing")
	}
}

// Append joins the loops it is told to before it appends, so they see it.
func TestAppendJoinsReaders(t *testing.T) {
	loops, inboxes := newLoops(3)
	var log Log[stamp]
	if wake, heard, open := log.Append([]stamp{{0, 0}}, 0, inboxes); wake != 0 || heard || !open {
		t.Fatalf("append to nobody: wake %b, heard %v, open %v", wake, heard, open)
	}
	wake, heard, open := log.Append([]stamp{{0, 1}}, 1<<0|1<<2, inboxes)
	if wake != 0b101 || !heard || !open {
		t.Fatalf("wake %b, heard %v, open %v; want 101, true, true", wake, heard, open)
	}
	if wake, _, _ = log.Append([]stamp{{0, 2}}, 1<<2, inboxes); wake != 0 {
		t.Fatalf("readers that are in their inbox were woken again: %b", wake)
	}
	for i, want := range []int{2, 0, 2} {
		if loops[i].drain(); len(loops[i].seen) != want {
			t.Errorf("loop %d saw %v, want %d values", i, loops[i].seen, want)
		}
	}
}

// A log is private to the loop that alone reads it, or could, once it has read
// all there is.
func TestPrivate(t *testing.T) {
	loops, inboxes := newLoops(2)
	var log Log[stamp]
	f := func(what string, loop int, private, read bool) {
		t.Helper()
		if p, r := log.Private(inboxes[loop]); p != private || p && r != read {
			t.Errorf("%s, loop %d: private %v, read %v, want %v, %v", what, loop, p, r, private, read)
		}
	}
	f("nobody reads", 0, true, false)
	r0, _ := log.Join(inboxes[0])
	f("0 reads", 0, true, true)
	f("0 reads", 1, false, true)
	log.Append([]stamp{{0, 0}}, 0, inboxes)
	f("something is unread", 0, false, true)
	loops[0].drain()
	f("all is read", 0, true, true)
	log.Join(inboxes[1])
	f("both read", 0, false, true)
	f("both read", 1, false, true)
	log.Leave(r0)
	f("1 reads", 1, true, true)
	f("1 reads", 0, false, true)
	r1 := log.Reader(inboxes[1])
	log.Leave(r1)
	log.Close()
	f("closed", 1, false, false)
}

// A reader with something unread cannot leave; a log with a reader cannot
// close; a closed log refuses everything.
func TestLeaveAndClose(t *testing.T) {
	loops, inboxes := newLoops(1)
	var log Log[stamp]
	r, _ := log.Join(loops[0].inbox)
	if again, _ := log.Join(loops[0].inbox); again != r {
		t.Fatal("a second join made a second reader")
	}
	log.Append([]stamp{{0, 0}}, 0, inboxes)
	if log.Leave(r) {
		t.Fatal("left with a value unread")
	}
	if log.Close() {
		t.Fatal("closed with a reader")
	}
	loops[0].drain()
	if !log.Leave(r) {
		t.Fatal("could not leave after reading all")
	}
	if !log.Close() {
		t.Fatal("could not close without readers")
	}
	if _, _, open := log.Append([]stamp{{0, 1}}, 1, inboxes); open {
		t.Fatal("appended to a closed log")
	}
	if _, ok := log.Join(loops[0].inbox); ok {
		t.Fatal("joined a closed log")
	}
	if loops[0].inbox.top.Load() != nil {
		t.Fatal("a closed log marked an inbox")
	}
}

// What all readers have passed is garbage, the value read last included.
func TestLogHoldsNothingThatWasRead(t *testing.T) {
	inbox := NewInbox[*[1 << 20]byte](0)
	var log Log[*[1 << 20]byte]
	r, _ := log.Join(inbox)
	var freed atomic.Bool
	func() {
		v := new([1 << 20]byte)
		runtime.AddCleanup(v, func(f *atomic.Bool) { f.Store(true) }, &freed)
		log.Append([]*[1 << 20]byte{v}, 0, nil)
		r.Next()
	}()
	for range 100 {
		runtime.GC()
		if freed.Load() {
			runtime.KeepAlive(r)
			return
		}
		runtime.Gosched()
	}
	t.Fatal("a value that was read is still alive")
}
