//go:build !race

package gossip

// many is a large cluster, idleMinutes a long time.
const (
	many        = 100
	idleMinutes = 10
)
