//go:build race

package gossip

// many is a large cluster, for the race detector: a hundred nodes take a minute.
const many = 30
