package placement

import (
	"cmp"
	"slices"
)

// Scan returns some of the rooms, and the cursor to go on with: 0 begins, and ends.
// A room that exists from the first call to the last is returned, whatever comes
// and goes meanwhile; one that goes and comes back may be returned twice. There are
// about count, more if names share a hash.
//
// A cursor is a place in an order that never changes: the shard, and within it
// the hash of the name.
func (t *Table) Scan(cursor uint64, count int) (next uint64, names []string) {
	count = max(count, 1)
	for shard := int(cursor >> scanBits); shard < shardCount; shard++ {
		var found []scanned
		for name := range t.shards[shard] {
			if at := scanPlace(shard, name); at >= cursor {
				found = append(found, scanned{at, name})
			}
		}
		slices.SortFunc(found, func(a, b scanned) int {
			return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.name, b.name))
		})
		for i, f := range found {
			if len(names) >= count && (i == 0 || f.at != found[i-1].at) {
				return f.at, names
			}
			names = append(names, f.name)
		}
	}
	return 0, names
}

type scanned struct {
	at   uint64
	name string
}

// scanBits of a cursor are of the hash, those above them the shard.
const scanBits = 56

func scanPlace(shard int, name string) uint64 {
	return uint64(shard)<<scanBits | nameHash(name)>>(64-scanBits)
}
