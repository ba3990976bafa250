package lane

import (
	"bytes"
	"time"

	"hubsub/cluster/placement"
)

// Code is how a question of the engine is answered.
type Code uint8

const (
	Done     Code = iota
	TryAgain      // what has become of it is not known, or nobody could take it now
	Down          // the cluster cannot say where the room lives
	TooMany       // rooms
	Failed        // the room cannot be placed: its name, say
)

// Why is the reason of a gap.
type Why uint8

const (
	Takeover Why = iota // the leader died, and what it ordered last may not have come
	Link                // a connection broke for too long
	Full                // this node was too slow for what came
	Moved               // the leader changed, and this node learned it too late
	whyMax
)

// Sink is the engine's loop as its lane sees it. It is called only from inside
// the lane's methods.
type Sink interface {
	// Deliver brings a message to those who hear it here, after all that was
	// delivered before. The bytes are good during the call.
	Deliver(kind Kind, room, channel, message []byte)

	// Answer answers a question, each once.
	Answer(tag uint64, code Code, n int64)

	// Own tells whether the engine may publish to a room by itself: this node
	// leads it, and no other node hears it.
	Own(room string, own bool)

	// Gap tells that subscribers of a room here have not got so many messages; -1:
	// nobody knows how many.
	Gap(room string, lost int64, why Why)
}

// Network brings records to other nodes, those of one node to another in their
// order. The record is copied in the call. It returns false if there is no room:
// then it will not arrive.
type Network interface {
	Send(to Peer, r *Record) bool
}

// Director knows where rooms live.
type Director interface {
	// Ask asks where a room lives; Placed or Unplaced follows.
	Ask(room string, create bool)

	// Suspect asks for a look whether a process lives; Dead may follow.
	Suspect(Peer)

	// Enter says that somebody uses a room that this node hosts, and Leave that
	// nobody does any more. Enter is false while the room may be about to be
	// closed: Opened or Shut follows.
	Enter(room string) bool
	Leave(room string)
}

// Foreign knows who hears a channel by a pattern that is bound to no room.
type Foreign interface {
	// Match yields nodes and how many of their clients it is, this one too. A
	// node that has not told its patterns yet hears all, by no client.
	Match(channel []byte, yield func(p Peer, clients int64))

	// Elsewhere reports whether it may yield another node, for some channel.
	Elsewhere() bool

	// Confirmed reports whether a client of this node was told that it hears a
	// channel.
	Confirmed(channel []byte) bool
}

// Config is what a lane needs. All of it is called on the lane's loop.
type Config struct {
	Sink     Sink
	Network  Network
	Director Director
	Foreign  Foreign
	Match    func(pattern, name []byte) bool // a Redis glob
	Start    uint64                          // when this process began, in microseconds
}

// Lane runs the protocol of rooms for those of one event loop. It belongs to
// that loop.
type Lane struct {
	Config

	now      time.Duration
	rooms    map[string]*room
	list     []*room // the same, in an order that does not depend on chance
	dead     map[Peer]bool
	isolated bool

	dirty    []*room // that have something to announce
	alarms   alarms  // when to look at a room again
	untold   []untold
	untoldAt time.Duration // when to try again with those

	// Of all rooms together, so that a room which is forgotten begins with none
	// that others know.
	serial  uint64 // of the last publish or announcement
	attempt uint64 // to send publishes

	pending      int // publishes that wait, and their bytes
	pendingBytes int

	// For one call.
	counting counting
	foreign  func(Peer, int64) // takeForeign
	items    list
	peers    []Peer
	record   Record

	stats Stats
}

// New returns a lane without rooms.
func New(c Config) *Lane {
	l := &Lane{Config: c, rooms: make(map[string]*room), dead: make(map[Peer]bool), untoldAt: never}
	l.foreign = l.takeForeign
	l.begin(c.Start)
	return l
}

// begin has this process use no serial again that an earlier one of its name has
// used: what that had asked may be answered yet. Nobody asks a million times a
// second for long.
func (l *Lane) begin(start uint64) {
	l.Start = start
	l.serial, l.attempt = max(l.serial, start), max(l.attempt, start)
}

// room returns the state of a room, new if there is none.
func (l *Lane) room(name []byte) *room {
	if r := l.rooms[string(name)]; r != nil {
		return r
	}
	r := &room{lane: l, name: string(name), raw: bytes.Clone(name), at: len(l.list), owner: nobody, used: l.now}
	l.rooms[r.name] = r
	l.list = append(l.list, r)
	l.alarm(r, l.now+forgetInterval)
	return r
}

func (l *Lane) forget(r *room) {
	last := len(l.list) - 1
	l.list[r.at], l.list[last].at = l.list[last], r.at
	l.list[last] = nil
	l.list = l.list[:last]
	delete(l.rooms, r.name)
	l.alarms.clear(r)
}

// Receive takes a record of another node. What one says that is taken for dead
// is not heard: it is told so, or tells all again, before it is taken for living.
func (l *Lane) Receive(from Peer, rec *Record) {
	if from == Self || l.dead[from] {
		return
	}
	r := l.rooms[string(rec.Room)]
	if r == nil {
		if r = l.meet(from, rec); r == nil {
			return
		}
	}
	switch rec.Type {
	case Announce:
		r.announced(from, rec)
	case Ack:
		r.acknowledged(from, rec)
	case NotHost:
		r.turnedAway(from, rec)
	case Recall:
		r.recall(from)
	case Publish:
		r.published(from, rec)
		return // nothing waits for that
	case Ordered:
		r.ordered(from, rec)
	case Refuse:
		r.refused(from, rec)
	case Message:
		r.heard(from, rec)
	case Position:
		r.heard(from, rec)
	case Lead:
		r.begins(from, rec)
	case End:
		r.ends(from, rec)
	case Handover:
		r.handed(from, rec)
	case Higher:
		r.hear(rec.Key)
	}
	r.proceed()
}

// meet is for records of rooms of which nothing is known here.
func (l *Lane) meet(from Peer, rec *Record) *room {
	switch rec.Type {
	case Message, Publish, Handover:
		return l.room(rec.Room)
	case Position:
		if rec.Flags&Reset == 0 {
			return l.room(rec.Room)
		}
	case Lead:
		return l.room(rec.Room)
	case Recall:
		l.deny(from, rec.Room, rec.Key)
	case Announce:
		l.send(from, Record{Type: NotHost, Room: rec.Room})
	}
	return nil
}

// deny says that nobody here hears a room: a process before this one may have said
// that somebody does.
func (l *Lane) deny(to Peer, room []byte, key Key) {
	l.serial++
	l.send(to, Record{Type: Announce, Flags: Reset, Room: room, Key: key, Serial: l.serial})
}

// Placed answers Ask: where a room lives. hosts are all of its placement, dead
// ones too, in their order.
func (l *Lane) Placed(name string, epoch placement.Epoch, hosts []Peer) {
	r := l.rooms[name]
	if r == nil {
		return
	}
	r.asked = 0
	if epoch.Compare(r.epoch) > 0 {
		r.place(epoch, hosts)
	} else {
		r.inVain() // nothing newer yet
	}
	r.proceed()
}

// Unplaced answers Ask: the room does not exist, if the code is Done, or nobody
// can say where.
func (l *Lane) Unplaced(name string, code Code) {
	r := l.rooms[name]
	if r == nil {
		return
	}
	r.asked = 0
	if code == Done {
		r.absent()
	} else {
		r.unplaceable(code)
	}
	r.proceed()
	if r.blank() {
		l.forget(r)
	}
}

// Opened tells that this node hosts a room, or under which placement now; or that
// the room will not be closed.
func (l *Lane) Opened(name string, epoch placement.Epoch, hosts []Peer) {
	r := l.room([]byte(name))
	if epoch.Compare(r.served) < 0 {
		return
	}
	r.closing = false
	r.served = epoch
	r.serving = true
	if epoch.Compare(r.epoch) > 0 {
		r.place(epoch, hosts)
	}
	r.readdress()
	r.admit()
	r.succeed()
	r.proceed()
}

// Shut tells that this node hosts a room no more.
func (l *Lane) Shut(name string) {
	if r := l.rooms[name]; r != nil && r.serving {
		r.shut()
		r.proceed()
	}
}

// Dead tells that a process is dead: for certain, or because the cluster has
// agreed on it.
func (l *Lane) Dead(p Peer) {
	if l.dead[p] || p == Self {
		return
	}
	l.dead[p] = true
	for _, r := range l.list {
		r.bury(p)
	}
}

// Alive takes that back.
func (l *Lane) Alive(p Peer) {
	if !l.dead[p] {
		return
	}
	delete(l.dead, p)
	for _, r := range l.list {
		r.rise(p)
	}
}

// Broken tells that what was under way from and to a process may be lost.
func (l *Lane) Broken(p Peer) {
	for _, r := range l.list {
		r.broken(p)
	}
}

// Isolated tells whether this process may have been cut off from the majority:
// then it leads no room, so that the others may.
func (l *Lane) Isolated(yes bool) {
	if l.isolated == yes {
		return
	}
	l.isolated = yes
	for _, r := range l.list {
		r.succeed()
		r.own()
		r.proceed()
	}
}

// PatternsChanged tells that Foreign.Elsewhere may have changed.
func (l *Lane) PatternsChanged() {
	for _, r := range l.list {
		r.own()
	}
}

// Restart tells that the others know this process by another name, which begins
// at start, and nothing of what it has said before. What its clients hear stays.
func (l *Lane) Restart(start uint64) {
	l.begin(start)
	clear(l.dead)
	l.untold, l.untoldAt = nil, never
	for _, r := range l.list {
		r.restart()
	}
}

// Flush ends a tick of the engine: it tells the others what has changed.
func (l *Lane) Flush() {
	for i := 0; i < len(l.dirty); i++ {
		l.dirty[i].issue()
	}
	clear(l.dirty)
	l.dirty = l.dirty[:0]
}

// Next returns when Tick has something to do, unless something happens before.
func (l *Lane) Next() time.Duration { return min(l.alarms.next(), l.untoldAt) }

// Tick tells the time, and looks at what no event tells of.
func (l *Lane) Tick(now time.Duration) {
	l.now = now
	if now >= l.untoldAt {
		l.tellUntold()
	}
	for r := l.alarms.due(now); r != nil; r = l.alarms.due(now) {
		r.look()
	}
}

// alarm has the lane look at a room at a time, or before.
func (l *Lane) alarm(r *room, at time.Duration) { l.alarms.set(r, at) }

// Rooms returns how many rooms the lane knows.
func (l *Lane) Rooms() int { return len(l.list) }

// send sends a record.
func (l *Lane) send(to Peer, r Record) bool {
	l.record = r
	return l.Network.Send(to, &l.record)
}
