package bench

import (
	"fmt"
	"math"
)

// shape is who subscribes to what. The flags of a run start from its numbers and change them.
type shape struct {
	name    string
	summary string
	seating seating

	rooms       int // rooms published to; neighbours: per node; idle: rooms to share, 0 for a channel each
	subscribers int // per room; everyRoom, shared: connections; zipf: of the largest room
	publishers  int // connections, each of which publishes to all its rooms in turn; neighbours: per node
	pipeline    int // publishes in flight per publisher

	gateways  int // zipf: connections that are in half of the rooms each
	wanderers int // connections that join and leave rooms all the time

	patterns           int // idle PSUBSCRIBE patterns
	patternConnections int // connections that hold them

	protocol   string  // --protocol if it is not given, "": what the server is found to speak
	nodeRate   float64 // --rate if it is not given, times the number of nodes; 0: a closed loop
	totalOrder bool    // --total-order if it is not given
	idleCPU    bool    // --idle-cpu if it is not given

	silent bool // nothing is published; memory is measured
}

// seating is how subscribers are divided among rooms.
type seating uint8

const (
	oneRoom    seating = iota // each connection is in one room
	shared                    // the same, but the number of connections is given, not that of a room's
	everyRoom                 // each connection is in all rooms
	zipf                      // one room each, but few rooms are large and many are small; gateways in many
	neighbours                // a room's publisher is on one node, its subscribers on the next ones
)

// zipfExponent is s in "the room of rank r has subscribers/r^s members". At 1, Zipf's own, every doubling of the rank
// halves the audience, so the rooms of ranks 1, 2–3, 4–7, … have about as many members each: large, middling and small
// rooms have the same part in the load, and none of them decides the outcome by itself.
const zipfExponent = 1

// shapes are the standard shapes, in the order of the usage text.
var shapes = []shape{
	{name: "pingpong", summary: "1 publisher, 1 subscriber",
		rooms: 1, subscribers: 1, publishers: 1, pipeline: 1},
	{name: "room", summary: "one room of many subscribers",
		rooms: 1, subscribers: 1000, publishers: 1, pipeline: 1},
	{name: "rooms", summary: "many rooms of few subscribers, one connection per subscription",
		rooms: 100, subscribers: 10, publishers: 4, pipeline: 16},
	{name: "gateway", summary: "few connections, each subscribed to all rooms",
		rooms: 5000, subscribers: 20, publishers: 4, pipeline: 16, seating: everyRoom},
	{name: "patterns", summary: "rooms, beside patterns that match none of them",
		rooms: 10, subscribers: 10, publishers: 4, pipeline: 16, patterns: 10_000, patternConnections: 10},
	{name: "mixed", summary: "few large and many small rooms (Zipf), both RESP versions, joins and leaves",
		rooms: 200, subscribers: 300, publishers: 4, pipeline: 16, seating: zipf, gateways: 4, wanderers: 50, protocol: "both"},
	{name: "cluster", summary: "rooms whose publisher and subscribers are on different nodes, at a fixed rate",
		rooms: 25, subscribers: 2, publishers: 1, pipeline: 1, seating: neighbours, nodeRate: 250, totalOrder: true, idleCPU: true},
	{name: "idle", summary: "subscribers that hear nothing: memory per connection",
		subscribers: 9000, seating: shared, silent: true},
}

// shapeNamed returns the standard shape of that name.
func shapeNamed(name string) (shape, bool) {
	for _, s := range shapes {
		if s.name == name {
			return s, true
		}
	}
	return shape{}, false
}

// over returns the shape for a number of nodes, with what it has per node multiplied.
func (s shape) over(nodes int) shape {
	if s.seating == neighbours {
		s.rooms *= nodes
		s.publishers *= nodes
	}
	return s
}

// check returns what is wrong with the numbers, if anything, for a number of nodes.
func (s shape) check(nodes int) error {
	given := s
	s = s.over(nodes)
	switch {
	case s.subscribers < 1:
		return fmt.Errorf("--subscribers must be at least 1")
	case s.rooms < 1 && !s.silent, s.rooms < 0:
		return fmt.Errorf("--rooms must be at least 1")
	case s.rooms > maxRooms || given.rooms > maxRooms:
		return fmt.Errorf("--rooms must be at most %d", maxRooms)
	case s.wanderers < 0 || s.wanderers > maxConnections:
		return fmt.Errorf("--wanderers must be from 0 to %d", maxConnections)
	case s.gateways < 0 || s.gateways > maxConnections:
		return fmt.Errorf("--gateways must be from 0 to %d", maxConnections)
	case s.subscribers > maxConnections || s.connections() > maxConnections*nodes:
		return fmt.Errorf("%d connections; at most %d fit one client address and one server address", s.connections(), maxConnections)
	case s.silent:
		return nil
	case s.publishers < 1 || s.publishers > maxPublishers:
		return fmt.Errorf("--publishers must be from 1 to %d", maxPublishers)
	case s.pipeline < 1 || s.pipeline > maxInFlight:
		return fmt.Errorf("--pipeline must be from 1 to %d", maxInFlight)
	case s.pairs()*s.publishers > maxLanes:
		return fmt.Errorf("subscriptions × publishers is %d; at most %d can be checked", s.pairs()*s.publishers, maxLanes)
	case s.patterns < 0 || s.patterns > 0 && s.patternConnections < 1:
		return fmt.Errorf("--patterns needs --pattern-connections")
	}
	return nil
}

// zipfAudience returns how many connections are in that room alone.
func (s *shape) zipfAudience(room int) int {
	return max(1, int(math.Round(float64(s.subscribers)/math.Pow(float64(room+1), zipfExponent))))
}

// subscriptions returns the number of connections that subscribe, wanderers not counted.
func (s *shape) subscriptions() int {
	switch {
	case s.seating == everyRoom || s.seating == shared:
		return s.subscribers
	case s.seating == zipf:
		return s.zipfMembers() + s.gateways
	}
	return s.rooms * s.subscribers
}

func (s *shape) zipfMembers() (n int) {
	for room := range s.rooms {
		n += s.zipfAudience(room)
	}
	return n
}

// pairs returns the number of (subscriber, room) pairs.
func (s *shape) pairs() int {
	switch s.seating {
	case everyRoom:
		return s.subscribers * s.rooms
	case zipf:
		return s.zipfMembers() + s.gateways*((s.rooms+1)/2)
	}
	return s.subscriptions()
}

// connections returns how many connections the shape opens.
func (s *shape) connections() int {
	return s.subscriptions() + s.wanderers + s.publishers + s.patternConnections
}

// String describes the shape in one line.
func (s *shape) String() string {
	switch {
	case s.silent && s.rooms == 0:
		return fmt.Sprintf("%s: %s connections, a channel each", s.name, grouped(int64(s.subscribers)))
	case s.silent:
		return fmt.Sprintf("%s: %s connections in %s", s.name, grouped(int64(s.subscribers)), count(s.rooms, "room"))
	}
	text := fmt.Sprintf("%s: %s × %s", s.name, count(s.rooms, "room"), count(s.subscribers, "subscriber"))
	switch s.seating {
	case everyRoom:
		text = fmt.Sprintf("%s: %s, each in %s", s.name, count(s.subscribers, "connection"), count(s.rooms, "room"))
	case zipf:
		text = fmt.Sprintf("%s: %s with %s in the largest, %s in all, %s in half of the rooms each", s.name, count(s.rooms, "room"),
			count(s.subscribers, "subscriber"), grouped(int64(s.zipfMembers())), count(s.gateways, "connection"))
	case neighbours:
		return fmt.Sprintf("%s: per node %s, %s and %s of each on the next nodes", s.name, count(s.rooms, "room"),
			count(s.publishers, "publisher"), count(s.subscribers, "subscriber"))
	}
	if s.wanderers > 0 {
		text += ", " + count(s.wanderers, "wanderer")
	}
	if s.patterns > 0 {
		text += fmt.Sprintf(", %s on %s", count(s.patterns, "idle pattern"), count(s.patternConnections, "connection"))
	}
	return text + ", " + count(s.publishers, "publisher")
}
