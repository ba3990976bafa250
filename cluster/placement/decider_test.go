package placement

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// leading returns a decider of one node that leads, and takes rooms.
func leading(t *testing.T) *Decider {
	t.Helper()
	table := NewTable()
	table.Apply(1, nodes(1))
	d := NewDecider(table, Settings{Replicas: 2}, rand.New(rand.NewPCG(1, 1)))
	d.Gain(time.Second, Term{0, 1})
	d.Load(time.Second, Report{Node: "n0/1", Seq: 1})
	return d
}

// What no table would take is refused before anybody is asked.
func TestBadRooms(t *testing.T) {
	for _, room := range []string{"", strings.Repeat("r", RoomNameMax+1)} {
		d := leading(t)
		d.Receive(time.Second, "n0/1", Ask{Tag: 1, Room: room, Create: true})
		effects := d.Effects()
		if len(effects) != 1 || len(d.works) != 0 {
			t.Fatalf("%d bytes: %+v", len(room), effects)
		}
		if told, ok := effects[0].(Send).Message.(Told); !ok || told.Error != BadRoom || told.Tag != 1 {
			t.Errorf("%d bytes: told %+v", len(room), effects[0])
		}
	}
}

// An entry that the table refuses, because a host has died since it was asked,
// gives the client an answer instead of another entry at once.
func TestRefusedEntry(t *testing.T) {
	d := leading(t)
	d.Receive(time.Second, "n0/1", Ask{Tag: 1, Room: "r", Create: true})
	reserve := d.Effects()[0].(Send).Message.(Reserve)
	d.Receive(time.Second, "n0/1", Reserved{reserve.Attempt, "r", true})
	propose := d.Effects()[0].(Propose)
	d.table.Apply(2, []Op{{Kind: SetState, Member: Member{Name: "n0/1"}, State: Down}})
	d.Applied(time.Second, propose.ID, d.table.Apply(3, propose.Ops))
	var errors []Refusal
	for _, e := range d.Effects() {
		switch e := e.(type) {
		case Send:
			if told, ok := e.Message.(Told); ok {
				errors = append(errors, told.Error)
			}
		case Propose:
			t.Errorf("proposes %+v", e.Ops)
		}
	}
	if len(errors) != 1 || errors[0] != TryAgain || len(d.works) != 0 || d.chooser.load("n0/1").reserved != 0 {
		t.Errorf("told %q, %d works, %d reserved", errors, len(d.works), d.chooser.load("n0/1").reserved)
	}
}

// A question that asks for more hosts than there can be, or names more than it
// asks for, is answered with what there is.
func TestMoreHostsThanThereAre(t *testing.T) {
	for _, ask := range []Ask{{Want: 99}, {Want: 1, Pins: []string{"n0", "n9"}}, {Want: -5}, {Want: 3}} {
		d := leading(t)
		ask.Tag, ask.Room, ask.Create, ask.Keep = 1, "r", true, true
		d.Receive(time.Second, "n0/1", ask)
		reserve := d.Effects()[0].(Send).Message.(Reserve)
		d.Receive(time.Second, "n0/1", Reserved{reserve.Attempt, "r", true})
		propose := d.Effects()[0].(Propose)
		d.Applied(time.Second, propose.ID, d.table.Apply(2, propose.Ops))
		told := 0
		for range 2 { // the second follows from Verify
			for _, e := range d.Effects() {
				switch e := e.(type) {
				case Verify:
					d.Verified(e.ID, true)
				case Send:
					if m, ok := e.Message.(Told); ok && m.Error == "" && len(m.Hosts) == 1 {
						told++
					}
				}
			}
		}
		if told != 1 || len(d.works) != 0 {
			t.Errorf("%+v: told %d times, %d works", ask, told, len(d.works))
		}
	}
}

// A room that is pinned to a member which cannot take it yet may be asked for again; if nobody of that name serves, it
// may not.
func TestPinnedToNobody(t *testing.T) {
	o := newOffice()
	a := o.joins("a", 1)
	fresh := Member{Name: NameOf("b", 1), ID: "b", Boot: 1, Weight: 1}
	o.hears(fresh.Name, Join{Member: fresh}) // has not said yet how busy it is
	f := func(pin string, want Refusal) {
		t.Helper()
		o.sent = nil
		o.hears(a, Ask{Tag: 1, Room: "r", Create: true, Pins: []string{pin}})
		if all := told[Told](o, a); len(all) != 1 || all[0].Error != want {
			t.Errorf("pinned to %s: %+v, want %q", pin, all, want)
		}
	}
	f("b", TryAgain)
	f("c", NoNode)
	o.table.Apply(o.table.index+1, []Op{{Kind: SetState, Member: Member{Name: fresh.Name}, State: Down}})
	f("b", NoNode)
}

// A delete that consensus did not take is not proposed again and again.
func TestFailedDelete(t *testing.T) {
	d := leading(t)
	d.table.Apply(2, []Op{{Kind: PutRoom, Room: "r", Hosts: []Name{"n0/1"}, Want: 1}})
	d.Receive(time.Second, "n0/1", Ask{Tag: 1, Room: "r", Delete: true})
	d.Failed(d.Effects()[0].(Propose).ID)
	effects := d.Effects()
	if len(effects) != 1 || len(d.works) != 0 {
		t.Fatalf("%+v", effects)
	}
	if told, ok := effects[0].(Send).Message.(Told); !ok || told.Error != TryAgain {
		t.Errorf("%+v", effects[0])
	}
}

// A host that has agreed to close a room, and has forgotten it since, is not told to
// serve it while the others are asked.
func TestRestartedWhileClosing(t *testing.T) {
	o := newOffice()
	a, b := o.joins("a", 1), o.joins("b", 1)
	o.table.Apply(o.table.index+1, []Op{{Kind: PutRoom, Room: "r", Hosts: []Name{a, b}, Want: 2}})
	p, _ := o.table.Room("r")
	o.hears(a, Idle{"r", p.Epoch})
	attempt := told[MayClose](o, a)[0].Attempt
	o.hears(a, Vote{attempt, "r", p.Epoch, true})
	o.hears(a, Listed{Shard: shardOf("r")})
	if o.wait(voteWait / 2); len(told[Activate](o, a)) > 0 {
		t.Error("told to serve it")
	}
	o.hears(b, Vote{attempt, "r", p.Epoch, false})
	if o.wait(2 * resendAfter); len(told[Activate](o, a)) == 0 {
		t.Error("not told to serve it when it stays open")
	}
}

// A host that comes back may have users of a room that the others agree to close: it
// is a member again when that is over, and until then it closes no other.
func TestBackWhileClosing(t *testing.T) {
	o := newOffice()
	a, b := o.joins("a", 1), o.joins("b", 1)
	for _, room := range []string{"r", "s"} {
		o.table.Apply(o.table.index+1, []Op{{Kind: PutRoom, Room: room, Hosts: []Name{a, b}, Want: 2}})
	}
	o.Die(o.now, b)
	o.settle()
	r, _ := o.table.Room("r")
	s, _ := o.table.Room("s")
	back := Join{Member: Member{Name: b, ID: "b", Boot: 1, Weight: 1}, Resumed: true}
	o.hears(a, Idle{"r", r.Epoch})
	o.hears(b, back)
	o.hears(a, Idle{"s", s.Epoch})
	asked := told[MayClose](o, a)
	if len(asked) != 1 || o.table.Serves(b) {
		t.Fatalf("%d rooms are being closed, back is %v", len(asked), o.table.Serves(b))
	}
	o.hears(a, Vote{asked[0].Attempt, "r", r.Epoch, true})
	o.hears(b, back)
	if _, exists := o.table.Room("r"); exists || !o.table.Serves(b) {
		t.Errorf("the room exists %v, back is %v", exists, o.table.Serves(b))
	}
	o.wait(rosterInterval)
	if o.hears(a, Idle{"s", s.Epoch}); len(told[MayClose](o, b)) != 1 {
		t.Error("it is not asked when it is back")
	}
}

// However often a member is said to be dead, it is one death, and one entry a
// second.
func TestOneDeath(t *testing.T) {
	d := leading(t)
	d.table.Apply(2, nodes(9))
	ops := 0
	for now := time.Second; now < 3*time.Second; now += 100 * time.Millisecond {
		d.Die(now, "n5/1")
		for _, e := range d.Effects() {
			ops += len(e.(Propose).Ops)
		}
	}
	if ops != 2 || d.repair.brake != 0 {
		t.Errorf("%d ops, brake until %v", ops, d.repair.brake)
	}
	d.Die(3*time.Second, "n6/1")
	d.Die(3*time.Second, "n7/1")
	if d.Die(3*time.Second, "n8/1"); d.repair.brake == 0 {
		t.Error("no brake after four of nine")
	}
}

// Rooms that are there are not counted twice while they are changed.
func TestMaxRooms(t *testing.T) {
	d := leading(t)
	d.settings.MaxRooms = 2
	d.table.Apply(2, []Op{{Kind: PutRoom, Room: "old", Hosts: []Name{"n0/1"}, Want: 1}})
	p, _ := d.table.Room("old")
	d.Receive(time.Second, "n0/1", Idle{"old", p.Epoch})
	for tag, room := range []string{"new", "newer"} {
		d.Receive(time.Second, "n0/1", Ask{Tag: uint64(tag + 1), Room: room, Create: true})
	}
	var refused []string
	for _, e := range d.Effects() {
		if m, ok := e.(Send).Message.(Told); ok && m.Error == TooMany {
			refused = append(refused, m.Room)
		}
	}
	if len(refused) != 1 || refused[0] != "newer" {
		t.Errorf("refused %q", refused)
	}
}
