package placement

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
)

// someTable returns a table after many random changes, with places of members
// that are free again.
func someTable(t testing.TB, seed uint64, entries int) *Table {
	t.Helper()
	table, random := NewTable(), rand.New(rand.NewPCG(seed, 1))
	table.Apply(1, []Op{{Kind: BeginGeneration, Generation: 3, Cluster: "some"}})
	for range entries {
		change(table, random)
	}
	return table
}

// change changes a table at random.
func change(table *Table, random *rand.Rand) {
	member := func() Member {
		id := fmt.Sprintf("n%d", random.IntN(9))
		newest, _ := table.Newest(id)
		boot := newest.Boot + uint64(random.IntN(2))
		return Member{
			Name: NameOf(id, boot), ID: id, Boot: boot, Cluster: id + ":1", Zone: "z", Weight: 1 + random.IntN(3),
			Clients: append([]string(nil), []string{id + ":2", id + ":3"}[:random.IntN(3)]...),
		}
	}
	op := Op{Kind: OpKind(1 + random.IntN(int(Forget))), Member: member(), State: State(random.IntN(4))}
	if random.IntN(3) > 0 {
		op.Kind = PutRoom
	}
	if op.Kind <= DeleteRoom {
		op.Room = fmt.Sprintf("room:%d", random.IntN(400))
		p, _ := table.Room(op.Room)
		op.Prev, op.Want, op.Keep = p.Epoch, 1+random.IntN(HostsMax), random.IntN(2) == 0
		op.Pins = []string{"n1", "n2"}[:random.IntN(3)]
		for range 1 + random.IntN(3) {
			if name := member().Name; !slices.Contains(op.Hosts, name) {
				op.Hosts = append(op.Hosts, name)
			}
		}
	}
	table.Apply(table.index+1, []Op{op})
}

// same reports whether two tables hold the same, counts and digests too.
func same(a, b *Table) bool {
	if a.cluster != b.cluster || a.Now() != b.Now() || a.roster != b.roster || a.rooms != b.rooms || a.short != b.short ||
		len(a.members) != len(b.members) || !maps.Equal(a.byName, b.byName) || !reflect.DeepEqual(a.pins, b.pins) {
		return false
	}
	for i := range a.members {
		x, y := &a.members[i], &b.members[i]
		if !reflect.DeepEqual(x.Member, y.Member) || x.state != y.state || x.rooms != y.rooms || x.free != y.free ||
			a.Digests(x.Name) != b.Digests(y.Name) {
			return false
		}
	}
	for i := range a.shards {
		if !maps.Equal(a.shards[i], b.shards[i]) {
			return false
		}
	}
	return true
}

func written(t testing.TB, s *Snapshot) []byte {
	t.Helper()
	var b bytes.Buffer
	n, err := s.WriteTo(&b)
	if err != nil || n != int64(b.Len()) {
		t.Fatalf("%d bytes written of %d: %v", n, b.Len(), err)
	}
	return b.Bytes()
}

// A snapshot that is written when the table has gone on restores the table that
// it was taken of, and the two then go on alike.
func TestSnapshot(t *testing.T) {
	for seed := range uint64(50) {
		entries := int(seed * 40)
		table, then := someTable(t, seed, entries), someTable(t, seed, entries)
		if !same(table, then) {
			t.Fatal("the test is not deterministic")
		}
		snapshot, random := table.Snapshot(), rand.New(rand.NewPCG(seed, 2))
		var again *Snapshot
		for i := range 500 {
			if change(table, random); i == 250 {
				again = table.Snapshot()
			}
		}
		restored := someTable(t, seed+1, 100)
		if err := restored.Restore(bytes.NewReader(written(t, snapshot))); err != nil {
			t.Fatal(err)
		}
		if !same(restored, then) {
			t.Fatalf("seed %d: it restores another table", seed)
		}
		for i, random := 0, rand.New(rand.NewPCG(seed, 2)); i < 500; i++ {
			if change(restored, random); i == 250 {
				twice := NewTable()
				if err := twice.Restore(bytes.NewReader(written(t, again))); err != nil || !same(twice, restored) {
					t.Fatalf("seed %d: the second snapshot restores another table (%v)", seed, err)
				}
			}
		}
		if !same(restored, table) {
			t.Fatalf("seed %d: they go on in different ways", seed)
		}
	}
}

// A snapshot is read by one goroutine while another changes the table.
func TestSnapshotWhileChanging(t *testing.T) {
	table, random := someTable(t, 1, 2000), rand.New(rand.NewPCG(1, 2))
	want := written(t, table.Snapshot())
	snapshot, done := table.Snapshot(), make(chan []byte)
	go func() { done <- written(t, snapshot) }()
	for range 2000 {
		change(table, random)
	}
	if got := <-done; len(got) != len(want) {
		t.Errorf("%d bytes, and %d when nothing changes", len(got), len(want))
	}
}

// Each bit matters, and so does each byte that is missing or too much; a table
// that cannot be restored stays as it was.
func TestDamagedSnapshot(t *testing.T) {
	whole := written(t, someTable(t, 1, 30).Snapshot())
	table, before := someTable(t, 2, 30), someTable(t, 2, 30)
	f := func(what string, b []byte) {
		t.Helper()
		if err := table.Restore(bytes.NewReader(b)); err == nil {
			t.Errorf("%s: restored", what)
		}
		if !same(table, before) {
			t.Fatalf("%s: the table has changed", what)
		}
	}
	for i := range whole {
		f(fmt.Sprintf("%d bytes", i), whole[:i])
		b := bytes.Clone(whole)
		b[i] ^= 1 << (i % 8)
		f(fmt.Sprintf("byte %d", i), b)
	}
	f("one more", append(bytes.Clone(whole), 0))
}

// What restores is a table that can be written again and used.
func FuzzRestore(f *testing.F) {
	f.Add([]byte{})
	for seed := range uint64(5) {
		whole := written(f, someTable(f, seed, int(seed)*20).Snapshot())
		f.Add(whole[:len(whole)-4])
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		table := NewTable()
		if table.Restore(bytes.NewReader(withSum(b))) != nil {
			if !same(table, NewTable()) {
				t.Fatal("half a snapshot")
			}
			return
		}
		again := NewTable()
		if err := again.Restore(bytes.NewReader(written(t, table.Snapshot()))); err != nil || !same(table, again) {
			t.Fatalf("what was restored is not what is written (%v)", err)
		}
		for random := rand.New(rand.NewPCG(1, 1)); table.index < 1<<62 && random.IntN(50) > 0; {
			change(table, random)
		}
		for shard := range shardCount {
			table.EachIn(shard, func(name string, p Placement) {
				for _, host := range p.Hosts {
					if _, _, known := table.Member(host); !known {
						t.Fatalf("%q is on %q", name, host)
					}
				}
			})
		}
	})
}

// withSum adds the sum that makes a damaged snapshot look whole.
func withSum(b []byte) []byte {
	return binary.BigEndian.AppendUint32(bytes.Clone(b), crc32.Checksum(b, castagnoli))
}
