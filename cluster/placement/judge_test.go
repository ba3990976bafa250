package placement

import (
	"maps"
	"slices"
	"strings"
)

// judge sees everything and says what must not be.
type judge struct {
	world    *world
	table    *Table // as of the log's end
	placed   map[key]([]Name)
	accepted map[acceptance]bool // that were not used by a placement yet
}

type key struct {
	room  string
	epoch Epoch
}

type acceptance struct {
	host Name
	room string
}

func newJudge(w *world) *judge {
	return &judge{world: w, table: NewTable(), placed: make(map[key][]Name), accepted: make(map[acceptance]bool)}
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

// commit looks at an entry as it comes to the log: a room that is closed because
// nobody uses it must not be in use, every host must have accepted, and epochs
// must grow.
func (j *judge) commit(e entry) []Outcome {
	w := j.world
	before := make([]Placement, len(e.ops))
	for i, op := range e.ops {
		before[i], _ = j.table.Room(op.Room)
	}
	outcomes := j.table.Apply(e.index, e.ops)
	for i, op := range e.ops {
		w.trace("entry %d: %+v %v", e.index, op, outcomes[i])
		switch {
		case outcomes[i] != Done:
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
			for _, host := range after.Hosts {
				if slices.Contains(before[i].Hosts, host) {
					continue
				}
				if !j.accepted[acceptance{host, op.Room}] {
					w.fail("%v: %s did not accept", k, host)
				}
				delete(j.accepted, acceptance{host, op.Room})
			}
		}
	}
	return outcomes
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
	serving := 0
	j.table.EachMember(func(m Member, s State, _ int) {
		switch p := j.process(m.Name); {
		case s.Serves() && p == nil:
			w.fail("%s is %v, and dead", m.Name, s)
		case s.Serves():
			serving++
		}
	})
	if serving != len(w.slots) {
		w.fail("%d members of %d serve", serving, len(w.slots))
	}
	for _, p := range w.slots {
		if p.applied != len(w.raft.log) {
			w.fail("%s applied %d entries of %d", p.name, p.applied, len(w.raft.log))
		}
		for _, room := range slices.Sorted(maps.Keys(p.decider.works)) {
			w.fail("%s is at work on %s", p.name, room)
		}
		for room, r := range p.host.rooms {
			if at, ok := j.table.Room(room); !ok || !slices.Contains(at.Hosts, p.name) || at.Epoch != r.epoch {
				w.fail("%s serves %s under %v; committed is %v on %v", p.name, room, r.epoch, at.Epoch, at.Hosts)
			}
			if r.closing {
				w.fail("%s is closing %s", p.name, room)
			}
		}
		if n := len(p.front.open); n > 0 {
			w.fail("%s has %d questions open", p.name, n)
		}
	}
	for shard := range shardCount {
		j.table.EachIn(shard, func(room string, at Placement) {
			if want := min(at.Want, serving); len(at.Hosts) != want {
				w.fail("%s has %d hosts and wants %d", room, len(at.Hosts), want)
			}
			for _, host := range at.Hosts {
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
