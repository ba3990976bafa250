package lane

import (
	"slices"
	"time"
)

// This file is about what clients of this node hear, and how the hosts of their
// rooms come to know it.

// interest is what is heard here of one room.
type interest struct {
	counts  map[name]int64 // clients, as the lane was told
	changed []name         // since the last announcement
	all     bool           // the next one tells all
	dirty   bool           // the room is in lane.dirty

	serial uint64          // of the last announcement
	whole  uint64          // of the last one that told all
	told   time.Duration   // when
	acked  map[Peer]uint64 // which one a host has
	waits  []wait          // in their order
}

// wait is a client's that is confirmed when the hosts know.
type wait struct {
	tag    uint64
	name   name
	added  bool          // a subscription, not its end
	serial uint64        // of the announcement that tells of it; 0: the next
	since  time.Duration // when it began
	led    time.Duration // when the leader had it; 0: it has not
}

// Interest says that delta more clients of this node hear a name, or fewer. With a
// tag the answer follows: Done when the leader knows, and the other hosts do or
// have had time to. Anything else says that a subscription has not happened.
func (l *Lane) Interest(tag uint64, kind Kind, roomName, text []byte, delta int) {
	r := l.room(roomName)
	r.used = l.now
	i := &r.local
	n := name{kind, string(text)}
	if i.counts == nil {
		i.counts = make(map[name]int64, 1)
	}
	i.change(n, int64(delta))
	if tag != 0 {
		i.waits = append(i.waits, wait{tag: tag, name: n, added: delta > 0, since: l.now})
	}
	r.enter()
	r.leave()
	if r.alone() {
		r.confirm()
	} else {
		r.mark(n)
	}
	if len(i.counts) == 0 {
		r.position = position{}
	}
	r.own()
	if r.placeless() {
		r.ask()
	}
}

func (i *interest) change(n name, delta int64) {
	if i.counts[n] += delta; i.counts[n] == 0 {
		delete(i.counts, n)
	}
}

// alone reports whether this node leads and no other one must know.
func (r *room) alone() bool {
	return r.office.leading && !slices.ContainsFunc(r.hosts, func(h Peer) bool { return h != Self && r.lives(h) })
}

// mark has the next announcement tell of a name.
func (r *room) mark(n name) {
	i := &r.local
	if !i.all && !slices.Contains(i.changed[max(len(i.changed)-8, 0):], n) { // once more does no harm
		i.changed = append(i.changed, n)
	}
	r.dirty()
}

// announceAll has it tell all, to hosts that may know nothing.
func (r *room) announceAll() {
	i := &r.local
	if len(i.counts) == 0 && len(i.waits) == 0 && i.serial == 0 {
		return // nothing was ever told
	}
	i.all, i.changed = true, nil
	clear(i.acked)
	for w := range i.waits {
		i.waits[w].serial, i.waits[w].led = 0, 0
	}
	r.dirty()
}

func (r *room) dirty() {
	if !r.local.dirty {
		r.local.dirty = true
		r.lane.dirty = append(r.lane.dirty, r)
	}
}

// announce tells the hosts what is heard here.
func (r *room) announce() {
	l, i := r.lane, &r.local
	i.dirty = false
	if r.epoch.IsZero() || r.lost {
		i.all, i.changed = true, nil
		return // when it has a place
	}
	items := l.items[:0]
	if i.all {
		for n, count := range i.counts {
			items = append(items, Item{n.kind, []byte(n.text), count})
		}
		slices.SortFunc(items, compareItems) // what is sent shall not depend on a map's order
	} else {
		for _, n := range i.changed {
			items = append(items, Item{n.kind, []byte(n.text), i.counts[n]})
		}
	}
	flags := uint8(0)
	if i.all {
		flags, i.whole = Reset, i.serial+1
	}
	i.all, i.changed = false, i.changed[:0]
	for rest := items; ; {
		part := rest[:fit(rest)]
		rest = rest[len(part):]
		i.serial++
		for _, h := range r.hosts {
			if h != Self && r.lives(h) && !l.send(h, Record{Type: Announce, Flags: flags, Room: []byte(r.name), Key: r.key, Serial: i.serial, Items: part}) {
				i.all = true // it is told all when it is reminded
			}
		}
		if flags = 0; len(rest) == 0 {
			break
		}
	}
	clear(items)
	l.items = items[:0]
	for w := range i.waits {
		if i.waits[w].serial == 0 {
			i.waits[w].serial = i.serial
		}
	}
	i.told = l.now
	if len(i.waits) > 0 || i.all {
		l.alarm(r, l.now+confirmWithin)
	}
	r.confirm()
}

// fit returns how many items one announcement holds.
func fit(items []Item) int {
	size := 0
	for n := range items {
		if size += len(items[n].Name); n >= itemsMax || n > 0 && size > itemsBytesMax {
			return n
		}
	}
	return len(items)
}

// remind announces again what nobody has confirmed, and gives up in the end.
func (r *room) remind() {
	l, i := r.lane, &r.local
	if (len(i.waits) > 0 || i.all) && !i.dirty && l.now >= i.told+announceInterval && !r.epoch.IsZero() && !r.lost && !r.alone() {
		r.announceAll()
	}
	for len(i.waits) > 0 && l.now >= i.waits[0].since+publishPatience {
		r.settle(0, TryAgain)
	}
}

// Acknowledged by a host.
func (r *room) acknowledged(from Peer, rec *Record) {
	i := &r.local
	if rec.Flags&Leads != 0 {
		switch c := rec.Key.Compare(r.key); {
		case c < 0:
			r.contradict(from)
			return
		case c > 0 && r.next != nil && rec.Key == r.next.key:
			return // when the old leader has ended; then all is announced again
		case c > 0:
			r.follow(rec.Key, from, Takeover)
			return // the same
		}
		r.owner = from
		if rec.Serial >= i.whole && i.whole > 0 {
			r.sync(rec.Index)
		}
	} else if rec.Key.Compare(r.key) > 0 && r.next == nil {
		r.hear(rec.Key)
		return
	}
	if rec.Serial < i.whole {
		return
	}
	if i.acked == nil {
		i.acked = make(map[Peer]uint64, 2)
	}
	i.acked[from] = max(i.acked[from], rec.Serial)
	r.confirm()
	r.pump()
}

// confirm answers clients whose interest the hosts know.
func (r *room) confirm() {
	i := &r.local
	if r.serving && len(i.waits) > 0 {
		r.enter()
		if !r.entered && len(i.counts) > 0 {
			return
		}
	}
	leader := r.leader()
	for len(i.waits) > 0 {
		w := &i.waits[0]
		switch {
		case !w.added && (r.epoch.IsZero() || r.lost): // it hears nothing from nowhere
		case leader == nobody, leader != Self && (w.serial == 0 || i.acked[leader] < w.serial):
			return
		case leader == Self && r.alone():
		default:
			if w.led == 0 {
				w.led = r.lane.now
			}
			if w.serial == 0 || !r.known(leader, w.serial) && r.lane.now < w.led+confirmWithin {
				r.lane.alarm(r, w.led+confirmWithin)
				return
			}
		}
		r.settle(0, Done)
	}
}

// known reports whether the hosts besides the leader have an announcement.
func (r *room) known(leader Peer, serial uint64) bool {
	for _, h := range r.hosts {
		if h != Self && h != leader && r.lives(h) && r.local.acked[h] < serial {
			return false
		}
	}
	return true
}

// settle answers a wait. A subscription that has failed is taken back.
func (r *room) settle(at int, code Code) {
	i := &r.local
	w := i.waits[at]
	i.waits = slices.Delete(i.waits, at, at+1)
	if code != Done && w.added {
		i.change(w.name, -1)
		r.mark(w.name)
		r.leave()
	}
	if code != Done && !w.added {
		code = Done // it has ended here
	}
	r.lane.Sink.Answer(w.tag, code, 0)
}

// fail answers all that wait.
func (r *room) fail(code Code) {
	for len(r.local.waits) > 0 {
		r.settle(0, code)
	}
}
