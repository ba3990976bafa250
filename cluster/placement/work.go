package placement

import (
	"slices"
	"time"
)

// work is the one change of a room that is under way.
type work struct {
	room    string
	goal    goal
	stage   stage
	attempt Attempt
	round   int
	waiters []waiter

	prev  Placement // the one to be replaced; its epoch is zero if there is none
	want  int
	keep  bool
	pins  []string
	near  Name // where the client is that asked first
	kept  []Name
	asked []candidacy // in the order in which they shall be hosts; of a removal: who votes
}

type goal uint8

const (
	toPlace goal = iota
	toRemove
)

type stage uint8

const (
	reserving stage = iota
	voting
	committing
)

// candidacy is what one node was asked and has answered.
type candidacy struct {
	name   Name
	answer reply
}

type reply uint8

const (
	silent reply = iota // so far
	yes
	no // or too late
)

func (k *work) is(r reply) (n int) {
	for _, c := range k.asked {
		if c.answer == r {
			n++
		}
	}
	return n
}

// hosts returns who hosts the room when the work is done.
func (k *work) hosts() []Name {
	hosts := slices.Clone(k.kept)
	for _, c := range k.asked {
		if c.answer == yes && len(hosts) < k.want {
			hosts = append(hosts, c.name)
		}
	}
	return hosts
}

// allows reports whether a node may host the room, which may be pinned to some.
func (k *work) allows(m Member) bool {
	return len(k.pins) == 0 || slices.Contains(k.pins, m.ID)
}

// take notes an answer and reports whether it was waited for.
func (k *work) take(from Name, is reply) bool {
	for i := range k.asked {
		if c := &k.asked[i]; c.name == from && c.answer == silent {
			c.answer = is
			return true
		}
	}
	return false
}

func (k *work) op() Op {
	if k.goal == toRemove {
		return Op{Kind: DeleteRoom, Room: k.room, Prev: k.prev.Epoch}
	}
	return Op{Kind: PutRoom, Room: k.room, Prev: k.prev.Epoch, Hosts: k.hosts(), Want: k.want, Keep: k.keep, Pins: k.pins}
}

// begin makes a work the room's.
func (d *Decider) begin(k *work) {
	k.attempt = Attempt{d.term, d.next()}
	d.works[k.room] = k
	if k.prev.Epoch.IsZero() {
		d.creating++
	}
}

// done takes it away.
func (d *Decider) done(k *work) {
	delete(d.works, k.room)
	if k.prev.Epoch.IsZero() {
		d.creating--
	}
}

// end takes it away. The table says what has become of it.
func (d *Decider) end(now time.Duration, k *work) {
	d.done(k)
	for _, w := range k.waiters {
		d.ask(now, w)
	}
}

func (d *Decider) giveUp(k *work, why Refusal) {
	d.release(k, nil)
	d.done(k)
	for _, w := range k.waiters {
		d.refuse(w.from, w.ask, why)
	}
}

// commit lets the next entry of the log hold the change.
func (d *Decider) commit(k *work) {
	k.stage = committing
	d.batch = append(d.batch, k)
}

// committed is called when the entry is in the table.
func (d *Decider) committed(now time.Duration, k *work, is Outcome) {
	switch {
	case k.goal == toRemove && is == Done:
		for _, host := range k.prev.Hosts {
			d.drop(host, k.room, d.table.Now())
		}
		d.end(now, k)
	case k.goal == toRemove:
		d.reopen(now, k)
	case is == Done:
		p, _ := d.table.Room(k.room)
		d.release(k, p.Hosts)
		for _, host := range p.Hosts {
			d.activate(now, host, k.room, p)
		}
		for _, host := range k.prev.Hosts {
			if !slices.Contains(p.Hosts, host) {
				d.drop(host, k.room, p.Epoch)
			}
		}
		d.end(now, k)
	case is == Stale:
		d.release(k, nil)
		d.end(now, k)
	default: // a host has died meanwhile
		d.giveUp(k, TryAgain)
	}
}
