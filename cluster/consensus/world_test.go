package consensus

import (
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"hubsub/cluster/bubble"
	"hubsub/cluster/placement"
	"hubsub/cluster/port"
	"hubsub/cluster/port/porttest"
)

// world is a cluster in memory: real ports and real raft over a network that
// fails on demand, and what the node above would do.
type world struct {
	t       *testing.T
	network *porttest.Network
	mu      sync.Mutex
	nodes   []*process // all that have ever been, in the order of their start
	forgot  map[placement.Name]bool
	drains  map[placement.Name]bool
	prints  map[string]uint64 // generation and index of an entry -> the table after it, on whoever applied it first
	cluster string
	stopped chan struct{}
}

// process is one node's process.
type process struct {
	w       *world
	id      string
	name    placement.Name
	address string
	dir     string
	port    *port.Port
	*Consensus

	guard sync.Mutex
	table *placement.Table

	mu      sync.Mutex
	dead    bool
	cluster string
	terms   []uint64 // what Leadership has told
	gained  time.Time
	serial  uint64
	mine    map[uint64]bool // proposals that were applied
	failed  []uint64
	changes int
	block   chan struct{} // applied waits for its end; nil: it does not wait
}

// inWorld runs a test in virtual time.
func inWorld(t *testing.T, f func(w *world)) {
	bubble.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.end() // also if it fails: nothing may be left in the bubble
		f(w)
	})
}

func newWorld(t *testing.T) *world {
	return &world{
		t: t, network: porttest.New(), forgot: make(map[placement.Name]bool), drains: make(map[placement.Name]bool),
		prints: make(map[string]uint64), cluster: "c-1", stopped: make(chan struct{}),
	}
}

func (w *world) end() {
	close(w.stopped)
	for _, p := range w.nodes {
		if !p.isDead() {
			p.stop()
		}
	}
	time.Sleep(20 * time.Second) // what raft has begun ends
}

// start starts a process of node i.
func (w *world) start(i int, dir string) *process {
	w.t.Helper()
	id := fmt.Sprintf("n%d", i)
	w.mu.Lock()
	boot := uint64(len(w.nodes) + 1)
	w.mu.Unlock()
	return w.startAs(i, placement.NameOf(id, boot), dir)
}

func (w *world) startAs(i int, name placement.Name, dir string) *process {
	w.t.Helper()
	address := fmt.Sprintf("10.0.0.%d:7000", i)
	p := &process{
		w: w, id: fmt.Sprintf("n%d", i), name: name, address: address, dir: dir, cluster: w.cluster,
		table: placement.NewTable(), mine: make(map[uint64]bool),
	}
	var err error
	p.port, err = port.Listen(port.Config{Address: address, Network: w.network.At(address), Greeting: p.greeting, Log: w.logger(p)})
	if err != nil {
		w.t.Fatal(err)
	}
	p.Consensus, err = Open(Config{
		Self: name, Address: address, Port: p.port, DataDir: dir, Log: w.logger(p), Guard: &p.guard, Table: p.table,
		Applied: p.applied, Changed: p.changed, Failed: p.fail, Leadership: p.leadership,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.mu.Lock()
	w.nodes = append(w.nodes, p)
	w.mu.Unlock()
	return p
}

func (w *world) logger(p *process) *slog.Logger {
	if !testing.Verbose() {
		return slog.New(slog.DiscardHandler)
	}
	return slog.New(slog.NewTextHandler(w.t.Output(), &slog.HandlerOptions{Level: slog.LevelInfo})).With("node", p.id)
}

func (p *process) greeting() port.Greeting {
	p.mu.Lock()
	defer p.mu.Unlock()
	return port.Greeting{Cluster: p.cluster, Name: p.name, ID: p.id, Address: p.address}
}

func (p *process) rename(cluster string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cluster = cluster
}

func (p *process) applied(id uint64, outcomes []placement.Outcome) {
	p.mu.Lock()
	if block := p.block; block != nil {
		p.mu.Unlock()
		<-block
		p.mu.Lock()
	}
	defer p.mu.Unlock()
	if p.guard.TryLock() {
		p.w.t.Error("the guard is not held")
	}
	if p.mine[id] {
		p.w.t.Errorf("%s: proposal %d applied twice", p.name, id)
	}
	p.mine[id] = true
}

// changed compares the table with that of the others after the same entry.
func (p *process) changed() {
	var sum uint64
	p.table.EachMember(func(m placement.Member, s placement.State, rooms int) {
		sum = sum*31 + uint64(len(m.Name)) + uint64(s)
		for _, d := range p.table.Digests(m.Name) {
			sum = sum*31 ^ d.Sum
		}
	})
	at := p.table.Now()
	p.mu.Lock()
	p.changes++
	key := fmt.Sprint(p.cluster, at)
	p.mu.Unlock()
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	if other, ok := p.w.prints[key]; ok && other != sum {
		p.w.t.Errorf("%s has another table than the others after entry %v", p.name, at)
	}
	p.w.prints[key] = sum
}

func (p *process) fail(id uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.failed = append(p.failed, id)
}

func (p *process) leadership(term uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if last := p.term(); (last == 0) == (term == 0) {
		p.w.t.Errorf("%s: leadership %d after %d", p.name, term, last)
	}
	p.terms = append(p.terms, term)
	p.gained = time.Now()
}

func (p *process) term() uint64 {
	if len(p.terms) == 0 {
		return 0
	}
	return p.terms[len(p.terms)-1]
}

func (p *process) leads() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.term() > 0 && !p.dead
}

func (p *process) isDead() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.dead
}

func (p *process) now() placement.Epoch {
	p.guard.Lock()
	defer p.guard.Unlock()
	return p.table.Now()
}

func (p *process) rooms() int {
	p.guard.Lock()
	defer p.guard.Unlock()
	return p.table.Rooms()
}

// kill ends a process as SIGKILL does.
func (p *process) kill() {
	p.w.network.Kill(p.address)
	p.stop()
}

func (p *process) stop() {
	p.mu.Lock()
	p.dead = true
	p.mu.Unlock()
	if err := p.Close(); err != nil {
		p.w.t.Errorf("%s: close: %v", p.name, err)
	}
	p.port.Close()
}

// propose proposes ops and returns the proposal's id.
func (p *process) propose(ops ...placement.Op) uint64 {
	p.mu.Lock()
	p.serial++
	id := p.serial
	p.mu.Unlock()
	p.Propose(id, ops)
	return id
}

// room proposes a new room on the process itself.
func (p *process) room(name string) uint64 {
	return p.propose(placement.Op{Kind: placement.PutRoom, Room: name, Hosts: []placement.Name{p.name}, Want: 1})
}

func (p *process) has(id uint64) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.mine[id]
}

// found makes p the first of the cluster.
func (w *world) found(p *process) {
	w.t.Helper()
	if err := p.Bootstrap(); err != nil {
		w.t.Fatal(err)
	}
	w.until("the founder leads", time.Second, p.leads)
	p.propose(placement.Op{Kind: placement.BeginGeneration, Generation: 1, Cluster: "c"})
	w.enroll(p)
}

// enroll makes processes members.
func (w *world) enroll(all ...*process) {
	w.t.Helper()
	leader := w.leader(5 * time.Second)
	for _, p := range all {
		id := leader.propose(placement.Op{Kind: placement.PutMember, Member: placement.Member{
			Name: p.name, ID: p.id, Boot: 1 + uint64(slices.Index(w.nodes, p)), Cluster: p.address, Weight: 1}})
		w.until("the member is in the table", 3*time.Second, func() bool { return leader.has(id) })
	}
}

// balancing has all who lead choose voters, until the end.
func (w *world) balancing() {
	go func() {
		for {
			select {
			case <-time.After(500 * time.Millisecond):
			case <-w.stopped:
				return
			}
			for _, p := range w.all() {
				if p.leads() {
					p.Balance(w.candidates())
				}
			}
		}
	}()
}

func (w *world) all() []*process {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.nodes)
}

func (w *world) candidates() (all []Candidate) {
	for _, p := range w.all() {
		w.mu.Lock()
		forgot, drains := w.forgot[p.name], w.drains[p.name]
		w.mu.Unlock()
		if alive := !p.isDead(); !forgot {
			all = append(all, Candidate{Name: p.name, ID: p.id, Address: p.address, Alive: alive, Reachable: alive, Draining: drains})
		}
	}
	return all
}

func (w *world) forget(p *process) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.forgot[p.name] = true
}

func (w *world) drain(p *process) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.drains[p.name] = true
}

// until waits for something that must be so within some virtual time.
func (w *world) until(what string, within time.Duration, so func() bool) time.Duration {
	w.t.Helper()
	began := time.Now()
	for !so() {
		if time.Since(began) > within {
			w.t.Fatalf("not within %v: %s", within, what)
		}
		time.Sleep(5 * time.Millisecond)
	}
	return time.Since(began)
}

func (w *world) leader(within time.Duration) (leader *process) {
	w.t.Helper()
	w.until("somebody leads", within, func() bool {
		leader = nil
		for _, p := range w.all() {
			if p.leads() && (leader == nil || p.lastTerm() > leader.lastTerm()) {
				leader = p
			}
		}
		return leader != nil
	})
	return leader
}

func (p *process) lastTerm() uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.term()
}

// voters returns how many voters and standbys a process knows.
func (p *process) voters() (voters, standbys int) {
	for _, s := range p.Servers() {
		if s.Voter {
			voters++
		} else {
			standbys++
		}
	}
	return voters, standbys
}

func (w *world) shape(within time.Duration, voters, standbys int) {
	w.t.Helper()
	w.until(fmt.Sprintf("%d voters and %d standbys", voters, standbys), within, func() bool {
		for _, p := range w.all() {
			if p.leads() {
				v, s := p.voters()
				return v == voters && s == standbys
			}
		}
		return false
	})
}

// agree waits until all that take part have applied the same.
func (w *world) agree(within time.Duration) {
	w.t.Helper()
	w.until("all have applied the same", within, func() bool {
		leader := w.leader(within)
		for _, s := range leader.Servers() {
			for _, p := range w.all() {
				if p.name == s.Name && !p.isDead() && p.now() != leader.now() {
					return false
				}
			}
		}
		return true
	})
}

// three returns a cluster of three voters.
func (w *world) three() (a, b, c *process) {
	w.t.Helper()
	a, b, c = w.start(1, ""), w.start(2, ""), w.start(3, "")
	w.found(a)
	w.enroll(b, c)
	w.balancing()
	w.shape(10*time.Second, 3, 0)
	w.agree(lagMax)
	return a, b, c
}
