package placement

import (
	"encoding/binary"
	"hash/fnv"
)

// shardCount is into how many parts rooms are divided by their names: a host and
// the leader compare what they know of its rooms part by part, and the leader
// looks through the table part by part.
const shardCount = 256

// Digest sums up rooms of one shard with their epochs. Two sets of rooms with
// one digest are equal, but for accidents of one in 2^64.
type Digest struct {
	Count int    `json:"n"`
	Sum   uint64 `json:"x"` // exclusive or of the hashes
}

type digests [shardCount]Digest

func (d *digests) change(name string, e Epoch, by int) {
	s := &d[shardOf(name)]
	s.Count += by
	s.Sum ^= hashOf(name, e)
}

func shardOf(name string) int {
	h := nameHash(name)
	return int((h ^ h>>32) % shardCount)
}

func nameHash(name string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(name))
	return h.Sum64()
}

func hashOf(name string, e Epoch) uint64 {
	h := fnv.New64a()
	var b [12]byte
	binary.LittleEndian.PutUint32(b[:], e.Generation)
	binary.LittleEndian.PutUint64(b[4:], e.Index)
	h.Write(b[:])
	h.Write([]byte(name))
	return h.Sum64()
}
