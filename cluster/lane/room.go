package lane

import (
	"slices"
	"time"

	"hubsub/cluster/placement"
)

// room is what a node knows of a room that its clients use, or that it hosts.
type room struct {
	// Set once.
	lane *Lane
	name string

	// Where it lives: all hosts of the latest placement that this node has heard
	// of, dead ones too.
	epoch  placement.Epoch
	hosts  []Peer
	lost   bool          // they do not know of it, or are all dead: it is asked for again
	asked  time.Duration // when it was asked for; 0: no question is under way
	askDue time.Duration // when to ask again; 0: not

	// Who gives it its order. The owner is who leads under key, as far as is known,
	// dead or alive.
	key    Key
	owner  Peer
	office office

	// As one of its hosts.
	serving   bool            // the cluster has told so
	served    placement.Epoch // and under which placement
	entered   bool            // the director knows that it is used
	closing   bool            // it may be about to be closed: nobody is confirmed
	audiences []*audience

	// As a node with clients of it.
	local    interest
	position position
	next     *succession
	queue    queue

	used    time.Duration // when somebody last did
	due     time.Duration // when to look at it; 0: never
	gaps    int64         // of clients here
	missing int64         // messages in those of known size
}

// hosted reports whether a node is a host of the room.
func (r *room) hosted(p Peer) bool { return slices.Contains(r.hosts, p) }

// lives reports whether a process is known and not known to be dead.
func (r *room) lives(p Peer) bool { return p != nobody && !r.lane.dead[p] }

// leader returns who leads, this node too; nobody if that is not known.
func (r *room) leader() Peer {
	switch {
	case r.office.leading:
		return Self
	case r.owner != Self && r.lives(r.owner):
		return r.owner
	default:
		return nobody
	}
}

// first returns the first host that is not known to be dead: who leads, or will.
func (r *room) first() Peer {
	for _, h := range r.hosts {
		if r.lives(h) {
			return h
		}
	}
	return nobody
}

// target returns to whom publishes go.
func (r *room) target() Peer {
	if p := r.leader(); p != nobody && r.key.Epoch.Compare(r.epoch) >= 0 {
		return p
	}
	return r.first()
}

// place takes a later placement.
func (r *room) place(epoch placement.Epoch, hosts []Peer) {
	r.epoch, r.hosts, r.lost, r.askDue = epoch, slices.Clone(hosts), false, 0
	r.announceAll()
}

// wantsPlace is for hosts that have not been told yet, or a placement that is not
// made yet.
func (r *room) wantsPlace() {
	if r.first() != nobody {
		r.lost = false
		r.announceAll()
		return
	}
	r.askAgain()
}

// ask asks where the room lives.
func (r *room) ask() {
	if r.asked != 0 {
		return
	}
	r.asked, r.askDue = r.lane.now, 0
	r.queue.covered = len(r.queue.list)
	r.lane.Director.Ask(r.name, r.wanted())
}

// askAgain does so a little later.
func (r *room) askAgain() {
	if r.askDue == 0 {
		r.askDue = r.lane.now + askInterval
		r.lane.alarm(r, r.askDue)
	}
}

// wanted reports whether the room shall be made if it does not exist: somebody
// here hears it, or somebody anywhere by a pattern.
func (r *room) wanted() bool {
	if len(r.local.counts) > 0 {
		return true
	}
	for i := range r.queue.list {
		if p := &r.queue.list[i]; p.kind == Channel && !p.countOnly && r.lane.matched(p.channel) {
			return true
		}
	}
	return false
}

// absent is for a room that does not exist, as of the question.
func (r *room) absent() {
	r.forgetPlace()
	r.queue.absent(r)
	r.proceed()
}

// forgetPlace is for a room that is nowhere.
func (r *room) forgetPlace() {
	if !r.serving {
		r.epoch, r.hosts, r.lost = placement.Epoch{}, nil, false
	}
}

// unplaceable is for a question without an answer.
func (r *room) unplaceable(code Code) {
	r.fail(code)
	r.queue.fail(r, code)
	if len(r.local.counts) > 0 {
		r.askAgain()
	}
}

// proceed goes on with what waited for something that has changed.
func (r *room) proceed() {
	r.confirm()
	r.pump()
	r.own()
	if r.placeless() {
		r.ask()
	}
}

// placeless reports whether somebody waits for a place of the room.
func (r *room) placeless() bool {
	return (r.epoch.IsZero() || r.lost) && r.askDue == 0 && (len(r.local.counts) > 0 || len(r.queue.list) > r.queue.sent)
}

// missed is called when a host says that it is none.
func (r *room) missed(from Peer) {
	if !r.hosted(from) && from != r.owner {
		return
	}
	if r.owner == from {
		r.owner = nobody
	}
	r.lost = r.lost || r.leader() == nobody
	r.local.all = true // it is told all when the room's nodes are reminded
	r.lane.alarm(r, r.lane.now+announceInterval)
	r.askAgain()
}

// bury takes note of a death.
func (r *room) bury(p Peer) {
	r.audiences = slices.DeleteFunc(r.audiences, func(a *audience) bool { return a.peer == p })
	delete(r.local.acked, p)
	r.queue.orphaned(r, p)
	led := r.owner == p
	if led {
		r.settleSuccession()
	}
	if !led && !r.hosted(p) {
		r.leave()
		r.proceed()
		return
	}
	r.succeed()
	if led && !r.office.leading {
		r.announceAll()
	}
	if len(r.hosts) > 0 && r.first() == nobody {
		r.lost = true
		r.askAgain()
	}
	r.leave()
	r.proceed()
}

// broken takes note that a link has lost what was on it.
func (r *room) broken(p Peer) {
	r.queue.orphaned(r, p)
	if a := r.find(p); a != nil {
		a.fresh = false
		if r.office.leading {
			r.tell(p, Lead, Known)
		}
	}
	if r.hosted(p) || r.owner == p {
		r.position.broken = true
		r.announceAll()
	}
	r.proceed()
}

// restart forgets all but what this node's clients hear.
func (r *room) restart() {
	r.step(Key{}, nobody, Moved)
	r.queue.orphaned(r, r.queue.to)
	r.queue.retryAt = 0
	r.epoch, r.hosts, r.lost = placement.Epoch{}, nil, false
	r.asked, r.askDue = 0, 0 // whoever was asked answers no more
	r.serving, r.served, r.entered, r.closing = false, placement.Epoch{}, false, false
	r.audiences = nil
	r.local.serial++
	clear(r.local.acked)
	r.announceAll()
	r.proceed()
}

// gap tells of messages that subscribers here have missed.
func (r *room) gap(lost int64, why Why) {
	r.gaps++
	r.lane.stats.Gaps[why]++
	if lost > 0 {
		r.missing += lost
		r.lane.stats.Lost[why] += lost
	}
	r.lane.Sink.Gap(r.name, lost, why)
}

// look does what is due, and has the lane look again when the next is.
func (r *room) look() {
	l := r.lane
	if l.rooms[r.name] != r {
		return
	}
	if r.askDue > 0 && l.now >= r.askDue {
		r.askDue = 0
		r.ask()
	}
	r.remind()
	if r.next != nil && l.now >= r.next.until {
		r.settleSuccession()
	}
	r.succeed()
	r.queue.expire(r)
	r.catchUp()
	r.proceed()
	if r.forgettable() {
		l.forget(r)
		return
	}
	l.alarm(r, r.lookDue())
}

// lookDue returns when to look next.
func (r *room) lookDue() time.Duration {
	now := r.lane.now
	at := now + restInterval
	sooner := func(t time.Duration) {
		if t > now && t < at {
			at = t
		}
	}
	sooner(r.askDue)
	sooner(r.queue.retryAt)
	if len(r.queue.list) > 0 {
		sooner(r.queue.list[0].since + publishPatience)
	}
	if len(r.local.waits) > 0 || r.local.all {
		sooner(r.local.told + announceInterval)
	}
	if len(r.local.waits) > 0 {
		sooner(r.local.waits[0].led + confirmWithin)
		sooner(r.local.waits[0].since + publishPatience)
	}
	if r.next != nil {
		sooner(r.next.until)
	}
	if r.office.claimed > 0 {
		sooner(r.office.claimed + endWithin)
	}
	for _, a := range r.audiences {
		if a.owed {
			sooner(now + retryInterval)
		}
	}
	return at
}

// forgettable reports whether nothing is lost with the room's state.
func (r *room) forgettable() bool {
	return !r.serving && len(r.local.counts) == 0 && len(r.local.waits) == 0 && len(r.queue.list) == 0 &&
		r.asked == 0 && r.lane.now-r.used >= restInterval
}

func (l *Lane) forget(r *room) {
	r.setOwned(false)
	delete(l.rooms, r.name)
}
