package lane

import (
	"cmp"
	"fmt"

	"hubsub/cluster/placement"
)

// Peer is a process of the cluster, as this one numbers them. A number is never
// another process's.
type Peer int32

const (
	Self   Peer = 0
	nobody Peer = -1
)

// Key names one leader's time of ordering a room's messages: rank i means that
// host i of the epoch's placement leads. So a key has one possible owner. Of two
// keys the higher one is right.
type Key struct {
	Epoch placement.Epoch
	Rank  uint8

	// Start is when the owner's process began, in microseconds. One that comes back
	// under its name has forgotten its numbers, and must not use a key twice.
	Start uint64
}

// Compare is negative if k is lower than o.
func (k Key) Compare(o Key) int {
	return cmp.Or(k.Epoch.Compare(o.Epoch), cmp.Compare(k.Rank, o.Rank), cmp.Compare(k.Start, o.Start))
}

// office returns what another process of the same name would have, too.
func (k Key) office() Key { return Key{Epoch: k.Epoch, Rank: k.Rank} }

// IsZero reports whether k is nobody's.
func (k Key) IsZero() bool { return k == Key{} }

func (k Key) String() string { return fmt.Sprintf("%v/%d", k.Epoch, k.Rank) }

// Kind is the name space of a name that clients subscribe to.
type Kind uint8

const (
	Channel Kind = iota
	Shard
	Pattern
)

// name is what clients subscribe to.
type name struct {
	kind Kind
	text string
}
