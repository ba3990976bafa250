package engine

import (
	"fmt"
	"testing"
	"time"
)

func TestPatternRoom(t *testing.T) {
	f := func(pattern, want string) {
		t.Helper()
		if got := string(PatternRoom([]byte(pattern))); got != want {
			t.Errorf("%q: room %q, want %q", pattern, got, want)
		}
	}
	f("{lobby}*", "lobby")
	f("{lobby}", "lobby")
	f("chat:{lobby}:*", "lobby")
	f("{a{b}*", "a{b")
	f("", "")
	f("*", "")
	f("lobby", "") // one channel, but a pattern all the same
	f("{}*", "")
	f("{}{lobby}*", "") // the room is the whole name
	f("{lobby", "")
	f("{lob*}x", "")
	f("{lob[by}x", "")
	f(`{lob\by}x`, "")
	f("*{lobby}x", "") // which may match {other}{lobby}x
	f("?{lobby}x", "")
	f(`\{lobby}x`, "")
	f("[{]lobby}x", "")
}

func TestLaneOf(t *testing.T) {
	for _, loops := range []int{1, 2, 3, 7, LoopsMax} {
		rooms := make([]int, loops)
		for i := range 1000 * loops {
			rooms[LaneOf(fmt.Append(nil, "room:", i), loops)]++
		}
		for loop, n := range rooms {
			if n < 500 || n > 1500 {
				t.Errorf("loop %d of %d has %d rooms, want about 1000", loop, loops, n)
			}
		}
		if LaneOf(nil, loops) != 0 {
			t.Error("the room of patterns is not the first loop's")
		}
	}
}

func TestTickets(t *testing.T) {
	ts := tickets{own: 5}
	s := &Session{}
	var tags []uint64
	for i := range 100 {
		tags = append(tags, ts.issue(ticket{session: s, place: uint64(i)}))
	}
	for i, tag := range tags {
		if tag == 0 || tagLoop(tag) != 5 {
			t.Fatalf("tag %x", tag)
		}
		if who, ok := ts.redeem(tag); !ok || who.place != uint64(i) {
			t.Fatalf("tag %d is of place %d (%v)", i, who.place, ok)
		}
		if _, ok := ts.redeem(tag); ok {
			t.Fatal("a tag was redeemed twice")
		}
	}
	again := ts.issue(ticket{session: s})
	if len(ts.list) != 100 {
		t.Errorf("%d tickets, want 100", len(ts.list))
	}
	for _, tag := range append(tags, 0, again+1, 99999<<tagIndexShift|1) {
		if _, ok := ts.redeem(tag); ok {
			t.Errorf("tag %x is not outstanding", tag)
		}
	}
	if _, ok := ts.redeem(again); !ok {
		t.Error("the second of its index was not redeemed")
	}
}

// Slots are filled in any order; what was written behind one comes behind it.
func TestPendingSlots(t *testing.T) {
	e := newStill(t, 1)
	s := e.client(0)
	s.out.Buf = s.out.Buf[:0]
	want := ""
	var waiting []int // numbers of slots
	next, written := uint64(0), 0
	for round := range 5000 {
		switch {
		case round%7 < 3 || len(waiting) == 0 && round%2 == 0:
			if s.pending == nil {
				next = 0
			}
			if got := s.nextSlot(); got != next {
				t.Fatalf("slot %d, want %d", got, next)
			}
			s.addSlot(10)
			waiting = append(waiting, int(next))
			want += fmt.Sprintf(":%d\r\n", next)
			next++
		case len(waiting) > 0 && round%7 < 5:
			at := (round * 31) % len(waiting)
			s.pending.fill(uint64(waiting[at]), Result{N: int64(waiting[at])})
			waiting = append(waiting[:at], waiting[at+1:]...)
			s.emit()
		default:
			s.Reply().Simple(fmt.Sprint("text", written))
			want += fmt.Sprintf("+text%d\r\n", written)
			written++
		}
	}
	for _, n := range waiting {
		s.pending.fill(uint64(n), Result{N: int64(n)})
	}
	s.emit()
	if s.pending != nil || s.has(expecting) {
		t.Error("something is pending")
	}
	if got := string(s.out.Buf); got != want {
		t.Errorf("got %d bytes, want %d", len(got), len(want))
	}
}

// Who waits for the answer to a PUBLISH is not silent.
func TestTimeoutSparesWhoExpects(t *testing.T) {
	e := newStill(t, 1)
	settings := e.Settings()
	settings.Timeout = time.Second
	e.SetSettings(settings)
	l := e.loops[0]
	waiting, silent := e.client(0), e.client(0)
	l.sessions = map[int32]*Session{1: waiting, 2: silent}
	waiting.addSlot(1)
	l.now = int64(time.Minute)
	l.housekeep()
	if waiting.has(doomed) || !silent.has(doomed) {
		t.Error("the wrong client is closed")
	}
}
