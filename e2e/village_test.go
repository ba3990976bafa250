package e2e

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// A village is a cluster whose nodes are each in a network namespace of their own, behind a bridge, so that they can be
// cut off from each other as by a broken switch: nothing is refused, nothing comes.
type village struct {
	t     *testing.T
	name  string // of the bridge, and the beginning of all other names
	net   string // the first three numbers of the addresses
	nodes []*node
}

// newVillage makes the namespaces and starts the nodes. It takes root, or sudo without a password.
func newVillage(t *testing.T, n int, args ...string) *village {
	t.Helper()
	number := rand.IntN(250) + 1
	v := &village{t: t, name: fmt.Sprintf("hs%d", number), net: fmt.Sprintf("10.77.%d", number)}
	t.Cleanup(v.remove)
	v.ip("link", "add", v.name, "type", "bridge")
	v.ip("addr", "add", v.net+".254/24", "dev", v.name)
	v.ip("link", "set", v.name, "up")
	var seeds []string
	for i := range n {
		home := v.home(i)
		v.ip("netns", "add", home)
		v.ip("link", "add", home, "type", "veth", "peer", "name", "eth0", "netns", home)
		v.ip("link", "set", home, "master", v.name, "up")
		v.in(i, "link", "set", "lo", "up")
		v.in(i, "addr", "add", v.host(i)+"/24", "dev", "eth0")
		v.in(i, "link", "set", "eth0", "up")
		one := newNode(t, nil, args...)
		one.ip, one.host, one.port = v.host(i), v.host(i), 6379
		one.before = privileged("ip", "netns", "exec", home)
		one.args = append([]string{"--loops", "1", "--protected-mode", "no", "--cluster", one.clusterAddr(), "--http", one.ip + ":8000"}, args...)
		v.nodes = append(v.nodes, one)
		seeds = append(seeds, one.clusterAddr())
	}
	for _, one := range v.nodes {
		one.join = seeds
		t.Cleanup(func() {
			one.kill()
			one.report(t)
		})
		one.run(t)
	}
	awaitMembers(t, v.nodes, n)
	return v
}

func (v *village) home(i int) string { return fmt.Sprintf("%sn%d", v.name, i) }
func (v *village) host(i int) string { return fmt.Sprintf("%s.%d", v.net, i+1) }

// cut keeps one node from sending to another: what the other sends arrives. Two calls cut both ways.
func (v *village) cut(from, to int) { v.in(from, "route", "add", "blackhole", v.host(to)+"/32") }
func (v *village) heal(from, to int) {
	v.in(from, "route", "del", "blackhole", v.host(to)+"/32")
}

func (v *village) in(i int, args ...string) { v.ip(append([]string{"-n", v.home(i)}, args...)...) }

func (v *village) ip(args ...string) {
	v.t.Helper()
	words := privileged(append([]string{"ip"}, args...)...)
	if out, err := exec.Command(words[0], words[1:]...).CombinedOutput(); err != nil {
		v.t.Fatalf("%s: %v\n%sThis test makes network namespaces: it takes root, or sudo without a password, and iproute2.", strings.Join(words, " "), err, out)
	}
}

// remove takes away what newVillage has made, as far as it got.
func (v *village) remove() {
	for i := range v.nodes {
		words := privileged("ip", "netns", "del", v.home(i))
		exec.Command(words[0], words[1:]...).Run()
	}
	words := privileged("ip", "link", "del", v.name)
	exec.Command(words[0], words[1:]...).Run()
}

// privileged is a command as root runs it.
func privileged(words ...string) []string {
	if os.Geteuid() == 0 {
		return words
	}
	return append([]string{"sudo", "-n"}, words...)
}
