package lane

import "time"

// fault has something go wrong.
func (w *world) fault() {
	if w.healed {
		return
	}
	n := w.nodes[w.random.IntN(len(w.nodes))]
	other := w.nodes[w.random.IntN(len(w.nodes))]
	switch w.random.IntN(16) {
	case 0, 1:
		w.crash(n)
	case 2, 3:
		w.hang(n)
	case 4, 5: // one node, in one direction or both
		both := w.chance(0.7)
		w.trace("%v is cut off, both ways: %v", n, both)
		for slot := range w.nodes {
			if slot != n.slot {
				w.cut[n.slot][slot] = true
				w.cut[slot][n.slot] = both
			}
		}
		w.divide(func(slot int) bool { return slot == n.slot })
	case 6: // in two parts
		w.trace("cut in two behind %v", n)
		for a := range w.nodes {
			for b := range w.nodes {
				w.cut[a][b] = (a <= n.slot) != (b <= n.slot)
			}
		}
		w.divide(func(slot int) bool { return (slot <= n.slot) == (n.slot+1 <= len(w.nodes)/2) })
	case 7, 8:
		w.unite()
	case 9, 10, 11:
		if n != other {
			w.snap(n.name, other.name, w.chance(0.9), w.chance(0.9))
		}
	case 12: // an address refused once
		if n != other && n.runs() && other.alive {
			w.placer.bury(n, other.name)
			i := other.name
			w.after(w.between(20*time.Millisecond, 3*time.Second), func() { w.placer.risen(n, i) })
		}
	case 13:
		w.leave(n)
	case 14:
		if len(w.nodes) < 6 && len(w.names) < simNames/2 {
			w.boot(len(w.nodes))
		}
	case 15:
		n.drains = !n.drains
	}
}

// crash ends a process. Others find out, and it is started again.
func (w *world) crash(n *node) {
	if !n.alive {
		return
	}
	w.trace("%v crashes", n)
	i := n.name
	n.alive = false
	i.silent = w.now + w.between(0, 5*time.Millisecond)
	w.judge.vanish(n)
	w.clients.vanish(n)
	for _, other := range w.nodes {
		if other.alive && w.chance(0.8) {
			other := other
			w.after(w.between(2*time.Millisecond, 2*time.Second), func() { w.placer.proved(other, i) })
		}
	}
	w.after(w.between(time.Second, 4*time.Second), func() {
		if !i.alive() {
			w.placer.expel(i)
		}
	})
	again := w.chance(0.3)
	w.after(w.between(100*time.Millisecond, 3*time.Second), func() {
		if w.nodes[n.slot] == n && len(w.names) < simNames/2 {
			w.restart(n, again)
		}
	})
}

// restart starts a process where one has ended, under the same name or another.
func (w *world) restart(old *node, again bool) {
	i := old.name
	if !again || !i.member {
		w.placer.expel(i)
		w.boot(old.slot)
		return
	}
	n := &node{world: w, slot: old.slot, name: i}
	for _, other := range w.nodes {
		if other != old && other.alive {
			told := w.now + w.between(0, 200*time.Millisecond)
			for _, pair := range [2][2]*ident{{other.name, i}, {i, other.name}} {
				h := w.half(pair[0], pair[1])
				h.life++
				h.flying, h.waiting, h.closed = 0, nil, false
				h.opens = told
			}
			h := w.half(other.name, i)
			h.lost++
			name := other.name
			w.at(told, func() {
				h.lost--
				w.tellBroken(name, i)
			})
			w.at(told+w.between(0, 500*time.Millisecond), func() { w.placer.risen(name.node, i) })
		}
	}
	w.begin(n)
}

// hang stops a process for a while. The cluster may give it up: then it goes on as
// it was, and hears of it later.
func (w *world) hang(n *node) {
	if !n.alive {
		return
	}
	d := w.between(20*time.Millisecond, 5*time.Second)
	w.trace("%v hangs for %v", n, d)
	n.pause(d)
	if i := n.name; d > 1500*time.Millisecond && w.chance(0.7) {
		w.after(w.between(time.Second, d), func() { w.giveUp(i) })
	}
}

// giveUp has the cluster agree that a process is dead, which hears of it when it can.
func (w *world) giveUp(i *ident) {
	if !i.member || w.healed {
		return
	}
	w.placer.expel(i)
	if i.node.alive {
		i.node.hears(i)
	}
}

func (n *node) hears(i *ident) {
	w := n.world
	w.after(w.between(10*time.Millisecond, time.Second), func() {
		switch {
		case !i.alive():
		case w.apart[i.slot]:
			n.hears(i)
		default:
			n.post(func() { n.rename(i) })
		}
	})
}

// rename has a process begin anew that was given up: its clients stay.
func (n *node) rename(old *ident) {
	w := n.world
	if n.name != old || len(w.names) >= simNames {
		return
	}
	old.silent = w.now + w.between(0, 5*time.Millisecond)
	w.baptize(n)
	w.trace("%v is %v now", old, n)
	n.start = uint64(w.now.Microseconds()) + 1
	clear(n.hosting)
	clear(n.dropped)
	clear(n.dead)
	n.roster = 0
	n.patterns.Begin(n.start)
	n.patterns.Restart()
	n.lane.Restart(n.start)
	w.judge.renamed(n)
	w.placer.joined(n)
}

// leave ends a process in order.
func (w *world) leave(n *node) {
	if !n.runs() {
		return
	}
	w.trace("%v leaves", n)
	n.drains = true
	for _, s := range w.clients.at(n) {
		w.clients.unsubscribe(s, true)
	}
	w.after(w.between(50*time.Millisecond, time.Second), func() {
		if n.alive {
			i := n.name
			w.crash(n)
			w.placer.expel(i)
		}
	})
}

// divide says who does not reach the majority, for a while. Links break sooner or
// later, and who is cut off may be given up.
func (w *world) divide(minor func(slot int) bool) {
	for _, n := range w.nodes {
		n, before := n, w.apart[n.slot]
		if w.apart[n.slot] = minor(n.slot) && len(w.nodes) > 1; !w.apart[n.slot] {
			if before && w.strict {
				n.post(func() { n.lane.Isolated(w.apart[n.slot]) })
			}
			continue
		}
		i := n.name
		if w.strict {
			w.after(w.between(500*time.Millisecond, 2*time.Second), func() {
				if w.apart[n.slot] && i.alive() {
					n.post(func() { n.lane.Isolated(w.apart[n.slot]) })
				}
			})
		}
		w.after(w.between(time.Second, 4*time.Second), func() {
			if w.apart[n.slot] && w.chance(0.5) {
				w.giveUp(i)
			}
		})
	}
	w.after(w.between(100*time.Millisecond, 2*time.Second), func() {
		for _, a := range w.names {
			for _, b := range w.names[:a.id] {
				if (w.cut[a.slot][b.slot] || w.cut[b.slot][a.slot]) && a.alive() && b.alive() && w.chance(0.6) {
					w.snap(a, b, true, true)
					w.half(a, b).closed, w.half(b, a).closed = true, true
				}
			}
		}
	})
	w.after(w.between(200*time.Millisecond, 6*time.Second), w.unite)
}

// unite ends all partitions.
func (w *world) unite() {
	w.trace("all reach all")
	clear(w.cut[:])
	for _, n := range w.nodes {
		if w.apart[n.slot] {
			w.apart[n.slot] = false
			if w.strict {
				n := n
				w.after(w.between(0, 300*time.Millisecond), func() { n.post(func() { n.lane.Isolated(w.apart[n.slot]) }) })
			}
		}
	}
	w.mend()
}

// heal ends all faults.
func (w *world) heal() {
	w.trace("healed")
	w.healed = true
	w.full = 0
	w.unite()
	for slot := range w.nodes {
		n := w.nodes[slot]
		if n.paused > w.now {
			n.paused = w.now
			w.after(0, n.wake)
		}
		n.drains = false
		if !n.alive {
			w.restart(n, false)
			continue
		}
		for _, i := range w.names {
			if n.dead[i] && i.alive() && i.member {
				w.placer.risen(n, i)
			}
			if !i.alive() {
				w.placer.expel(i)
			}
		}
		if !n.name.member {
			n.hears(n.name)
		}
	}
	w.placer.spread()
}

// vanish forgets the clients of a process.
func (j *judge) vanish(n *node) {
	delete(j.holders, n)
	delete(j.streams, n)
	for i := range simRooms {
		j.changed[roomName(i)] = j.world.now
	}
	j.changed[""] = j.world.now
}
