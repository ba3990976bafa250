package placement

import (
	"maps"
	"slices"
)

// Placement says where a room lives.
type Placement struct {
	Epoch Epoch
	Hosts []Name // the leader first
	Want  int    // how many hosts it shall have
	Keep  bool   // configured by somebody: stays when nobody uses it
	Pins  []string
}

// Table is what the cluster has agreed on: its members, and where each room
// lives. It changes only by Apply, with the entries of the consensus log, so it
// is the same on every voter. Not safe for concurrent use.
type Table struct {
	cluster    string
	generation uint32
	index      uint64 // of the last entry

	members []member // by place
	byName  map[Name]place
	roster  Epoch // of the last entry that changed the members
	rooms   int
	short   int // rooms with fewer hosts than they want, whoever is alive
	shards  [shardCount]map[string]room
	pins    map[string][]string // of rooms with pinned hosts, which are few

	// What a snapshot reads: copied before it is changed.
	frozen     [shardCount]bool
	pinsFrozen bool
}

// place is a member's number in the table, so that a room's hosts take two
// bytes each. It is given again when no room names the member any more.
type place uint16

type member struct {
	Member
	state State
	rooms int // that name it
	holds *digests
	free  bool
}

// room is a placement as a million of them are kept.
type room struct {
	epoch Epoch
	hosts [HostsMax]place
	n     uint8
	want  uint8
	keep  bool
}

// NewTable returns an empty table.
func NewTable() *Table {
	t := &Table{byName: make(map[Name]place), pins: make(map[string][]string)}
	for i := range t.shards {
		t.shards[i] = make(map[string]room)
	}
	return t
}

// Now returns an epoch that is later than those of all entries applied, and
// earlier than that of any other.
func (t *Table) Now() Epoch { return Epoch{t.generation, t.index} }

// Generation returns the cluster's generation, 0 before it has begun.
func (t *Table) Generation() uint32 { return t.generation }

// Cluster returns the cluster's id, empty before it has begun.
func (t *Table) Cluster() string { return t.cluster }

// Rooms returns how many rooms there are.
func (t *Table) Rooms() int { return t.rooms }

// Room returns where a room lives; ok is false if it does not exist.
func (t *Table) Room(name string) (p Placement, ok bool) {
	r, ok := t.shards[shardOf(name)][name]
	if !ok {
		return p, false
	}
	return t.placement(name, &r), true
}

func (t *Table) placement(name string, r *room) Placement {
	p := Placement{Epoch: r.epoch, Want: int(r.want), Keep: r.keep, Pins: t.pins[name], Hosts: make([]Name, r.n)}
	for i, at := range r.hosts[:r.n] {
		p.Hosts[i] = t.members[at].Name
	}
	return p
}

// EachIn calls yield for the rooms of one shard, 0 to shardCount-1, in no order.
func (t *Table) EachIn(shard int, yield func(name string, p Placement)) {
	for name, r := range t.shards[shard] {
		yield(name, t.placement(name, &r))
	}
}

// EachLacking does so for those that have fewer living hosts than they want and
// than there can be.
func (t *Table) EachLacking(shard, most int, yield func(name string, p Placement)) {
	for name, r := range t.shards[shard] {
		living := 0
		for _, at := range r.hosts[:r.n] {
			if t.members[at].state.Serves() {
				living++
			}
		}
		if living < min(int(r.want), most) {
			yield(name, t.placement(name, &r))
		}
	}
}

// Member returns a member and its state; ok is false if the table has none of
// that name.
func (t *Table) Member(name Name) (m Member, s State, ok bool) {
	at, ok := t.byName[name]
	if !ok {
		return m, Left, false
	}
	return t.members[at].Member, t.members[at].state, true
}

// Newest returns the latest process of a node, and its state; its name is empty if
// the table has none.
func (t *Table) Newest(id string) (m Member, s State) {
	for i := range t.members {
		if other := &t.members[i]; !other.free && other.ID == id && (m.Name == "" || other.Boot > m.Boot) {
			m, s = other.Member, other.state
		}
	}
	return m, s
}

// outdated reports whether a process is not newer than all that are known of its
// node: what it says is late, and the dead stay dead.
func (t *Table) outdated(m Member) bool {
	newest, _ := t.Newest(m.ID)
	return newest.Name != "" && newest.Boot >= m.Boot
}

// newestIs reports whether a process is the latest of its node.
func (t *Table) newestIs(m Member) bool {
	newest, _ := t.Newest(m.ID)
	return newest.Name == m.Name
}

// EachMember calls yield for each member with the number of rooms that name it,
// in the order of places.
func (t *Table) EachMember(yield func(m Member, s State, rooms int)) {
	for i := range t.members {
		if m := &t.members[i]; !m.free {
			yield(m.Member, m.state, m.rooms)
		}
	}
}

// RosterEpoch returns the epoch of the entry that changed the members last.
func (t *Table) RosterEpoch() Epoch { return t.roster }

// Roster returns the members. Its term is for who leads to fill in.
func (t *Table) Roster() Roster {
	r := Roster{Epoch: t.roster, Cluster: t.cluster}
	t.EachMember(func(m Member, s State, _ int) { r.Members = append(r.Members, Standing{m, s}) })
	return r
}

// forgettable reports whether nothing needs to know a member any more.
func (t *Table) forgettable(name Name) bool {
	at, ok := t.byName[name]
	return !ok || !t.members[at].state.Serves() && t.members[at].rooms == 0
}

// Serves reports whether clients may be sent to a member.
func (t *Table) Serves(name Name) bool {
	_, s, ok := t.Member(name)
	return ok && s.Serves()
}

// Up reports whether one of the nodes with these ids may be given rooms.
func (t *Table) Up(ids []string) bool {
	return slices.ContainsFunc(t.members, func(m member) bool { return !m.free && m.state == Up && slices.Contains(ids, m.ID) })
}

// Digests returns what a member hosts, by shard.
func (t *Table) Digests(name Name) (d [shardCount]Digest) {
	if at, ok := t.byName[name]; ok && t.members[at].holds != nil {
		return *t.members[at].holds
	}
	return d
}

// put enters a room, or replaces it.
func (t *Table) put(name string, r room, pins []string) {
	t.remove(name)
	t.thaw(shardOf(name))[name] = r
	if len(pins) > 0 {
		t.thawPins()[name] = slices.Clone(pins)
	}
	t.count(name, &r, +1)
}

// renew gives all rooms the epoch of this entry: of the generation before there may
// be later ones than the table knows, and clients and hosts that do.
func (t *Table) renew() {
	for shard := range t.shards {
		for name, r := range t.shards[shard] {
			t.count(name, &r, -1)
			r.epoch = t.Now()
			t.count(name, &r, +1)
			t.thaw(shard)[name] = r
		}
	}
}

func (t *Table) remove(name string) {
	r, ok := t.shards[shardOf(name)][name]
	if !ok {
		return
	}
	t.count(name, &r, -1)
	delete(t.thaw(shardOf(name)), name)
	if _, pinned := t.pins[name]; pinned {
		delete(t.thawPins(), name)
	}
}

// thaw returns a shard to be changed.
func (t *Table) thaw(shard int) map[string]room {
	if t.frozen[shard] {
		t.shards[shard], t.frozen[shard] = maps.Clone(t.shards[shard]), false
	}
	return t.shards[shard]
}

func (t *Table) thawPins() map[string][]string {
	if t.pinsFrozen {
		t.pins, t.pinsFrozen = maps.Clone(t.pins), false
	}
	return t.pins
}

// count adds the room to the table's numbers and to what its hosts have, or takes
// it away.
func (t *Table) count(name string, r *room, by int) {
	t.rooms += by
	if r.n < r.want {
		t.short += by
	}
	for _, at := range r.hosts[:r.n] {
		m := &t.members[at]
		m.rooms += by
		if m.holds == nil {
			m.holds = new(digests)
		}
		m.holds.change(name, r.epoch, by)
	}
}
