package e2e

import (
	"fmt"
	"math/rand/v2"
	"os/exec"
	"strings"
	"testing"
)

// Islands are nodes that are each in a network namespace of their own, as those of a village, for benchmarks. One that is
// cut off has its cable pulled out of the bridge: nothing is refused, nothing comes, also from clients.
type islands struct {
	b     *testing.B
	name  string // of the bridge, and the beginning of all other names
	nodes []*node
}

// newIslands makes the namespaces and starts the nodes. It takes root, or sudo without a password.
func newIslands(b *testing.B, n int) *islands {
	b.Helper()
	number := rand.IntN(250) + 1
	v := &islands{b: b, name: fmt.Sprintf("hi%d", number)}
	net := fmt.Sprintf("10.78.%d", number)
	v.ip("link", "add", v.name, "type", "bridge")
	b.Cleanup(func() { v.ip("link", "del", v.name) })
	v.ip("addr", "add", net+".254/24", "dev", v.name)
	v.ip("link", "set", v.name, "up")
	var seeds []string
	for i := range n {
		home, address := v.home(i), fmt.Sprintf("%s.%d", net, i+1)
		v.ip("netns", "add", home)
		b.Cleanup(func() { v.ip("netns", "del", home) })
		v.ip("link", "add", home, "type", "veth", "peer", "name", "eth0", "netns", home)
		v.ip("link", "set", home, "master", v.name, "up")
		v.ip("-n", home, "link", "set", "lo", "up")
		v.ip("-n", home, "addr", "add", address+"/24", "dev", "eth0")
		v.ip("-n", home, "link", "set", "eth0", "up")
		one := newNode(b, nil)
		one.ip, one.host, one.port = address, address, 6379
		one.before = privileged("ip", "netns", "exec", home)
		one.args = []string{"--loops", "1", "--protected-mode", "no", "--cluster", one.clusterAddr(), "--http", one.ip + ":8000"}
		v.nodes = append(v.nodes, one)
		seeds = append(seeds, one.clusterAddr())
	}
	for _, one := range v.nodes {
		one.join = seeds
		b.Cleanup(func() {
			one.kill()
			one.report(b)
		})
		one.run(b)
	}
	awaitMembers(b, v.nodes, n)
	return v
}

func (v *islands) home(i int) string { return fmt.Sprintf("%sn%d", v.name, i) }

func (v *islands) cut(i int)  { v.ip("link", "set", v.home(i), "nomaster") }
func (v *islands) heal(i int) { v.ip("link", "set", v.home(i), "master", v.name) }

func (v *islands) ip(args ...string) {
	v.b.Helper()
	words := privileged(append([]string{"ip"}, args...)...)
	if out, err := exec.Command(words[0], words[1:]...).CombinedOutput(); err != nil {
		v.b.Fatalf("%s: %v\n%sThis makes network namespaces: it takes root, or sudo without a password, and iproute2.", strings.Join(words, " "), err, out)
	}
}
