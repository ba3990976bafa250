package placement

import (
	"slices"
	"time"
)

// ask answers where a room lives, or begins what must be done before.
func (d *Decider) ask(now time.Duration, w waiter) {
	w.ask.Want = w.ask.hosts()
	if !nameFits(w.ask.Room) || !pinsFit(w.ask.Pins) {
		d.refuse(w.from, w.ask, BadRoom)
		return
	}
	s := d.sessions[w.from]
	if s == nil || w.ask.Tag < s.open { // it was forgotten since, or has its answer
		return
	}
	if told, again := s.done[w.ask.Tag]; again {
		d.answers = append(d.answers, answer{w.from, told.Tag, told})
		return
	}
	if k := d.works[w.ask.Room]; k != nil {
		k.waiters = append(k.waiters, w)
		return
	}
	p, exists := d.table.Room(w.ask.Room)
	switch {
	case w.ask.Delete && exists:
		k := &work{room: w.ask.Room, goal: toRemove, prev: p, waiters: []waiter{w}}
		d.begin(k)
		d.commit(k)
	case w.ask.Delete, !exists && !w.ask.Create, exists && d.suits(p, w.ask):
		d.answer(w)
	case !exists && d.crowded():
		d.refuse(w.from, w.ask, TooMany)
	default:
		d.place(now, p, w.ask, w)
	}
}

// crowded reports whether there are as many rooms as there may be.
func (d *Decider) crowded() bool {
	return d.settings.MaxRooms > 0 && d.table.Rooms()+d.creating >= d.settings.MaxRooms
}

// hosts returns how many hosts are asked for, 0 if nothing is said: no more than
// there can be, and at least those that are named.
func (ask *Ask) hosts() int {
	if ask.Want <= 0 && len(ask.Pins) == 0 {
		return 0
	}
	return min(max(ask.Want, len(ask.Pins)), HostsMax)
}

// suits reports whether a placement is what was asked for. Only who configures a
// room wants it otherwise than it is, but everybody wants a living host.
func (d *Decider) suits(p Placement, ask Ask) bool {
	if ask.Keep && (!p.Keep || ask.Want > 0 && ask.Want != p.Want || len(ask.Pins) > 0 && !slices.Equal(ask.Pins, p.Pins)) {
		return false
	}
	return !ask.Create || slices.ContainsFunc(p.Hosts, d.table.Serves)
}

// place begins to give a room the hosts that it wants: those it has, if they are
// alive, and new ones.
func (d *Decider) place(now time.Duration, p Placement, ask Ask, waiters ...waiter) {
	k := &work{room: ask.Room, prev: p, want: p.Want, keep: p.Keep, pins: p.Pins, waiters: waiters}
	if p.Epoch.IsZero() || ask.Keep {
		k.keep = ask.Keep
		if ask.Want > 0 {
			k.want = ask.Want
		}
		if len(ask.Pins) > 0 {
			k.pins = ask.Pins
		}
	}
	if k.want == 0 {
		k.want = d.settings.Replicas
	}
	if len(waiters) > 0 {
		k.near = waiters[0].from
	}
	d.keep(k)
	d.begin(k)
	d.proceed(now, k)
}

// keep has a work keep the room's hosts that are alive, if they are among those
// that shall host it.
func (d *Decider) keep(k *work) {
	for _, host := range k.prev.Hosts {
		if m, s, _ := d.table.Member(host); s.Serves() && len(k.kept) < k.want && k.allows(m) {
			k.kept = append(k.kept, host)
		}
	}
}

// proceed commits the work if it has the hosts, or asks nodes to be such.
func (d *Decider) proceed(now time.Duration, k *work) {
	missing := k.want - len(k.kept) - k.is(yes)
	if missing > 0 && k.round < reserveRounds && d.reserve(now, k, missing) {
		return
	}
	switch hosts := k.hosts(); {
	case len(hosts) == 0 && len(k.pins) > 0 && !d.table.Up(k.pins):
		d.giveUp(k, NoNode)
	case len(hosts) == 0:
		d.giveUp(k, TryAgain)
	case slices.Equal(hosts, k.prev.Hosts) && k.want == k.prev.Want && k.keep == k.prev.Keep && slices.Equal(k.pins, k.prev.Pins):
		// A repair, and there is nobody else. A question does not come here: it
		// begins a work only to change something, or to have a host at all.
		d.release(k, nil)
		d.end(now, k)
	default:
		d.commit(k)
	}
}

// reserve asks n more nodes and reports whether there are any.
func (d *Decider) reserve(now time.Duration, k *work, n int) bool {
	var zones []string
	taken := k.hosts()
	for _, name := range taken {
		m, _, _ := d.table.Member(name)
		zones = append(zones, m.Zone)
	}
	not := func(name Name) bool {
		if len(k.waiters) == 0 && now < d.chooser.load(name).refuses {
			return true
		}
		return slices.Contains(k.kept, name) || slices.ContainsFunc(k.asked, func(c candidacy) bool { return c.name == name })
	}
	chosen := d.chooser.choose(now, n, not, k.pins, zones, k.near)
	if len(chosen) == 0 {
		return false
	}
	k.round++
	for _, name := range chosen {
		k.asked = append(k.asked, candidacy{name: name})
		d.chooser.load(name).reserved++
		d.effects.send(name, Reserve{k.attempt, k.room})
	}
	d.deadlines.push(now+reserveWait, deadline{k, k.round})
	return true
}

// reserved takes a candidate's answer.
func (d *Decider) reserved(now time.Duration, from Name, m Reserved) {
	k := d.works[m.Room]
	if k == nil || k.attempt != m.Attempt || k.stage != reserving {
		return // it frees the place by itself in a while
	}
	answer := no
	if m.Yes {
		answer = yes
		d.chooser.load(from).accepted()
	} else {
		d.chooser.load(from).refused(now)
	}
	if k.take(from, answer) && k.is(silent) == 0 {
		d.proceed(now, k)
	}
}

// silent ends a round: who has not answered is not waited for.
func (d *Decider) silent(now time.Duration, k *work) {
	for i := range k.asked {
		if k.asked[i].answer == silent {
			k.asked[i].answer = no
			d.chooser.load(k.asked[i].name).refused(now)
		}
	}
	d.proceed(now, k)
}

// release frees the places of those that were asked and are no hosts now, and
// counts the others as given.
func (d *Decider) release(k *work, hosts []Name) {
	if k.goal == toRemove {
		return
	}
	for _, c := range k.asked {
		d.chooser.load(c.name).reserved--
		if slices.Contains(hosts, c.name) {
			d.chooser.given(c.name)
		} else {
			d.effects.send(c.name, Release{k.attempt, k.room})
		}
	}
}
