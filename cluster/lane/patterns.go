package lane

import (
	"math"
	"slices"
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
// be called by many, the rest by one at a time.
type Patterns struct {
	// Set once.
	network Network
	answer  func(tag uint64, code Code)
	index   Index

	now     time.Duration
	all     map[string]*pattern
	numbers []*pattern // by their numbers in the index; nil: free
	members map[Peer]*member
	unheard int

	counts map[string]int64 // of this node's clients
	serial uint64           // of the last announcement
	dirty  []string         // what changed since
	waits  []patternWait
}

// pattern is one and who hears it.
type pattern struct {
	number  uint32
	clients map[Peer]int64
}

// member is another node.
type member struct {
	heard bool // it has told all its patterns
	acked uint64
	whole uint64        // the announcement that told it all; 0: none yet
	told  time.Duration // when it was told last
}

type patternWait struct {
	tag    uint64
	serial uint64 // 0: the next
	since  time.Duration
}

// NewPatterns returns the patterns of a node that knows no other one.
func NewPatterns(n Network, index Index, answer func(tag uint64, code Code)) *Patterns {
	return &Patterns{network: n, index: index, answer: answer,
		all: make(map[string]*pattern), members: make(map[Peer]*member), counts: make(map[string]int64)}
}

// Interest says that delta more clients of this node hear a pattern, or fewer.
// With a tag the answer follows when all nodes know, or had time to.
func (p *Patterns) Interest(tag uint64, text []byte, delta int) {
	name := string(text)
	if p.counts[name] += int64(delta); p.counts[name] == 0 {
		delete(p.counts, name)
	}
	p.set(name, Self, p.counts[name])
	if len(p.members) == 0 {
		if tag != 0 {
			p.answer(tag, Done)
		}
		return
	}
	p.dirty = append(p.dirty, name)
	if tag != 0 {
		p.waits = append(p.waits, patternWait{tag: tag, since: p.now})
	}
}

// set says how many clients of a node hear a pattern.
func (p *Patterns) set(name string, of Peer, clients int64) {
	pt := p.all[name]
	if pt == nil {
		if clients <= 0 {
			return
		}
		pt = &pattern{clients: make(map[Peer]int64, 1)}
		pt.number = uint32(len(p.numbers))
		if free := slices.Index(p.numbers, nil); free >= 0 {
			pt.number = uint32(free)
			p.numbers[free] = pt
		} else {
			p.numbers = append(p.numbers, pt)
		}
		p.all[name] = pt
		p.index.Add(name, pt.number)
	}
	if clients > 0 {
		pt.clients[of] = clients
		return
	}
	delete(pt.clients, of)
	if len(pt.clients) == 0 {
		p.index.Remove(name)
		p.numbers[pt.number] = nil
		delete(p.all, name)
	}
}

// Members says who the other nodes are that serve. A new one is told all.
func (p *Patterns) Members(others []Peer) {
	for peer := range p.members {
		if !slices.Contains(others, peer) {
			p.drop(peer)
			delete(p.members, peer)
		}
	}
	for _, peer := range others {
		if p.members[peer] == nil {
			p.members[peer] = &member{}
		}
	}
	p.countUnheard()
	p.confirm()
}

// drop forgets what a node hears.
func (p *Patterns) drop(peer Peer) {
	for name, pt := range p.all {
		if _, hears := pt.clients[peer]; hears {
			p.set(name, peer, 0)
		}
	}
}

func (p *Patterns) countUnheard() {
	p.unheard = 0
	for _, m := range p.members {
		if !m.heard {
			p.unheard++
		}
	}
}

// Broken tells that what was under way from and to a node may be lost: it is told
// all again, and hears all until it has done so.
func (p *Patterns) Broken(peer Peer) {
	if m := p.members[peer]; m != nil {
		*m = member{}
		p.countUnheard()
	}
}

// Restart tells that the others know this process by another name now.
func (p *Patterns) Restart() {
	for peer := range p.members {
		p.drop(peer)
	}
	clear(p.members)
	p.unheard = 0
	p.confirm()
}

// Receive takes a record of another node.
func (p *Patterns) Receive(from Peer, rec *Record) {
	m := p.members[from]
	if m == nil {
		return // it is told of the member soon, and the member reminds it
	}
	switch rec.Type {
	case PatternAnnounce:
		if rec.Flags&Reset != 0 {
			p.drop(from)
			m.heard = true
			p.countUnheard()
		}
		for _, item := range rec.Items {
			p.set(string(item.Name), from, item.Count)
		}
		p.network.Send(from, &Record{Type: PatternAck, Serial: rec.Serial})
	case PatternAck:
		m.acked = max(m.acked, rec.Serial)
		p.confirm()
	}
}

// Flush tells the others what has changed.
func (p *Patterns) Flush() {
	var changed []Item
	if len(p.dirty) > 0 {
		p.serial++
		for _, name := range p.dirty {
			changed = append(changed, Item{Pattern, []byte(name), p.counts[name]})
		}
		p.dirty = p.dirty[:0]
		for w := range p.waits {
			if p.waits[w].serial == 0 {
				p.waits[w].serial = p.serial
			}
		}
	}
	var whole []Item
	for _, peer := range p.peers() {
		m := p.members[peer]
		items, flags := changed, uint8(0)
		if m.whole == 0 || m.acked < p.serial && p.now >= m.told+announceInterval {
			if whole == nil {
				whole = p.items()
			}
			items, flags = whole, Reset
			p.serial = max(p.serial, 1)
			m.whole = p.serial
		}
		if flags != 0 || len(changed) > 0 {
			m.told = p.now
			p.tell(peer, flags, items)
		}
	}
	p.confirm()
}

// tell sends items in as many records as they need, the serial with the last.
func (p *Patterns) tell(to Peer, flags uint8, items []Item) {
	for {
		part := items[:fit(items)]
		items = items[len(part):]
		rec := Record{Type: PatternAnnounce, Flags: flags, Items: part}
		if len(items) == 0 {
			rec.Serial = p.serial
		}
		p.network.Send(to, &rec)
		if flags = 0; len(items) == 0 {
			return
		}
	}
}

func (p *Patterns) peers() []Peer {
	all := make([]Peer, 0, len(p.members))
	for peer := range p.members {
		all = append(all, peer)
	}
	slices.Sort(all)
	return all
}

func (p *Patterns) items() []Item {
	items := make([]Item, 0, len(p.counts))
	for name, count := range p.counts {
		items = append(items, Item{Pattern, []byte(name), count})
	}
	slices.SortFunc(items, compareItems)
	return items
}

// confirm answers clients whose patterns all nodes know, or had time to.
func (p *Patterns) confirm() {
	for len(p.waits) > 0 {
		w := p.waits[0]
		if w.serial == 0 && len(p.members) > 0 || !p.known(w.serial) && p.now < w.since+patternsWithin {
			return
		}
		p.waits = p.waits[1:]
		p.answer(w.tag, Done)
	}
}

func (p *Patterns) known(serial uint64) bool {
	for _, m := range p.members {
		if m.acked < serial {
			return false
		}
	}
	return true
}

// Next returns when Tick and Flush have something to do.
func (p *Patterns) Next() time.Duration {
	next := time.Duration(math.MaxInt64)
	if len(p.waits) > 0 {
		next = min(next, p.waits[0].since+patternsWithin)
	}
	if len(p.dirty) > 0 {
		return 0
	}
	for _, m := range p.members {
		switch {
		case m.whole == 0:
			return 0
		case m.acked < p.serial:
			next = min(next, m.told+announceInterval)
		}
	}
	return next
}

// Tick tells the time.
func (p *Patterns) Tick(now time.Duration) {
	p.now = now
	p.confirm()
}

// Match yields the nodes that hear a channel by a pattern; a node that has not
// told its patterns hears all, by no client.
func (p *Patterns) Match(channel []byte, yield func(peer Peer, clients int64)) {
	if p.unheard > 0 {
		for peer, m := range p.members {
			if !m.heard {
				yield(peer, 0)
			}
		}
	}
	if len(p.all) == 0 {
		return
	}
	var few [8]uint32
	for _, number := range p.index.AppendMatches(few[:0], channel) {
		for peer, clients := range p.numbers[number].clients {
			yield(peer, clients)
		}
	}
}

// Elsewhere reports whether another node may hear some channel by a pattern.
func (p *Patterns) Elsewhere() bool {
	if p.unheard > 0 {
		return true
	}
	for _, pt := range p.all {
		if _, here := pt.clients[Self]; !here || len(pt.clients) > 1 {
			return true
		}
	}
	return false
}

// Patterns returns how many different ones there are.
func (p *Patterns) Patterns() int { return len(p.all) }
