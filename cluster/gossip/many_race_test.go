//go:build race

package gossip

// The race detector makes these tests ten times as long.
const (
	many        = 20
	idleMinutes = 3
)
