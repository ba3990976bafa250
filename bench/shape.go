package bench

import "fmt"

// shape is who subscribes to what. The flags of a run start from its numbers and change them.
type shape struct {
	name    string
	summary string

	rooms       int // rooms published to; idle: rooms to share, 0 for a channel each
	subscribers int // per room; gateway: connections, each in all rooms; idle: connections
	publishers  int // connections, each of which publishes to all rooms in turn
	pipeline    int // publishes in flight per publisher

	patterns           int // idle PSUBSCRIBE patterns
	patternConnections int // connections that hold them

	everyRoom bool // each subscriber is in all rooms
	silent    bool // nothing is published; memory is measured
}

// shapes are the standard shapes, in the order of the usage text.
var shapes = []shape{
	{name: "pingpong", summary: "1 publisher, 1 subscriber",
		rooms: 1, subscribers: 1, publishers: 1, pipeline: 1},
	{name: "room", summary: "one room of many subscribers",
		rooms: 1, subscribers: 1000, publishers: 1, pipeline: 1},
	{name: "rooms", summary: "many rooms of few subscribers, one connection per subscription",
		rooms: 100, subscribers: 10, publishers: 4, pipeline: 16},
	{name: "gateway", summary: "few connections, each subscribed to all rooms",
		rooms: 5000, subscribers: 20, publishers: 4, pipeline: 16, everyRoom: true},
	{name: "patterns", summary: "rooms, beside patterns that match none of them",
		rooms: 10, subscribers: 10, publishers: 4, pipeline: 16, patterns: 10_000, patternConnections: 10},
	{name: "idle", summary: "subscribers that hear nothing: memory per connection",
		subscribers: 9000, silent: true},
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

// check returns what is wrong with the numbers, if anything.
func (s *shape) check() error {
	switch {
	case s.subscribers < 1:
		return fmt.Errorf("--subscribers must be at least 1")
	case s.rooms < 1 && !s.silent, s.rooms < 0:
		return fmt.Errorf("--rooms must be at least 1")
	case s.rooms > maxRooms:
		return fmt.Errorf("--rooms must be at most %d", maxRooms)
	case s.connections() > maxConnections:
		return fmt.Errorf("%d connections; at most %d fit one client address", s.connections(), maxConnections)
	case s.silent:
		return nil
	case s.publishers < 1 || s.publishers > maxPublishers:
		return fmt.Errorf("--publishers must be from 1 to %d", maxPublishers)
	case s.pipeline < 1 || s.pipeline > maxInFlight:
		return fmt.Errorf("--pipeline must be from 1 to %d", maxInFlight)
	case s.lanes() > maxLanes:
		return fmt.Errorf("subscriptions × publishers is %d; at most %d can be checked", s.lanes(), maxLanes)
	case s.patterns < 0 || s.patterns > 0 && s.patternConnections < 1:
		return fmt.Errorf("--patterns needs --pattern-connections")
	}
	return nil
}

// subscriptions returns the number of connections that subscribe.
func (s *shape) subscriptions() int {
	if s.everyRoom || s.silent {
		return s.subscribers
	}
	return s.rooms * s.subscribers
}

// lanes returns the number of (subscription, publisher) pairs: each is checked for order by itself.
func (s *shape) lanes() int {
	lanes := s.subscriptions() * s.publishers
	if s.everyRoom {
		lanes *= s.rooms
	}
	return lanes
}

// connections returns how many connections the shape opens.
func (s *shape) connections() int {
	return s.subscriptions() + s.publishers + s.patternConnections
}

// room returns the room of the i-th subscriber of a shape whose subscribers are in one room each. Neighbours are in
// different rooms, as they would be if they had come by chance.
func (s *shape) room(i int) int {
	return i % s.rooms
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
	if s.everyRoom {
		text = fmt.Sprintf("%s: %s, each in %s", s.name, count(s.subscribers, "connection"), count(s.rooms, "room"))
	}
	if s.patterns > 0 {
		text += fmt.Sprintf(", %s on %s", count(s.patterns, "idle pattern"), count(s.patternConnections, "connection"))
	}
	return text + ", " + count(s.publishers, "publisher")
}
