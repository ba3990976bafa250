package placement

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"time"
)

// Settings are the cluster's, as its leader has them.
type Settings struct {
	Replicas int // hosts of a room for which nobody asked otherwise
	MaxRooms int // 0: no limit
}

// Decider is what the leader of the cluster does about rooms: it answers where
// they live, finds hosts for new ones, replaces dead hosts and closes what nobody
// uses. Everything that it decides is an entry of the consensus log before
// anybody hears of it. At most one change of a room is under way at a time.
//
// On a member that does not lead it answers NotLeader.
type Decider struct {
	// Set once.
	table    *Table // changed by the caller, before Applied
	settings Settings

	chooser *chooser
	effects effects

	// In office.
	leading    bool
	term       Term
	serial     uint64 // of the last attempt, proposal, verification or drop
	works      map[string]*work
	creating   int // works that make a new room
	sessions   map[Name]*session
	deadlines  queue[deadline]
	votes      queue[deadline]
	batch      []*work            // that the next Propose commits
	memberOps  []Op               // that it commits besides
	proposed   map[uint64][]*work // by proposal
	answers    []answer           // that wait for Verify
	unverified map[uint64][]answer
	unacked    map[delivery]bool
	resends    queue[delivery]
	dropped    [shardCount]uint64 // when a member was last told to drop a room of each shard, as a serial
	repair     repair
	roll       roll
}

// waiter is a question that waits for a work to end.
type waiter struct {
	from Name
	ask  Ask
}

// answer is Told or Scanned, to whom it goes, and the tag for its order.
type answer struct {
	to  Name
	tag uint64
	m   Message
}

// delivery is an activation that a host has not acknowledged.
type delivery struct {
	host  Name
	room  string
	epoch Epoch
}

// deadline is of one round of a work.
type deadline struct {
	work  *work
	round int
}

// NewDecider returns the decider of the member whose table it is.
func NewDecider(t *Table, s Settings, random *rand.Rand) *Decider {
	s.Replicas = min(max(s.Replicas, 1), HostsMax)
	d := &Decider{table: t, settings: s, chooser: newChooser(t, random)}
	d.reset()
	return d
}

func (d *Decider) reset() {
	d.works, d.creating = make(map[string]*work), 0
	d.sessions = make(map[Name]*session)
	d.proposed = make(map[uint64][]*work)
	d.unverified = make(map[uint64][]answer)
	d.unacked = make(map[delivery]bool)
	d.deadlines, d.votes, d.resends = queue[deadline]{}, queue[deadline]{}, queue[delivery]{}
	d.batch, d.memberOps, d.answers = nil, nil, nil
	d.dropped = [shardCount]uint64{}
	d.repair = repair{deaths: make(map[Name]time.Duration)}
	d.roll = roll{downSince: make(map[Name]time.Duration), returning: make(map[Name]bool)}
	for _, l := range d.chooser.loads {
		l.reserved = 0
		l.accepted()
	}
}

// Gain begins a term. The table must hold everything that was committed before
// it (raft: after a barrier).
func (d *Decider) Gain(now time.Duration, t Term) {
	d.reset()
	d.leading, d.term = true, t
	d.repair.swept, d.roll.swept, d.roll.announced = now, now, now-rosterInterval
}

// Lose ends it. What was proposed may be committed yet, or not.
func (d *Decider) Lose() {
	if !d.leading {
		return
	}
	d.leading = false
	waiting := d.answers
	for _, answers := range d.unverified {
		waiting = append(waiting, answers...)
	}
	for _, k := range d.works {
		for _, w := range k.waiters {
			waiting = append(waiting, answer{w.from, w.ask.Tag, w.ask})
		}
	}
	slices.SortFunc(waiting, func(a, b answer) int {
		return cmp.Or(cmp.Compare(a.tag, b.tag), cmp.Compare(a.to, b.to))
	})
	for _, a := range waiting {
		d.refuse(a.to, a.m, NotLeader)
	}
	d.reset()
}

// Effects takes what is to be done since the last time.
func (d *Decider) Effects() []Effect {
	d.flush()
	return d.effects.take()
}

// flush proposes and verifies what has come together: one entry and one question
// for many rooms.
func (d *Decider) flush() {
	if len(d.batch)+len(d.memberOps) > 0 {
		ops := d.memberOps
		id := d.next()
		for _, k := range d.batch {
			ops = append(ops, k.op())
		}
		d.proposed[id] = d.batch
		d.batch, d.memberOps = nil, nil
		d.effects.add(Propose{id, ops})
	}
	if len(d.answers) > 0 {
		id := d.next()
		d.unverified[id] = d.answers
		d.answers = nil
		d.effects.add(Verify{id})
	}
}

func (d *Decider) next() uint64 {
	d.serial++
	return d.serial
}

// Load takes a node's report of its load, on every member: who leads next has it
// then.
func (d *Decider) Load(now time.Duration, r Report) {
	d.chooser.load(r.Node).take(now, r)
	d.chooser.prune(now)
}

// Receive takes a message that is for the leader.
func (d *Decider) Receive(now time.Duration, from Name, m Message) {
	if !d.leading {
		d.refuse(from, m, NotLeader)
		return
	}
	_, s, known := d.table.Member(from)
	switch m := m.(type) {
	case Join:
		d.join(now, from, m)
	case Ask, Scan: // for a client, who is not to blame if the node is given up
		if known {
			d.question(now, from, m)
		} else {
			d.refuse(from, m, TryAgain) // nothing is remembered of strangers
		}
	default:
		switch _, holds := m.(Holding); {
		case s.Serves():
			d.take(now, from, m)
		case known:
			d.effects.send(from, Gone{d.term})
		case holds: // it was forgotten, or it is not known here yet
			d.effects.send(from, d.roster())
		}
	}
}

func (d *Decider) question(now time.Duration, from Name, m Message) {
	switch m := m.(type) {
	case Ask:
		d.session(from).advance(m.Open)
		d.ask(now, waiter{from, m})
	case Scan:
		d.session(from).advance(m.Open)
		d.scan(from, m)
	}
}

// take takes a message of a member that serves.
func (d *Decider) take(now time.Duration, from Name, m Message) {
	switch m := m.(type) {
	case Leave:
		d.leave(from)
	case Reserved:
		d.reserved(now, from, m)
	case Activated:
		delete(d.unacked, delivery{from, m.Room, m.Epoch})
	case Idle:
		d.idle(now, m)
	case Vote:
		d.vote(now, from, m)
	case Unsure:
		d.unsure(from, m)
	case Holding:
		d.holding(from, m)
	case Listed:
		d.listed(now, from, m)
	}
}

// Tick looks at what no message tells of. It is called when Next says so, and
// after all else that is called or has changed the table.
func (d *Decider) Tick(now time.Duration) {
	if !d.leading {
		return
	}
	d.notice(now)
	for late := range d.deadlines.due(now) {
		if k := late.work; d.works[k.room] == k && k.stage == reserving && k.round == late.round {
			d.silent(now, k)
		}
	}
	for late := range d.votes.due(now) {
		if k := late.work; d.works[k.room] == k && k.stage == voting {
			d.reopen(now, k)
		}
	}
	for again := range d.resends.due(now) {
		d.resend(now, again)
	}
	d.sweep(now)
	d.forget(now)
	d.announce(now)
}

// Next returns when Tick has something to do, unless something happens before: a
// message, a change of the table.
func (d *Decider) Next() time.Duration {
	switch {
	case !d.leading:
		return Never
	case d.roll.noticed != d.table.roster:
		return 0
	}
	next := min(d.deadlines.next(), d.votes.next(), d.resends.next(), d.sweepDue())
	if d.roll.told != d.table.roster {
		next = min(next, d.roll.announced+rosterInterval)
	}
	if len(d.roll.downSince) > 0 {
		next = min(next, d.roll.swept+forgetInterval)
	}
	return next
}

// Applied takes what became of a proposal, after the table did.
func (d *Decider) Applied(now time.Duration, proposal uint64, outcomes []Outcome) {
	works := d.proposed[proposal]
	delete(d.proposed, proposal)
	outcomes = outcomes[len(outcomes)-len(works):] // those of members come first
	for i, k := range works {
		d.committed(now, k, outcomes[i])
	}
}

// Failed says that a proposal has not been and will not be committed, although
// this member leads.
func (d *Decider) Failed(proposal uint64) {
	works := d.proposed[proposal]
	delete(d.proposed, proposal)
	for _, k := range works {
		d.openAgain(k)
		d.giveUp(k, TryAgain)
	}
}

// Verified takes the answer to Verify.
func (d *Decider) Verified(id uint64, leads bool) {
	answers := d.unverified[id]
	delete(d.unverified, id)
	for _, a := range answers {
		if leads {
			d.effects.send(a.to, a.m)
		} else {
			d.refuse(a.to, a.m, NotLeader)
		}
	}
}

// answer tells where a room lives, once it is certain that this member led when
// it looked: another may have been elected and have changed it.
func (d *Decider) answer(w waiter) {
	told := d.told(w.ask.Room)
	told.Tag = w.ask.Tag
	d.sessions[w.from].done[told.Tag] = told
	d.answers = append(d.answers, answer{w.from, told.Tag, told})
}

// scan answers with some of the rooms. A scan has no effect that it could have
// twice, so nothing is remembered of it.
func (d *Decider) scan(from Name, m Scan) {
	if m.Count <= 0 || m.Count > ScanMax {
		m.Count = ScanMax
	}
	next, names := d.table.Scan(m.Cursor, m.Count)
	page := Scanned{Tag: m.Tag, Next: next}
	for _, name := range names {
		page.Rooms = append(page.Rooms, d.told(name))
	}
	d.answers = append(d.answers, answer{from, m.Tag, page})
}

// told is what the table says of a room.
func (d *Decider) told(room string) Told {
	t := Told{Room: room}
	if p, ok := d.table.Room(room); ok {
		t.Epoch, t.Want, t.Keep, t.Pins, t.Names = p.Epoch, p.Want, p.Keep, p.Pins, p.Hosts
		for _, name := range p.Hosts {
			if m, s, _ := d.table.Member(name); s.Serves() {
				t.Hosts = append(t.Hosts, m)
			}
		}
	}
	return t
}

// refuse answers a question, or what would have been its answer, with an error.
func (d *Decider) refuse(to Name, m Message, why Refusal) {
	switch m := m.(type) {
	case Ask:
		d.effects.send(to, Told{Tag: m.Tag, Room: m.Room, Error: why})
	case Told:
		d.effects.send(to, Told{Tag: m.Tag, Room: m.Room, Error: why})
	case Scan:
		d.effects.send(to, Scanned{Tag: m.Tag, Error: why})
	case Scanned:
		d.effects.send(to, Scanned{Tag: m.Tag, Error: why})
	}
}

// activate tells a host of a committed placement, later if the room may be closed
// now: a host that has agreed to that, and was restarted since, would take users.
func (d *Decider) activate(now time.Duration, host Name, room string, p Placement) {
	if k := d.works[room]; k == nil || k.goal != toRemove {
		d.effects.send(host, Activate{d.term, room, p.Epoch, p.Hosts})
	}
	again := delivery{host, room, p.Epoch}
	d.unacked[again] = true
	d.resends.push(now+resendAfter, again)
}

func (d *Decider) resend(now time.Duration, again delivery) {
	if !d.unacked[again] {
		return
	}
	delete(d.unacked, again)
	p, ok := d.table.Room(again.room)
	if ok && p.Epoch == again.epoch && d.table.Serves(again.host) && slices.Contains(p.Hosts, again.host) {
		d.activate(now, again.host, again.room, p)
	}
}
