package e2e

import (
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// TestRoomFromAnyNode: a room asked for over REST and by command on different nodes is the same room, with the least
// busy hosts; one node killed, and nothing to do.
func TestRoomFromAnyNode(t *testing.T) {
	t.Parallel()
	nodes := startNodes(t, 3)
	var made struct {
		Room, Epoch string
		Hosts       []string
	}
	status, err := nodes[0].call("PUT", "/v1/rooms/lobby", "", &made)
	if err != nil || status != 200 {
		t.Fatalf("PUT: %d, %v", status, err)
	}
	if len(made.Hosts) != 2 {
		t.Fatalf("hosts: %v, want two", made.Hosts)
	}
	first := nodes[0].get(t, "lobby")
	for _, n := range nodes {
		if got := n.get(t, "lobby"); !same(got, first) || got.epoch != made.Epoch {
			t.Errorf("%s says %v, another %v and REST %v", n.clusterAddr(), got, first, made)
		}
	}
	dead := slices.IndexFunc(nodes, func(n *node) bool { return n.addr() == first.hosts[0] })
	if dead < 0 {
		t.Fatalf("the first host %q is none of the nodes", first.hosts[0])
	}
	awaitVoters(t, nodes, 3)
	nodes[dead].kill()
	left := slices.Delete(slices.Clone(nodes), dead, dead+1)
	awaitMembers(t, left, 2)
	for _, n := range left {
		if got := n.get(t, "lobby"); slices.Contains(got.hosts, first.hosts[0]) || len(got.hosts) == 0 {
			t.Errorf("%s still sends clients to the dead: %v", n.clusterAddr(), got)
		}
	}
	nodes[dead].run(t)
	awaitMembers(t, nodes, 3)
}

func same(a, b home) bool { return a.epoch == b.epoch && slices.Equal(a.hosts, b.hosts) }

// TestSameNewRoomForAll: two hundred clients that ask different nodes for the same new room at once get the same answer.
func TestSameNewRoomForAll(t *testing.T) {
	t.Parallel()
	nodes := startNodes(t, 3)
	for round := range 5 {
		const crowd = 200
		var mu sync.Mutex
		answers := map[string]int{}
		work := crew{t: t}
		for i := range crowd {
			work.run(func() error {
				got, err := nodes[i%3].tryGet(fmt.Sprintf("new%d", round))
				mu.Lock()
				answers[fmt.Sprint(got)]++
				mu.Unlock()
				return err
			})
		}
		work.wait()
		if len(answers) != 1 {
			t.Fatalf("%d clients got %d answers: %v", crowd, len(answers), answers)
		}
	}
}

// TestTwoNodes: of two nodes either may die, and the other goes on; when it returns, they are two again.
func TestTwoNodes(t *testing.T) {
	t.Parallel()
	nodes := startNodes(t, 2)
	for i, how := range []string{"killed", "killed", "hung", "hung"} {
		victim, other := nodes[i%2], nodes[1-i%2]
		before := other.get(t, fmt.Sprint("before", i))
		if how == "hung" {
			must(t, victim.cmd.Process.Signal(syscall.SIGSTOP))
		} else {
			victim.kill()
		}
		awaitMembers(t, []*node{other}, 1)
		if after := other.get(t, before.name); len(after.hosts) != 1 || after.hosts[0] != other.addr() {
			t.Errorf("after the other was %s the room lives at %v", how, after.hosts)
		}
		if got := other.get(t, fmt.Sprint("after", i)); got.hosts[0] != other.addr() {
			t.Errorf("a new room lives at %v", got.hosts)
		}
		if how == "hung" {
			must(t, victim.cmd.Process.Signal(syscall.SIGCONT))
		} else {
			victim.run(t)
		}
		awaitMembers(t, nodes, 2)
		if got := victim.get(t, before.name); !slices.Contains(got.hosts, other.addr()) {
			t.Errorf("the node that is back says that the room lives at %v", got.hosts)
		}
	}
}

// TestRollingRestart: nodes that restart one after the other, in order, lose no room of those that remain, and hear
// each other as before.
func TestRollingRestart(t *testing.T) {
	t.Run("memory", func(t *testing.T) {
		t.Parallel()
		testRollingRestart(t, startNodes(t, 3))
	})
	t.Run("disk", func(t *testing.T) {
		t.Parallel()
		var nodes []*node
		for range 3 {
			nodes = append(nodes, newNode(t, nil, "--data-dir", t.TempDir()))
		}
		startTogether(t, nodes)
		testRollingRestart(t, nodes)
	})
}

func testRollingRestart(t *testing.T, nodes []*node) {
	const rooms = 50
	for i := range rooms {
		nodes[i%3].get(t, fmt.Sprint("room", i))
	}
	for _, n := range nodes {
		n.stop()
		if code := n.cmd.ProcessState.ExitCode(); code != 0 {
			t.Errorf("exit code %d", code)
		}
		n.run(t)
		awaitMembers(t, nodes, 3)
	}
	var clients []*client
	for _, n := range nodes {
		clients = append(clients, dial(t, n.server))
	}
	for i := range rooms {
		room := fmt.Sprint("room", i)
		if got := nodes[i%3].get(t, room); len(got.hosts) == 0 {
			t.Errorf("%s has no host", got.name)
		}
		must(t, clients[i%3].expect(fmt.Sprintf("[subscribe %s %d]", room, i/3+1), "SUBSCRIBE", room))
		must(t, dial(t, nodes[(i+1)%3].server).expect("1", "PUBLISH", room, "m"))
		must(t, clients[i%3].next(fmt.Sprintf("[message %s m]", room)))
	}
}

// TestStartInAnyOrder: with the same list of seeds one cluster forms, whoever is first.
func TestStartInAnyOrder(t *testing.T) {
	t.Parallel()
	var nodes []*node
	var seeds []string
	for range 3 {
		n := newNode(t, nil)
		nodes, seeds = append(nodes, n), append(seeds, n.clusterAddr())
	}
	for _, i := range []int{2, 1, 0} {
		nodes[i].join = seeds
		nodes[i].run(t)
	}
	awaitMembers(t, nodes, 3)
}

// TestFirstSeedReturnsAlone: the first node, started again without --join, founds a cluster of its own and leaves it
// for the one that it was part of.
func TestFirstSeedReturnsAlone(t *testing.T) {
	t.Parallel()
	first := newNode(t, nil)
	first.run(t)
	nodes := []*node{first}
	for range 2 {
		n := newNode(t, []string{first.clusterAddr()})
		n.run(t)
		nodes = append(nodes, n)
	}
	awaitMembers(t, nodes, 3)
	nodes[1].get(t, "precious")
	awaitVoters(t, nodes, 3)
	first.kill()
	awaitMembers(t, nodes[1:], 2)
	first.run(t)
	awaitMembers(t, nodes, 3)
	if got := first.get(t, "precious"); len(got.hosts) == 0 {
		t.Errorf("the room has no host")
	}
}

// TestWholeRestart: a cluster that ends as a whole begins anew without its rooms, or with a data directory goes on
// with them.
func TestWholeRestart(t *testing.T) {
	t.Parallel()
	f := func(name string, durable bool) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			nodes := make([]*node, 3)
			var seeds []string
			for i := range nodes {
				nodes[i] = newNode(t, nil)
				if durable {
					nodes[i].args = append(nodes[i].args, "--data-dir", t.TempDir())
				}
				seeds = append(seeds, nodes[i].clusterAddr())
			}
			for _, n := range nodes {
				n.join = seeds
				n.run(t)
			}
			awaitMembers(t, nodes, 3)
			if status, err := nodes[0].call("PUT", "/v1/rooms/kept", `{"replicas":2,"keep":true}`, nil); err != nil || status >= 300 {
				t.Fatalf("PUT: %d, %v", status, err)
			}
			before := nodes[1].get(t, "kept")
			for _, n := range nodes {
				n.kill()
			}
			for _, n := range nodes {
				n.run(t)
			}
			awaitMembers(t, nodes, 3)
			status, err := nodes[2].call("GET", "/v1/rooms/kept", "", nil)
			must(t, err)
			if want := map[bool]int{true: 200, false: 404}[durable]; status != want {
				t.Errorf("GET of the room: status %d, want %d", status, want)
			}
			if after := nodes[2].get(t, "kept"); durable && !same(after, before) {
				t.Errorf("the room was %v and is %v", before, after)
			}
		})
	}
	f("memory", false)
	f("disk", true)
}

// TestNoQuorum: when most voters are gone the rest refuses new rooms in words that clients know, stays ready, and goes
// on when the operator says so.
func TestNoQuorum(t *testing.T) {
	t.Parallel()
	nodes := startNodes(t, 3)
	last := nodes[2]
	old := "old"
	for !slices.Contains(last.get(t, old).hosts, last.addr()) {
		old += "er"
	}
	awaitVoters(t, nodes, 3)
	nodes[0].kill()
	nodes[1].kill()
	var said reply
	for giveUp := time.Now().Add(settleLimit); !strings.HasPrefix(said.text, "CLUSTERDOWN") && time.Now().Before(giveUp); {
		c := dial(t, last.server)
		var err error
		said, err = c.do("ROOM", "GET", fmt.Sprint("new", time.Now().UnixNano()))
		must(t, err)
		c.close()
	}
	if said.kind != '-' || !strings.HasPrefix(said.text, "CLUSTERDOWN ") {
		t.Fatalf("a new room without a quorum: %v", said)
	}
	if status, err := last.call("GET", "/readyz", "", nil); err != nil || status != 200 {
		t.Errorf("/readyz without a quorum: %d, %v", status, err)
	}
	if status, err := last.call("PUT", "/v1/rooms/new", "", nil); err != nil || status != 503 {
		t.Errorf("PUT without a quorum: %d, %v", status, err)
	}
	hear, tell := dial(t, last.server), dial(t, last.server)
	must(t,
		hear.expect("[subscribe "+old+" 1]", "SUBSCRIBE", old),
		tell.expect("1", "PUBLISH", old, "still served"),
		hear.next("[message "+old+" still served]"))
	if r, err := tell.do("PUBLISH", "new", "nobody can say who hears this"); err != nil || r.kind != '-' {
		t.Errorf("PUBLISH to a new room without a quorum: %v, %v", r, err)
	}
	out, err := exec.Command(hubsubBinary, "cluster", "recover", "--cluster", last.clusterAddr()).CombinedOutput()
	if err != nil {
		t.Fatalf("recover: %v\n%s", err, out)
	}
	awaitMembers(t, []*node{last}, 1)
	if got := last.get(t, old); len(got.hosts) != 1 || got.hosts[0] != last.addr() {
		t.Errorf("after the recovery the room lives at %v", got.hosts)
	}
	last.get(t, "new")
	nodes[0].run(t)
	nodes[1].run(t)
	awaitMembers(t, nodes, 3)
	out, err = exec.Command(hubsubBinary, "cluster", "recover", "--cluster", last.clusterAddr()).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "has a leader") {
		t.Errorf("recover of a healthy cluster: %v\n%s", err, out)
	}
}

// TestClusterSecret: who does not know the secret is refused, and nobody else notices.
func TestClusterSecret(t *testing.T) {
	t.Parallel()
	nodes := startNodes(t, 2, "--cluster-secret", "good")
	stranger := newNode(t, []string{nodes[0].clusterAddr()}, "--cluster-secret", "guess")
	stranger.run(t)
	naked := newNode(t, []string{nodes[1].clusterAddr()})
	naked.run(t)
	time.Sleep(2 * time.Second)
	awaitMembers(t, nodes, 2)
	for _, n := range []*node{stranger, naked} {
		if status, err := n.call("GET", "/readyz", "", nil); err != nil || status != 503 {
			t.Errorf("a stranger's /readyz: %d, %v", status, err)
		}
	}
	if out := nodes[0].output.String() + nodes[1].output.String(); !strings.Contains(out, "secret") {
		t.Errorf("the nodes do not say that somebody with another secret came:\n%s", out)
	}
}

// TestClusterMistakes: what cannot work is refused at the start, with what to do.
func TestClusterMistakes(t *testing.T) {
	t.Parallel()
	f := func(want string, args ...string) {
		t.Helper()
		out, code := runHubSub(t, args...)
		if code != 1 || !strings.Contains(out, want) {
			t.Errorf("%q: exit code %d, said %q, want %q", args, code, out, want)
		}
	}
	port := fmt.Sprint(freePort(t))
	f("--join has no effect without --cluster", "--port", port, "--join", "127.0.0.1:7000")
	f("set --bind to an address that clients reach, or --advertise-client", "--port", port, "--cluster", "127.0.0.1:0", "--advertise", "203.0.113.1:7000")
	f("set --port", "--port", "0", "--unixsocket", t.TempDir()+"/s", "--cluster", "127.0.0.1:0")
	f("--advertise must be host:port", "--port", port, "--cluster", "127.0.0.1:0", "--advertise", "nowhere")
}
