package lane

import (
	"fmt"
	"slices"
	"time"

	"hubsub/cluster/placement"
)

// placer is the cluster's agreement on where rooms live, without mistakes: what is
// told of it comes late, again, or only in part.
type placer struct {
	world   *world
	index   uint64
	rooms   map[string]*placed
	members int // the version of who the members are
	closes  int
}

// moved reports whether a room's placement is new: who leads may be about to end.
func (p *placer) moved(room string) bool {
	at := p.rooms[room]
	return at != nil && p.world.now-at.since < endWithin
}

// placed is a room's placement.
type placed struct {
	epoch placement.Epoch
	hosts []*ident
	since time.Duration
	votes *votes // whether it may be closed
}

type votes struct {
	attempt int
	open    int // hosts that have not answered
	no      bool
	asked   []*ident
}

const simRooms = 3

func roomName(i int) string { return fmt.Sprintf("r%d", i) }

func newPlacer(w *world) *placer {
	return &placer{world: w, rooms: make(map[string]*placed)}
}

func (p *placer) next() placement.Epoch {
	p.index++
	return placement.Epoch{Generation: 1, Index: p.index}
}

// reaches reports whether a process and the majority reach each other.
func (p *placer) reaches(i *ident) bool { return i.alive() && !p.world.apart[i.slot] }

// late is how long it takes to tell something.
func (p *placer) late() time.Duration {
	if p.world.calm || p.world.healed {
		return p.world.between(time.Millisecond, 60*time.Millisecond)
	}
	return p.world.between(time.Millisecond, 800*time.Millisecond)
}

// able returns who may get a room.
func (p *placer) able() (all []*ident) {
	for _, n := range p.world.nodes {
		if n.name.member && p.reaches(n.name) && !n.drains {
			all = append(all, n.name)
		}
	}
	p.world.random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all
}

// ask answers where a room lives, some time between the question and the answer.
func (p *placer) ask(n *node, room string, create bool) {
	w, as := p.world, n.name
	w.trace("%v asks for %s, create %v", n, room, create)
	w.after(w.between(100*time.Microsecond, w.delay+5*time.Millisecond), func() {
		code, refused := Down, !p.reaches(as) || !as.member
		if !w.calm && !w.healed && w.chance(0.02) {
			code, refused = []Code{TryAgain, Down, TooMany}[w.random.IntN(3)], true
		}
		at := p.rooms[room]
		if hosts := p.able(); !refused && at == nil && create && len(hosts) > 0 {
			p.commit(room, hosts[:min(len(hosts), 1+w.random.IntN(3))])
			at = p.rooms[room]
		}
		answer := func() {
			switch {
			case n.name != as:
			case refused:
				n.lane.Unplaced(room, code)
			case at == nil && create:
				n.lane.Unplaced(room, Down)
			case at == nil:
				n.lane.Unplaced(room, Done)
			default:
				w.trace("%v is told of %s under %v on %v", n, room, at.epoch, at.hosts)
				n.lane.Placed(room, at.epoch, n.numbers(at.hosts))
			}
		}
		back := w.between(100*time.Microsecond, w.delay+5*time.Millisecond)
		if refused && code == Down || !w.calm && w.chance(0.1) {
			back += w.between(0, time.Second)
		}
		if at != nil {
			copied := *at
			at = &copied
		}
		w.after(back, func() { n.post(answer) })
	})
}

// commit makes a placement, and has it told.
func (p *placer) commit(room string, hosts []*ident) {
	before := p.rooms[room]
	at := &placed{epoch: p.next(), hosts: slices.Clone(hosts), since: p.world.now}
	p.rooms[room] = at
	p.world.trace("%s is on %v under %v", room, at.hosts, at.epoch)
	for _, host := range at.hosts {
		p.open(host, room, at, 0)
	}
	if before != nil {
		for _, host := range before.hosts {
			if !slices.Contains(at.hosts, host) {
				p.shut(host, room, at.epoch)
			}
		}
	}
}

// open tells a host what it hosts; reopened is the attempt to close it that has failed.
func (p *placer) open(host *ident, room string, at *placed, reopened int) {
	w := p.world
	if !w.calm && !w.healed && w.chance(0.1) {
		return // until it is found that it does not know
	}
	for range 1 + w.random.IntN(2) {
		w.after(p.late(), func() {
			if p.reaches(host) {
				host.node.post(func() { host.node.opened(host, room, at, reopened) })
			}
		})
	}
}

func (n *node) opened(as *ident, room string, at *placed, reopened int) {
	h := n.hosting[room]
	switch {
	case n.name != as, n.dropped[room].Compare(at.epoch) > 0:
		return
	case h == nil:
		h = &hosting{}
		n.hosting[room] = h
	case h.epoch.Compare(at.epoch) > 0:
		return
	case h.epoch == at.epoch && h.closing > 0 && h.closing != reopened:
		return
	}
	h.epoch, h.hosts, h.closing = at.epoch, at.hosts, 0
	n.world.trace("%v hosts %s under %v on %v", n, room, at.epoch, at.hosts)
	n.lane.Opened(room, at.epoch, n.numbers(at.hosts))
}

// shut tells one that it hosts a room no more.
func (p *placer) shut(host *ident, room string, asOf placement.Epoch) {
	p.world.after(p.late(), func() {
		if !p.reaches(host) {
			return
		}
		n := host.node
		n.post(func() {
			if n.name != host {
				return
			}
			if n.dropped[room].Compare(asOf) < 0 {
				n.dropped[room] = asOf
			}
			if h := n.hosting[room]; h != nil && h.epoch.Compare(asOf) < 0 {
				delete(n.hosting, room)
				n.world.trace("%v hosts %s no more, as of %v", n, room, asOf)
				n.lane.Shut(room)
			}
		})
	})
}

// settled reports whether all hosts know of a placement, for a while.
func (p *placer) settled(room string, at *placed) bool {
	return p.world.now-at.since > 400*time.Millisecond && !slices.ContainsFunc(at.hosts, func(i *ident) bool {
		return !i.alive() || i.node.hosting[room] == nil || i.node.hosting[room].epoch != at.epoch
	})
}

// act changes something, and repairs.
func (p *placer) act() {
	w := p.world
	for _, n := range w.nodes {
		if p.reaches(n.name) && n.name.member && w.chance(0.15) {
			p.inspect(n)
		}
	}
	for i := range simRooms {
		room := roomName(i)
		at := p.rooms[room]
		if at == nil {
			continue
		}
		living := slices.DeleteFunc(slices.Clone(at.hosts), func(i *ident) bool { return !i.member })
		if fresh := p.able(); len(living) < len(at.hosts) && w.now-at.since > w.between(0, 5*time.Second) {
			fresh = slices.DeleteFunc(fresh, func(i *ident) bool { return slices.Contains(at.hosts, i) })
			if hosts := append(living, fresh[:min(len(fresh), 1)]...); len(hosts) > 0 {
				p.commit(room, hosts)
			}
			continue
		}
		if w.now > simFaults {
			p.closeIdle(room, at)
			continue
		}
		switch quiet := w.calm; {
		case w.chance(0.1):
			p.closeIdle(room, at)
		case quiet && !p.settled(room, at), at.votes != nil, w.chance(0.85):
		default:
			p.change(room, at)
		}
	}
}

// change gives a room other hosts, in a calm world one step at a time.
func (p *placer) change(room string, at *placed) {
	w := p.world
	hosts := slices.Clone(at.hosts)
	fresh := slices.DeleteFunc(p.able(), func(i *ident) bool { return slices.Contains(hosts, i) })
	switch w.random.IntN(4) {
	case 0:
		if len(fresh) > 0 {
			hosts = append(hosts, fresh[0])
		}
	case 1:
		if len(hosts) > 1 {
			at := w.random.IntN(len(hosts))
			if w.calm {
				at = len(hosts) - 1
			}
			hosts = slices.Delete(hosts, at, at+1)
		}
	case 2:
		if first := w.random.IntN(len(hosts)); first > 0 {
			host := hosts[first]
			hosts = slices.Insert(slices.Delete(hosts, first, first+1), 0, host)
		}
	case 3:
		if len(fresh) > 0 && !w.calm {
			hosts[w.random.IntN(len(hosts))] = fresh[0]
		}
	}
	if !slices.Equal(hosts, at.hosts) {
		p.commit(room, hosts)
	}
}

// inspect compares what a node hosts with what it should.
func (p *placer) inspect(n *node) {
	for i := range simRooms {
		room := roomName(i)
		at, h := p.rooms[room], n.hosting[room]
		mine := at != nil && slices.Contains(at.hosts, n.name)
		switch {
		case mine && (h == nil || h.epoch != at.epoch):
			p.open(n.name, room, at, 0)
		case mine && h.closing > 0 && (at.votes == nil || at.votes.attempt != h.closing):
			p.open(n.name, room, at, h.closing)
		case !mine && h != nil:
			p.shut(n.name, room, p.next())
		}
	}
}

// closeIdle asks the hosts whether a room is out of use, and closes it if all say so.
func (p *placer) closeIdle(room string, at *placed) {
	w := p.world
	used := slices.ContainsFunc(at.hosts, func(i *ident) bool {
		return i.alive() && i.node.hosting[room] != nil && i.node.hosting[room].entered
	})
	if at.votes != nil || used && !w.chance(0.1) || w.now-at.since < 3*time.Second && (w.calm || w.healed) {
		return
	}
	p.closes++
	v := &votes{attempt: p.closes}
	for _, host := range at.hosts {
		if host.member {
			v.asked = append(v.asked, host)
		}
	}
	v.open = len(v.asked)
	at.votes = v
	for _, host := range v.asked {
		w.after(p.late(), func() {
			if p.reaches(host) {
				host.node.post(func() {
					h := host.node.hosting[room]
					yes := host.node.name == host && h != nil && h.epoch == at.epoch && !h.entered
					if yes {
						h.closing = v.attempt
					}
					w.trace("%v: %s may be closed: %v", host, room, yes)
					w.after(p.late(), func() { p.vote(room, at, v, yes) })
				})
			}
		})
	}
	w.after(3*time.Second, func() { // who is silent
		if at.votes == v {
			p.count(room, at, v, true)
		}
	})
}

func (p *placer) vote(room string, at *placed, v *votes, yes bool) {
	if at.votes != v {
		return
	}
	v.open--
	v.no = v.no || !yes
	if v.open == 0 {
		p.count(room, at, v, false)
	}
}

func (p *placer) count(room string, at *placed, v *votes, silent bool) {
	at.votes = nil
	if p.rooms[room] != at {
		return
	}
	if !v.no && !silent {
		asOf := p.next()
		delete(p.rooms, room)
		p.world.trace("%s is closed as of %v", room, asOf)
		for _, host := range at.hosts {
			p.shut(host, room, asOf)
		}
		return
	}
	for _, host := range v.asked {
		p.open(host, room, at, v.attempt)
	}
}

// Members.

// joined makes a process a member, which knows at once who the others are.
func (p *placer) joined(n *node) {
	n.name.member = true
	p.members++
	p.introduce(n, n.name, p.members)
	p.spread()
}

// spread tells all members who they are.
func (p *placer) spread() {
	w := p.world
	for _, n := range w.nodes {
		n, as := n, n.name
		for _, later := range []time.Duration{0, 2 * time.Second} {
			w.after(later+p.late(), func() {
				if p.reaches(as) {
					n.post(func() { p.introduce(n, as, p.members) })
				}
			})
		}
	}
}

func (p *placer) introduce(n *node, as *ident, version int) {
	if n.name != as || version < n.roster {
		return
	}
	n.roster = version
	var others []Peer
	for _, other := range p.world.names {
		if other.member && other != n.name {
			others = append(others, n.number(other))
		}
	}
	n.patterns.Members(others)
	for _, other := range p.world.names {
		if !other.member {
			p.bury(n, other)
		}
	}
}

// expel is the cluster's agreement that a process is dead, or has left.
func (p *placer) expel(i *ident) {
	if !i.member {
		return
	}
	p.world.trace("%v is given up", i)
	i.member = false
	p.members++
	p.spread()
}

// proved tells a process that another is dead.
func (p *placer) proved(n *node, i *ident) {
	as := n.name
	n.post(func() {
		if n.name == as && (!i.alive() || !i.member) {
			p.bury(n, i)
		}
	})
}

// bury tells a lane. Its session with the dead one ends: if that lives after all, it
// hears that what it has sent is lost.
func (p *placer) bury(n *node, i *ident) {
	w := p.world
	if n.dead[i] || n.name == i {
		return
	}
	n.dead[i] = true
	w.trace("%v: %v is dead", n, i)
	for _, pair := range [2][2]*ident{{n.name, i}, {i, n.name}} {
		h := w.half(pair[0], pair[1])
		h.life++
		h.flying, h.waiting = 0, nil
	}
	if i.alive() {
		i.wronged = w.now
		mine := n.name
		toThem := w.now + w.between(0, 100*time.Millisecond)
		h := w.half(i, mine)
		h.lost++
		w.half(mine, i).opens = toThem
		w.at(toThem, func() {
			h.lost--
			w.tellBroken(i, mine)
		})
	}
	n.lane.Dead(n.number(i))
}

// risen tells a lane that one lives that it took for dead.
func (p *placer) risen(n *node, i *ident) {
	as := n.name
	n.post(func() {
		if n.name == as && n.dead[i] && i.alive() && i.member {
			delete(n.dead, i)
			p.world.trace("%v: %v lives", n, i)
			n.lane.Alive(n.number(i))
		}
	})
}
