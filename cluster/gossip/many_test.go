//go:build !race

package gossip

// many is a large cluster.
const many = 100
