package lane

import (
	"slices"
	"strconv"
	"time"
)

// judge sees everything and says what must not be.
type judge struct {
	world   *world
	orders  map[string]map[Key]*keyed
	streams map[*node]map[string]*stream
	holders map[*node]map[topic]*holder
	pending map[string]int           // changes of interest that are under way, by room
	changed map[string]time.Duration // the last one
	last    map[*node]map[string]*message
}

// keyed is what was ordered in a room under one key.
type keyed struct {
	owner    *node
	messages map[uint64]*message
}

// order is a message's place.
type order struct {
	key    Key
	number uint64
}

func (o order) before(p order) bool {
	c := o.key.Compare(p.key)
	return c < 0 || c == 0 && o.number < p.number
}

// stream is what one node has heard of a room.
type stream struct {
	room  string
	at    order         // the last that it has delivered
	gapAt time.Duration // when it told of a gap last; -1: never
	lost  int64         // that it told of since it delivered something
	vague bool          // or an unknown number
	got   map[int]bool
	owes  []*owed
}

// owed is a message that must reach a node, or a gap be told there.
type owed struct {
	message *message
	at      time.Duration // the gap must be told then or later
	order   order
	behind  bool // the node followed a higher key already
	ahead   bool // it followed a lower key still: if it never follows this one, that is an order it has not heard of
	last    bool // by the end of the faults
	holders []held
}

type held struct {
	holder *holder
	tenure int
}

// holder is what the clients of a node are confirmed to hear.
type holder struct {
	count  int
	tenure int // grows when none is left
	since  time.Duration
	key    Key // that the node followed then
}

func newJudge(w *world) *judge {
	return &judge{
		world: w, orders: make(map[string]map[Key]*keyed), streams: make(map[*node]map[string]*stream),
		holders: make(map[*node]map[topic]*holder), pending: make(map[string]int), changed: make(map[string]time.Duration),
		last: make(map[*node]map[string]*message),
	}
}

func (j *judge) stream(n *node, room string) *stream {
	if j.streams[n] == nil {
		j.streams[n] = make(map[string]*stream)
	}
	s := j.streams[n][room]
	if s == nil {
		s = &stream{room: room, gapAt: -1, got: make(map[int]bool)}
		j.streams[n][room] = s
	}
	return s
}

// follows returns the key that a node follows in a room.
func (n *node) follows(room string) Key {
	if r := n.lane.rooms[room]; r != nil {
		return r.key
	}
	return Key{}
}

// attached reports whether a node hears the order of a key, and nothing is missing.
func (n *node) attached(room string, key Key) bool {
	r := n.lane.rooms[room]
	return r != nil && r.key == key && r.position.set && !r.missed
}

// Interest.

// changes notes that a change of interest begins or ends.
func (j *judge) changes(room string, by int) {
	j.pending[room] += by
	j.changed[room] = j.world.now
}

// quiet reports whether no interest changes that has to do with a room.
func (j *judge) quiet(room string) bool { return j.pending[room] == 0 && j.pending[""] == 0 }

// stood reports whether none has changed since.
func (j *judge) stood(room string, since time.Duration) bool {
	return j.quiet(room) && j.changed[room] < since && j.changed[""] < since
}

// holds notes that a subscription was confirmed, or is about to end.
func (j *judge) holds(s *sub, by int) {
	if j.holders[s.node] == nil {
		j.holders[s.node] = make(map[topic]*holder)
	}
	h := j.holders[s.node][s.of]
	if h == nil {
		h = &holder{}
		j.holders[s.node][s.of] = h
	}
	if h.count == 0 {
		h.since = j.world.now
		if s.of.room != "" {
			h.key = s.node.follows(s.of.room)
		}
	}
	if h.count += by; h.count == 0 {
		h.tenure++
	}
}

// hearers returns what the confirmed clients of a node hear a message by, and how
// many they are.
func (j *judge) hearers(n *node, m *message, leader *node) (all []held, count int64) {
	for _, of := range j.topics(m.room) {
		h := j.holders[n][of]
		if h == nil || h.count == 0 || !of.hears(m.room, m.kind, m.channel) {
			continue
		}
		if of.room == "" && leader != n && leader != nil && (!j.world.calm || j.world.placer.moved(m.room) && leader.begins(m.room, n)) {
			continue // that the room is there this node may not even know, or who leads it
		}
		all = append(all, held{h, h.tenure})
		count += int64(h.count)
	}
	return all, count
}

func (j *judge) topics(room string) []topic {
	return []topic{
		{room, Channel, "{" + room + "}a"}, {room, Channel, "{" + room + "}b"}, {room, Shard, "{" + room + "}a"}, {room, Shard, "{" + room + "}b"},
		{room, Pattern, "{" + room + "}*"}, {"", Pattern, "*a"}, {"", Pattern, "*"},
	}
}

// sum returns how many clients of all nodes are confirmed to hear a message.
func (j *judge) sum(m *message) (n int64) {
	for _, node := range j.world.nodes {
		if node.alive {
			_, count := j.hearers(node, m, nil)
			n += count
		}
	}
	return n
}

// Order.

// sends looks at a record that a node sends.
func (j *judge) sends(n *node, r *Record) {
	room := string(r.Room)
	switch r.Type {
	case Ordered: // what the node has just received is next
		if r := &n.record; r.Flags&CountOnly == 0 {
			j.ordered(n, j.message(string(r.Message)), order{n.follows(room), n.lane.rooms[room].office.number + 1})
		}
	case Message:
		j.ordered(n, j.message(string(r.Message)), order{r.Key, r.Number})
	}
}

func (j *judge) message(text string) *message {
	id, err := strconv.Atoi(text)
	if err != nil || id >= len(j.world.clients.messages) {
		j.world.fail("message %q was never published", text)
		return &message{}
	}
	return j.world.clients.messages[id]
}

// ordered notes that a leader gives a message its place.
func (j *judge) ordered(n *node, m *message, o order) {
	w := j.world
	if r := n.lane.rooms[m.room]; r == nil || !r.office.leading || r.key != o.key && !o.key.IsZero() {
		w.fail("%v orders message %d under %v, and does not lead", n, m.id, o.key)
		return
	}
	o.key = n.follows(m.room)
	if m.order != nil {
		if *m.order != o {
			w.fail("%v: message %d is ordered as %v, and was as %v", n, m.id, o, *m.order)
		}
		return
	}
	w.trace("%v orders message %d: %v", n, m.id, o)
	m.order = &o
	if j.orders[m.room] == nil {
		j.orders[m.room] = make(map[Key]*keyed)
	}
	k := j.orders[m.room][o.key]
	if k == nil {
		k = &keyed{n, make(map[uint64]*message)}
		j.orders[m.room][o.key] = k
	}
	if k.owner != n {
		w.fail("%v and %v order under %v", k.owner, n, o.key)
	}
	if other := k.messages[o.number]; other != nil {
		w.fail("%v: messages %d and %d are number %v", n, other.id, m.id, o)
	}
	k.messages[o.number] = m
	j.owe(n, m)
}

// owe notes who must get a message, or be told of a gap.
func (j *judge) owe(leader *node, m *message) {
	for _, n := range j.world.nodes {
		if !n.alive || leader.rival(m.room) && n.follows(m.room) != m.order.key {
			continue
		}
		hearers, _ := j.hearers(n, m, leader)
		if len(hearers) == 0 {
			continue
		}
		o := &owed{message: m, at: j.world.now, order: *m.order, holders: hearers}
		if m.order.key.Rank > 0 && m.order.key.Epoch.Compare(n.follows(m.room).Epoch) < 0 {
			// The leader has taken over from one that it takes for dead, and has not heard of a later placement, under
			// which somebody led and was followed. What it orders is another order, of which this node may never hear.
			continue
		}
		if m.order.key.Compare(n.follows(m.room)) < 0 {
			o.behind = true
			o.at = -1
			for _, h := range hearers {
				if m.order.key.Compare(h.holder.key) >= 0 {
					o.at = max(o.at, h.holder.since)
				}
			}
			if o.at < 0 {
				continue // they came to a later order
			}
		}
		o.ahead = m.order.key.Compare(n.follows(m.room)) > 0
		s := j.stream(n, m.room)
		s.owes = append(s.owes, o)
	}
}

// begins reports whether no message of a room but this one was meant for another node, under the leader's key.
func (n *node) begins(room string, with *node) bool {
	r := n.lane.rooms[room]
	if r == nil {
		return false
	}
	a := r.find(n.number(with.name))
	return a == nil || a.index <= 1
}

// rival reports whether another node leads a room at the same time, or should, for
// this one takes it for dead, or was taken for it: each side of a partition has its
// own order.
func (n *node) rival(room string) bool {
	if n.name.wronged > 0 || !n.name.member {
		return true
	}
	for _, h := range n.lane.rooms[room].hosts {
		if i := n.named(h); h != Self && n.dead[i] && i.alive() && i.member {
			return true
		}
	}
	return slices.ContainsFunc(n.world.nodes, func(other *node) bool {
		r := other.lane.rooms[room]
		return other != n && other.alive && r != nil && r.office.leading
	})
}

// alone looks at a message that an engine publishes by itself.
func (j *judge) alone(n *node, m *message) {
	w := j.world
	r := n.lane.rooms[m.room]
	if r == nil || !r.office.leading || r.lane.isolated {
		w.fail("%v owns %s and does not lead", n, m.room)
		return
	}
	for _, other := range w.nodes {
		if !other.alive || other == n {
			continue
		}
		if hearers, _ := j.hearers(other, m, n); len(hearers) > 0 && other.attached(m.room, r.key) && !n.dead[other.name] {
			w.fail("%v owns %s, and %v hears it", n, m.room, other)
		}
	}
	m.order = &order{r.key, r.office.number}
	j.stream(n, m.room).got[m.id] = true
	j.owe(n, m)
	_, count := j.hearers(n, m, nil)
	j.published(n, m, count)
}

// delivered looks at what a node gives to its clients.
func (j *judge) delivered(n *node, room, text string) {
	w, m := j.world, j.message(text)
	r, s := n.lane.rooms[room], j.stream(n, room)
	at := order{r.key, r.position.number}
	if r.office.leading {
		at.number = r.office.number
		j.ordered(n, m, at)
	} else if k := j.orders[room][at.key]; k == nil || k.messages[at.number] != m {
		w.fail("%v delivers message %d as %v", n, m.id, at)
	}
	w.trace("%v delivers message %d", n, m.id)
	if s.got[m.id] {
		w.fail("%v delivers message %d twice", n, m.id)
	}
	if m.node == n && m.waits && w.clients.inside != m {
		w.fail("%v delivers message %d before its answer", n, m.id)
	}
	if !s.at.before(at) {
		w.fail("%v delivers %v after %v", n, at, s.at)
	}
	if m.lonely > 0 && j.late(n, m) {
		w.fail("%v delivers message %d, which was answered by nobody before those came who hear it", n, m.id)
	}
	s.got[m.id] = true
	s.at = at
	if r.missed || !n.name.member {
		return // it will tell, when it hears that it was given up in the latter case
	}
	j.audit(n, s, func(o *owed) bool { return !o.last && o.order.before(at) })
	s.lost, s.vague = 0, false
}

// late reports whether all that a message can reach on a node have come after it was answered, and wait yet.
func (j *judge) late(n *node, m *message) (late bool) {
	if hearers, _ := j.hearers(n, m, nil); len(hearers) > 0 {
		return false
	}
	for _, q := range j.world.clients.asked {
		if q.node == n && q.sub != nil && q.more && q.sub.of.hears(m.room, m.kind, m.channel) {
			if q.begun <= m.lonely {
				return false
			}
			late = true
		}
	}
	return late
}

// audit looks at what a node owes of a room, and should have delivered.
func (j *judge) audit(n *node, s *stream, due func(*owed) bool) {
	w := j.world
	missing, last := int64(0), 0
	kept := s.owes[:0]
	for _, o := range s.owes {
		switch {
		case s.got[o.message.id], o.void():
		case o.ahead && s.at.key.Compare(o.order.key) > 0:
		case !due(o):
			kept = append(kept, o)
		case s.gapAt < o.at:
			w.fail("%v has lost message %d, %v, and tells no gap", n, o.message.id, o.order)
		case !o.behind && !o.last:
			missing++
			last = o.message.id
		}
	}
	s.owes = kept
	if missing > s.lost && !s.vague {
		w.fail("%v has lost %d messages of %s, the last is %d, and tells of %d", n, missing, s.room, last, s.lost)
	}
}

// void reports whether those who should have heard it have left since.
func (o *owed) void() bool {
	for _, h := range o.holders {
		if h.holder.tenure == h.tenure {
			return false
		}
	}
	return true
}

func (j *judge) gap(n *node, room string, lost int64, why Why) {
	w, s := j.world, j.stream(n, room)
	w.trace("%v: a gap in %s, %d, reason %d", n, room, lost, why)
	// Who hears a room by a pattern of all rooms only notices with its next message.
	if w.calm || w.now > simFaults+simHeal && !n.lane.rooms[room].local.empty() {
		w.fail("%v: a gap in %s, %d messages, reason %d", n, room, lost, why)
	}
	if lost == 0 || lost < -1 || why >= whyMax {
		w.fail("%v: a gap of %d messages, reason %d", n, lost, why)
	}
	s.gapAt = w.now
	s.lost += max(lost, 0)
	s.vague = s.vague || lost < 0
}

// renamed is for a node that is another one to the others: it may follow lower keys.
func (j *judge) renamed(n *node) {
	for i := range simRooms {
		s := j.stream(n, roomName(i))
		s.at = order{}
		for of, h := range j.holders[n] {
			if of.room == roomName(i) {
				h.key = Key{}
			}
		}
		for _, o := range s.owes {
			o.order = order{}
		}
		delete(j.last[n], roomName(i))
	}
}

// Answers.

// published looks at the answer of a message.
func (j *judge) published(n *node, m *message, count int64) {
	w := j.world
	if (w.calm || m.final) && m.exact && j.stood(m.room, m.begun) {
		if sum := j.sum(m); sum != count {
			for _, other := range w.nodes {
				hearers, count := j.hearers(other, m, nil)
				w.trace("%v: %d, by %d topics", other, count, len(hearers))
				for of, h := range j.holders[other] {
					w.trace("   %v %d", of, h.count)
				}
			}
			if r := n.lane.rooms[m.room]; r != nil {
				for _, a := range r.audiences {
					w.trace("   %v knows %+v", n, *a)
				}
				for text, p := range n.patterns.all {
					w.trace("   %v knows %s of %v", n, text, p.nodes)
				}
			}
			w.fail("%v: message %d reaches %d, not %d", n, m.id, count, sum)
		}
	}
	if m.order == nil && w.clients.inside == nil {
		if r := n.lane.rooms[m.room]; r != nil && r.office.leading { // it is about to order it
			j.ordered(n, m, order{r.key, r.office.number + 1})
		}
	}
	if m.order == nil {
		for _, other := range w.nodes {
			if hearers, _ := j.hearers(other, m, &node{}); other.alive && hearersSince(hearers, m.begun) {
				if w.calm {
					w.fail("%v: message %d was answered by nobody, and %v hears it", n, m.id, other)
				}
				s := j.stream(other, m.room) // it was closed, for its hosts did not know, or took that node for dead
				s.owes = append(s.owes, &owed{message: m, at: m.begun, last: true, holders: hearers})
			}
		}
		return
	}
	if j.last[n] == nil {
		j.last[n] = make(map[string]*message)
	}
	if before := j.last[n][m.room]; before != nil && !n.rival(m.room) && (before.id < m.id) == m.order.before(*before.order) && *m.order != *before.order {
		w.fail("%v: message %d is %v, and %d before it %v", n, m.id, *m.order, before.id, *before.order)
	}
	j.last[n][m.room] = m
}

func hearersSince(all []held, when time.Duration) bool {
	for _, h := range all {
		if h.holder.since <= when {
			return true
		}
	}
	return false
}

// counted looks at the answer to a count.
func (j *judge) counted(of topic, exact bool, count int64) {
	w := j.world
	if !w.calm || !exact || w.now-j.changed[of.room] < 500*time.Millisecond || !j.quiet(of.room) {
		return
	}
	sum := int64(0)
	for _, n := range w.nodes {
		if h := j.holders[n][of]; n.alive && h != nil {
			sum += int64(h.count)
		}
	}
	if sum != count {
		w.fail("%d clients hear %v, and not %d", sum, of, count)
	}
}

// The end.

// agree checks that all who hear a room follow one leader.
func (j *judge) agree() {
	for i := range simRooms {
		room := roomName(i)
		var key Key
		for _, n := range j.world.nodes {
			r := n.lane.rooms[room]
			if r == nil || r.local.empty() {
				continue
			}
			if !key.IsZero() && r.key != key || r.key.IsZero() {
				j.world.fail("%v follows %v in %s, and others %v", n, r.key, room, key)
			}
			key = r.key
		}
	}
}

// settle checks that everybody has got the last messages, or was told.
func (j *judge) settle() {
	w := j.world
	for _, n := range w.nodes {
		for i := range simRooms {
			s := j.stream(n, roomName(i))
			j.audit(n, s, func(o *owed) bool { return !o.ahead || o.order.key == s.at.key })
		}
	}
	for _, m := range w.clients.messages {
		if m.final && m.order == nil && j.sum(m) > 0 {
			w.fail("message %d, one of the last, was never ordered", m.id)
		}
	}
}

// rest checks that nothing remains of what nobody uses.
func (j *judge) rest() {
	w := j.world
	for tag, q := range w.clients.asked {
		w.fail("%v: question %d has no answer", q.node, tag)
	}
	if w.print != nil {
		for _, n := range w.nodes {
			for _, r := range n.lane.list {
				w.trace("%v: %s %+v", n, r.name, r)
				for _, a := range r.audiences {
					w.trace("%v: %s hearer %+v", n, r.name, *a)
				}
			}
		}
	}
	for i := range simRooms {
		if at := w.placer.rooms[roomName(i)]; at != nil {
			w.fail("%s is not closed: %v", roomName(i), at.hosts)
		}
	}
	for _, n := range w.nodes {
		l, p := n.lane, n.patterns
		if len(l.rooms) > 0 || l.pending != 0 || l.pendingBytes != 0 {
			w.fail("%v has %d rooms left, and %d publishes of %d bytes", n, len(l.rooms), l.pending, l.pendingBytes)
		}
		if len(p.all)+len(p.waits) > 0 || !p.mine.empty() || !p.mine.known() {
			w.fail("%v has %d patterns left", n, len(p.all))
		}
	}
}
