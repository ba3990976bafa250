package lane

import (
	"bytes"
	"cmp"
	"slices"
)

// audience is what a host knows of another node with clients of a room.
type audience struct {
	peer   Peer
	counts map[name]int64 // clients
	bound  int            // how many names are patterns
	serial uint64         // of its last announcement

	fresh   bool   // it has announced all since the leader began; until then it gets all
	unacked bool   // the room may be about to be closed
	index   uint64 // how many messages were meant for it under the leader's key
	owed    bool   // the last were not sent: it shall know
}

// find returns a node's audience, or nil. There are few.
func (r *room) find(p Peer) *audience {
	for _, a := range r.audiences {
		if a.peer == p {
			return a
		}
	}
	return nil
}

func (r *room) audience(p Peer) *audience {
	if a := r.find(p); a != nil {
		return a
	}
	a := &audience{peer: p, fresh: true}
	r.audiences = append(r.audiences, a)
	return a
}

func (a *audience) set(n name, count int64) {
	before := a.counts[n]
	if count <= 0 {
		delete(a.counts, n)
	} else {
		if a.counts == nil {
			a.counts = make(map[name]int64, 1)
		}
		a.counts[n] = count
	}
	if n.kind == Pattern {
		switch {
		case before == 0 && count > 0:
			a.bound++
		case before > 0 && count <= 0:
			a.bound--
		}
	}
}

// hears returns how many clients of a node hear a channel, by its name and by
// patterns of the room.
func hears(counts map[name]int64, bound bool, match func(pattern, name []byte) bool, kind Kind, channel []byte) (n int64) {
	n = counts[name{kind, string(channel)}]
	if bound && kind == Channel {
		for pattern, count := range counts {
			if pattern.kind == Pattern && match([]byte(pattern.text), channel) {
				n += count
			}
		}
	}
	return n
}

// announced takes what a node's clients hear.
func (r *room) announced(from Peer, rec *Record) {
	l := r.lane
	if !r.serving {
		l.send(from, Record{Type: NotHost, Room: rec.Room, Key: r.key})
		return
	}
	r.used = l.now
	a := r.audience(from)
	if rec.Flags&Reset != 0 {
		clear(a.counts)
		a.bound = 0
		a.fresh = true
	}
	for _, item := range rec.Items {
		a.set(name{item.Kind, string(item.Name)}, item.Count)
	}
	a.serial = rec.Serial
	r.own() // before it hears that it is heard
	r.enter()
	if a.unacked = !r.entered && len(a.counts) > 0; a.unacked {
		return
	}
	r.ack(a)
	if len(a.counts) == 0 {
		r.audiences = slices.DeleteFunc(r.audiences, func(o *audience) bool { return o == a })
		r.leave()
		r.own()
	}
	if !r.office.leading && rec.Key.Epoch == r.epoch && rec.Key.Compare(r.key) >= 0 {
		r.doubt()
	}
}

func (r *room) ack(a *audience) {
	flags := uint8(0)
	if r.office.leading {
		flags = Leads
	}
	r.lane.send(a.peer, Record{Type: Ack, Flags: flags, Room: []byte(r.name), Key: r.key, Serial: a.serial, Number: r.office.number, Index: a.index})
}

// admit acknowledges what waited for the room not to be closed.
func (r *room) admit() {
	r.enter()
	if !r.entered {
		return
	}
	for _, a := range r.audiences {
		if a.unacked {
			a.unacked = false
			r.ack(a)
		}
	}
}

// inUse reports whether somebody hears the room, as far as this host knows.
func (r *room) inUse() bool {
	return len(r.local.counts) > 0 || slices.ContainsFunc(r.audiences, func(a *audience) bool { return len(a.counts) > 0 })
}

// enter tells the director that the room is used, leave that it is not.
func (r *room) enter() {
	if r.serving && !r.entered && r.inUse() && !r.closing {
		r.entered = r.lane.Director.Enter(r.name)
		r.closing = !r.entered
	}
}

func (r *room) leave() {
	if r.entered && !r.inUse() {
		r.entered = false
		r.lane.Director.Leave(r.name)
	}
}

func compareItems(a, b Item) int {
	return cmp.Or(cmp.Compare(a.Kind, b.Kind), bytes.Compare(a.Name, b.Name))
}
