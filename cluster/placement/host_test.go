package placement

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

func newTestHost() *Host {
	h := NewHost("n0/1", func(string) bool { return false }, func() bool { return false })
	h.Receive(0, "n1/1", Activate{Room: "r", Epoch: Epoch{1, 1}, Hosts: []Name{"n0/1"}})
	h.Effects()
	return h
}

// A request to close that is older than the one it has agreed to, and the end of
// that older one, do not open the room again.
func TestLateMayClose(t *testing.T) {
	h := newTestHost()
	older, newer := Attempt{Term{}, 1}, Attempt{Term{}, 2}
	h.Receive(0, "n1/1", MayClose{newer, "r", Epoch{1, 1}})
	h.Receive(0, "n1/1", MayClose{older, "r", Epoch{1, 1}})
	h.Receive(0, "n1/1", Reopen{Term{}, older, "r"})
	if _, _, open, ok := h.Hosts("r"); open || !ok {
		t.Errorf("open %v, hosted %v", open, ok)
	}
	h.Receive(0, "n1/1", Reopen{Term{}, newer, "r"})
	if _, _, open, _ := h.Hosts("r"); !open {
		t.Error("it stays closed")
	}
}

// What a host was told to drop it remembers for its time, whatever it was told
// before.
func TestGraves(t *testing.T) {
	h := newTestHost()
	h.Receive(0, "n1/1", Drop{Room: "r", Epoch: Epoch{1, 5}})
	h.Receive(buriedFor-time.Second, "n1/1", Drop{Room: "r", Epoch: Epoch{1, 9}})
	h.Tick(buriedFor)
	h.Receive(buriedFor, "n1/1", Activate{Room: "r", Epoch: Epoch{1, 7}, Hosts: []Name{"n0/1"}})
	if _, _, _, ok := h.Hosts("r"); ok {
		t.Error("it hosts what it has dropped")
	}
	h.Tick(2 * buriedFor)
	if len(h.buried) != 0 {
		t.Errorf("%v is remembered for ever", h.buried)
	}
}

// A node that joins says so until a roster has it, and one that leaves until a
// roster says that it has.
func TestStanding(t *testing.T) {
	h := NewHost("n0/1", func(string) bool { return false }, func() bool { return false })
	says := func(now time.Duration) (kinds []string) {
		h.Tick(now)
		for _, e := range h.Effects() {
			kind := fmt.Sprintf("%T", e)
			if s, ok := e.(Send); ok {
				kind = fmt.Sprintf("%T", s.Message)
			}
			if kind != "placement.Holding" {
				kinds = append(kinds, kind)
			}
		}
		return kinds
	}
	f := func(what string, got []string, want ...string) {
		t.Helper()
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", what, got, want)
		}
	}
	roster := func(index uint64, members ...Standing) Roster {
		return Roster{Term: Term{1, 1}, Epoch: Epoch{1, index}, Members: members}
	}
	self := Standing{Member: Member{Name: "n0/1", ID: "n0", Boot: 1, Weight: 1}}
	left, down := self, self
	left.State, down.State = Left, Down
	now := time.Second
	h.Join(self.Member, Report{}, false)
	f("nobody leads", says(now))
	h.Leader("n1/1")
	f("somebody leads", says(now), "placement.Join")
	f("a moment later", says(now+joinRetry/2))
	f("no answer", says(now+joinRetry), "placement.Join")
	h.Receive(now, "n1/1", roster(1))
	f("not in it yet", says(now+2*joinRetry), "placement.Members", "placement.Join")
	h.Receive(now, "n1/1", roster(2, self))
	f("in it", says(now+9*joinRetry), "placement.Members")
	h.Receive(now, "n1/1", roster(1))
	h.Receive(now, "n1/1", roster(2, down))
	f("an older one, and the same again", says(now+9*joinRetry))
	for what, m := range map[string]Message{"down": roster(3, down), "forgotten": roster(3), "gone": Gone{Term{1, 1}}} {
		copied := *h
		h.Receive(now, "n1/1", m)
		if got := says(now + 9*joinRetry); !slices.Contains(got, "placement.Rejoin") {
			t.Errorf("%s: %q", what, got)
		}
		*h = copied
	}
	h.Leave()
	f("leaves", says(now+9*joinRetry), "placement.Leave")
	f("no answer to that", says(now+10*joinRetry), "placement.Leave")
	h.Receive(now, "n1/1", roster(3, left))
	f("has left", says(now+20*joinRetry), "placement.Members", "placement.Parted")
}

// One that was restarted under its name believes nobody who calls it dead before it
// is a member again, unless a newer process of its node is known.
func TestReturning(t *testing.T) {
	self := Standing{Member: Member{Name: "n0/1", ID: "n0", Boot: 1, Weight: 1}, State: Down}
	newer := Standing{Member: Member{Name: "n0/2", ID: "n0", Boot: 2, Weight: 1}}
	h := NewHost("n0/1", func(string) bool { return false }, func() bool { return false })
	h.Join(self.Member, Report{}, true)
	h.Leader("n1/1")
	rejoins := func(m Message) bool {
		h.Receive(time.Second, "n1/1", m)
		return slices.Contains(h.Effects(), Effect(Rejoin{}))
	}
	for _, m := range []Message{Gone{}, Roster{Epoch: Epoch{1, 1}, Members: []Standing{self}}, Gone{}} { // before and after
		if rejoins(m) {
			t.Errorf("it believes %+v", m)
		}
	}
	if !rejoins(Roster{Epoch: Epoch{1, 2}, Members: []Standing{self, newer}}) {
		t.Error("it does not give way to a newer process of its node")
	}
}

// What another generation says changes nothing, unless it is this process that has
// begun it.
func TestOtherGeneration(t *testing.T) {
	for _, other := range []uint32{1, 3} {
		h := newTestHost()
		h.Receive(0, "n1/1", Roster{Term: Term{2, 1}, Epoch: Epoch{2, 1}, Members: []Standing{{Member: Member{Name: "n0/1"}}}})
		h.Effects()
		for _, m := range []Message{Drop{Term{other, 9}, "r", Epoch{9, 1}}, Roster{Term: Term{other, 9}, Epoch: Epoch{9, 1}}, Gone{Term{other, 9}}} {
			h.Receive(0, "n2/1", m)
			if _, _, _, hosts := h.Hosts("r"); !hosts || len(h.Effects()) > 0 || h.leader != "n1/1" {
				t.Errorf("it believes %+v", m)
			}
		}
		h.Receive(0, "n0/1", Drop{Term{other, 9}, "r", Epoch{9, 1}})
		if _, _, _, hosts := h.Hosts("r"); hosts != (other < 2) {
			t.Errorf("in generation %d, begun by itself, it hosts the room: %v", other, hosts)
		}
	}
	h := newTestHost()
	h.Receive(0, "n1/1", Roster{Term: Term{2, 1}, Epoch: Epoch{2, 1}})
	h.Begin(3)
	h.Effects()
	if h.Receive(0, "n1/1", Gone{Term{2, 1}}); len(h.Effects()) > 0 {
		t.Error("it has begun a generation, and is given up by the one before")
	}
}

// What comes too late is refused and counted, each as what it is.
func TestOutdated(t *testing.T) {
	h := newTestHost()
	now, last := Term{1, 5}, Term{1, 4}
	h.Receive(0, "n1/1", Activate{now, "r", Epoch{1, 9}, []Name{"n0/1"}})
	h.Receive(0, "n1/1", Roster{Term: now, Epoch: Epoch{1, 9}})
	f := func(what string, m Message, want Outdated) {
		t.Helper()
		before := h.Outdated()
		h.Receive(0, "n2/1", m)
		got := h.Outdated()
		if got.Terms -= before.Terms; got.Terms != want.Terms || got.Epochs-before.Epochs != want.Epochs {
			t.Errorf("%s: %+v after %+v", what, h.Outdated(), before)
		}
		if epoch, _, open, ok := h.Hosts("r"); epoch != (Epoch{1, 9}) || !open || !ok || h.leader != "n1/1" {
			t.Errorf("%s changes something", what)
		}
	}
	attempt := Attempt{last, 1}
	for _, m := range []Message{
		Reserve{attempt, "r"}, Activate{last, "r", Epoch{1, 99}, []Name{"n0/1"}}, Drop{last, "r", Epoch{1, 99}},
		MayClose{attempt, "r", Epoch{1, 9}}, Reopen{last, attempt, "r"}, List{attempt, []int{1}},
	} {
		f(fmt.Sprintf("%T of the last leader", m), m, Outdated{Terms: 1})
	}
	f("an old roster", Roster{Term: last, Epoch: Epoch{1, 8}}, Outdated{Epochs: 1})
	f("the same roster", Roster{Term: last, Epoch: Epoch{1, 9}}, Outdated{})
	for _, m := range []Message{Activate{now, "r", Epoch{1, 8}, []Name{"n0/1"}}, Drop{now, "r", Epoch{1, 8}}} {
		before := h.Outdated().Epochs
		if h.Receive(0, "n1/1", m); h.Outdated().Epochs != before+1 {
			t.Errorf("%T of an old epoch is not counted", m)
		}
	}
	f("the rest", Release{attempt, "r"}, Outdated{})
}
