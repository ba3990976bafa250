package lane

import "time"

// half is what goes from one name to another: in order, each once, until it breaks.
type half struct {
	last    time.Duration // when what was sent last arrives
	flying  int
	life    int           // grows when what is under way is lost
	lost    int           // so is what is sent, until the sender knows, of each break
	closed  bool          // and the sender is told that nothing can be sent
	opens   time.Duration // nothing arrives before: the receiver shall know that it broke
	waiting []arrival     // until nothing is cut any more
}

type arrival struct {
	life   int
	record []byte
}

func (w *world) half(from, to *ident) *half {
	h := &w.halves[from.id*simNames+to.id]
	if *h == nil {
		*h = &half{}
	}
	return *h
}

// Send is a lane's Network.
func (n *node) Send(to Peer, r *Record) bool {
	w, from, target := n.world, n.name, n.named(to)
	if to == Self || target == from {
		w.fail("%v sends %v to itself", n, r.Type)
		return true
	}
	h := w.half(from, target)
	switch {
	case h.closed, w.full > 0 && h.flying >= w.full:
		w.trace("%v → %v: no room for %s", from, target, told(r))
		if r.Type == Message {
			w.judge.sends(n, r)
		}
		return false
	}
	w.judge.sends(n, r)
	switch {
	case h.lost > 0, !target.alive():
		w.trace("%v → %v: lost %s", from, target, told(r))
		return true
	}
	w.trace("%v → %v %s", from, target, told(r))
	delay := w.between(20*time.Microsecond, w.delay)
	if !w.healed && w.chance(w.slow) {
		delay = w.between(w.delay, 400*time.Millisecond)
	}
	h.last = max(h.last, h.opens, w.now+delay)
	h.flying++
	a := arrival{h.life, AppendRecord(nil, r)}
	w.at(h.last, func() { w.arrive(from, target, h, a) })
	return true
}

// arrive has a record arrive, unless it was lost; or wait.
func (w *world) arrive(from, to *ident, h *half, a arrival) {
	if a.life != h.life {
		return
	}
	if w.cut[from.slot][to.slot] || len(h.waiting) > 0 {
		h.waiting = append(h.waiting, a)
		return
	}
	h.flying--
	if !to.alive() || !from.alive() && w.now > from.silent {
		return
	}
	n := to.node
	n.post(func() {
		if n.name != to {
			return
		}
		r := &n.record
		if err := ParseRecord(a.record, r); err != nil {
			w.fail("%v: %v", n, err)
		}
		w.trace("%v ← %v %s", to, from, told(r))
		if r.Type == PatternAnnounce || r.Type == PatternAck {
			n.patterns.Receive(n.number(from), r)
		} else {
			n.lane.Receive(n.number(from), r)
		}
		for i := range a.record {
			a.record[i] = 0xdd // it was good during the call
		}
	})
}

// snap loses what is under way between two names, in one direction or both, and
// tells both, one after the other.
func (w *world) snap(a, b *ident, there, back bool) {
	w.trace("the link of %v and %v breaks", a, b)
	tells := func(h *half, sender, receiver time.Duration) {
		h.life++
		h.flying, h.waiting = 0, nil
		h.lost++
		w.at(sender, func() { h.lost-- })
	}
	toA, toB := w.now+w.between(0, 50*time.Millisecond), w.now+w.between(0, 50*time.Millisecond)
	if there {
		tells(w.half(a, b), toA, toB)
	}
	if back {
		tells(w.half(b, a), toB, toA)
	}
	// What one sends that knows arrives when the other does, too.
	w.at(toA, func() {
		h := w.half(a, b)
		h.opens = max(h.opens, toB)
		w.tellBroken(a, b)
	})
	w.at(toB, func() {
		h := w.half(b, a)
		h.opens = max(h.opens, toA)
		w.tellBroken(b, a)
	})
}

func (w *world) tellBroken(to, of *ident) {
	if !to.alive() {
		return
	}
	n := to.node
	do := func() {
		if n.name == to {
			w.trace("%v: its link to %v was broken", to, of)
			n.patterns.Broken(n.number(of))
			n.lane.Broken(n.number(of))
		}
	}
	n.post(do)
}

// mend has what waited arrive where nothing is cut any more, or be lost.
func (w *world) mend() {
	for _, a := range w.names {
		for _, b := range w.names {
			h := w.halves[a.id*simNames+b.id]
			if h == nil || w.cut[a.slot][b.slot] || w.cut[b.slot][a.slot] {
				continue
			}
			if h.closed {
				h.closed = false
			}
			if len(h.waiting) == 0 {
				continue
			}
			if !w.calm && w.chance(0.4) {
				w.snap(a, b, true, w.chance(0.8))
				continue
			}
			waiting := h.waiting
			h.waiting = nil
			for _, arrival := range waiting {
				w.arrive(a, b, h, arrival)
			}
		}
	}
}
