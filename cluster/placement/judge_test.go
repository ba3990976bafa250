package placement

import (
	"maps"
	"slices"
	"strings"
)

// judge sees everything and says what must not be.
type judge struct {
	world    *world
	placed   map[key]([]Name)
	accepted map[acceptance]bool
	claims   map[claim]claimed
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

// claim is that a member says it has a room, to a leader of some generation.
type claim struct {
	raft *ideal
	host Name
	room string
}

type claimed struct {
	epoch   Epoch
	deletes int // of the room in that generation until then
}

func newJudge(w *world) *judge {
	return &judge{
		world: w, placed: make(map[key][]Name), accepted: make(map[acceptance]bool),
		claims: make(map[claim]claimed), rosters: make(map[Epoch][]Standing),
	}
}

// process returns the living process of a name, or nil.
func (j *judge) process(name Name) *process {
	for _, p := range j.world.slots {
		if p != nil && p.name == name && p.alive {
			return p
		}
	}
	return nil
}

// listed takes note of what a host says it has.
func (j *judge) listed(p *process, to Name, m Listed) {
	if leader := j.process(to); leader != nil {
		for room, epoch := range m.Rooms {
			j.claims[claim{leader.raft, p.name, room}] = claimed{epoch, leader.raft.deletes[room]}
		}
	}
}

// drops checks that no host has to drop a room that its leader's generation has
// never had, unless it has agreed to close it.
func (j *judge) drops(leader *process, host Name, m Drop) {
	p := j.process(host)
	if p == nil || p.host.rooms[m.Room] == nil || p.host.rooms[m.Room].closing {
		return
	}
	if r := leader.raft; !r.had[m.Room] {
		j.world.fail("%s has to drop %s as of %v, which generation %d has never had", host, m.Room, m.Epoch, r.generation)
	}
}

// proposed looks at what a leader proposes: every new host must have accepted, by
// an answer to the attempt that made it one, or have the room from an earlier
// generation, and say so since somebody deleted it.
func (j *judge) proposed(p *process, e Propose) {
	w := j.world
	for _, k := range p.decider.proposed[e.ID] {
		if k.goal == toRemove {
			continue
		}
		for _, host := range k.hosts() {
			if slices.Contains(k.prev.Hosts, host) || j.accepted[acceptance{host, k.room, k.attempt}] {
				continue
			}
			switch c, has := j.claims[claim{p.raft, host, k.room}]; {
			case !has:
				w.fail("%s: %s did not accept by %v", k.room, host, k.attempt)
			case p != p.raft.leader || p.decider.term != p.raft.office(): // it will not be agreed on
			case c.epoch.Generation >= p.raft.generation:
				w.fail("%s is adopted from %s, which has it from %v", k.room, host, c.epoch)
			case k.prev.Epoch.IsZero() && c.deletes != p.raft.deletes[k.room]:
				w.fail("%s is adopted from %s, and was deleted since that listed it", k.room, host)
			}
		}
	}
}

// commit looks at an entry as it comes to the log: a room that is closed because
// nobody uses it must not be in use, epochs must grow, the dead must stay dead
// unless they are resumed, and who is forgotten must not be named.
func (j *judge) commit(r *ideal, e entry) []Outcome {
	w := j.world
	before := make([]Placement, len(e.ops))
	boots := maps.Clone(r.boots)
	for i, op := range e.ops {
		before[i], _ = r.table.Room(op.Room)
	}
	outcomes := r.truth.apply(e)
	for i, op := range e.ops {
		w.trace("generation %d, entry %d: %+v %v", r.generation, e.index, op, outcomes[i])
		switch {
		case outcomes[i] != Done:
		case op.Kind == BeginGeneration:
			for shard := range shardCount {
				r.table.EachIn(shard, func(room string, at Placement) { j.place(room, Epoch{}, at) })
			}
		case op.Kind == PutMember:
			if p := j.process(op.Member.Name); op.Member.Boot <= boots[op.Member.ID] && (p == nil || !p.resumed) {
				w.fail("%s is back from the dead", op.Member.Name)
			}
		case op.Kind == SetState && op.State == Up && e.ops[0].Kind != BeginGeneration:
			j.returns(r, op.Member.Name)
		case op.Kind == Forget:
			j.named(r)
		case op.Kind == DeleteRoom && strings.HasPrefix(op.Room, "i"):
			for _, host := range before[i].Hosts {
				if p := j.process(host); p != nil && r.table.Serves(host) && p.uses(op.Room, r) {
					w.fail("%s is closed while %d use it at %s", op.Room, p.users[op.Room], host)
				}
			}
		case op.Kind == PutRoom:
			after, _ := r.table.Room(op.Room)
			if before[i].Epoch.IsZero() {
				w.clients.made(r, op.Room, after.Hosts)
			}
			j.place(op.Room, before[i].Epoch, after)
		}
	}
	j.rosters[r.table.roster] = r.table.Roster().Members
	return outcomes
}

// place notes a placement that is agreed on.
func (j *judge) place(room string, before Epoch, after Placement) {
	if before.Compare(after.Epoch) >= 0 {
		j.world.fail("%s: epoch %v after %v", room, after.Epoch, before)
	}
	k := key{room, after.Epoch}
	if hosts, ok := j.placed[k]; ok {
		j.world.fail("%v was placed on %v before", k, hosts)
	}
	j.placed[k] = after.Hosts
}

// uses reports whether clients use a room at the process, which has it from a
// generation. One that was restarted has forgotten who leads, and may have it from
// somebody who does no more.
func (p *process) uses(room string, r *ideal) bool {
	hosted := p.host.rooms[room]
	misled := p.resumed && p.host.term.Compare(r.office()) < 0
	return p.users[room] > 0 && hosted != nil && hosted.epoch.Generation == r.generation && !misled
}

// returns checks who is a member again: one that was restarted under its name, and
// is the only process of its node.
func (j *judge) returns(r *ideal, name Name) {
	back, _, _ := r.table.Member(name)
	if p := j.process(name); p != nil && !p.resumed {
		j.world.fail("%s is a member again, and was not restarted", name)
	}
	r.table.EachMember(func(m Member, s State, _ int) {
		if m.ID == back.ID && m.Name != name && s.Serves() {
			j.world.fail("%s is a member again, beside %s", name, m.Name)
		}
	})
}

// givenUp checks that who comes back under its name keeps it until it is a member
// again: who takes it for dead has not heard of it. And nobody is given up by another
// generation.
func (j *judge) givenUp(p *process) {
	if p.source != p.raft {
		j.world.fail("%s is of generation %d, and was given up by %d", p.name, p.raft.generation, p.source.generation)
	}
	if p.resumed && !p.inside {
		j.world.fail("%s is back, and was given up before it was a member again", p.name)
	}
}

// named checks that all hosts are members.
func (j *judge) named(r *ideal) {
	for shard := range shardCount {
		r.table.EachIn(shard, func(room string, at Placement) {
			for _, host := range at.Hosts {
				if _, _, known := r.table.Member(host); !known {
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
	p.roster, p.inside = r.Epoch, p.inside || p.host.standing == inside
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

// rest checks that everything has come to rest after the faults, in one generation.
func (j *judge) rest() {
	w := j.world
	raft := w.slots[0].raft
	serving, members := 0, 0
	raft.table.EachMember(func(m Member, s State, _ int) {
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
		if p.raft != raft {
			w.fail("%s is of generation %d, and others of %d", p.name, p.raft.generation, raft.generation)
		}
		if p.applied != len(raft.log) {
			w.fail("%s applied %d entries of %d", p.name, p.applied, len(raft.log))
		}
		if p.host.roster.Epoch != raft.table.roster || p.host.standing != inside {
			w.fail("%s has the members as of %v, not %v", p.name, p.host.roster.Epoch, raft.table.roster)
		}
		j.idle(p)
		for room, r := range p.host.rooms {
			if at, ok := raft.table.Room(room); !ok || !slices.Contains(at.Hosts, p.name) || at.Epoch != r.epoch {
				w.fail("%s serves %s under %v; committed is %v on %v", p.name, room, r.epoch, at.Epoch, at.Hosts)
			}
			if r.closing {
				w.fail("%s is closing %s", p.name, room)
			}
		}
	}
	for shard := range shardCount {
		raft.table.EachIn(shard, func(room string, at Placement) {
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
				if m, _, _ := raft.table.Member(host); len(at.Pins) > 0 && !slices.Contains(at.Pins, m.ID) {
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
	empty("dead", len(d.roll.downSince)+len(d.roll.parting)+len(d.roll.returning))
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
