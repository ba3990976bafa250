package lane

import (
	"testing"
	"time"

	"hubsub/cluster/simtest"
)

// brakes hold some answers to publishes of other nodes, as package cluster does when a node does not keep up that a message goes to:
// what is said later arrives before, but for refusals.
type brakes struct {
	world *world
	all   map[*half]*late
	free  bool // refusals do not wait: that is wrong
}

// late are the records that wait from one name to another.
type late struct{ records [][]byte }

// brakeTime is how long an answer waits, brakeShare how many do.
const (
	brakeTime  = 10 * time.Millisecond
	brakeShare = 0.1
)

// brake has the nodes of a world hold answers.
func (w *world) brake(free bool) {
	b := &brakes{w, make(map[*half]*late), free}
	w.every(time.Millisecond, func() {
		for _, n := range w.nodes {
			if n.lane.Network == Network(n) {
				n.lane.Network = braked{n, b}
			}
		}
	})
}

// braked is a node's network.
type braked struct {
	*node
	brakes *brakes
}

func (b braked) Send(to Peer, r *Record) bool {
	n, w, target := b.node, b.world, b.named(to)
	h := w.half(n.name, target)
	l := b.brakes.all[h]
	switch waits := l != nil && len(l.records) > 0; {
	case r.Type == Ordered && (waits || w.chance(brakeShare)):
		w.judge.sends(n, r)
		if p := &n.record; p.Flags&CountOnly == 0 {
			w.judge.message(string(p.Message)).waits = false // it may come before its answer
		}
	case r.Type == Refuse && waits && !b.brakes.free:
	default:
		return n.Send(to, r)
	}
	if l == nil {
		l = &late{}
		b.brakes.all[h] = l
	}
	w.trace("%v → %v: waits %s", n, target, told(r))
	l.records = append(l.records, AppendRecord(nil, r))
	from, life := n.name, h.life
	w.after(brakeTime, func() { b.release(l, h, from, target, life) })
	return true
}

// release lets the first go that waits, unless it was lost with a link that broke.
func (b braked) release(l *late, h *half, from, to *ident, life int) {
	w := b.world
	record := l.records[0]
	l.records = l.records[1:]
	if !from.alive() || !to.alive() || h.lost > 0 || h.life != life {
		return
	}
	h.last = max(h.last, h.opens, w.now+w.between(20*time.Microsecond, w.delay))
	h.flying++
	w.at(h.last, func() { w.arrive(from, to, h, arrival{life, record}) })
}

func livesWithBrake(seed uint64, print simtest.Print, free bool) error {
	w := newWorld(seed)
	w.print = print
	w.brake(free)
	return w.live()
}

// The rules hold, too, when answers are held. Every fifth life is enough: TestSim runs them all. What the error says of TestSim is
// true of this test.
func TestSimWithBrake(t *testing.T) {
	simtest.Seeds(t, func(seed uint64, print simtest.Print) error {
		if seed%5 != 0 && print == nil {
			return nil
		}
		return livesWithBrake(seed, print, false)
	})
}

// A refusal must not overtake an answer, or the simulator proves nothing.
func TestSimFindsOvertaking(t *testing.T) {
	for seed := range uint64(60) {
		if err := livesWithBrake(seed+1, nil, true); err != nil {
			t.Logf("seed %d: %v", seed+1, err)
			return
		}
	}
	t.Error("no seed finds it")
}
