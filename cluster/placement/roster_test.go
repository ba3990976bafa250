package placement

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// office is a leader alone with its table: what it proposes is agreed on at once,
// and what it sends is kept.
type office struct {
	*Decider
	now  time.Duration
	sent []Send
}

func newOffice() *office {
	table := NewTable()
	table.Apply(1, []Op{{Kind: BeginGeneration, Generation: 1, Cluster: "test"}})
	o := &office{Decider: NewDecider(table, Settings{Replicas: 2}, rand.New(rand.NewPCG(1, 1))), now: time.Second}
	o.Gain(o.now, Term{1, 1})
	return o
}

func (o *office) settle() {
	for effects := o.Effects(); len(effects) > 0; effects = o.Effects() {
		for _, e := range effects {
			switch e := e.(type) {
			case Send:
				o.sent = append(o.sent, e)
			case Propose:
				o.Applied(o.now, e.ID, o.table.Apply(o.table.index+1, e.Ops))
			case Verify:
				o.Verified(e.ID, true)
			}
		}
	}
}

func (o *office) hears(from Name, m Message) {
	o.Receive(o.now, from, m)
	o.settle()
}

// wait lets time pass, in steps of a tick.
func (o *office) wait(d time.Duration) {
	for until := o.now + d; o.now < until; o.now += 10 * time.Millisecond {
		if o.now >= o.Next() {
			o.Tick(o.now)
			o.settle()
		}
	}
}

func (o *office) joins(id string, boot uint64) Name {
	m := Member{Name: NameOf(id, boot), ID: id, Boot: boot, Weight: 1}
	o.hears(m.Name, Join{Member: m})
	o.Load(o.now, Report{Node: m.Name, Seq: uint64(o.now)})
	return m.Name
}

// told returns what one node was sent of a kind.
func told[M Message](o *office, to Name) (all []M) {
	for _, s := range o.sent {
		if m, ok := s.Message.(M); ok && s.To == to {
			all = append(all, m)
		}
	}
	return all
}

// Who joins is told so, at once or when it asks again; the dead, and older
// processes of a node, are told that they are given up.
func TestJoin(t *testing.T) {
	o := newOffice()
	a := o.joins("a", 5)
	o.wait(rosterInterval)
	rosters := told[Roster](o, a)
	if len(rosters) != 1 || rosters[0].Cluster != "test" || len(rosters[0].Members) != 1 || rosters[0].Members[0].Member.Name != a {
		t.Fatalf("told %+v", rosters)
	}
	if o.joins("a", 5); len(told[Roster](o, a)) != 2 || o.table.Now().Index != 2 {
		t.Errorf("told %d times, %v entries", len(told[Roster](o, a)), o.table.Now())
	}
	late := o.joins("a", 4)
	if _, _, known := o.table.Member(late); known || len(told[Gone](o, late)) != 1 {
		t.Error("an older process of the node joins")
	}
	b := o.joins("b", 1)
	o.Die(o.now, b)
	o.settle()
	if o.joins("b", 1); o.table.Serves(b) || len(told[Gone](o, b)) != 1 {
		t.Error("the dead one joins again")
	}
	o.hears(b, Join{Member: Member{Name: b, ID: "b", Boot: 1, Weight: 1}, Resumed: true})
	if o.settle(); !o.table.Serves(b) {
		t.Error("the one that was taken for dead does not come back")
	}
	o.hears("x", Join{Member: Member{Name: "y", ID: "y", Boot: 1, Weight: 1}})
	o.hears("z", Join{Member: Member{Name: "z", ID: "z", Boot: 1}})
	if r := o.table.Roster(); len(r.Members) != 2 {
		t.Errorf("members: %+v", r.Members)
	}
}

// A crowd is told of in few messages.
func TestJoinCrowd(t *testing.T) {
	o := newOffice()
	var names []Name
	for i := range 100 {
		names = append(names, o.joins(fmt.Sprintf("n%d", i), 1))
		o.wait(10 * time.Millisecond)
	}
	o.wait(rosterInterval)
	for i, name := range names {
		rosters := told[Roster](o, name)
		if len(rosters) == 0 || len(rosters) > 12 || len(rosters[len(rosters)-1].Members) != len(names) {
			t.Fatalf("node %d was told %d times", i, len(rosters))
		}
	}
}

// A member that leaves is told that it has left, and is forgotten after its time;
// one that is dead is so much later. An older process is forgotten at once when a
// newer one has joined and no room names it.
func TestForget(t *testing.T) {
	o := newOffice()
	o.joins("lead", 1)
	known := func(name Name) bool {
		_, _, ok := o.table.Member(name)
		return ok
	}
	left, dead, old := o.joins("left", 1), o.joins("dead", 1), o.joins("old", 1)
	o.table.Apply(o.table.index+1, []Op{{Kind: PutRoom, Room: "r", Hosts: []Name{old, "lead/0000000000000001"}, Want: 2}})
	o.wait(time.Second)
	o.hears(left, Leave{})
	o.Die(o.now, dead)
	o.wait(time.Second)
	if r := told[Roster](o, left); len(r) == 0 || r[len(r)-1].Members[1].State != Left {
		t.Errorf("who leaves was told %+v", r)
	}
	o.joins("old", 2)
	o.wait(2 * forgetInterval)
	if !known(left) || !known(dead) || !known(old) {
		t.Error("forgotten early")
	}
	p, _ := o.table.Room("r")
	o.table.Apply(o.table.index+1, []Op{{Kind: DeleteRoom, Room: "r", Prev: p.Epoch}})
	o.wait(2 * forgetInterval)
	if known(old) {
		t.Error("an older process is not forgotten when no room names it")
	}
	o.wait(leftFor)
	if known(left) || !known(dead) {
		t.Errorf("after %v: who left is known %v, the dead %v", leftFor, known(left), known(dead))
	}
	o.wait(downFor)
	if known(dead) {
		t.Error("the dead is known for ever")
	}
}

// One that was given up, and forgotten while it was cut off, learns it from the
// roster that answers its digest.
func TestForgottenReturns(t *testing.T) {
	o := newOffice()
	a := o.joins("a", 1)
	host := NewHost(a, func(string) bool { return false }, func() bool { return false })
	o.wait(rosterInterval)
	hears := func() (all []Effect) {
		for _, m := range told[Roster](o, a) {
			host.Receive(o.now, "lead", m)
		}
		return host.Effects()
	}
	if e := hears(); len(e) != 1 || e[0] != (Members{}) {
		t.Fatalf("%+v", e)
	}
	o.table.Apply(o.table.index+1, []Op{
		{Kind: SetState, Member: Member{Name: a}, State: Down}, {Kind: Forget, Member: Member{Name: a}},
	})
	host.Tick(o.now)
	for _, e := range host.Effects() {
		o.hears(a, e.(Send).Message)
	}
	if e := hears(); !slices.Contains(e, Effect(Rejoin{})) {
		t.Errorf("%+v", e)
	}
}

// Restarts leave nothing behind: not in the table, and not with the leader.
func TestThousandsOfRestarts(t *testing.T) {
	o := newOffice()
	o.joins("lead", 1)
	for boot := uint64(1); boot <= 5000; boot++ {
		a := o.joins("a", boot)
		o.hears(a, Ask{Tag: 1, Open: 1, Room: "r", Create: true})
		for _, s := range o.sent {
			if m, ok := s.Message.(Reserve); ok {
				o.hears(s.To, Reserved{m.Attempt, m.Room, true})
			}
		}
		o.sent = nil
		o.Load(o.now, Report{Node: "lead/0000000000000001", Seq: uint64(o.now)})
		switch boot % 3 {
		case 0:
			o.Die(o.now, a)
		case 1:
			o.hears(a, Leave{})
		}
		o.wait(2 * time.Second)
		o.sent = nil
	}
	d := o.Decider
	o.wait(2 * reportAge)
	o.Load(o.now, Report{Node: "lead/0000000000000001", Seq: uint64(o.now)})
	if n := len(d.table.members); n > 20 {
		t.Errorf("%d places of members", n)
	}
	for what, n := range map[string]int{
		"members": len(d.table.byName), "sessions": len(d.sessions), "loads": len(d.chooser.loads),
		"dead": len(d.roll.downSince), "deaths": len(d.repair.deaths), "activations": len(d.unacked),
	} {
		if n > 10 {
			t.Errorf("%d %s", n, what)
		}
	}
}

// A node that has no table hears of loads only, and forgets who has gone silent.
func TestLoadsOfTheDead(t *testing.T) {
	d := NewDecider(NewTable(), Settings{}, rand.New(rand.NewPCG(1, 1)))
	for boot := range uint64(5000) {
		d.Load(time.Duration(boot)*time.Second, Report{Node: NameOf("a", boot), Seq: 1})
	}
	if n := len(d.chooser.loads); n > 50 {
		t.Errorf("%d loads", n)
	}
}

// A spare node that refuses is asked less and less often for the sake of repair,
// but always for a client; when it accepts, all is well again.
func TestRefusals(t *testing.T) {
	o := newOffice()
	lead, spare := o.joins("lead", 1), o.joins("spare", 1)
	var ops []Op
	for i := range 500 {
		ops = append(ops, Op{Kind: PutRoom, Room: fmt.Sprintf("r%d", i), Hosts: []Name{lead}, Want: 2})
	}
	o.table.Apply(o.table.index+1, ops)
	yes, asked := false, 0
	live := func(d time.Duration) {
		for until := o.now + d; o.now < until; {
			o.Load(o.now, Report{Node: lead, Seq: uint64(o.now)})
			o.Load(o.now, Report{Node: spare, Seq: uint64(o.now)})
			o.wait(100 * time.Millisecond)
			sent := o.sent
			o.sent = nil
			for _, s := range sent {
				if m, ok := s.Message.(Reserve); ok && s.To == spare {
					asked++
					o.hears(s.To, Reserved{m.Attempt, m.Room, yes})
				}
			}
		}
	}
	live(time.Minute)
	first := asked
	live(5 * time.Minute)
	if each := (asked - first) / 5; each > 100 || asked == first {
		t.Errorf("asked %d times in the first minute, then %d a minute", first, each)
	}
	before := asked
	o.hears(lead, Ask{Tag: 1, Open: 1, Room: "new", Create: true, Want: 2})
	if live(300 * time.Millisecond); asked == before {
		t.Error("not asked for a client")
	}
	yes = true
	live(refusalMax + 15*time.Second)
	if o.table.short != 0 {
		t.Errorf("%d rooms lack a host", o.table.short)
	}
}

// A leader of nothing, and one whose rooms lack nothing, sleeps.
func TestNext(t *testing.T) {
	o := newOffice()
	lead := o.joins("lead", 1)
	o.wait(time.Second)
	if next := o.Next(); next != Never {
		t.Errorf("no room: due at %v", next)
	}
	o.table.Apply(o.table.index+1, []Op{{Kind: PutRoom, Room: "r", Hosts: []Name{lead}, Want: 1}})
	if next := o.Next(); next != Never {
		t.Errorf("a room that lacks nothing: due at %v", next)
	}
	o.table.Apply(o.table.index+1, []Op{{Kind: PutRoom, Room: "s", Hosts: []Name{lead}, Want: 2}})
	if next := o.Next(); next > o.now+sweepInterval {
		t.Errorf("a room that lacks a host: due at %v", next)
	}
	o.joins("b", 1)
	if next := o.Next(); next > o.now {
		t.Errorf("a new member: due at %v", next)
	}
}
