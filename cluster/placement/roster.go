package placement

import (
	"maps"
	"slices"
	"time"
)

// roll is what the leader remembers about members besides the table.
type roll struct {
	noticed   Epoch                  // of the roster that the rest is right for
	serving   int                    // members that do
	downSince map[Name]time.Duration // those that do not, and when that was noticed
	parting   []Name                 // of them, who was not told yet
	returning map[Name]bool          // of them, who says that it is resumed
	told      Epoch                  // of the roster that all were sent
	announced time.Duration          // when
	swept     time.Duration          // when those to forget were looked for
}

// join makes a process a member. If it is one it is told so; if the cluster knows
// it as dead, or a newer process of its node, it is told that, unless it is
// resumed.
func (d *Decider) join(now time.Duration, from Name, ask Join) {
	m := ask.Member
	if from != m.Name || !m.fits() {
		return
	}
	if ask.Load.Node == from {
		d.Load(now, ask.Load)
	}
	_, s, known := d.table.Member(from)
	switch {
	case known && s.Serves():
		d.effects.send(from, d.roster())
	case known && ask.Resumed && d.table.newestIs(m):
		d.revive(from)
	case known, d.table.outdated(m):
		d.effects.send(from, d.roster())
		d.effects.send(from, Gone{d.term})
	default:
		d.memberOps = append(d.memberOps, Op{Kind: PutMember, Member: m})
	}
}

// revive proposes that a member is up again, as soon as no room that names it is
// being closed: it was not asked, and may have users since. It joins again and
// again, and meanwhile no such room begins to be closed.
func (d *Decider) revive(name Name) {
	d.roll.returning[name] = true
	for _, k := range d.works {
		if k.goal == toRemove && slices.Contains(k.prev.Hosts, name) {
			return
		}
	}
	d.memberOps = append(d.memberOps, Op{Kind: SetState, Member: Member{Name: name}, State: Up})
}

// leave notes that a member ends in order.
func (d *Decider) leave(from Name) {
	d.memberOps = append(d.memberOps, Op{Kind: SetState, Member: Member{Name: from}, State: Left})
}

func (d *Decider) roster() Roster {
	r := d.table.Roster()
	r.Term = d.term
	return r
}

// notice looks at the members when they have changed, and lets go of what was
// known about those that the table has forgotten.
func (d *Decider) notice(now time.Duration) {
	r := &d.roll
	if r.noticed == d.table.roster {
		return
	}
	first := r.noticed.IsZero()
	r.noticed, r.serving = d.table.roster, 0
	d.table.EachMember(func(m Member, s State, _ int) {
		if s.Serves() {
			r.serving++
			delete(r.downSince, m.Name) // it was, and has come back
			delete(r.returning, m.Name)
			return
		}
		if _, known := r.downSince[m.Name]; !known {
			r.downSince[m.Name] = now
			d.repair.hurry = max(d.repair.hurry, now+repairDelay+sweepHurry)
			if !first {
				r.parting = append(r.parting, m.Name)
			}
		}
	})
	gone := func(name Name) bool {
		_, _, known := d.table.Member(name)
		return !known
	}
	maps.DeleteFunc(r.downSince, func(name Name, _ time.Duration) bool { return gone(name) })
	maps.DeleteFunc(r.returning, func(name Name, _ bool) bool { return gone(name) })
	maps.DeleteFunc(d.repair.deaths, func(name Name, _ time.Duration) bool { return gone(name) })
	maps.DeleteFunc(d.sessions, func(name Name, _ *session) bool { return gone(name) })
}

// announce tells all members who they are, those too that have just ceased to be.
// Members that come in a crowd are told of together.
func (d *Decider) announce(now time.Duration) {
	r := &d.roll
	if r.told == d.table.roster || now-r.announced < rosterInterval {
		return
	}
	r.told, r.announced = d.table.roster, now
	roster := d.roster()
	for _, m := range roster.Members {
		if m.State.Serves() {
			d.effects.send(m.Member.Name, roster)
		}
	}
	for _, name := range r.parting {
		d.effects.send(name, roster)
	}
	r.parting = nil
}

// forget proposes to forget the dead that no room names: at once if a newer
// process of the node is a member, else, since the node counts as one of the
// cluster, when it had its time to come back.
func (d *Decider) forget(now time.Duration) {
	r := &d.roll
	if len(r.downSince) == 0 || now-r.swept < forgetInterval {
		return
	}
	r.swept = now
	d.table.EachMember(func(m Member, s State, _ int) {
		if s.Serves() || !d.table.forgettable(m.Name) {
			return
		}
		patience := downFor
		if s == Left {
			patience = leftFor
		}
		if newest, _ := d.table.Newest(m.ID); newest.Boot > m.Boot || now-r.downSince[m.Name] >= patience {
			d.memberOps = append(d.memberOps, Op{Kind: Forget, Member: Member{Name: m.Name}})
		}
	})
}

// haunted reports whether rooms name the dead.
func (d *Decider) haunted() bool {
	for name := range d.roll.downSince {
		if !d.table.forgettable(name) {
			return true
		}
	}
	return false
}
