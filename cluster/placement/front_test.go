package placement

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

func newTestFront() *Front {
	f := NewFront(rand.New(rand.NewPCG(1, 1)), 0)
	f.Leader(0, "lead/1")
	return f
}

// sends are what a front asks the leader at a time.
func sent(f *Front, now time.Duration) (asks []Ask, scans []Scan) {
	f.Tick(now)
	for _, e := range f.Effects() {
		if s, ok := e.(Send); ok {
			switch m := s.Message.(type) {
			case Ask:
				asks = append(asks, m)
			case Scan:
				scans = append(scans, m)
			}
		}
	}
	return asks, scans
}

func answers(f *Front) (all []Answer) {
	for _, e := range f.Effects() {
		if a, ok := e.(Answer); ok {
			all = append(all, a)
		}
	}
	return all
}

// Alike questions that come while one is under way are asked together, after it;
// others keep their order; other rooms do not wait.
func TestFrontOrder(t *testing.T) {
	f := newTestFront()
	f.Ask(0, 1, Ask{Room: "r", Create: true})
	first, _ := sent(f, 0)
	f.Ask(0, 2, Ask{Room: "r", Create: true})
	f.Ask(0, 3, Ask{Room: "r", Delete: true})
	f.Ask(0, 4, Ask{Room: "r", Create: true})
	f.Ask(0, 5, Ask{Room: "s"})
	if asks, _ := sent(f, 0); len(first) != 1 || len(asks) != 1 || asks[0].Room != "s" {
		t.Fatalf("%+v, then %+v", first, asks)
	}
	f.Receive(Told{Tag: first[0].Tag, Room: "r"})
	if all := answers(f); len(all) != 1 || all[0].Tag != 1 {
		t.Errorf("%+v", all)
	}
	second, _ := sent(f, 0)
	if len(second) != 1 || !second[0].Create || second[0].Open <= first[0].Open {
		t.Fatalf("%+v", second)
	}
	f.Receive(Told{Tag: first[0].Tag, Room: "r"}) // again
	f.Receive(Told{Tag: second[0].Tag + 1, Room: "r"})
	if all := answers(f); len(all) != 0 {
		t.Errorf("answers to what was not asked: %+v", all)
	}
	f.Receive(Told{Tag: second[0].Tag, Room: "r"})
	if all := answers(f); len(all) != 2 || all[0].Tag != 2 || all[1].Tag != 4 {
		t.Errorf("%+v", all)
	}
	if third, _ := sent(f, 0); len(third) != 1 || !third[0].Delete {
		t.Errorf("%+v", third)
	}
}

// A question is asked again, less and less often, and at once when another leads;
// after its time the client hears why there is no answer.
func TestFrontRetries(t *testing.T) {
	f := newTestFront()
	f.Ask(0, 1, Ask{Room: "r"})
	f.Scan(0, 2, 7, 10)
	if f.Next() > 0 {
		t.Errorf("due at %v", f.Next())
	}
	asks, scans := sent(f, 0)
	if len(asks) != 1 || len(scans) != 1 || scans[0].Cursor != 7 || scans[0].Count != 10 {
		t.Fatalf("%+v %+v", asks, scans)
	}
	f.Receive(Told{Tag: asks[0].Tag, Room: "r", Error: TryAgain})
	f.Receive(Scanned{Tag: scans[0].Tag, Error: NotLeader})
	times := 0
	for now := f.Next(); now < time.Second; now = f.Next() {
		if again, more := sent(f, now); len(again)+len(more) == 0 {
			t.Fatalf("nothing to do at %v", now)
		} else {
			times += len(again)
		}
	}
	if times < 2 || times > 10 {
		t.Errorf("asked %d times in a second", times)
	}
	f.Leader(time.Second, "")
	if f.Next() != askPatience {
		t.Errorf("without a leader it is due at %v", f.Next())
	}
	f.Leader(time.Second, "other/1")
	if again, more := sent(f, time.Second); len(again) != 1 || len(more) != 1 {
		t.Errorf("the new leader was asked %+v %+v", again, more)
	}
	f.Tick(askPatience)
	effects := f.Effects()
	if !slices.ContainsFunc(effects, func(e Effect) bool { a, ok := e.(Answer); return ok && a.Tag == 1 && a.Told.Error == TryAgain }) ||
		!slices.ContainsFunc(effects, func(e Effect) bool { p, ok := e.(Page); return ok && p.Tag == 2 && p.Scanned.Error == NoLeader }) {
		t.Errorf("%+v", effects)
	}
	if f.Next() != Never || len(f.asked)+len(f.rooms)+len(f.sends)+len(f.ends.waiting) != 0 {
		t.Error("something is left")
	}
}

// What a question costs while many others are open that nobody answers.
func BenchmarkFront(b *testing.B) {
	for _, open := range []int{0, 1000, 100_000} {
		b.Run(fmt.Sprintf("open=%d", open), func(b *testing.B) {
			f := newTestFront()
			for i := range open {
				f.Ask(0, uint64(i+1), Ask{Room: fmt.Sprintf("silent:%d", i)})
			}
			f.Tick(0)
			f.Effects()
			for b.Loop() {
				f.Ask(0, 1, Ask{Room: "r", Create: true})
				f.Tick(0)
				f.Receive(Told{Tag: f.serial, Room: "r"})
				f.Effects()
			}
		})
	}
}
