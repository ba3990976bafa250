package placement

import (
	"container/heap"
	"flag"
	"fmt"
	"math/rand/v2"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

var (
	simSeeds = flag.Int("sim.seeds", 300, "how many seeds the simulator runs")
	simSeed  = flag.Uint64("sim.seed", 0, "run this seed alone, and print what happens")
)

// Each seed is a life of a small cluster: clients ask for rooms, use them, delete
// them, while processes crash, hang, are cut off and come back, and messages are
// lost, repeated, reordered and late. What must never happen is checked all the
// time (judge_test.go); at the end all faults are healed, and everything must come
// to rest. The deciding parts are the real ones; consensus is an ideal of its own
// (consensus_test.go), which has all the freedom that raft has.
func TestSim(t *testing.T) {
	if *simSeed != 0 {
		w := newWorld(*simSeed)
		w.trace = func(format string, args ...any) { t.Logf("%8v "+format, append([]any{w.now}, args...)...) }
		if err := w.live(); err != nil {
			t.Fatalf("seed %d: %v", *simSeed, err)
		}
		return
	}
	defer debug.SetGCPercent(debug.SetGCPercent(800)) // a world is small, and soon over
	var next atomic.Uint64
	var found atomic.Bool
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for seed := next.Add(1); seed <= uint64(*simSeeds) && !found.Load(); seed = next.Add(1) {
				if err := newWorld(seed).live(); err != nil {
					found.Store(true)
					t.Errorf("seed %d: %v\nagain, told: go test ./cluster/placement -run TestSim -v -sim.seed %d", seed, err, seed)
				}
			}
		})
	}
	workers.Wait()
}

const (
	simFaults = 40 * time.Second // how long there are faults
	simRest   = 60 * time.Second // and how long none, before all must be at rest
	simTick   = 10 * time.Millisecond
	simLatest = 15 * time.Second // how late a message can come, pauses and all
)

// world is the machine under the cluster: time, network, processes, clients.
type world struct {
	random *rand.Rand
	now    time.Duration
	events events
	serial uint64
	trace  func(format string, args ...any)
	broken error // the first thing that must not be

	slots   []*process // the latest of each node, dead or alive
	cut     map[[2]int]bool
	healed  bool
	raft    *ideal
	clients clients
	judge   *judge
	loss    float64
	twice   float64
	late    float64

	punctual bool // parts are called when they want to be, and not before
}

// process is one boot of a node.
type process struct {
	world *world
	slot  int
	boot  int
	name  Name

	alive  bool
	paused time.Duration // until then
	shy    bool          // takes no new rooms
	drains bool          // says that it wants none

	table   *Table
	decider *Decider
	host    *Host
	front   *Front
	applied int // entries of the log
	heard   map[Name]time.Duration
	users   map[string]int
	dropped map[string]Epoch // as of which it was told that it is no host
	roster  Epoch            // of the one it has
}

func newWorld(seed uint64) *world {
	w := &world{
		random: rand.New(rand.NewPCG(seed, 1)), cut: make(map[[2]int]bool), trace: func(string, ...any) {},
	}
	w.raft = &ideal{world: w}
	w.judge = newJudge(w)
	w.clients = clients{world: w, asked: make(map[uint64]*inquiry), scans: make(map[uint64]*scanning)}
	w.punctual = seed%2 == 0
	w.loss, w.twice, w.late = w.random.Float64()*0.1, w.random.Float64()*0.3, w.random.Float64()*0.2
	for slot := range 1 + w.random.IntN(6) {
		w.slots = append(w.slots, nil)
		w.boot(slot)
	}
	return w
}

// live runs the world's whole life and returns what was wrong.
func (w *world) live() error {
	w.raft.elect()
	w.every(simTick, w.tick)
	w.every(7*time.Millisecond, w.clients.act)
	w.every(200*time.Millisecond, w.fault)
	w.run(simFaults)
	w.heal()
	w.run(simFaults + simRest)
	if w.broken == nil {
		w.judge.rest()
	}
	return w.broken
}

// fail notes what must not be.
func (w *world) fail(format string, args ...any) {
	if w.broken == nil {
		w.broken = fmt.Errorf("after %v: %s", w.now, fmt.Sprintf(format, args...))
		w.trace("WRONG: %v", w.broken)
	}
}

// Time.

type event struct {
	at     time.Duration
	serial uint64
	do     func()
}

type events []event

func (e events) Len() int { return len(e) }
func (e events) Less(i, j int) bool {
	return e[i].at < e[j].at || e[i].at == e[j].at && e[i].serial < e[j].serial
}
func (e events) Swap(i, j int) { e[i], e[j] = e[j], e[i] }
func (e *events) Push(x any)   { *e = append(*e, x.(event)) }
func (e *events) Pop() any {
	last := (*e)[len(*e)-1]
	*e = (*e)[:len(*e)-1]
	return last
}

func (w *world) after(d time.Duration, do func()) {
	w.serial++
	heap.Push(&w.events, event{w.now + d, w.serial, do})
}

func (w *world) every(d time.Duration, do func()) {
	w.after(d, func() { do(); w.every(d, do) })
}

func (w *world) run(until time.Duration) {
	for len(w.events) > 0 && w.events[0].at <= until && w.broken == nil {
		e := heap.Pop(&w.events).(event)
		w.now = e.at
		e.do()
	}
	w.now = until
}

// between returns a random time, mostly near the lower end.
func (w *world) between(low, high time.Duration) time.Duration {
	r := w.random.Float64()
	return low + time.Duration(r*r*float64(high-low))
}

func (w *world) chance(p float64) bool { return w.random.Float64() < p }

// Processes.

// boot starts a process of a node; the one before it is dead.
func (w *world) boot(slot int) {
	boot := 1
	if old := w.slots[slot]; old != nil {
		boot = old.boot + 1
		old.alive = false
	}
	p := &process{
		world: w, slot: slot, boot: boot, name: Name(fmt.Sprintf("n%d/%d", slot, boot)), alive: true,
		table: NewTable(), heard: make(map[Name]time.Duration), users: make(map[string]int), dropped: make(map[string]Epoch),
	}
	settings := Settings{Replicas: 2, MaxRooms: 30}
	p.decider = NewDecider(p.table, settings, rand.New(rand.NewPCG(w.random.Uint64(), 2)))
	p.host = NewHost(p.name, func(room string) bool { return p.users[room] > 0 }, func() bool { return p.shy })
	p.front = NewFront(rand.New(rand.NewPCG(w.random.Uint64(), 3)), 0)
	w.slots[slot] = p
	w.trace("%s boots", p.name)
	p.host.Join(p.member(), Report{Node: p.name}, false)
	w.raft.install(p)
	w.raft.deliver(p)
}

// bootLater starts a process of a node whose last one has ended.
func (w *world) bootLater(p *process, d time.Duration) {
	w.after(d, func() {
		if !p.alive && w.slots[p.slot] == p {
			w.boot(p.slot)
		}
	})
}

// leave lets a process end in order.
func (p *process) leave() {
	w := p.world
	w.trace("%s leaves", p.name)
	p.host.Leave()
	w.after(w.between(time.Second, 5*time.Second), p.exit) // it does not wait for ever
}

func (p *process) exit() {
	if p.alive {
		p.alive = false
		p.world.bootLater(p, p.world.between(100*time.Millisecond, 2*time.Second))
	}
}

// member is how the process describes itself.
func (p *process) member() Member {
	return Member{Name: p.name, Boot: uint64(p.boot), ID: fmt.Sprintf("n%d", p.slot), Weight: 1 + p.slot%2, Zone: fmt.Sprintf("z%d", p.slot%3)}
}

// awake runs f on the process when it can: at once, or at the end of its pause.
func (p *process) awake(f func()) {
	switch {
	case !p.alive:
	case p.paused > p.world.now:
		p.world.after(p.paused-p.world.now, func() { p.awake(f) })
	default:
		f()
		p.bring()
	}
}

// bring does what the deciding parts want done.
func (p *process) bring() {
	for _, part := range []func() []Effect{p.decider.Effects, p.host.Effects, p.front.Effects} {
		for _, e := range part() {
			p.do(e)
		}
	}
}

func (p *process) do(e Effect) {
	w := p.world
	switch e := e.(type) {
	case Send:
		w.send(p, e.To, e.Message)
	case Propose:
		w.judge.proposed(p, e)
		w.raft.propose(p, e)
	case Verify:
		w.raft.verify(p, e.ID)
	case Open:
		w.judge.opened(p, e)
	case Shut:
		delete(p.users, e.Room)
	case Rejoin:
		w.trace("%s was given up", p.name)
		w.after(0, func() {
			if p.alive {
				w.boot(p.slot)
			}
		})
	case Parted:
		w.after(0, p.exit)
	case Members:
		w.judge.knows(p)
	case Answer:
		w.clients.answered(e)
	case Page:
		w.clients.paged(e)
	}
}

// tick is what drivers do all the time.
func (w *world) tick() {
	for _, p := range w.slots {
		if !p.alive || p.paused > w.now {
			continue
		}
		w.alarm(p, "decider", p.decider.Next, p.decider.Tick, p.decider.Effects)
		w.alarm(p, "host", p.host.Next, p.host.Tick, p.host.Effects)
		w.alarm(p, "front", p.front.Next, p.front.Tick, p.front.Effects)
		if w.now/simTick%10 == 0 {
			w.gossip(p)
		}
		p.bring()
	}
	w.raft.watch()
}

// alarm calls Tick of one part. One that is early, as in every other world, must
// have nothing to do.
func (w *world) alarm(p *process, part string, next func() time.Duration, tick func(time.Duration), effects func() []Effect) {
	early := w.now < next()
	if early && w.punctual {
		return
	}
	tick(w.now)
	for _, e := range effects() {
		if early {
			w.fail("%s: the %s does %T%+v before its time", p.name, part, e, e)
		}
		p.do(e)
	}
}

// gossip is the failure detector: who is in reach, how busy, and who leads.
func (w *world) gossip(p *process) {
	for _, other := range w.slots {
		if other.alive && other.paused <= w.now && w.reach(p.slot, other.slot) && !w.chance(w.loss) {
			p.heard[other.name] = w.now
			p.decider.Load(w.now, Report{Node: other.name, Seq: w.serial, CPU: w.random.Float64(), Rooms: other.host.Rooms(), Draining: other.drains})
		}
	}
	if leader := w.raft.leader; w.chance(0.3) {
		switch {
		case leader != nil && w.reach(p.slot, leader.slot):
			p.host.Leader(leader.name)
			p.front.Leader(w.now, leader.name)
		case w.chance(0.1):
			p.host.Leader("")
			p.front.Leader(w.now, "")
		}
	}
	p.table.EachMember(func(m Member, s State, _ int) {
		if at, ever := p.heard[m.Name]; s.Serves() && (ever && w.now-at > 3*time.Second) {
			p.decider.Die(w.now, m.Name)
		} else if !ever {
			p.heard[m.Name] = w.now
		}
	})
}

// Network.

func (w *world) reach(a, b int) bool { return a == b || !w.cut[[2]int{a, b}] }

func (w *world) send(from *process, to Name, m Message) {
	times := 1
	if from.name != to && !w.healed {
		switch {
		case w.chance(w.loss):
			return
		case w.chance(w.twice):
			times = 2
		}
	}
	for range times {
		delay := w.between(100*time.Microsecond, 5*time.Millisecond)
		if !w.healed && w.chance(w.late) {
			delay = w.between(10*time.Millisecond, 4*time.Second)
		}
		w.after(delay, func() {
			for _, p := range w.slots {
				if p.name == to && w.reach(from.slot, p.slot) {
					p.awake(func() { p.receive(from.name, m) })
				}
			}
		})
	}
}

func (p *process) receive(from Name, m Message) {
	w := p.world
	w.trace("%s ← %s %T%+v", p.name, from, m, m)
	switch m := m.(type) {
	case Told:
		w.judge.told(m)
		p.front.Receive(m)
	case Scanned:
		for _, told := range m.Rooms {
			w.judge.told(told)
		}
		p.front.Receive(m)
	case Drop:
		p.host.Receive(w.now, from, m)
		if m.Term == p.host.term && m.Epoch.Compare(p.dropped[m.Room]) > 0 {
			p.dropped[m.Room] = m.Epoch
		}
	case Reserve, Release, Activate, MayClose, Reopen, List, Gone, Roster:
		p.host.Receive(w.now, from, m)
	default:
		if r, ok := m.(Reserved); ok && r.Yes {
			w.judge.accepted[acceptance{from, r.Room, r.Attempt}] = true
		}
		p.decider.Receive(w.now, from, m)
	}
}

// Faults.

func (w *world) fault() {
	if w.healed {
		return
	}
	p := w.slots[w.random.IntN(len(w.slots))]
	switch w.random.IntN(14) {
	case 0:
		w.trace("%s crashes", p.name)
		p.alive = false
		w.bootLater(p, w.between(100*time.Millisecond, 8*time.Second))
	case 1:
		p.paused = w.now + w.between(100*time.Millisecond, 6*time.Second)
		w.trace("%s hangs until %v", p.name, p.paused)
	case 2, 3: // one node, in one direction or both
		for other := range w.slots {
			if other != p.slot {
				w.cut[[2]int{p.slot, other}] = true
				w.cut[[2]int{other, p.slot}] = w.chance(0.8)
			}
		}
		w.trace("%s is cut off", p.name)
	case 4: // in two halves
		for a := range w.slots {
			for b := range w.slots {
				w.cut[[2]int{a, b}] = (a <= p.slot) != (b <= p.slot)
			}
		}
		w.trace("cut in two behind %s", p.name)
	case 5, 6:
		clear(w.cut)
		w.trace("all reach all")
	case 7:
		w.raft.elect()
	case 8:
		p.shy = !p.shy
	case 9:
		p.drains = !p.drains
	case 10:
		if p.alive && p.paused <= w.now {
			p.leave()
		}
	case 11:
		if w.chance(0.1) {
			for slot, p := range w.slots { // a rolling restart
				w.after(time.Duration(slot)*w.between(time.Second, 3*time.Second), func() {
					if p.alive && p.paused <= w.now {
						p.leave()
					}
				})
			}
		}
	}
}

func (w *world) heal() {
	w.trace("healed")
	w.healed = true
	clear(w.cut)
	for _, p := range slices.Clone(w.slots) {
		p.paused, p.shy, p.drains = min(p.paused, w.now), false, false
		if !p.alive {
			w.boot(p.slot)
		}
	}
}
