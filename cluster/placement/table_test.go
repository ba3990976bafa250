package placement

import (
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"runtime"
	"slices"
	"testing"
	"time"
)

func nodes(n int) (ops []Op) {
	for i := range n {
		id := fmt.Sprintf("n%d", i)
		ops = append(ops, Op{Kind: PutMember, Member: Member{Name: Name(id + "/1"), ID: id, Weight: 1}})
	}
	return ops
}

// What each op does, and what it refuses.
func TestApply(t *testing.T) {
	table, index := NewTable(), uint64(0)
	f := func(op Op, want Outcome) {
		t.Helper()
		index++
		if got := table.Apply(index, []Op{op})[0]; got != want {
			t.Errorf("entry %d, %+v: %v, want %v", index, op, got, want)
		}
	}
	member := func(name, id string) Member {
		return Member{Name: Name(name), ID: id, Boot: uint64(name[len(name)-1] - '0'), Weight: 1}
	}
	put := func(prev Epoch, hosts ...Name) Op {
		return Op{Kind: PutRoom, Room: "r", Prev: prev, Hosts: hosts, Want: 2}
	}
	f(Op{Kind: BeginGeneration, Generation: 5}, Done)
	f(Op{Kind: BeginGeneration, Generation: 5}, Unchanged)
	f(Op{Kind: PutMember, Member: member("a/1", "a")}, Done)
	f(Op{Kind: PutMember, Member: member("a/1", "a")}, Unchanged)
	f(Op{Kind: PutMember, Member: member("b/1", "b")}, Done)
	f(Op{Kind: PutMember, Member: Member{Name: "c/1", ID: "c"}}, Refused) // no weight
	f(put(Epoch{}), Refused)
	f(put(Epoch{}, "a/1", "a/1"), Refused)
	f(put(Epoch{}, "a/1", "c/1"), Refused)
	f(put(Epoch{5, 1}, "a/1"), Stale)
	f(put(Epoch{}, "a/1", "b/1"), Done)
	first := Epoch{5, index}
	f(put(Epoch{}, "a/1"), Stale)
	if p, ok := table.Room("r"); !ok || !reflect.DeepEqual(p, Placement{Epoch: first, Hosts: []Name{"a/1", "b/1"}, Want: 2}) {
		t.Errorf("got %+v", p)
	}
	f(Op{Kind: PutMember, Member: member("a/2", "a")}, Done) // restarted
	if _, s, _ := table.Member("a/1"); s != Down {
		t.Errorf("the process before is %v", s)
	}
	f(Op{Kind: SetState, Member: Member{Name: "a/1"}, State: Up}, Refused) // there is a later one
	f(Op{Kind: SetState, Member: Member{Name: "b/1"}, State: Left}, Done)
	f(Op{Kind: SetState, Member: Member{Name: "b/1"}, State: Down}, Refused)
	f(Op{Kind: SetState, Member: Member{Name: "b/1"}, State: Up}, Done) // resumed
	f(Op{Kind: Forget, Member: Member{Name: "a/1"}}, Refused)           // has a room
	f(Op{Kind: Forget, Member: Member{Name: "b/1"}}, Refused)           // lives
	f(put(first, "a/1", "b/1"), Done)                                   // a dead host may stay
	second := Epoch{5, index}
	f(put(second, "b/1", "a/2"), Done)
	third := Epoch{5, index}
	f(Op{Kind: Forget, Member: Member{Name: "a/1"}}, Done)
	f(put(third, "b/1", "a/1"), Refused)
	f(Op{Kind: DeleteRoom, Room: "r", Prev: second}, Stale)
	f(Op{Kind: DeleteRoom, Room: "r", Prev: third}, Done)
	f(Op{Kind: DeleteRoom, Room: "r", Prev: third}, Stale)
	f(Op{Kind: 99}, Refused)
	if _, ok := table.Room("r"); ok || table.Rooms() != 0 || table.Digests("b/1") != (digests{}) {
		t.Error("something is left of the room")
	}
}

// A new generation gives all rooms one new epoch, and changes nothing else; what a
// snapshot has stays as it was.
func TestRenew(t *testing.T) {
	table, fresh := NewTable(), NewTable()
	first := append([]Op{{Kind: BeginGeneration, Generation: 5}}, nodes(2)...)
	table.Apply(1, first)
	fresh.Apply(1, first)
	var ops []Op
	for i := range 500 {
		ops = append(ops, Op{Kind: PutRoom, Room: fmt.Sprint(i), Hosts: []Name{"n1/1", "n0/1"}[:1+i%2], Want: 2, Keep: true, Pins: []string{"n1"}})
	}
	table.Apply(2, ops)
	old, p := table.Snapshot(), Placement{}
	table.Apply(9, []Op{{Kind: BeginGeneration, Generation: 6}})
	fresh.Apply(8, []Op{{Kind: BeginGeneration, Generation: 6}})
	fresh.Apply(9, ops)
	for i := range 500 {
		p, _ = table.Room(fmt.Sprint(i))
		if want, _ := fresh.Room(fmt.Sprint(i)); !reflect.DeepEqual(p, want) || old.shards[shardOf(fmt.Sprint(i))][fmt.Sprint(i)].epoch != (Epoch{5, 2}) {
			t.Fatalf("%+v, want %+v", p, want)
		}
	}
	for _, name := range []Name{"n0/1", "n1/1"} {
		if table.Digests(name) != fresh.Digests(name) {
			t.Errorf("%s has another digest", name)
		}
	}
	if table.rooms != fresh.rooms || table.short != fresh.short {
		t.Errorf("%d rooms, of which %d are short, want %d, %d", table.rooms, table.short, fresh.rooms, fresh.short)
	}
}

// What a host and the leader count, each by itself, is the same.
func TestDigests(t *testing.T) {
	table := NewTable()
	table.Apply(1, nodes(1))
	host := NewHost("n0/1", func(string) bool { return false }, func() bool { return false })
	for i := range uint64(1000) {
		room := fmt.Sprintf("room:%d", i%700)
		p, _ := table.Room(room)
		table.Apply(2+i, []Op{{Kind: PutRoom, Room: room, Prev: p.Epoch, Hosts: []Name{"n0/1"}, Want: 1}})
		p, _ = table.Room(room)
		host.Receive(0, "n0/1", Activate{Room: room, Epoch: p.Epoch, Hosts: p.Hosts})
	}
	if digests(table.Digests("n0/1")) != host.holds {
		t.Error("they differ")
	}
	host.Receive(0, "n0/1", Drop{Room: "room:7", Epoch: table.Now()})
	if digests(table.Digests("n0/1")) == host.holds {
		t.Error("they do not differ by a room")
	}
}

// A hundred nodes, of which ten have twice the weight, get a million rooms of two
// hosts. What a room costs is not known before, and differs by a lot (Pareto);
// reports are a second old. It prints what it measures.
func TestMillionRooms(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	const members, rooms, perSecond = 100, 1_000_000, 20_000
	random := rand.New(rand.NewPCG(1, 1))
	table := NewTable()
	ops := nodes(members)
	for i := range ops[:10] {
		ops[i].Member.Weight = 2
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	table.Apply(1, ops)
	d := NewDecider(table, Settings{Replicas: 2}, random)
	cost := make(map[Name]float64) // of all it can do
	hosted := make(map[Name]int)
	now, index := time.Second, uint64(1)
	report := func() {
		for _, op := range ops {
			name := op.Member.Name
			d.Load(now, Report{Node: name, Seq: index, CPU: cpuFull * cost[name], Rooms: hosted[name]})
		}
	}
	d.Gain(now, Term{0, 1})
	report()
	begin := time.Now()
	for i := range rooms {
		if i%perSecond == 0 {
			now += time.Second
			report()
		}
		d.Receive(now, "n0/1", Ask{Tag: uint64(i + 1), Open: uint64(i + 1), Room: fmt.Sprintf("room:%d", i), Create: true})
		for pending := d.Effects(); len(pending) > 0; pending = d.Effects() {
			for _, e := range pending {
				switch e := e.(type) {
				case Send:
					if m, ok := e.Message.(Reserve); ok {
						d.Receive(now, e.To, Reserved{m.Attempt, m.Room, true})
					}
					if m, ok := e.Message.(Activate); ok {
						d.Receive(now, e.To, Activated{m.Room, m.Epoch})
					}
				case Propose:
					index++
					d.Applied(now, e.ID, table.Apply(index, e.Ops))
				case Verify:
					d.Verified(e.ID, true)
				}
			}
		}
		p, _ := table.Room(fmt.Sprintf("room:%d", i))
		each := min(pareto(random), 1000) * members / rooms / 10
		for _, host := range p.Hosts {
			m, _, _ := table.Member(host)
			cost[host] += each / float64(m.Weight)
			hosted[host]++
		}
		d.Tick(now)
	}
	took := time.Since(begin)
	d.reset()
	runtime.GC()
	runtime.ReadMemStats(&after)
	var loads []float64
	sum := 0.0
	for _, c := range cost {
		loads = append(loads, c)
		sum += c
	}
	peak := slices.Max(loads) / (sum / float64(len(loads)))
	bytes := float64(after.HeapAlloc-before.HeapAlloc) / rooms
	t.Logf("%d rooms: %.0f a second, %.0f bytes each, peak/mean load %.3f", table.Rooms(), rooms/took.Seconds(), bytes, peak)
	if table.Rooms() != rooms || len(loads) != members {
		t.Errorf("%d rooms on %d nodes", table.Rooms(), len(loads))
	}
	if peak > 1.2 {
		t.Errorf("the busiest has %.3f of the mean load", peak)
	}
	if bytes > 200 {
		t.Errorf("a room takes %.0f bytes", bytes)
	}
	runtime.KeepAlive(d)
}

// pareto returns a heavy-tailed number, 1 or more, with exponent 1.5.
func pareto(random *rand.Rand) float64 { return math.Pow(1-random.Float64(), -1/1.5) }
