package placement

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// process is one run of a node.
type process struct {
	world *world
	slot  int
	boot  int
	name  Name

	alive   bool
	durable bool          // comes back under its name, if it was not given up
	since   time.Duration // when it was started
	resumed bool          // has come back
	inside  bool          // has known itself as a member
	paused  time.Duration // until then
	shy     bool          // takes no new rooms
	drains  bool          // says that it wants none

	raft    *ideal // the generation that it is of
	table   *Table
	decider *Decider
	host    *Host
	front   *Front
	applied int    // entries of the log
	source  *ideal // the generation of the last message
	heard   map[Name]time.Duration
	users   map[string]int
	dropped map[string]Epoch // as of which it was told that it is no host
	roster  Epoch            // of the one it has
}

// start has a process run; the one before it on its node is dead.
func (w *world) start(p *process, raft *ideal, tags uint64) {
	if old := w.slots[p.slot]; old != nil {
		old.alive = false
	}
	p.world, p.since, p.alive, p.raft = w, w.now, true, raft
	p.name = Name(fmt.Sprintf("n%d/%d", p.slot, p.boot))
	p.table, p.heard = NewTable(), make(map[Name]time.Duration)
	p.users, p.dropped = make(map[string]int), make(map[string]Epoch)
	p.decider = NewDecider(p.table, Settings{Replicas: 2, MaxRooms: 30}, rand.New(rand.NewPCG(w.random.Uint64(), 2)))
	p.host = NewHost(p.name, func(room string) bool { return p.users[room] > 0 }, func() bool { return p.shy })
	p.front = NewFront(rand.New(rand.NewPCG(w.random.Uint64(), 3)), tags)
	w.slots[p.slot] = p
	w.trace("%s starts, in generation %d, resumed: %v", p.name, raft.generation, p.resumed)
	p.host.Join(p.member(), Report{Node: p.name}, p.resumed)
}

// boot starts a process of a node under a new name.
func (w *world) boot(slot int, durable bool) {
	boot := 1
	if old := w.slots[slot]; old != nil {
		boot = old.boot + 1
	}
	p := &process{slot: slot, boot: boot, durable: durable}
	w.start(p, w.home(slot), 0)
	p.raft.install(p)
	p.raft.deliver(p)
}

// resume starts one under the name of the last, which knows what consensus had
// stored of the log.
func (w *world) resume(old *process) {
	p := &process{slot: old.slot, boot: old.boot, durable: true, resumed: true}
	w.start(p, old.raft, old.front.serial)
	p.raft.catchUp(p, w.random.IntN(old.applied+1))
	p.raft.deliver(p)
}

// restart does what the node's operator does when a process has ended.
func (w *world) restart(p *process) {
	if p.durable {
		w.resume(p)
	} else {
		w.boot(p.slot, false)
	}
}

// restartLater does so in a while.
func (w *world) restartLater(p *process, d time.Duration) {
	w.after(d, func() {
		if !p.alive && w.slots[p.slot] == p {
			w.restart(p)
		}
	})
}

// leave lets a process end in order.
func (p *process) leave() {
	w := p.world
	w.trace("%s leaves", p.name)
	p.host.Leave()
	w.after(w.between(time.Second, 5*time.Second), p.exit) // it does not wait for ever
}

func (p *process) exit() {
	if p.alive {
		p.alive = false
		p.world.restartLater(p, p.world.between(100*time.Millisecond, 2*time.Second))
	}
}

// giveUp has a process begin anew, as another one.
func (p *process) giveUp() {
	if p.alive {
		p.world.boot(p.slot, p.durable)
	}
}

// member is how the process describes itself.
func (p *process) member() Member {
	return Member{Name: p.name, Boot: uint64(p.boot), ID: fmt.Sprintf("n%d", p.slot), Weight: 1 + p.slot%2, Zone: fmt.Sprintf("z%d", p.slot%3)}
}

// runs reports whether the process is alive and not hung.
func (p *process) runs() bool { return p.alive && p.paused <= p.world.now }

// awake runs f on the process when it can: at once, or at the end of its pause.
func (p *process) awake(f func()) {
	switch {
	case !p.alive:
	case p.paused > p.world.now:
		p.world.after(p.paused-p.world.now, func() { p.awake(f) })
	default:
		f()
		p.bring()
	}
}

// bring does what the deciding parts want done.
func (p *process) bring() {
	for _, part := range []func() []Effect{p.decider.Effects, p.host.Effects, p.front.Effects} {
		for _, e := range part() {
			p.do(e)
		}
	}
}

func (p *process) do(e Effect) {
	w := p.world
	switch e := e.(type) {
	case Send:
		switch m := e.Message.(type) {
		case Listed:
			w.judge.listed(p, e.To, m)
		case Drop:
			w.judge.drops(p, e.To, m)
		}
		w.send(p, e.To, e.Message)
	case Propose:
		w.judge.proposed(p, e)
		p.raft.propose(p, e)
	case Verify:
		p.raft.verify(p, e.ID)
	case Open:
		w.judge.opened(p, e)
	case Shut:
		delete(p.users, e.Room)
	case Rejoin:
		w.trace("%s was given up", p.name)
		w.judge.givenUp(p)
		w.after(0, p.giveUp)
	case Parted:
		w.after(0, p.exit)
	case Members:
		w.judge.knows(p)
	case Answer:
		w.clients.answered(e, p.source)
	case Page:
		w.clients.paged(e, p.source)
	}
}

func (p *process) receive(from Name, raft *ideal, m Message) {
	w := p.world
	w.trace("%s ← %s %T%+v", p.name, from, m, m)
	p.source = raft
	switch m := m.(type) {
	case Told:
		w.judge.told(m)
		p.front.Receive(m)
	case Scanned:
		for _, told := range m.Rooms {
			w.judge.told(told)
		}
		p.front.Receive(m)
	case Drop:
		p.host.Receive(w.now, from, m)
		if m.Term == p.host.term && m.Epoch.Compare(p.dropped[m.Room]) > 0 {
			p.dropped[m.Room] = m.Epoch
		}
	case Reserve, Release, Activate, MayClose, Reopen, List, Gone, Roster:
		p.host.Receive(w.now, from, m)
	default:
		if r, ok := m.(Reserved); ok && r.Yes {
			w.judge.accepted[acceptance{from, r.Room, r.Attempt}] = true
		}
		p.decider.Receive(w.now, from, m)
	}
}

// tick is what drivers do all the time.
func (w *world) tick() {
	for slot := range w.slots {
		p := w.slots[slot]
		if !p.runs() {
			continue
		}
		w.alarm(p, "decider", p.decider.Next, p.decider.Tick, p.decider.Effects)
		w.alarm(p, "host", p.host.Next, p.host.Tick, p.host.Effects)
		w.alarm(p, "front", p.front.Next, p.front.Tick, p.front.Effects)
		if w.now/simTick%10 == 0 {
			w.gossip(p)
			w.greet(p)
		}
		p.bring()
	}
	for _, r := range w.generations {
		r.watch()
	}
}

// alarm calls Tick of one part. One that is early, as in every other world, must
// have nothing to do.
func (w *world) alarm(p *process, part string, next func() time.Duration, tick func(time.Duration), effects func() []Effect) {
	early := w.now < next()
	if early && w.punctual {
		return
	}
	tick(w.now)
	for _, e := range effects() {
		if early {
			w.fail("%s: the %s does %T%+v before its time", p.name, part, e, e)
		}
		p.do(e)
	}
}

// gossip is the failure detector: who is in reach, how busy, and who leads.
func (w *world) gossip(p *process) {
	for _, other := range w.slots {
		if other.raft == p.raft && other.runs() && w.reach(p.slot, other.slot) && !w.chance(w.loss) {
			p.heard[other.name] = w.now
			p.decider.Load(w.now, Report{Node: other.name, Seq: w.serial, CPU: w.random.Float64(), Rooms: other.host.Rooms(), Draining: other.drains})
		}
	}
	if w.chance(0.3) {
		switch leader := p.raft.leader; {
		case leader != nil && w.reach(p.slot, leader.slot):
			p.follow(leader.name)
		case w.chance(0.1):
			p.follow("")
		}
	}
	p.table.EachMember(func(m Member, s State, _ int) {
		if at, ever := p.heard[m.Name]; s.Serves() && (ever && w.now-at > 3*time.Second) {
			p.decider.Die(w.now, m.Name)
		} else if !ever {
			p.heard[m.Name] = w.now
		}
	})
}

// follow tells the process who leads.
func (p *process) follow(leader Name) {
	p.host.Leader(leader)
	p.front.Leader(p.world.now, leader)
}
