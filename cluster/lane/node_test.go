package lane

import (
	"fmt"
	"path"
	"slices"
	"time"

	"hubsub/cluster/placement"
)

// simNames is how many names processes may have in a life.
const simNames = 96

// ident is how the others know a process. One that is given up takes another.
type ident struct {
	id, slot int
	node     *node         // who has it, or had it last
	member   bool          // the cluster has not given it up
	wronged  time.Duration // when somebody took it for dead last, and was wrong
	silent   time.Duration // what its process has sent arrives until then, if that is dead
}

func (i *ident) alive() bool    { return i.node.alive && i.node.name == i }
func (i *ident) String() string { return fmt.Sprintf("n%d.%d", i.slot, i.id) }

// node is one process.
type node struct {
	world *world
	slot  int
	name  *ident
	start uint64

	alive  bool
	paused time.Duration // until then
	inbox  []func()      // what has come meanwhile

	lane     *Lane
	patterns *Patterns
	record   Record
	flushing bool
	alarm    time.Duration // the next that is set; 0: none

	elsewhere bool
	owned     map[string]bool
	hosting   map[string]*hosting
	dropped   map[string]placement.Epoch // as of which it was told that it is no host
	roster    int                        // version of the members that it knows
	dead      map[*ident]bool            // as its lane was told
	drains    bool
}

// hosting is what a node knows of a room that it hosts.
type hosting struct {
	epoch   placement.Epoch
	hosts   []*ident
	closing int // by which attempt it has agreed to close it; 0: it has not
	entered bool
}

func (n *node) String() string { return n.name.String() }

// boot starts a process, as another one than was there before.
func (w *world) boot(slot int) *node {
	n := &node{world: w, slot: slot}
	w.baptize(n)
	w.begin(n)
	return n
}

// baptize gives a process a name of its own.
func (w *world) baptize(n *node) {
	i := &ident{id: len(w.names), slot: n.slot, node: n, member: true}
	w.names = append(w.names, i)
	if w.halves == nil {
		w.halves = make([]*half, simNames*simNames)
	}
	n.name = i
}

// begin has a process run that has a name.
func (w *world) begin(n *node) {
	w.serial++
	n.start, n.alive, n.name.node = uint64(w.now.Microseconds())+1, true, n
	n.owned, n.dead = make(map[string]bool), make(map[*ident]bool)
	n.hosting, n.dropped = make(map[string]*hosting), make(map[string]placement.Epoch)
	match := func(pattern, name []byte) bool { yes, _ := path.Match(string(pattern), string(name)); return yes }
	n.patterns = NewPatterns(n, &globs{}, func(tag uint64, code Code) { n.Answer(tag, code, 0) })
	n.patterns.Begin(n.start)
	n.lane = New(Config{Sink: n, Network: n, Director: n, Foreign: n.patterns, Match: match, Start: n.start})
	n.lane.Tick(w.now)
	if n.slot == len(w.nodes) {
		w.nodes = append(w.nodes, n)
	} else {
		w.nodes[n.slot] = n
	}
	w.trace("%v starts", n)
	w.placer.joined(n)
}

// Time of a process.

// runs reports whether a process can do something.
func (n *node) runs() bool { return n.alive && n.paused <= n.world.now && len(n.inbox) == 0 }

// post has the process do something when it can: at once, or at the end of its pause.
func (n *node) post(do func()) {
	switch {
	case !n.alive:
	case n.runs():
		n.turn(do)
	default:
		n.inbox = append(n.inbox, do)
	}
}

// pause stops the whole process for a while.
func (n *node) pause(d time.Duration) {
	n.paused = max(n.paused, n.world.now+d)
	n.world.at(n.paused, n.wake)
}

func (n *node) wake() {
	for n.alive && n.paused <= n.world.now && len(n.inbox) > 0 {
		do := n.inbox[0]
		n.inbox = n.inbox[1:]
		n.turn(do)
	}
}

// turn is what a loop does: it says what time it is, does something, and ends the
// tick soon.
func (n *node) turn(do func()) {
	w := n.world
	n.lane.Tick(w.now)
	n.patterns.Tick(w.now)
	do()
	n.settle()
	if !n.flushing {
		n.flushing = true
		w.after(w.between(0, 300*time.Microsecond), func() { n.post(n.flush) })
	}
}

func (n *node) flush() {
	n.lane.Flush()
	n.patterns.Flush()
	n.flushing = false
	n.settle()
	n.flushing = true // by the turn that this is
	n.world.after(0, func() { n.flushing = false })
}

// settle looks at what a turn has left.
func (n *node) settle() {
	w := n.world
	if elsewhere := n.patterns.Elsewhere(); elsewhere != n.elsewhere {
		n.elsewhere = elsewhere
		n.lane.PatternsChanged()
	}
	next := min(n.lane.Next(), n.patterns.Next())
	if !w.punctual {
		next = min(next, w.now+w.between(time.Millisecond, 200*time.Millisecond))
	}
	next = max(next, w.now+50*time.Microsecond) // loops are not faster
	if next < w.now+time.Hour && (n.alarm == 0 || next < n.alarm) {
		n.alarm = next
		w.at(next, func() {
			if n.alarm == next {
				n.alarm = 0
				n.post(func() {})
			}
		})
	}
}

// number is how this process numbers another, named what it means.
func (n *node) number(i *ident) Peer {
	if i == n.name {
		return Self
	}
	return Peer(i.id + 1)
}

func (n *node) numbers(all []*ident) []Peer {
	peers := make([]Peer, len(all))
	for i := range all {
		peers[i] = n.number(all[i])
	}
	return peers
}

func (n *node) named(p Peer) *ident {
	if p == Self {
		return n.name
	}
	return n.world.names[p-1]
}

// Sink.

func (n *node) Deliver(kind Kind, room, channel, message []byte) {
	n.world.judge.delivered(n, string(room), string(message))
}

func (n *node) Answer(tag uint64, code Code, count int64) {
	n.world.clients.answered(n, tag, code, count)
}

func (n *node) Own(room string, own bool) {
	n.world.trace("%v owns %s: %v", n, room, own)
	if n.owned[room] == own {
		n.world.fail("%v: Own(%s, %v) again", n, room, own)
	}
	if n.owned[room] = own; !own {
		delete(n.owned, room)
	}
}

func (n *node) Gap(room string, lost int64, why Why) { n.world.judge.gap(n, room, lost, why) }

// Director.

func (n *node) Ask(room string, create bool) { n.world.placer.ask(n, room, create) }

func (n *node) Suspect(p Peer) {
	w, i := n.world, n.named(p)
	w.after(w.between(time.Millisecond, 300*time.Millisecond), func() {
		if !i.alive() {
			w.placer.proved(n, i)
		}
	})
}

func (n *node) Enter(room string) bool {
	h := n.hosting[room]
	if h == nil || h.closing > 0 {
		return false
	}
	if h.entered {
		n.world.fail("%v enters %s twice", n, room)
	}
	h.entered = true
	return true
}

func (n *node) Leave(room string) {
	if h := n.hosting[room]; h != nil {
		h.entered = false
	}
}

// globs are an Index that tries one after the other.
type globs struct {
	patterns []string
	numbers  []uint32
}

func (g *globs) Add(pattern string, number uint32) {
	g.patterns, g.numbers = append(g.patterns, pattern), append(g.numbers, number)
}

func (g *globs) Remove(pattern string) bool {
	i := slices.Index(g.patterns, pattern)
	if i < 0 {
		return false
	}
	g.patterns, g.numbers = slices.Delete(g.patterns, i, i+1), slices.Delete(g.numbers, i, i+1)
	return true
}

func (g *globs) AppendMatches(dst []uint32, channel []byte) []uint32 {
	for i, p := range g.patterns {
		if yes, _ := path.Match(p, string(channel)); yes {
			dst = append(dst, g.numbers[i])
		}
	}
	return dst
}

// typeNames are the types' names.
var typeNames = [...]string{"", "Announce", "Ack", "NotHost", "Publish", "Ordered", "Refuse", "Message", "Position", "Lead", "End", "Handover", "Higher", "PatternAnnounce", "PatternAck", "Recall"}

// told is a record as the trace shows it.
func told(r *Record) string {
	items := ""
	for _, i := range r.Items {
		items += fmt.Sprintf(" %d:%s=%d", i.Kind, i.Name, i.Count)
	}
	return fmt.Sprintf("%s %s key %v prev %v serial %d attempt %d number %d index %d count %d flags %05b %s %s [%s]",
		typeNames[r.Type], r.Room, r.Key, r.Prev, r.Serial, r.Attempt, r.Number, r.Index, r.Count, r.Flags, r.Channel, r.Message, items)
}
