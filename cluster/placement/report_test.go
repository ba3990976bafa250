package placement

import (
	"fmt"
	"slices"
	"testing"
)

// heir is a leader whose generation began with a table that lacks what was agreed
// on last, and three members.
type heir struct {
	*office
	a, b, c Name
}

func newHeir() heir {
	o := newOffice()
	h := heir{o, o.joins("a", 1), o.joins("b", 1), o.joins("c", 1)}
	o.table.Apply(o.table.index+1, []Op{{Kind: BeginGeneration, Generation: 2}})
	o.Gain(o.now, Term{2, 1})
	return h
}

// asks has the leader ask a member for the rooms of a shard, and returns by which
// attempt.
func (h heir) asks(from Name, shard int) Attempt {
	shards := make([]Digest, shardCount)
	shards[shard] = Digest{1, 1}
	h.hears(from, Holding{shards, h.table.roster})
	lists := told[List](h.office, from)
	return lists[len(lists)-1].Attempt
}

// lists has a member say that it has a room, when it is asked, and returns what the
// leader makes of it.
func (h heir) lists(from Name, room string, has Epoch) (hosts []Name, drops int) {
	shard := shardOf(room)
	return h.listed(from, Listed{h.asks(from, shard), shard, map[string]Epoch{room: has}})
}

func (h heir) listed(from Name, m Listed) (hosts []Name, drops int) {
	before := len(told[Drop](h.office, from))
	h.hears(from, m)
	for room := range m.Rooms {
		p, _ := h.table.Room(room)
		hosts = p.Hosts
	}
	return hosts, len(told[Drop](h.office, from)) - before
}

// What a member has from an earlier generation, and the table lacks, lives on with
// it, and with others that have it until there are as many as there shall be.
func TestAdopt(t *testing.T) {
	h, last := newHeir(), Epoch{1, 1 << 40}
	f := func(from Name, drops int, want ...Name) {
		t.Helper()
		if hosts, dropped := h.lists(from, "r", last); !slices.Equal(hosts, want) || dropped != drops {
			t.Errorf("%s lists it: it is on %v, want %v; dropped %d times", from, hosts, want, dropped)
		}
	}
	f(h.a, 0, h.a)
	first, _ := h.table.Room("r")
	f(h.b, 0, h.a, h.b)
	f(h.c, 1, h.a, h.b)
	p, _ := h.table.Room("r")
	if first.Epoch.Compare(last) <= 0 || p.Epoch.Compare(first.Epoch) <= 0 || p.Want != 2 {
		t.Errorf("placed %+v, then %+v", first, p)
	}
	active := told[Activate](h.office, h.a)
	if len(active) != 2 || active[0].Epoch != first.Epoch || active[1].Epoch != p.Epoch {
		t.Errorf("told %+v", active)
	}
}

// What this generation has deleted stays so, and what nobody may have is dropped.
func TestNotAdopted(t *testing.T) {
	former := Epoch{1, 9}
	for what, f := range map[string]func(h heir) (room string, has Epoch){
		"deleted in this generation": func(h heir) (string, Epoch) { return "r", h.table.Now() },
		"a name that no room has":    func(h heir) (string, Epoch) { return "", former },
		"more rooms than there may be": func(h heir) (string, Epoch) {
			h.settings.MaxRooms = 1
			h.table.Apply(h.table.index+1, []Op{{Kind: PutRoom, Room: "other", Hosts: []Name{h.b}, Want: 1}})
			return "r", former
		},
		"pinned to another node": func(h heir) (string, Epoch) {
			h.table.Apply(h.table.index+1, []Op{{Kind: PutRoom, Room: "r", Hosts: []Name{h.b}, Want: 2, Pins: []string{"b", "c"}}})
			return "r", former
		},
		"on a member that gets no rooms": func(h heir) (string, Epoch) {
			h.table.Apply(h.table.index+1, []Op{{Kind: SetState, Member: Member{Name: h.a}, State: Draining}})
			return "r", former
		},
	} {
		h := newHeir()
		room, has := f(h)
		if hosts, drops := h.lists(h.a, room, has); slices.Contains(hosts, h.a) || drops != 1 {
			t.Errorf("%s: it is on %v, dropped %d times", what, hosts, drops)
		}
	}
}

// What is not known for certain is left as it is, for the next digest: what a member
// listed before somebody dropped the room, or for an earlier leader, and what is
// more than can be changed at once.
func TestAdoptedLater(t *testing.T) {
	h, former := newHeir(), Epoch{1, 9}
	shard := shardOf("r")
	late := Listed{h.asks(h.a, shard), shard, map[string]Epoch{"r": former}}
	h.lists(h.b, "r", h.table.Now()) // of this generation, and deleted
	other := late
	other.Attempt.Term = Term{1, 99}
	for _, m := range []Listed{late, other} {
		if hosts, drops := h.listed(h.a, m); len(hosts)+drops > 0 {
			t.Errorf("%+v: it is on %v, dropped %d times", m, hosts, drops)
		}
	}
	for i := range repairsMax {
		name := fmt.Sprint(i)
		h.works[name] = &work{room: name}
	}
	if hosts, drops := h.lists(h.a, "r", former); len(hosts)+drops > 0 {
		t.Errorf("beside a thousand others: it is on %v, dropped %d times", hosts, drops)
	}
	clear(h.works)
	h.works["r"] = &work{room: "r"}
	if hosts, drops := h.lists(h.a, "r", former); len(hosts)+drops > 0 {
		t.Errorf("while it is changed: it is on %v, dropped %d times", hosts, drops)
	}
	clear(h.works)
	if hosts, drops := h.lists(h.a, "r", former); !slices.Equal(hosts, []Name{h.a}) || drops > 0 {
		t.Errorf("at last: it is on %v, dropped %d times", hosts, drops)
	}
}

// All that is adopted at once is one entry.
func TestAdoptTogether(t *testing.T) {
	h := newHeir()
	rooms := make(map[int]map[string]Epoch)
	for i := range 100 {
		room := fmt.Sprint(i)
		shard := shardOf(room)
		if rooms[shard] == nil {
			rooms[shard] = make(map[string]Epoch)
		}
		rooms[shard][room] = Epoch{1, uint64(i + 1)}
	}
	before, attempt := h.table.index, h.asks(h.a, 0)
	for shard := range rooms {
		h.Receive(h.now, h.a, Listed{attempt, shard, rooms[shard]})
	}
	if h.settle(); h.table.Rooms() != 100 || h.table.index != before+1 {
		t.Errorf("%d rooms in %d entries", h.table.Rooms(), h.table.index-before)
	}
}
