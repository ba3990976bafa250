package placement

import (
	"slices"
	"strings"
)

// judge sees everything and says what must not be.
type judge struct {
	world    *world
	table    *Table // as of the log's end
	placed   map[key]([]Name)
	accepted map[acceptance]bool
	deletes  map[string]int       // of each room
	boots    map[string]uint64    // the highest of each node
	rosters  map[Epoch][]Standing // that were ever right
}

type key struct {
	room  string
	epoch Epoch
}

type acceptance struct {
	host    Name
	room    string
	attempt Attempt
}

func newJudge(w *world) *judge {
	return &judge{
		world: w, table: NewTable(), placed: make(map[key][]Name), accepted: make(map[acceptance]bool),
		deletes: make(map[string]int), boots: make(map[string]uint64), rosters: make(map[Epoch][]Standing),
	}
}

// process returns the living process of a name, or nil.
func (j *judge) process(name Name) *process {
	for _, p := range j.world.slots {
		if p.name == name && p.alive {
			return p
		}
	}
	return nil
}

// proposed looks at what a leader proposes: every new host must have accepted, by
// an answer to the attempt that made it one.
func (j *judge) proposed(p *process, e Propose) {
	for _, k := range p.decider.proposed[e.ID] {
		if k.goal == toRemove {
			continue
		}
		for _, host := range k.hosts() {
			if !slices.Contains(k.prev.Hosts, host) && !j.accepted[acceptance{host, k.room, k.attempt}] {
				j.world.fail("%s: %s did not accept by %v", k.room, host, k.attempt)
			}
		}
	}
}

// commit looks at an entry as it comes to the log: a room that is closed because
// nobody uses it must not be in use, epochs must grow, the dead must stay dead,
// and who is forgotten must not be named.
func (j *judge) commit(e entry) []Outcome {
	w := j.world
	before := make([]Placement, len(e.ops))
	for i, op := range e.ops {
		before[i], _ = j.table.Room(op.Room)
	}
	outcomes := j.table.Apply(e.index, e.ops)
	for i, op := range e.ops {
		w.trace("entry %d: %+v %v", e.index, op, outcomes[i])
		if op.Kind == DeleteRoom && outcomes[i] == Done {
			j.deletes[op.Room]++
		}
		switch {
		case outcomes[i] != Done:
		case op.Kind == PutMember:
			if op.Member.Boot <= j.boots[op.Member.ID] {
				w.fail("%s is back from the dead", op.Member.Name)
			}
			j.boots[op.Member.ID] = op.Member.Boot
		case op.Kind == Forget:
			j.named()
		case op.Kind == DeleteRoom && strings.HasPrefix(op.Room, "i"):
			for _, host := range before[i].Hosts {
				if p := j.process(host); p != nil && j.table.Serves(host) && p.users[op.Room] > 0 {
					w.fail("%s is closed while %d use it at %s", op.Room, p.users[op.Room], host)
				}
			}
		case op.Kind == PutRoom:
			after, _ := j.table.Room(op.Room)
			if before[i].Epoch.IsZero() {
				w.clients.made(op.Room)
			}
			if before[i].Epoch.Compare(after.Epoch) >= 0 {
				w.fail("%s: epoch %v after %v", op.Room, after.Epoch, before[i].Epoch)
			}
			k := key{op.Room, after.Epoch}
			if hosts, ok := j.placed[k]; ok {
				w.fail("%v was placed on %v before", k, hosts)
			}
			j.placed[k] = after.Hosts
		}
	}
	j.rosters[j.table.roster] = j.table.Roster().Members
	return outcomes
}

// named checks that all hosts are members.
func (j *judge) named() {
	for shard := range shardCount {
		j.table.EachIn(shard, func(room string, at Placement) {
			for _, host := range at.Hosts {
				if _, _, known := j.table.Member(host); !known {
					j.world.fail("%s lives on %v, of which %q is forgotten", room, at.Hosts, host)
				}
			}
		})
	}
}

// knows checks what a process learns of the members.
func (j *judge) knows(p *process) {
	r := p.host.Roster()
	if r.Epoch.Compare(p.roster) < 0 {
		j.world.fail("%s takes the members as of %v, after %v", p.name, r.Epoch, p.roster)
	}
	p.roster = r.Epoch
	same := func(a, b Standing) bool { return a.Member.Name == b.Member.Name && a.State == b.State }
	if !slices.EqualFunc(r.Members, j.rosters[r.Epoch], same) {
		j.world.fail("%s takes %v for the members as of %v, which were %v", p.name, r.Members, r.Epoch, j.rosters[r.Epoch])
	}
}

// told checks what a client will be told: hosts of a committed placement, in
// their order.
func (j *judge) told(m Told) {
	if m.Epoch.IsZero() {
		return
	}
	hosts, ok := j.placed[key{m.Room, m.Epoch}]
	if !ok {
		j.world.fail("told of %s under %v, which was never committed", m.Room, m.Epoch)
	}
	for _, told := range m.Hosts {
		at := slices.Index(hosts, told.Name)
		if at < 0 {
			j.world.fail("told %v of %s under %v, which has %v", m.Hosts, m.Room, m.Epoch, j.placed[key{m.Room, m.Epoch}])
			return
		}
		hosts = hosts[at+1:]
	}
}

// opened checks what a host serves.
func (j *judge) opened(p *process, e Open) {
	hosts, ok := j.placed[key{e.Room, e.Epoch}]
	if !ok || !slices.Equal(hosts, e.Hosts) || !slices.Contains(hosts, p.name) {
		j.world.fail("%s serves %s under %v with %v; committed is %v", p.name, e.Room, e.Epoch, e.Hosts, hosts)
	}
	if p.dropped[e.Room].Compare(e.Epoch) > 0 {
		j.world.fail("%s serves %s under %v, and was told to drop it as of %v", p.name, e.Room, e.Epoch, p.dropped[e.Room])
	}
}

// rest checks that everything has come to rest after the faults.
func (j *judge) rest() {
	w := j.world
	serving, members := 0, 0
	j.table.EachMember(func(m Member, s State, _ int) {
		members++
		switch p := j.process(m.Name); {
		case s.Serves() && p == nil:
			w.fail("%s is %v, and dead", m.Name, s)
		case s.Serves():
			serving++
		}
	})
	if serving != len(w.slots) || members != serving {
		w.fail("%d members, of which %d serve, of %d nodes", members, serving, len(w.slots))
	}
	for _, p := range w.slots {
		if p.applied != len(w.raft.log) {
			w.fail("%s applied %d entries of %d", p.name, p.applied, len(w.raft.log))
		}
		if p.host.roster.Epoch != j.table.roster || p.host.standing != inside {
			w.fail("%s has the members as of %v, not %v", p.name, p.host.roster.Epoch, j.table.roster)
		}
		j.idle(p)
		for room, r := range p.host.rooms {
			if at, ok := j.table.Room(room); !ok || !slices.Contains(at.Hosts, p.name) || at.Epoch != r.epoch {
				w.fail("%s serves %s under %v; committed is %v on %v", p.name, room, r.epoch, at.Epoch, at.Hosts)
			}
			if r.closing {
				w.fail("%s is closing %s", p.name, room)
			}
		}
	}
	for shard := range shardCount {
		j.table.EachIn(shard, func(room string, at Placement) {
			want, pinned := min(at.Want, serving), 0
			for _, p := range w.slots {
				if slices.Contains(at.Pins, p.member().ID) {
					pinned++
				}
			}
			if len(at.Pins) > 0 {
				want = min(want, pinned)
			}
			if len(at.Hosts) != want {
				w.fail("%s has %d hosts and wants %d", room, len(at.Hosts), want)
			}
			for _, host := range at.Hosts {
				if m, _, _ := j.table.Member(host); len(at.Pins) > 0 && !slices.Contains(at.Pins, m.ID) {
					w.fail("%s is on %s and shall be on %v", room, host, at.Pins)
				}
				if p := j.process(host); p == nil || p.host.rooms[room] == nil {
					w.fail("%s is placed on %s, which does not serve it", room, host)
				}
			}
		})
	}
	for tag, q := range w.clients.asked {
		w.fail("question %d, %+v, has no answer", tag, q.ask)
	}
}

// idle checks that a process remembers nothing that is over.
func (j *judge) idle(p *process) {
	w, d := j.world, p.decider
	empty := func(what string, n int) {
		if n > 0 {
			w.fail("%s has %d %s left", p.name, n, what)
		}
	}
	empty("works", len(d.works)+d.creating)
	empty("proposals", len(d.proposed)+len(d.batch)+len(d.memberOps))
	empty("answers", len(d.answers)+len(d.unverified))
	empty("activations", len(d.unacked)+len(d.resends.waiting))
	empty("deadlines", len(d.deadlines.waiting)+len(d.votes.waiting))
	empty("dead", len(d.roll.downSince)+len(d.roll.parting))
	empty("places", len(p.host.reserved))
	empty("questions", len(p.front.asked)+len(p.front.rooms)+len(p.front.sends))
	for name := range d.repair.deaths { // of the living: a false alarm, which the next one clears away
		if j.process(name) == nil {
			w.fail("%s remembers the death of %s", p.name, name)
		}
	}
	for name := range d.sessions {
		if j.process(name) == nil {
			w.fail("%s has a session of %s", p.name, name)
		}
	}
	for name, l := range d.chooser.loads {
		if j.process(name) == nil || l.reserved != 0 {
			w.fail("%s has %d rooms reserved by %s", p.name, l.reserved, name)
		}
	}
}
