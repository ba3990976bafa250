package cluster

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"hubsub/cluster/bubble"
	"hubsub/cluster/lane"
	"hubsub/cluster/placement"
	"hubsub/cluster/port/porttest"
)

// A town is a cluster whose processes run in this one, in virtual time, over a network in memory.
type town struct {
	t       *testing.T
	network *porttest.Network
	nodes   []*resident
}

// resident is one node, through all its restarts.
type resident struct {
	town    *town
	address string
	join    []string
	dir     string
	strict  bool
	node    *Node // nil while it is down
	loop    *loop

	mu    sync.Mutex
	hears func(line string) // what it logs; nil: nobody listens
}

// inTown runs a test in a bubble of virtual time.
func inTown(t *testing.T, f func(t *testing.T, w *town)) {
	bubble.Test(t, func(t *testing.T) {
		w := &town{t: t, network: porttest.New()}
		defer func() {
			for _, r := range w.nodes {
				r.kill()
			}
			time.Sleep(10 * time.Second) // a probe of memberlist's ends by itself
		}()
		f(t, w)
	})
}

// resident adds a node, which is not started.
func (w *town) resident() *resident {
	r := &resident{town: w, address: fmt.Sprintf("10.0.0.%d:7000", len(w.nodes)+1)}
	w.nodes = append(w.nodes, r)
	return r
}

// settle starts n nodes with one list of seeds and waits until they are a cluster.
func (w *town) settle(n int) []*resident {
	var seeds []string
	for range n {
		seeds = append(seeds, w.resident().address)
	}
	for _, r := range w.nodes {
		r.join = seeds
		r.start()
	}
	w.await("a cluster", func() bool { return w.agree(n) })
	return w.nodes
}

func (r *resident) start() {
	r.town.t.Helper()
	lanes := newLanes()
	node, err := Start(Config{
		Listen: r.address, Join: r.join, Clients: []string{r.address[:len(r.address)-4] + "6379"}, DataDir: r.dir, Strict: r.strict,
		Settings: placement.Settings{Replicas: 2},
		Load:     func() placement.Report { return placement.Report{CPU: 0.1} },
		Lanes:    lanes,
		Names:    func(lane.Kind, []byte) []string { return nil },
		Log:      slog.New(slog.NewTextHandler(r, nil)).With("on", r.address),
		Network:  r.town.network.At(r.address),
	})
	if err != nil {
		r.town.t.Fatal(err)
	}
	r.node, r.loop = node, runLoop(lanes)
}

// Write takes a line of the node's log.
func (r *resident) Write(line []byte) (int, error) {
	r.mu.Lock()
	hears := r.hears
	r.mu.Unlock()
	if hears != nil {
		hears(string(line))
	}
	return r.town.t.Output().Write(line)
}

// listen has f hear what the node logs.
func (r *resident) listen(f func(line string)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.hears = f
}

// kill ends the process without a word.
func (r *resident) kill() {
	if r.node != nil {
		r.town.network.Kill(r.address)
		r.node.Close()
		r.loop.end()
		r.node = nil
	}
}

// use has a client of the node subscribe to a room, or end that.
func (r *resident) use(room string, so bool) {
	delta := 1
	if !so {
		delta = -1
	}
	r.loop.do(func(l *Lane) { l.Interest(0, lane.Channel, []byte(room), []byte(room), delta) })
}

// up returns how many members a node knows that serve, and who leads.
func (r *resident) up() (n int, leader placement.Name) {
	for _, m := range r.node.Nodes() {
		if m.State.Serves() {
			n++
		}
		if m.Leader {
			leader = m.Name
		}
	}
	return n, leader
}

// agree reports whether all running nodes know n members and the same leader.
func (w *town) agree(n int) bool {
	leaders := make(map[placement.Name]bool)
	for _, r := range w.nodes {
		if r.node == nil {
			continue
		}
		up, leader := r.up()
		leaders[leader] = true
		if up != n || leader == "" || r.node.Ready() != nil {
			return false
		}
	}
	return len(leaders) == 1
}

// await waits for what must come, and returns how long it took.
func (w *town) await(what string, so func() bool) time.Duration {
	w.t.Helper()
	begin := time.Now()
	for !so() {
		if time.Since(begin) > time.Minute {
			for _, r := range w.nodes {
				if r.node != nil {
					w.t.Logf("%s knows %+v", r.address, r.node.Nodes())
				}
			}
			w.t.Fatalf("%s did not come in a minute", what)
		}
		time.Sleep(10 * time.Millisecond)
	}
	return time.Since(begin)
}

func (r *resident) place(room string) Room {
	r.town.t.Helper()
	got, err := r.node.Place(context.Background(), room, RoomOptions{})
	if err != nil {
		r.town.t.Fatalf("room %s at %s: %v", room, r.address, err)
	}
	return got
}

// forsake has a life give itself up.
func forsake(l *life, contacts ...string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.giveUp(true, contacts...)
}
