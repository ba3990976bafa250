package placement

import (
	"slices"
	"time"
)

// Host is what a node knows of the rooms that it hosts. It serves a room only if
// it was told a committed placement that names it, and obeys no leader of an
// earlier term than one that it has heard of.
type Host struct {
	// Set once.
	self  Name
	inUse func(room string) bool // by clients of this node
	full  func() bool            // this node takes no more rooms

	effects  effects
	term     Term
	leader   Name // who gave the last order
	rooms    map[string]*hosted
	reserved map[string]Attempt
	places   queue[reservation]
	buried   map[string]Epoch
	graves   queue[grave]
	unsure   queue[doubt]
	holds    digests
	reported time.Duration
	roster   Roster
	member   Member // that this node wants to be; its name is empty if it was not told to join
	load     Report // what it does already
	leaving  bool
	resumed  bool // the process was a member before it was restarted
	standing standing
	asked    time.Duration // when it last said that it wants to join or leave
	outdated Outdated
}

// Outdated counts messages that a host has refused. A few come late when the
// leader changes, or overtake each other.
type Outdated struct {
	Terms  int64 // orders of a leader that is none any more, or of another generation
	Epochs int64 // placements and rosters that later ones have replaced, or of another generation
}

// hosted is one room.
type hosted struct {
	epoch   Epoch
	hosts   []Name
	closing bool    // agreed to close it, and takes no user
	attempt Attempt // by which it was asked to
}

type reservation struct {
	room    string
	attempt Attempt
}

type grave struct {
	room  string
	epoch Epoch
}

type doubt struct {
	room    string
	attempt Attempt
}

// NewHost returns a node's side. inUse tells whether clients use a room here,
// full whether the node wants no more rooms.
func NewHost(self Name, inUse func(room string) bool, full func() bool) *Host {
	return &Host{
		self: self, inUse: inUse, full: full,
		rooms: make(map[string]*hosted), reserved: make(map[string]Attempt), buried: make(map[string]Epoch),
	}
}

// Effects takes what is to be done since the last time.
func (h *Host) Effects() []Effect { return h.effects.take() }

// Hosts returns the placement under which this node serves a room; ok is false
// if it does not. While open is false no client may begin to use it: the room is
// about to be closed, and either Open or Shut follows.
func (h *Host) Hosts(room string) (epoch Epoch, hosts []Name, open, ok bool) {
	r := h.rooms[room]
	if r == nil {
		return Epoch{}, nil, false, false
	}
	return r.epoch, r.hosts, !r.closing, true
}

// Rooms returns how many rooms this node hosts or keeps a place for.
func (h *Host) Rooms() int { return len(h.rooms) + len(h.reserved) }

// Outdated returns how many messages came too late.
func (h *Host) Outdated() Outdated { return h.outdated }

// Roster returns the members of the cluster, as the leader told last; it is not
// changed any more.
func (h *Host) Roster() Roster { return h.roster }

// Receive takes a message from the leader.
func (h *Host) Receive(now time.Duration, from Name, m Message) {
	switch m := m.(type) {
	case Reserve:
		if h.heeds(from, m.Attempt.Term) {
			h.reserve(now, from, m)
		}
	case Release:
		if h.reserved[m.Room] == m.Attempt {
			delete(h.reserved, m.Room)
		}
	case Activate:
		if h.heeds(from, m.Term) {
			h.activate(from, m)
		}
	case Drop:
		if h.heeds(from, m.Term) {
			h.drop(now, m)
		}
	case MayClose:
		if h.heeds(from, m.Attempt.Term) {
			h.mayClose(now, from, m)
		}
	case Reopen:
		if r := h.rooms[m.Room]; h.heeds(from, m.Term) && r != nil && r.closing && r.attempt == m.Attempt {
			h.open(m.Room, r)
		}
	case List:
		if h.heeds(from, m.Attempt.Term) {
			h.list(from, m)
		}
	case Roster:
		if h.foreign(from, m.Term) {
			h.outdated.Epochs++
			return
		}
		h.obeys(from, m.Term) // it is no order, but tells who leads
		h.learn(m)
	case Gone:
		if !h.foreign(from, m.Term) && !h.returning() { // to whom a roster tells if it is too late
			h.depart()
		}
	}
}

// heeds is obeys for orders, and counts those that it refuses.
func (h *Host) heeds(from Name, t Term) bool {
	if !h.obeys(from, t) {
		h.outdated.Terms++
		return false
	}
	return true
}

// obeys reports whether a message is from the leader, or one that may be.
func (h *Host) obeys(from Name, t Term) bool {
	if t.Compare(h.term) < 0 || h.foreign(from, t) {
		return false
	}
	if t != h.term {
		h.reported = 0 // the new leader shall know soon
	}
	h.term, h.leader = t, from
	return true
}

// foreign reports whether a term is of another generation than this node, which
// takes part in one until it begins the next itself. Two that meet over connections
// from before cannot tell which will last; the processes settle it when they greet.
func (h *Host) foreign(from Name, t Term) bool {
	return h.term.Generation > 0 && t.Generation != h.term.Generation && from != h.self
}

func (h *Host) reserve(now time.Duration, from Name, m Reserve) {
	yes := !h.full()
	if yes {
		h.reserved[m.Room] = m.Attempt
		h.places.push(now+reservedFor, reservation{m.Room, m.Attempt})
	}
	h.effects.send(from, Reserved{m.Attempt, m.Room, yes})
}

func (h *Host) activate(from Name, m Activate) {
	r := h.rooms[m.Room]
	switch {
	case !slices.Contains(m.Hosts, h.self):
		return
	case h.buried[m.Room].Compare(m.Epoch) > 0:
		h.outdated.Epochs++
		return
	case r == nil:
		r = &hosted{}
		h.rooms[m.Room] = r
	case r.epoch.Compare(m.Epoch) > 0:
		h.outdated.Epochs++
		return
	case r.epoch == m.Epoch: // again: its acknowledgement was lost
		h.effects.send(from, Activated{m.Room, m.Epoch})
		return
	default:
		h.holds.change(m.Room, r.epoch, -1)
	}
	h.holds.change(m.Room, m.Epoch, +1)
	r.epoch, r.hosts = m.Epoch, m.Hosts
	delete(h.reserved, m.Room)
	h.open(m.Room, r)
	h.effects.send(from, Activated{m.Room, m.Epoch})
}

func (h *Host) open(room string, r *hosted) {
	r.closing, r.attempt = false, Attempt{}
	h.effects.add(Open{room, r.epoch, r.hosts})
}

func (h *Host) drop(now time.Duration, m Drop) {
	if h.buried[m.Room].Compare(m.Epoch) < 0 {
		h.buried[m.Room] = m.Epoch
		h.graves.push(now+buriedFor, grave{m.Room, m.Epoch})
	}
	switch r := h.rooms[m.Room]; {
	case r == nil:
	case r.epoch.Compare(m.Epoch) < 0:
		h.holds.change(m.Room, r.epoch, -1)
		delete(h.rooms, m.Room)
		h.effects.add(Shut{m.Room})
	default:
		h.outdated.Epochs++
	}
}

// Idle tells that a room is not used here any more.
func (h *Host) Idle(room string) {
	if r := h.rooms[room]; r != nil && !r.closing && h.leader != "" && !h.inUse(room) {
		h.effects.send(h.leader, Idle{room, r.epoch})
	}
}

func (h *Host) mayClose(now time.Duration, from Name, m MayClose) {
	r := h.rooms[m.Room]
	if r == nil || r.epoch != m.Epoch {
		// It was not told yet, or told more: it cannot promise anything about that epoch.
		h.effects.send(from, Vote{m.Attempt, m.Room, m.Epoch, false})
		return
	}
	if r.closing && m.Attempt.before(r.attempt) {
		return // late: its end may be on the way, and would open what a later one wants closed
	}
	yes := r.closing || !h.inUse(m.Room)
	if yes {
		r.closing, r.attempt = true, m.Attempt
		h.unsure.push(now+closingFor, doubt{m.Room, m.Attempt})
	}
	h.effects.send(from, Vote{m.Attempt, m.Room, m.Epoch, yes})
}

func (h *Host) list(from Name, m List) {
	var wanted [shardCount]map[string]Epoch
	for _, shard := range m.Shards {
		if shard >= 0 && shard < shardCount {
			wanted[shard] = make(map[string]Epoch)
		}
	}
	for name, r := range h.rooms {
		if rooms := wanted[shardOf(name)]; rooms != nil {
			rooms[name] = r.epoch
		}
	}
	for shard, rooms := range wanted {
		if rooms != nil {
			h.effects.send(from, Listed{m.Attempt, shard, rooms})
		}
	}
}

// Leader tells who leads the cluster, as far as is known here; empty if nobody.
func (h *Host) Leader(name Name) {
	if h.leader != name {
		h.leader, h.reported = name, 0
	}
}

// Next returns when Tick has something to do, unless something happens before.
func (h *Host) Next() time.Duration {
	next := min(h.places.next(), h.graves.next(), h.unsure.next())
	if h.leader == "" {
		return next
	}
	if !h.returning() {
		next = min(next, h.reportDue())
	}
	if h.wants() != nil {
		next = min(next, h.askDue())
	}
	return next
}

// reportDue returns when to tell the leader what this node hosts.
func (h *Host) reportDue() time.Duration {
	if h.reported == 0 {
		return 0
	}
	return h.reported + digestInterval
}

// Tick looks at what no message tells of. It is called when Next says so, and
// after all else that is called.
func (h *Host) Tick(now time.Duration) {
	for late := range h.places.due(now) {
		if h.reserved[late.room] == late.attempt {
			delete(h.reserved, late.room)
		}
	}
	for old := range h.graves.due(now) {
		if h.buried[old.room] == old.epoch {
			delete(h.buried, old.room)
		}
	}
	for late := range h.unsure.due(now) {
		if r := h.rooms[late.room]; r != nil && r.closing && r.attempt == late.attempt {
			h.unsure.push(now+closingFor, late)
			if h.leader != "" {
				h.effects.send(h.leader, Unsure{late.attempt, late.room, r.epoch})
			}
		}
	}
	if h.leader == "" {
		return
	}
	if m := h.wants(); m != nil && now >= h.askDue() {
		h.asked = now
		h.effects.send(h.leader, m)
	}
	if now >= h.reportDue() && !h.returning() {
		h.reported = now
		h.effects.send(h.leader, Holding{slices.Clone(h.holds[:]), h.roster.Epoch})
	}
}
