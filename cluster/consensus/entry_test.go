package consensus

import (
	"bytes"
	"reflect"
	"testing"

	"hubsub/cluster/placement"
)

// everyOp has one op of each kind, with all its fields.
func everyOp() []placement.Op {
	epoch := placement.Epoch{Generation: 7, Index: 1 << 40}
	return []placement.Op{
		{Kind: placement.PutRoom, Room: "r", Prev: epoch, Hosts: []placement.Name{"a/1", "b/2"}, Want: 2, Keep: true, Pins: []string{"a"}},
		{Kind: placement.PutRoom, Room: "", Want: -1},
		{Kind: placement.DeleteRoom, Room: "q", Prev: epoch},
		{Kind: placement.PutMember, Member: placement.Member{
			Name: "c/3", ID: "c", Boot: 3, Cluster: "c:7000", Clients: []string{"c:6379", "c:6380"}, Zone: "z", Weight: 4}},
		{Kind: placement.SetState, Member: placement.Member{Name: "c/3"}, State: placement.Draining},
		{Kind: placement.Forget, Member: placement.Member{Name: "c/3"}},
		{Kind: placement.BeginGeneration, Generation: 1<<32 - 1, Cluster: "id"},
	}
}

func TestEntry(t *testing.T) {
	e := entry{"a/1", 1 << 63, 12, everyOp()}
	b := e.encode()
	got, err := decode(b)
	if err != nil || !reflect.DeepEqual(got, e) {
		t.Fatalf("got %+v, %v", got, err)
	}
	for n := range b {
		if _, err := decode(b[:n]); err == nil {
			t.Fatalf("decodes the first %d bytes of %d", n, len(b))
		}
	}
	if _, err := decode(append(b, 0)); err == nil {
		t.Fatal("decodes what has more behind it")
	}
	b[0]++
	if _, err := decode(b); err == nil {
		t.Fatal("decodes another version")
	}
}

// What a later version adds is skipped, and what follows it is not.
func TestEntryOfLaterVersion(t *testing.T) {
	b := []byte{entryVersion, 1, 'p', 1, 2, 3}
	b = append(b, 200, 3, 'x', 'y', 'z')                             // an unknown kind
	b = append(b, byte(placement.Forget), 5, 3, 'a', '/', '1', 0xff) // a field behind the known ones
	b = append(b, byte(placement.Forget), 4, 3, 'b', '/', '1')
	e, err := decode(b)
	want := []placement.Op{{Kind: 200}, {Kind: placement.Forget}, {Kind: placement.Forget}}
	want[1].Member.Name, want[2].Member.Name = "a/1", "b/1"
	if err != nil || !reflect.DeepEqual(e.ops, want) {
		t.Fatalf("got %+v, %v", e, err)
	}
	if o := placement.NewTable().Apply(1, e.ops); o[0] != placement.Refused {
		t.Fatalf("the table takes an unknown kind: %v", o[0])
	}
}

func FuzzDecode(f *testing.F) {
	e := entry{"a/1", 5, 12, everyOp()}
	f.Add(e.encode())
	f.Add([]byte{entryVersion, 0, 0, 0, 1, 3, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := decode(b)
		if err != nil {
			return
		}
		again, err := decode(e.encode())
		if err != nil || !bytes.Equal(e.encode(), again.encode()) {
			t.Fatalf("%+v decodes as %+v, %v", e, again, err)
		}
	})
}
