package cluster

import (
	"crypto/rand"
	"encoding/hex"
	"strconv"
	"strings"
)

// newCluster returns the id of a new cluster.
func newCluster() string {
	var b [8]byte
	rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

// joinCluster names one generation of a cluster. Processes of different
// generations have no more to do with each other than those of different
// clusters: all connections compare these names.
func joinCluster(id string, generation uint32) string {
	return id + "-" + strconv.FormatUint(uint64(generation), 10)
}

// splitCluster is the opposite of joinCluster.
func splitCluster(name string) (id string, generation uint32) {
	id, number, _ := strings.Cut(name, "-")
	n, _ := strconv.ParseUint(number, 10, 32)
	return id, uint32(n)
}
