//go:build !race

package cluster

const crowd = 100
