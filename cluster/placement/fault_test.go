package placement

import (
	"slices"
	"time"
)

// fault has something go wrong.
func (w *world) fault() {
	if w.healed {
		return
	}
	p := w.slots[w.random.IntN(len(w.slots))]
	switch w.random.IntN(13) {
	case 0:
		w.trace("%s crashes", p.name)
		p.alive = false
		w.restartLater(p, w.between(20*time.Millisecond, w.outage))
		w.takeOverLater(w.slots[w.random.IntN(len(w.slots))])
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
		w.takeOverLater(p)
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
		p.raft.elect()
	case 8:
		p.shy = !p.shy
	case 9:
		p.drains = !p.drains
	case 10:
		if p.runs() {
			p.leave()
		}
	case 11:
		if w.chance(0.1) {
			for slot, p := range w.slots { // a rolling restart
				w.after(time.Duration(slot)*w.between(time.Second, 3*time.Second), func() {
					if p.runs() {
						p.leave()
					}
				})
			}
		}
	}
}

// takeOverLater sometimes has a process go on without its leader, soon or after a
// while in which that one does, too.
func (w *world) takeOverLater(p *process) {
	if w.chance(0.2) {
		w.after(w.between(10*time.Millisecond, 5*time.Second), func() {
			if w.mayTakeOver(p) {
				w.takeOver(p)
			}
		})
	}
}

// heal ends all faults.
func (w *world) heal() {
	w.trace("healed")
	w.healed = true
	clear(w.cut)
	for _, p := range slices.Clone(w.slots) {
		p.paused, p.shy, p.drains = min(p.paused, w.now), false, false
		if !p.alive {
			w.restart(p)
		}
	}
}
