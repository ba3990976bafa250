package lane

import (
	"slices"
	"time"

	"hubsub/cluster/placement"
	"hubsub/ring"
)

// room is what a node knows of a room that its clients use, or that it hosts.
type room struct {
	// Set once.
	lane *Lane
	name string
	raw  []byte // the name, for records
	at   int    // its place in lane.list

	whereabouts

	// Who gives it its order. The owner is who leads under key, as far as is known,
	// dead or alive.
	key    Key
	hint   Key // a higher key, perhaps, whose owner has not said so yet
	office office
	owner  Peer

	// As one of its hosts.
	serving   bool            // the cluster has told so
	entered   bool            // the director knows that it is used
	closing   bool            // it may be about to be closed: nobody is confirmed
	served    placement.Epoch // under which it serves
	audiences []*audience

	// As a node with clients of it.
	missed   bool // clients here have missed something, and are not told yet
	why      Why
	local    interest
	position position
	next     *succession
	queue    *queue // nil: nothing ever waited

	used    time.Duration // when somebody last did
	meter   *ring.Meter   // messages that this node has ordered or heard; nil: none
	due     time.Duration // when to look at it; 0: never
	alarm   int           // its place in lane.alarms, while it is there
	gaps    int64         // of clients here
	missing int64         // messages in those of known size
}

// text returns the name of a channel to keep: mostly it is the room's.
func (r *room) text(channel []byte) string {
	if string(channel) == r.name {
		return r.name
	}
	return string(channel)
}

// proceed goes on with what waited for something that has changed.
func (r *room) proceed() {
	r.confirm()
	r.pump()
	r.own()
	r.seek()
}

// bury takes note of a death.
func (r *room) bury(p Peer) {
	r.audiences = slices.DeleteFunc(r.audiences, func(a *audience) bool { return a.peer == p })
	r.orphaned(p)
	if r.owner == p && r.next != nil {
		r.settleSuccession()
	}
	if r.hosted(p) || r.owner == p {
		r.queue.resume()
		r.readdress()
		r.succeed()
		if len(r.hosts) > 0 && r.first() == nobody {
			r.stale = true
		}
	}
	r.leave()
	r.proceed()
}

// rise takes note that one lives after all, which may have forgotten everything.
func (r *room) rise(p Peer) {
	if r.office.leading { // it may hear anything, and has missed what came since
		a := r.audience(p)
		a.owed = !r.tell(a, Lead, 0)
		r.questionAt(a, r.lane.now+announceInterval)
		r.own()
	}
	if r.hosted(p) || r.owner == p {
		r.readdress()
		r.proceed()
	}
}

// broken takes note that a link has lost what was on it.
func (r *room) broken(p Peer) {
	r.orphaned(p)
	if a := r.find(p); a != nil {
		a.whole, a.fresh, a.filling = false, false, false
		r.own()
		if r.office.leading {
			a.owed = !r.tell(a, Lead, Known)
		}
		r.question(a)
	}
	if r.owner == p {
		r.position.broken = true
	}
	if r.local.reader(p) != nil {
		r.local.renew(p)
		r.announce()
	}
	r.proceed()
}

// restart forgets all but what this node's clients hear.
func (r *room) restart() {
	r.follow(Key{}, nobody, false, Moved)
	r.hint = Key{}
	if r.queue != nil {
		r.orphaned(r.queue.to)
	}
	r.whereabouts = whereabouts{}
	r.serving, r.served, r.entered, r.closing = false, placement.Epoch{}, false, false
	r.audiences, r.office.refused = nil, nil
	r.local.address(nil, nil)
	r.proceed()
}

// look does what is due, and has the lane look again when the next is.
func (r *room) look() {
	l := r.lane
	if r.next != nil && l.now >= r.next.until {
		r.settleSuccession()
	}
	r.succeed()
	r.giveUp()
	r.expire()
	r.catchUp()
	r.questionAll()
	r.rest()
	r.proceed()
	if r.local.next() <= l.now && !r.silent() {
		r.announce()
	}
	if r.forgettable() {
		l.forget(r)
		return
	}
	if at := r.lookDue(); at < never {
		l.alarm(r, at)
	}
}

// lookDue returns when to look next, whatever else there may be an alarm for.
func (r *room) lookDue() time.Duration {
	now := r.lane.now
	at := time.Duration(never)
	sooner := func(t time.Duration) {
		if t > now && t < at {
			at = t
		}
	}
	if !r.queue.empty() {
		sooner(r.queue.at(0).since + publishPatience)
	}
	if len(r.local.waits) > 0 {
		w := &r.local.waits[0]
		sooner(w.since + publishPatience)
		sooner(w.led + confirmWithin)
	}
	if !r.silent() {
		sooner(r.local.next())
	}
	if r.next != nil {
		sooner(r.next.until)
	}
	if r.unused() {
		sooner(max(r.used+forgetInterval, now+time.Second))
	}
	for _, a := range r.audiences {
		if a.fresh && a.empty() {
			sooner(max(a.used+restInterval, now+time.Second))
		}
	}
	return at
}

// unused reports whether no client here hears the room, and this node is no host.
func (r *room) unused() bool { return !r.serving && r.local.empty() }

// expect has the lane look when it may forget the room.
func (r *room) expect() {
	if r.unused() {
		r.lane.alarm(r, r.lane.now+forgetInterval)
	}
}

// forgettable reports whether nothing is lost with the room's state.
func (r *room) forgettable() bool {
	return r.unused() && !r.office.leading && len(r.local.waits) == 0 && r.local.known() && r.queue.empty() &&
		r.asked == 0 && r.lane.now-r.used >= forgetInterval
}

// blank reports whether a room was asked for, and that is all there is of it: no
// other node can know of anything that this one has said.
func (r *room) blank() bool {
	return r.key.IsZero() && r.hint.IsZero() && r.epoch.IsZero() && r.owner == nobody && r.next == nil && !r.serving &&
		r.audiences == nil && r.office.refused == nil && r.local.serial == 0 && r.local.empty() && len(r.local.waits) == 0 &&
		r.queue.empty() && r.asked == 0 && r.gaps == 0
}
