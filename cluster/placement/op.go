package placement

import "slices"

// Op is one change of the table. An entry of the consensus log holds many, none
// two of one room. Fields that a kind does not use are zero.
type Op struct {
	Kind OpKind

	// PutRoom, DeleteRoom.
	Room  string
	Prev  Epoch // that the room must have; zero: it must not exist
	Hosts []Name
	Want  int
	Keep  bool
	Pins  []string

	// PutMember; Name of it alone for the others about members.
	Member Member
	State  State

	// BeginGeneration.
	Generation uint32
	Cluster    string // its id, which the first one sets
}

// OpKind says what an Op does.
type OpKind uint8

const (
	PutRoom OpKind = iota + 1
	DeleteRoom
	PutMember       // a process joins; an earlier one of the same node is dead
	SetState        // of a member
	Forget          // a dead member that no room names
	BeginGeneration // all rooms get new epochs
)

// Outcome is what became of an Op.
type Outcome uint8

const (
	Done      Outcome = iota
	Stale             // the room's epoch is another
	Refused           // a host is not there or dead, or the op makes no sense
	Unchanged         // so it was before
)

func (o Outcome) String() string {
	return [...]string{"done", "stale", "refused", "unchanged"}[o]
}

// Apply takes the entry with this index, which grows from entry to entry, and
// returns what became of each op. It is the same on every voter.
func (t *Table) Apply(index uint64, ops []Op) []Outcome {
	t.index = index
	outcomes := make([]Outcome, len(ops))
	for i := range ops {
		outcomes[i] = t.apply(&ops[i])
	}
	return outcomes
}

func (t *Table) apply(op *Op) Outcome {
	switch op.Kind {
	case PutRoom:
		return t.putRoom(op)
	case DeleteRoom:
		if r, ok := t.shards[shardOf(op.Room)][op.Room]; !ok || r.epoch != op.Prev {
			return Stale
		}
		t.remove(op.Room)
		return Done
	case PutMember:
		return t.putMember(op.Member)
	case SetState:
		return t.setState(op.Member.Name, op.State)
	case Forget:
		return t.forget(op.Member.Name)
	case BeginGeneration:
		if len(op.Cluster) > memberTextMax {
			return Refused
		}
		if op.Generation <= t.generation {
			return Unchanged
		}
		t.generation, t.roster = op.Generation, Epoch{op.Generation, t.index}
		if t.cluster == "" {
			t.cluster = op.Cluster
		}
		t.renew()
		return Done
	default: // of a later version: skipped by all who do not know it
		return Refused
	}
}

func (t *Table) putRoom(op *Op) Outcome {
	old := t.shards[shardOf(op.Room)][op.Room] // zero if it does not exist
	if old.epoch != op.Prev {
		return Stale
	}
	if !nameFits(op.Room) || !pinsFit(op.Pins) || len(op.Hosts) == 0 || len(op.Hosts) > HostsMax || op.Want < 1 || op.Want > HostsMax {
		return Refused
	}
	r := room{epoch: t.Now(), n: uint8(len(op.Hosts)), want: uint8(op.Want), keep: op.Keep}
	for i, name := range op.Hosts {
		at, ok := t.byName[name]
		if !ok || slices.Contains(r.hosts[:i], at) {
			return Refused
		}
		// One that has the room may be dead by now: it is replaced in its turn.
		if t.members[at].state != Up && !slices.Contains(old.hosts[:old.n], at) {
			return Refused
		}
		r.hosts[i] = at
	}
	t.put(op.Room, r, op.Pins)
	return Done
}

// nameFits reports whether a room may have this name.
func nameFits(room string) bool { return room != "" && len(room) <= RoomNameMax }

// pinsFit reports whether a room may be pinned to these nodes.
func pinsFit(ids []string) bool {
	return len(ids) <= HostsMax && !slices.ContainsFunc(ids, tooLong)
}

func tooLong(text string) bool { return len(text) > memberTextMax }

// fits reports whether a process may be a member.
func (m *Member) fits() bool {
	return m.Name != "" && m.ID != "" && m.Weight >= 1 && m.Weight <= weightMax && len(m.Clients) <= clientsMax &&
		!slices.ContainsFunc(m.Clients, tooLong) &&
		!slices.ContainsFunc([]string{string(m.Name), m.ID, m.Cluster, m.Zone}, tooLong)
}

func (t *Table) putMember(m Member) Outcome {
	if !m.fits() {
		return Refused
	}
	if _, ok := t.byName[m.Name]; ok {
		return Unchanged
	}
	if t.outdated(m) {
		return Refused
	}
	at := -1
	for i := range t.members {
		switch other := &t.members[i]; {
		case other.free:
			if at < 0 {
				at = i
			}
		case other.ID == m.ID && other.state.Serves():
			other.state = Down
		}
	}
	if at < 0 {
		if len(t.members) == membersMax {
			return Refused
		}
		at = len(t.members)
		t.members = append(t.members, member{})
	}
	t.members[at] = member{Member: m}
	t.byName[m.Name] = place(at)
	t.roster = t.Now()
	return Done
}

func (t *Table) setState(name Name, s State) Outcome {
	at, ok := t.byName[name]
	if !ok {
		return Refused
	}
	m := &t.members[at]
	switch {
	case s > Left:
		return Refused
	case m.state == s:
		return Unchanged
	case !m.state.Serves() && (s != Up || !t.newestIs(m.Member)): // only who is resumed comes back
		return Refused
	}
	m.state = s
	t.roster = t.Now()
	return Done
}

func (t *Table) forget(name Name) Outcome {
	at, ok := t.byName[name]
	if !ok {
		return Unchanged
	}
	if !t.forgettable(name) {
		return Refused
	}
	t.members[at] = member{free: true}
	delete(t.byName, name)
	t.roster = t.Now()
	return Done
}
