package lane

import (
	"cmp"
	"slices"
	"sync"
	"time"
)

// Index finds the patterns that match a channel; each has a number.
type Index interface {
	Add(pattern string, number uint32)
	Remove(pattern string) bool
	AppendMatches(dst []uint32, channel []byte) []uint32
}

// Patterns are those that are bound to no room, of all nodes: every node tells
// every other one. They are for the lanes of all loops: Match and Elsewhere may
// be called by many at once, the rest by one at a time, and not meanwhile.
type Patterns struct {
	// Set once.
	network Network
	answer  func(tag uint64, code Code)
	index   Index

	now       time.Duration
	all       map[string]*pattern
	numbers   []*pattern // by their numbers in the index; nil: free
	free      []uint32
	elsewhere int      // how often a pattern is another node's
	members   []member // sorted
	unheard   int      // of the members

	mine   bulletin // for the members
	serial uint64
	list   list
	waits  []patternWait
}

// pattern is one, and who hears it, sorted.
type pattern struct {
	number uint32
	nodes  []share
}

// share is how many clients of a node hear a pattern.
type share struct {
	peer    Peer
	clients int64
}

// member is another node.
type member struct {
	peer    Peer
	heard   bool // it has told all its patterns
	filling bool // and is about to
}

type patternWait struct {
	tag    uint64
	added  *pattern // nil: it is the end of one
	serial uint64   // 0: the next
	since  time.Duration
}

// NewPatterns returns the patterns of a node that knows no other one.
func NewPatterns(n Network, index Index, answer func(tag uint64, code Code)) *Patterns {
	return &Patterns{network: n, index: index, answer: answer, all: make(map[string]*pattern)}
}

// Begin says when this process began, in microseconds, under the name by which the
// others know it: no serial is used that an earlier one of that name has used.
func (p *Patterns) Begin(start uint64) { p.serial = max(p.serial, start) }

// Interest says that delta more clients of this node hear a pattern, or fewer.
// With a tag the answer follows when all nodes know, or had time to.
func (p *Patterns) Interest(tag uint64, text []byte, delta int) {
	n := name{Pattern, string(text)}
	p.mine.change(n, int64(delta))
	p.set(n.text, Self, p.mine.of(n))
	if tag != 0 {
		w := patternWait{tag: tag, since: p.now}
		if delta > 0 {
			w.added = p.all[n.text]
		}
		p.waits = append(p.waits, w)
	}
	p.confirm()
}

// set says how many clients of a node hear a pattern.
func (p *Patterns) set(text string, of Peer, clients int64) {
	pt := p.all[text]
	if pt == nil {
		if clients <= 0 {
			return
		}
		pt = p.add(text)
	}
	at, hears := slices.BinarySearchFunc(pt.nodes, of, func(s share, p Peer) int { return cmp.Compare(s.peer, p) })
	switch {
	case hears && clients > 0:
		pt.nodes[at].clients = clients
	case clients > 0:
		pt.nodes = slices.Insert(pt.nodes, at, share{of, clients})
		if of != Self {
			p.elsewhere++
		}
	case hears:
		pt.nodes = slices.Delete(pt.nodes, at, at+1)
		if of != Self {
			p.elsewhere--
		}
		if len(pt.nodes) == 0 {
			p.index.Remove(text)
			p.numbers[pt.number] = nil
			p.free = append(p.free, pt.number)
			delete(p.all, text)
		}
	}
}

func (p *Patterns) add(text string) *pattern {
	pt := &pattern{}
	if last := len(p.free) - 1; last >= 0 {
		pt.number = p.free[last]
		p.free = p.free[:last]
		p.numbers[pt.number] = pt
	} else {
		pt.number = uint32(len(p.numbers))
		p.numbers = append(p.numbers, pt)
	}
	p.all[text] = pt
	p.index.Add(text, pt.number)
	return pt
}

// Members says who the other nodes are that serve. A new one is told all.
func (p *Patterns) Members(others []Peer) {
	others = slices.Sorted(slices.Values(others))
	for _, m := range p.members {
		if !slices.Contains(others, m.peer) {
			p.drop(m.peer)
		}
	}
	members := make([]member, len(others))
	for i, peer := range others {
		members[i].peer = peer
		if m := p.member(peer); m != nil {
			members[i] = *m
		}
	}
	p.members = members
	p.mine.address(others, nil)
	p.countUnheard()
	p.confirm()
}

func (p *Patterns) member(peer Peer) *member {
	at, is := slices.BinarySearchFunc(p.members, peer, func(m member, p Peer) int { return cmp.Compare(m.peer, p) })
	if !is {
		return nil
	}
	return &p.members[at]
}

// drop forgets what a node hears.
func (p *Patterns) drop(peer Peer) {
	for text, pt := range p.all {
		if slices.ContainsFunc(pt.nodes, func(s share) bool { return s.peer == peer }) {
			p.set(text, peer, 0)
		}
	}
}

func (p *Patterns) countUnheard() {
	p.unheard = 0
	for i := range p.members {
		if !p.members[i].heard {
			p.unheard++
		}
	}
}

// Broken tells that what was under way from and to a node may be lost: it is told
// all again, and hears all until it has done so.
func (p *Patterns) Broken(peer Peer) {
	if m := p.member(peer); m != nil {
		m.heard, m.filling = false, false
		p.countUnheard()
		p.mine.renew(peer)
	}
}

// Restart tells that the others know this process by another name now.
func (p *Patterns) Restart() { p.Members(nil) }

// Receive takes a record of another node.
func (p *Patterns) Receive(from Peer, rec *Record) {
	m := p.member(from)
	if m == nil {
		return // it is told of the member soon, and the member reminds it
	}
	switch rec.Type {
	case PatternAnnounce:
		if rec.Flags&Reset != 0 {
			p.drop(from)
			m.heard, m.filling = false, true
		}
		for _, item := range rec.Items {
			p.set(string(item.Name), from, item.Count)
		}
		if rec.Serial > 0 {
			m.heard, m.filling = m.heard || m.filling, false
			if m.heard { // else it was told all before this node knew that it is a member
				p.network.Send(from, &Record{Type: PatternAck, Serial: rec.Serial})
			}
		}
		p.countUnheard()
	case PatternAck:
		p.mine.acknowledged(from, rec.Serial)
		p.confirm()
	}
}

// Flush tells the others what has changed.
func (p *Patterns) Flush() {
	if p.mine.next() <= p.now {
		p.mine.issue(p.now, &p.serial, &p.list, func(to Peer, flags uint8, serial uint64, items []Item) bool {
			return p.network.Send(to, &Record{Type: PatternAnnounce, Flags: flags, Serial: serial, Items: items})
		})
		for w := range p.waits {
			if p.waits[w].serial == 0 {
				p.waits[w].serial = p.mine.serial
			}
		}
	}
	p.confirm()
}

// confirm answers clients whose patterns all nodes know, or had time to.
func (p *Patterns) confirm() {
	for len(p.waits) > 0 {
		w := p.waits[0]
		lags := func(r reader) bool { return w.serial == 0 || r.lacks(w.serial) }
		if slices.ContainsFunc(p.mine.readers, lags) && p.now < w.since+patternsWithin {
			return
		}
		if p.waits = p.waits[1:]; len(p.waits) == 0 {
			p.waits = nil
		}
		p.answer(w.tag, Done)
	}
}

// Next returns when Tick and Flush have something to do.
func (p *Patterns) Next() time.Duration {
	if len(p.members) == 0 {
		return never
	}
	next := p.mine.next()
	if len(p.waits) > 0 {
		next = min(next, p.waits[0].since+patternsWithin)
	}
	return next
}

// Tick tells the time.
func (p *Patterns) Tick(now time.Duration) {
	p.now = now
	p.confirm()
}

// matches are where they are found, many at once.
var matches = sync.Pool{New: func() any { return new([]uint32) }}

// find returns the numbers of the patterns that match a channel, to be given back
// to matches.
func (p *Patterns) find(channel []byte) *[]uint32 {
	found := matches.Get().(*[]uint32)
	*found = p.index.AppendMatches((*found)[:0], channel)
	return found
}

// Match yields the nodes that hear a channel by a pattern, in an order that does not
// depend on chance; a node that has not told its patterns hears all, by no client.
func (p *Patterns) Match(channel []byte, yield func(peer Peer, clients int64)) {
	if p.unheard > 0 {
		for i := range p.members {
			if m := &p.members[i]; !m.heard {
				yield(m.peer, 0)
			}
		}
	}
	if len(p.all) == 0 {
		return
	}
	found := p.find(channel)
	for _, number := range *found {
		for _, s := range p.numbers[number].nodes {
			yield(s.peer, s.clients)
		}
	}
	matches.Put(found)
}

// Confirmed reports whether a client of this node was told that it hears a channel
// by a pattern.
func (p *Patterns) Confirmed(channel []byte) bool {
	clients := int64(0)
	found := p.find(channel)
	for _, number := range *found {
		pt := p.numbers[number]
		if len(pt.nodes) > 0 && pt.nodes[0].peer == Self {
			clients += pt.nodes[0].clients
		}
		for w := range p.waits {
			if p.waits[w].added == pt {
				clients--
			}
		}
	}
	matches.Put(found)
	return clients > 0
}

// Elsewhere reports whether another node may hear some channel by a pattern.
func (p *Patterns) Elsewhere() bool { return p.unheard > 0 || p.elsewhere > 0 }

// Patterns returns how many different ones there are.
func (p *Patterns) Patterns() int { return len(p.all) }
