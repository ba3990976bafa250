package lane

import (
	"container/heap"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"hubsub/cluster/simtest"
)

// Each seed is a life of a small cluster: clients on all nodes subscribe and publish
// in a few rooms, while processes crash, hang, are cut off, are given up and come
// back, links break, and rooms get other hosts. What must never happen is checked
// all the time (judge_test.go). Every fourth life has no fault, only changes: there
// nothing may be lost, refused or miscounted. At the end all is healed; then every
// message reaches everybody, and when the clients have left nothing remains.
func TestSim(t *testing.T) {
	simtest.Seeds(t, func(seed uint64, print simtest.Print) error {
		w := newWorld(seed)
		w.print = print
		return w.live()
	})
}

const (
	simFaults = 15 * time.Second // how long there are faults and changes
	simHeal   = 12 * time.Second // in what time all must be well then
	simIdle   = 40 * time.Second // and in what time nothing remains that nobody uses
)

// world is the machine under the cluster: time, processes, network, clients.
type world struct {
	random *rand.Rand
	now    time.Duration
	events events
	serial uint64
	print  simtest.Print // nil: nobody is told
	broken error         // the first thing that must not be

	nodes   []*node    // the latest of each slot, dead or alive
	names   []*ident   // that processes ever had
	halves  []*half    // of all pairs of names, row by row
	cut     [8][8]bool // what is sent from one slot to another does not arrive
	apart   [8]bool    // slots that do not reach the majority
	healed  bool
	placer  *placer
	clients *clients
	judge   *judge

	// What kind of a world it is.
	calm     bool          // without faults
	delay    time.Duration // of most records, at most
	slow     float64       // the part of them that takes much longer
	full     int           // so many fit in a link's queue; 0: all
	punctual bool          // nodes look at the time only when something happens or is due
	strict   bool          // who is cut off leads nothing
}

func newWorld(seed uint64) *world {
	w := &world{random: rand.New(rand.NewPCG(seed, 2)), now: 1}
	w.calm = seed%4 == 0
	w.delay = []time.Duration{200 * time.Microsecond, 2 * time.Millisecond, 15 * time.Millisecond}[w.random.IntN(3)]
	w.punctual, w.strict = w.chance(0.5), w.chance(0.3)
	if !w.calm {
		w.slow = []float64{0, 0.01, 0.1}[w.random.IntN(3)]
		w.full = []int{0, 0, 12, 40}[w.random.IntN(4)]
	}
	w.placer = newPlacer(w)
	w.clients = newClients(w)
	w.judge = newJudge(w)
	for range 2 + w.random.IntN(4) {
		w.boot(len(w.nodes))
	}
	return w
}

// live runs the world's whole life and returns what was wrong.
func (w *world) live() error {
	w.every(5*time.Millisecond, w.clients.act)
	w.every(150*time.Millisecond, w.placer.act)
	if !w.calm {
		w.every(250*time.Millisecond, w.fault)
	}
	w.run(simFaults)
	w.heal()
	w.run(w.now + simHeal/2)
	w.clients.round()
	w.run(w.now + simHeal/2)
	for _, then := range []func(){w.clients.last, w.clients.leave, w.judge.rest} {
		if w.broken != nil {
			break
		}
		then()
		w.run(w.now + simIdle)
	}
	return w.broken
}

// fail notes what must not be.
func (w *world) fail(format string, args ...any) {
	if w.broken == nil {
		w.broken = fmt.Errorf("after %v: %s", w.now, fmt.Sprintf(format, args...))
		w.trace("WRONG: %v", w.broken)
		for _, n := range w.nodes {
			for _, r := range n.lane.list {
				w.trace("%v: %s epoch %v %v stale %v, key %v hint %v owner %d, leads %v %+v, serves %v %v, position %+v, missed %v, waits %d, queue %d", n, r.name, r.epoch, r.hosts,
					r.stale, r.key, r.hint, r.owner, r.office.leading, r.office, r.serving, r.served, r.position, r.missed, len(r.local.waits), r.queue.len())
			}
		}
	}
}

func (w *world) trace(format string, args ...any) {
	if w.print != nil {
		w.print(w.now, format, args...)
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

func (w *world) at(when time.Duration, do func()) {
	w.serial++
	heap.Push(&w.events, event{max(when, w.now), w.serial, do})
}

func (w *world) after(d time.Duration, do func()) { w.at(w.now+d, do) }

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
