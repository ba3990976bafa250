//go:build race

package cluster

// crowd is how many nodes are many: the race detector takes a hundred times as long.
const crowd = 20
