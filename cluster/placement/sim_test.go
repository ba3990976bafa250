package placement

import (
	"container/heap"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"hubsub/cluster/simtest"
)

// Each seed is a life of a small cluster: clients ask for rooms, use them, delete
// them, while processes crash, hang, are cut off and come back, some under their
// name, and messages are lost, repeated, reordered and late. Who is cut off from its
// leader may begin a new generation with what it knows (generation_test.go). What
// must never happen is checked all the time (judge_test.go); at the end all faults
// are healed, and everything must come to rest. The deciding parts are the real
// ones; consensus is an ideal of its own (consensus_test.go), which has all the
// freedom that raft has.
func TestSim(t *testing.T) {
	simtest.Seeds(t, func(seed uint64, print simtest.Print) error {
		w := newWorld(seed)
		if print != nil {
			w.trace = func(format string, args ...any) { print(w.now, format, args...) }
		}
		return w.live()
	})
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
	clients clients
	judge   *judge

	generations []*ideal // in the order in which they began

	// What kind of a world it is.
	loss, twice, late float64       // the part of the messages that is so
	lag               time.Duration // how late at most processes apply what is agreed on
	outage            time.Duration // how long at most a process that crashed is away
	porous            bool          // messages come over connections from before a new generation
	punctual          bool          // parts are called when they want to be, and not before
}

func newWorld(seed uint64) *world {
	w := &world{
		random: rand.New(rand.NewPCG(seed, 1)), cut: make(map[[2]int]bool), trace: func(string, ...any) {},
	}
	w.generations = []*ideal{newIdeal(w, simGeneration)}
	w.judge = newJudge(w)
	w.clients = newClients(w)
	w.punctual, w.porous = seed%2 == 0, w.chance(0.5)
	w.loss, w.twice, w.late = w.random.Float64()*0.1, w.random.Float64()*0.3, w.random.Float64()*0.2
	w.lag = []time.Duration{300 * time.Millisecond, 300 * time.Millisecond, 4 * time.Second}[w.random.IntN(3)]
	w.outage = []time.Duration{time.Second, 8 * time.Second}[w.random.IntN(2)]
	for slot := range 1 + w.random.IntN(6) {
		w.slots = append(w.slots, nil)
		w.boot(slot, w.chance(0.5))
	}
	return w
}

// live runs the world's whole life and returns what was wrong.
func (w *world) live() error {
	w.generations[0].elect()
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

// Network.

func (w *world) reach(a, b int) bool { return a == b || !w.cut[[2]int{a, b}] }

// send sends a message to whatever process has that name when it arrives; what is
// on its way to a process that ends ends with it.
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
	raft, then := from.raft, w.judge.process(to)
	for range times {
		delay := w.between(100*time.Microsecond, 5*time.Millisecond)
		if !w.healed && w.chance(w.late) {
			delay = w.between(10*time.Millisecond, 4*time.Second)
		}
		w.after(delay, func() {
			if p := w.judge.process(to); p != nil && (then == nil || then == p) && w.reach(from.slot, p.slot) {
				p.awake(func() {
					if from.raft == p.raft || w.porous && (from.keeps(p) || p.keeps(from)) {
						p.receive(from.name, raft, m)
					}
				})
			}
		})
	}
}
