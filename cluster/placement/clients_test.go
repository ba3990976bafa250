package placement

import (
	"fmt"
	"maps"
	"slices"
	"time"
)

// clients ask for rooms and use them. Rooms called i are only ever closed because
// nobody uses them, d are deleted by clients, k are configured and stay.
type clients struct {
	world  *world
	serial uint64
	asked  map[uint64]*inquiry
	scans  map[uint64]*scanning
	wishes map[string]*wish
	known  map[source]*known
}

// wish is that there be a room.
type wish struct {
	open   int           // questions that make it
	ghosts time.Duration // until when one that was given up, or asked of an earlier leader, may arrive
}

// source is a room and the generation that tells of it.
type source struct {
	raft *ideal
	room string
}

// known is what the clients of a room were told of it, all together.
type known struct {
	epoch   Epoch // the highest that any of them was told
	deleted Epoch // an epoch that is not any more
	kept    bool  // it was configured
}

// inquiry is one question, with what each generation could answer when it was
// asked; of one that began since nothing is expected.
type inquiry struct {
	ask  Ask
	then map[*ideal]moment
}

type moment struct {
	known
	current Epoch // of the room, in truth
	since   Epoch // of the table
	deletes int   // of the room until then
}

// scanning is one walk through all rooms, page by page.
type scanning struct {
	from   *process
	there  map[*ideal]map[string]int // rooms when it began, and how often each was deleted before
	listed map[string]bool
	raft   *ideal // whose pages they are
	mixed  bool   // they are of several
}

func newClients(w *world) clients {
	return clients{
		world: w, asked: make(map[uint64]*inquiry), scans: make(map[uint64]*scanning),
		wishes: make(map[string]*wish), known: make(map[source]*known),
	}
}

func (c *clients) wish(room string) *wish {
	if c.wishes[room] == nil {
		c.wishes[room] = &wish{}
	}
	return c.wishes[room]
}

// told returns what was told of a room by a generation.
func (c *clients) told(raft *ideal, room string) *known {
	of := source{raft, room}
	if c.known[of] == nil {
		c.known[of] = &known{}
	}
	return c.known[of]
}

// inquire notes a question.
func (c *clients) inquire(ask Ask) *inquiry {
	q := &inquiry{ask, make(map[*ideal]moment)}
	for _, r := range c.world.generations {
		current, _ := r.table.Room(ask.Room)
		q.then[r] = moment{*c.told(r, ask.Room), current.Epoch, r.table.Now(), r.deletes[ask.Room]}
	}
	return q
}

// act is called all the time.
func (c *clients) act() {
	w := c.world
	if w.now > simFaults+10*time.Second {
		return
	}
	p := w.slots[w.random.IntN(len(w.slots))]
	if !p.runs() {
		return
	}
	if w.chance(0.3) {
		c.idle(p)
	}
	if !w.chance(0.3) {
		return
	}
	if w.chance(0.05) {
		c.scan(p)
		return
	}
	ask := Ask{Create: w.chance(0.8)}
	switch w.random.IntN(3) {
	case 0:
		ask.Room = fmt.Sprintf("i%d", w.random.IntN(4))
	case 1:
		ask.Room = fmt.Sprintf("d%d", w.random.IntN(3))
		if w.chance(0.3) {
			ask.Create, ask.Delete = false, true
		}
	case 2:
		ask.Room = fmt.Sprintf("k%d", w.random.IntN(2))
		ask.Keep = ask.Create && w.chance(0.5)
	}
	if ask.Keep || ask.Create && w.chance(0.1) {
		ask.Want = 1 + w.random.IntN(5)
	}
	if ask.Create && w.chance(0.2) {
		for range 1 + w.random.IntN(2) {
			if id := fmt.Sprintf("n%d", w.random.IntN(len(w.slots)+1)); !slices.Contains(ask.Pins, id) {
				ask.Pins = append(ask.Pins, id)
			}
		}
	}
	c.serial++
	c.asked[c.serial] = c.inquire(ask)
	w.trace("%s is asked %d: %+v", p.name, c.serial, ask)
	tag := c.serial
	if ask.Create {
		c.wish(ask.Room).open++
	}
	p.front.Ask(w.now, tag, ask)
	p.front.Tick(w.now)
	p.bring()
	w.after(askPatience+time.Second, func() { c.expect(p, tag) })
}

// expect wants a question that was asked long ago to have an answer, unless its
// process is dead, or hung until a moment ago.
func (c *clients) expect(p *process, tag uint64) {
	w := c.world
	switch {
	case c.asked[tag] == nil:
	case !p.alive:
		c.giveUp(tag)
	case w.now-p.paused < time.Second:
		w.after(time.Second, func() { c.expect(p, tag) })
	default:
		w.fail("question %d has no answer", tag)
	}
}

// forget takes a question off the list.
func (c *clients) forget(tag uint64) {
	if q := c.asked[tag]; q.ask.Create {
		c.wish(q.ask.Room).open--
	}
	delete(c.asked, tag)
}

// giveUp does so with one that may have an effect yet.
func (c *clients) giveUp(tag uint64) {
	c.wish(c.asked[tag].ask.Room).ghosts = c.world.now + simLatest
	c.forget(tag)
}

// elected is called when a new leader knows nothing of what the old one answered.
func (c *clients) elected() {
	for _, k := range c.wishes {
		k.ghosts = c.world.now + simLatest
	}
}

// made checks that somebody wants a room that is made, or has it already. Who asked
// the leader of a generation that is over may have the answer of a later one.
func (c *clients) made(r *ideal, room string, hosts []Name) {
	_, adopted := c.world.judge.claims[claim{r, hosts[0], room}]
	if k := c.wish(room); k.open == 0 && c.world.now > k.ghosts && !adopted && r == c.world.latest() {
		c.world.fail("%s is made, and nobody asks for it", room)
	}
}

// idle tells the leader of rooms that nobody uses at p.
func (c *clients) idle(p *process) {
	for _, room := range slices.Sorted(maps.Keys(p.host.rooms)) {
		if p.users[room] == 0 {
			p.host.Idle(room)
		}
	}
	p.bring()
}

// answered checks an answer of a generation against what was known when its
// question was asked.
func (c *clients) answered(e Answer, r *ideal) {
	w, q := c.world, c.asked[e.Tag]
	if q == nil {
		return
	}
	w.trace("answer %d: %+v", e.Tag, e.Told)
	if e.Told.Error != "" {
		c.giveUp(e.Tag)
		return
	}
	c.forget(e.Tag)
	room, told, then := c.told(r, q.ask.Room), e.Told, q.then[r]
	truth, exists := r.table.Room(q.ask.Room)
	stood := !then.current.IsZero() && exists && then.deletes == r.deletes[q.ask.Room] // all the time
	switch {
	case told.Epoch.IsZero():
		if stood {
			w.fail("%s does not exist, is said of %v", q.ask.Room, truth)
		}
		if q.ask.Create {
			w.fail("%s was asked for and not made", q.ask.Room)
		}
		if then.kept {
			w.fail("%s was configured and is gone", q.ask.Room)
		}
	case told.Epoch.Generation != r.generation:
		w.fail("%s: told %v by generation %d", q.ask.Room, told.Epoch, r.generation)
	case told.Epoch.Compare(then.current) < 0, then.current.IsZero() && told.Epoch.Compare(then.since) <= 0:
		w.fail("%s: told %v, which was over when somebody asked at %v", q.ask.Room, told.Epoch, then.since)
	case told.Epoch.Compare(then.epoch) < 0:
		w.fail("%s: told %v, after somebody was told %v", q.ask.Room, told.Epoch, then.epoch)
	case told.Epoch.Compare(then.deleted) <= 0:
		w.fail("%s: told %v, after %v was deleted", q.ask.Room, told.Epoch, then.deleted)
	case q.ask.Create && len(told.Hosts) == 0:
		w.fail("%s has no host", q.ask.Room)
	}
	if told.Epoch.Compare(room.epoch) > 0 {
		room.epoch = told.Epoch
	}
	if q.ask.Keep {
		room.kept = true
	}
	if q.ask.Delete && then.current.Compare(room.deleted) > 0 {
		room.deleted = then.current
	}
	if q.ask.Create && len(told.Hosts) > 0 {
		host := told.Hosts[w.random.IntN(len(told.Hosts))].Name
		c.use(q.ask.Room, host)
		w.after(w.between(0, 8*time.Second), func() { c.use(q.ask.Room, host) }) // who knows where it is comes again
	}
}

// use lets a client use a room at a host, which may be dead or know better.
func (c *clients) use(room string, host Name) {
	w := c.world
	p := w.judge.process(host)
	if p == nil {
		return
	}
	p.awake(func() {
		if _, _, open, ok := p.host.Hosts(room); !ok || !open {
			return
		}
		p.users[room]++
		w.after(w.between(10*time.Millisecond, 3*time.Second), func() {
			if p.alive && p.users[room] > 0 {
				p.users[room]--
			}
		})
	})
}

// scan begins to list all rooms.
func (c *clients) scan(p *process) {
	w := c.world
	s := &scanning{from: p, there: make(map[*ideal]map[string]int), listed: make(map[string]bool)}
	for _, r := range w.generations {
		s.there[r] = make(map[string]int)
		for shard := range shardCount {
			r.table.EachIn(shard, func(room string, _ Placement) { s.there[r][room] = r.deletes[room] })
		}
	}
	c.turn(s, 0)
}

// turn asks for the page behind a cursor.
func (c *clients) turn(s *scanning, cursor uint64) {
	w := c.world
	c.serial++
	c.scans[c.serial] = s
	tag := c.serial
	s.from.front.Scan(w.now, tag, cursor, 1+w.random.IntN(3))
	s.from.front.Tick(w.now)
	s.from.bring()
	w.after(simFaults, func() {
		if c.scans[tag] != nil && s.from.alive {
			w.fail("scan %d has no answer", tag)
		}
		delete(c.scans, tag)
	})
}

// paged takes a page. Rooms that were there all the time must be on some page.
func (c *clients) paged(e Page, r *ideal) {
	w, s := c.world, c.scans[e.Tag]
	if s == nil {
		return
	}
	w.trace("page %d: %+v", e.Tag, e.Scanned)
	delete(c.scans, e.Tag)
	if e.Scanned.Error != "" {
		return
	}
	s.mixed = s.mixed || s.raft != nil && s.raft != r
	s.raft = r
	for _, told := range e.Scanned.Rooms {
		s.listed[told.Room] = true
	}
	if e.Scanned.Next != 0 {
		w.after(0, func() { s.from.awake(func() { c.turn(s, e.Scanned.Next) }) })
		return
	}
	for _, room := range slices.Sorted(maps.Keys(s.there[r])) {
		if _, exists := r.table.Room(room); exists && r.deletes[room] == s.there[r][room] && !s.listed[room] && !s.mixed {
			w.fail("a scan leaves out %s", room)
		}
	}
}
