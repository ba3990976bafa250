package lane

import "hubsub/ring"

// Info is what a node knows of a room.
type Info struct {
	Key    Key  // that it follows; zero: none yet
	Leader Peer // -1: it is not known
	Serves bool // this node hosts it
	Leads  bool
	Owns   bool // the engine publishes by itself

	Number  uint64  // of the last message under the key that this node has ordered or heard
	Clients int64   // of this node, of all names together
	Rate    float64 // messages a second that it orders or hears
	Nodes   []Listener

	Gaps    int64 // that clients of this node were told of
	Missing int64 // messages in those of known size
}

// Listener is another node that hears a room, as this host knows.
type Listener struct {
	Peer    Peer
	Clients int64
}

// measure counts a message.
func (r *room) measure() {
	if r.meter == nil {
		r.meter = new(ring.Meter)
	}
	r.meter.Add(int64(r.lane.now), 1)
}

// rate returns how many there are in a second.
func (r *room) rate() float64 {
	if r.meter == nil {
		return 0
	}
	return r.meter.Rate(int64(r.lane.now))
}

// Info returns what this node knows of a room; false, if that is nothing.
func (l *Lane) Info(name string) (Info, bool) {
	r := l.rooms[name]
	if r == nil {
		return Info{}, false
	}
	i := Info{
		Key: r.key, Leader: r.leader(), Serves: r.serving, Leads: r.office.leading, Owns: r.office.owned,
		Number: r.position.number, Clients: r.local.clients(), Rate: r.rate(), Gaps: r.gaps, Missing: r.missing,
	}
	if i.Leads {
		i.Number = r.office.number
	}
	for _, a := range r.audiences {
		i.Nodes = append(i.Nodes, Listener{a.peer, a.clients()})
	}
	return i, true
}
