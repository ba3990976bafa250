package cluster

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"hubsub/cluster/lane"
)

// boxedBytes returns how many bytes of records are in a lane's box.
func (l *Lane) boxedBytes() (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, m := range l.box {
		n += len(m.records)
	}
	return n
}

// A loop is busy for a while, and much is sent to it: its box takes no more than it may, and the leader knows what it could not
// send. With what the loop reads then it goes on, and tells of the gap.
func TestBoxOfBusyLoopIsBounded(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		nodes := w.settle(2)
		time.Sleep(settled)
		a, b := nodes[0], nodes[1]
		room := ""
		for i := 0; room == ""; i++ {
			name := fmt.Sprintf("room%d", i)
			if got := a.place(name); got.Hosts[0].Cluster == a.address {
				room = name
			}
		}
		b.use(room, true)
		time.Sleep(time.Second)
		b.loop.do(func(*Lane) { time.Sleep(500 * time.Millisecond) })
		time.Sleep(time.Millisecond)
		message := make([]byte, 1000)
		rand.NewChaCha8([32]byte{}).Read(message[:500]) // links make little of it
		for range 40 {                                  // 100 MB a second
			a.loop.do(func(l *Lane) {
				for range 1000 {
					l.Publish(0, lane.Channel, []byte(room), []byte(room), message)
				}
			})
			time.Sleep(10 * time.Millisecond)
		}
		if n := b.loop.lane.boxedBytes(); n < boxBytesMax/2 || n > boxBytesMax+1<<20 {
			t.Errorf("%d bytes are in the box", n)
		}
		if s := a.node.Stats().Lanes; s.Unsent == 0 {
			t.Errorf("of %d messages all are sent", s.Ordered)
		}
		time.Sleep(2 * time.Second)
		heard := b.loop.hears()
		a.publish(1, room, "the last")
		time.Sleep(100 * time.Millisecond)
		if n := b.loop.lane.boxedBytes(); n != 0 || b.loop.hears() != heard+1 {
			t.Errorf("%d bytes are in the box; of the last message come %d", n, b.loop.hears()-heard)
		}
		if b.loop.gaps == 0 || a.node.Stats().Links.Broken > 0 {
			t.Errorf("%d gaps are told, and links lost %d times", b.loop.gaps, a.node.Stats().Links.Broken)
		}
	})
}

// Who brings records hears that the box is full, and until when. What is asked of a lane does not count.
func TestFullBox(t *testing.T) {
	l, _ := aloneLane()
	one := wired(lane.Record{Type: lane.Message, Room: []byte("r"), Channel: []byte("r"), Message: make([]byte, 64<<10)})
	var full func() bool
	n := 0
	for ; full == nil; n++ {
		l.post(letter{do: func(*Lane) {}})
		full = l.lanes.receive("other/1", one)
	}
	if want := boxBytesMax/(len(one)+letterBytes) + 1; n != want || !full() {
		t.Errorf("the box is full of %d, want %d", n, want)
	}
	l.Drain()
	if full() || l.lanes.receive("other/1", slices.Clone(one)) != nil {
		t.Error("it is full when it is empty")
	}
}
