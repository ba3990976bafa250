package placement

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// Rooms that exist all the time are listed, whatever comes and goes, and however
// many a page holds.
func TestScan(t *testing.T) {
	for _, count := range []int{-1, 1, 2, 7, 100, 10_000} {
		table, random := NewTable(), rand.New(rand.NewPCG(1, 1))
		table.Apply(1, nodes(1))
		put := func(room string) {
			table.Apply(table.index+1, []Op{{Kind: PutRoom, Room: room, Hosts: []Name{"n0/1"}, Want: 1}})
		}
		for i := range 1000 {
			put(fmt.Sprintf("stays:%d", i))
		}
		pages := 0
		times := make(map[string]int)
		for cursor := uint64(0); ; pages++ {
			next, names := table.Scan(cursor, count)
			for _, name := range names {
				times[name]++
			}
			if len(names) > max(count, 1) {
				t.Errorf("%d rooms on a page of %d", len(names), count)
			}
			if next == 0 {
				break
			}
			if next <= cursor {
				t.Fatalf("from %x to %x", cursor, next)
			}
			cursor = next
			room := fmt.Sprintf("goes:%d", random.IntN(500))
			if p, ok := table.Room(room); ok {
				table.Apply(table.index+1, []Op{{Kind: DeleteRoom, Room: room, Prev: p.Epoch}})
			} else {
				put(room)
			}
		}
		for i := range 1000 {
			if name := fmt.Sprintf("stays:%d", i); times[name] != 1 {
				t.Errorf("count %d: %s is listed %d times", count, name, times[name])
			}
		}
		if count == 1 && pages < 1000 {
			t.Errorf("%d pages", pages)
		}
	}
	if next, names := NewTable().Scan(0, 10); next != 0 || names != nil {
		t.Errorf("an empty table: %x %q", next, names)
	}
	if next, names := someTable(t, 1, 1000).Scan(1<<64-1, 10); next != 0 || names != nil {
		t.Errorf("behind the end: %x %q", next, names)
	}
}

// Names that share a hash stay together on a page.
func TestScanEqualHashes(t *testing.T) {
	table := NewTable()
	table.Apply(1, nodes(1))
	a, b := "gMPflVXtwGDXbIhP73TX", "LtHf1prlU1bCeYZEdqWf"
	if nameHash(a) != nameHash(b) {
		t.Fatal("their hashes differ")
	}
	for _, room := range []string{a, b, "1", "2", "3"} {
		table.Apply(table.index+1, []Op{{Kind: PutRoom, Room: room, Hosts: []Name{"n0/1"}, Want: 1}})
	}
	times, cursor := make(map[string]int), uint64(0)
	for {
		next, names := table.Scan(cursor, 1)
		for _, name := range names {
			times[name]++
		}
		if cursor = next; next == 0 {
			break
		}
	}
	for _, room := range []string{a, b, "1", "2", "3"} {
		if times[room] != 1 {
			t.Errorf("%s is listed %d times", room, times[room])
		}
	}
}
