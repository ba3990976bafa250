package cluster

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// newCluster returns the id of a new cluster.
func newCluster() string {
	var b [8]byte
	rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

// joinCluster names one generation of a cluster. Processes of different
// generations have no more to do with each other than those of different
// clusters: all connections compare these names. The last part is random, for
// two survivors may begin a generation in the same second.
func joinCluster(id string, generation uint32) string {
	return fmt.Sprintf("%s-%d-%s", id, generation, newCluster()[:nonceDigits])
}

// laterCluster names the next generation of a cluster: by the time, so that it
// is later than one that others have begun meanwhile, if the clocks are right.
func laterCluster(name string) string {
	id, generation := splitCluster(name)
	return joinCluster(id, max(generation+1, uint32(time.Now().Unix())))
}

// nonceDigits is how many digits of a generation's name are random.
const nonceDigits = 8

// splitCluster returns what joinCluster was given.
func splitCluster(name string) (id string, generation uint32) {
	parts := strings.SplitN(name, "-", 3)
	if len(parts) > 1 {
		n, _ := strconv.ParseUint(parts[1], 10, 32)
		generation = uint32(n)
	}
	return parts[0], generation
}
