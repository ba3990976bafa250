package ring

import (
	"sync"
	"testing"
)

// Readers come out in the order in which they went in, each once.
func TestInboxKeepsArrivalOrder(t *testing.T) {
	inbox := NewInbox[int](0)
	logs := make([]Log[int], 5)
	readers := make(map[*Reader[int]]int)
	for i := range logs {
		r, _ := logs[i].Join(inbox)
		readers[r] = i
	}
	for _, i := range []int{3, 1, 4, 1, 0, 3} {
		logs[i].Append([]int{i}, 0, nil)
	}
	var got []int
	inbox.Drain(func(r *Reader[int]) { got = append(got, readers[r]) })
	want := []int{3, 1, 4, 0}
	if len(got) != len(want) {
		t.Fatalf("drained %v, want %v", got, want)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Fatalf("drained %v, want %v", got, want)
		}
	}
	if inbox.top.Load() != nil {
		t.Fatal("not empty after a drain")
	}
}

// A reader that is marked while it is visited is drained again: no value waits
// in a log whose reader is not in the inbox.
func TestInboxLosesNoMark(t *testing.T) {
	const logCount, writers = 8, 4
	perWriter := messages(t)
	inbox := NewInbox[int](0)
	inboxes := []*Inbox[int]{inbox}
	logs := make([]Log[int], logCount)
	for i := range logs {
		logs[i].Join(inbox)
	}
	wake := make(chan struct{}, 1)
	var writing sync.WaitGroup
	for w := range writers {
		writing.Go(func() {
			for n := range perWriter {
				if set, _, _ := logs[(n+w)%logCount].Append([]int{1}, 0, inboxes); set != 0 {
					select {
					case wake <- struct{}{}:
					default:
					}
				}
			}
		})
	}
	for read := 0; read < writers*perWriter; {
		<-wake // a lost mark leaves us here for ever
		inbox.Drain(func(r *Reader[int]) {
			for _, ok := r.Next(); ok; _, ok = r.Next() {
				read++
			}
		})
	}
	writing.Wait()
}

func TestInboxNumberIsBounded(t *testing.T) {
	for _, loop := range []int{-1, MaxLoops} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("NewInbox(%d) did not panic", loop)
				}
			}()
			NewInbox[int](loop)
		}()
	}
}
