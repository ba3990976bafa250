package gossip

import (
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"hubsub/cluster/bubble"
	"hubsub/cluster/placement"
	"hubsub/cluster/port"
	"hubsub/cluster/port/porttest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is a network of nodes in virtual time.
type world struct {
	*testing.T
	network *porttest.Network
	nodes   []*node
	leader  atomic.Pointer[node]
	cluster string
	began   time.Time
}

// node is one process.
type node struct {
	*Gossip
	world   *world
	name    placement.Name
	address string
	port    *port.Port
	dead    bool

	mu       sync.Mutex
	lost     map[placement.Name]time.Time
	heard    map[placement.Name][]placement.Report
	contacts []string
	seq      uint64
}

// inWorld runs a test in virtual time. When it is over all goroutines have to
// end by themselves.
func inWorld(t *testing.T, test func(w *world)) {
	t.Helper()
	bubble.Test(t, func(t *testing.T) {
		w := &world{T: t, network: porttest.New(), cluster: "c", began: time.Now()}
		defer func() {
			for _, n := range w.nodes {
				n.kill()
			}
			time.Sleep(awarenessMax * probeInterval) // a probe of memberlist's ends by itself
		}()
		test(w)
	})
}

func addressAt(i int) string { return fmt.Sprintf("10.0.%d.%d:7000", i/200, i%200+1) }

// open listens at an address for a process of this boot.
func (w *world) open(i, boot int) *node {
	w.Helper()
	n := &node{
		world: w, address: addressAt(i), name: placement.Name(fmt.Sprintf("n%d/%016x", i, boot)),
		lost: make(map[placement.Name]time.Time), heard: make(map[placement.Name][]placement.Report),
	}
	var err error
	n.port, err = port.Listen(port.Config{
		Address: n.address, Network: w.network.At(n.address), Log: slog.New(slog.DiscardHandler),
		Greeting: func() port.Greeting {
			return port.Greeting{Cluster: w.cluster, Name: n.name, Address: n.address}
		},
	})
	if err != nil {
		w.Fatal(err)
	}
	w.nodes = append(w.nodes, n)
	return n
}

// config returns what the node's gossip is started with.
func (n *node) config() Config {
	return Config{
		Self: placement.Member{
			Name: n.name, ID: idOf(n.name), Cluster: n.address, Clients: []string{n.address + "0"}, Zone: "z", Weight: 20,
		},
		Port: n.port, Label: n.world.cluster, Log: slog.New(slog.DiscardHandler),
		Report: func() placement.Report {
			n.mu.Lock()
			defer n.mu.Unlock()
			n.seq++
			return placement.Report{Seq: n.seq, CPU: 0.5}
		},
		Heard: func(r placement.Report) {
			n.mu.Lock()
			defer n.mu.Unlock()
			n.heard[r.Node] = append(n.heard[r.Node], r)
		},
		Leader: func() placement.Name {
			if leader := n.world.leader.Load(); leader != nil {
				return leader.name
			}
			return ""
		},
		Lost: func(name placement.Name) {
			n.mu.Lock()
			defer n.mu.Unlock()
			n.lost[name] = time.Now()
		},
		Contacts: func() []string {
			n.mu.Lock()
			defer n.mu.Unlock()
			return n.contacts
		},
	}
}

// start opens a node and starts its gossip.
func (w *world) start(i, boot int) *node {
	w.Helper()
	n := w.open(i, boot)
	var err error
	if n.Gossip, err = Start(n.config()); err != nil {
		w.Fatal(err)
	}
	return n
}

// found starts count nodes that join the first one.
func (w *world) found(count int) {
	w.Helper()
	for i := range count {
		n := w.start(i, 1)
		if i > 0 {
			n.join(w.nodes[0])
		}
	}
	w.eventually("all know each other", time.Minute, w.whole)
}

func (n *node) join(other *node) {
	n.world.Helper()
	if err := n.Join([]string{other.address}); err != nil {
		n.world.Fatal(err)
	}
}

// kill ends the process without a word.
func (n *node) kill() {
	if n.dead {
		return
	}
	n.dead = true
	n.world.network.Kill(n.address)
	n.port.Close()
	if n.Gossip != nil {
		n.Close()
	}
}

// living returns the nodes that were not killed.
func (w *world) living() (nodes []*node) {
	for _, n := range w.nodes {
		if !n.dead {
			nodes = append(nodes, n)
		}
	}
	return nodes
}

// whole reports whether all living nodes know each other, and nobody else.
func (w *world) whole() bool {
	nodes := w.living()
	for _, n := range nodes {
		if len(n.Members()) != len(nodes) {
			return false
		}
		for _, other := range nodes {
			if !n.Alive(other.name) {
				return false
			}
		}
	}
	return true
}

// eventually waits until something is so, and returns how long that took.
func (w *world) eventually(what string, patience time.Duration, so func() bool) time.Duration {
	w.Helper()
	began := time.Now()
	for !so() {
		if time.Since(began) > patience {
			for _, n := range w.living() {
				w.Logf("%s knows %d members, lost %d", n.name, len(n.Members()), n.losses())
			}
			w.Fatalf("after %v not: %s", patience, what)
		}
		time.Sleep(time.Duration(len(w.nodes)) * time.Millisecond) // looking at many takes real time
	}
	return time.Since(began)
}

// losses returns how many members the node was told of that they are lost.
func (n *node) losses() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.lost)
}

func (n *node) hasLost(name placement.Name) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	_, lost := n.lost[name]
	return lost
}

// last returns the last report that the node was told of another one.
func (n *node) last(name placement.Name) placement.Report {
	n.mu.Lock()
	defer n.mu.Unlock()
	if r := n.heard[name]; len(r) > 0 {
		return r[len(r)-1]
	}
	return placement.Report{}
}

// cut cuts two groups off from each other, or heals that.
func (w *world) cut(a, b []*node, how func(from, to string)) {
	for _, m := range a {
		for _, n := range b {
			how(m.address, n.address)
		}
	}
}

// apart cuts a node off from all others.
func (w *world) apart(n *node) {
	for _, other := range w.living() {
		if other != n {
			w.network.Cut(n.address, other.address)
		}
	}
}
