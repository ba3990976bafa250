package bench

import "math/rand/v2"

// layout is a shape laid out over the nodes of a server: who connects where, speaks what and is in which rooms.
type layout struct {
	seats    []seat  // subscribers
	guests   []seat  // wanderers; their rooms change
	posts    []seat  // publishers and the rooms that each publishes to
	audience []int32 // deliveries per publish of a room, wanderers not counted
}

// seat is one connection and the rooms [first, first+rooms) that it is in.
type seat struct {
	node     int
	protocol protocol
	first    int
	rooms    int
}

// layoutOf lays out a shape. The i-th member of a room connects to the node that is i further than the one of the first,
// and rooms begin at different nodes: so every room is on as many nodes as it can be. Those of one room on one node
// speak the protocols in turn.
func layoutOf(s *shape, nodes int, speak protocols) *layout {
	l := &layout{audience: make([]int32, s.rooms)}
	at := func(spot, first, rooms int) seat {
		return seat{node: spot % nodes, protocol: speak[spot/nodes%2], first: first, rooms: rooms}
	}
	switch s.seating {
	case shared:
		for i := range s.subscribers {
			l.seats = append(l.seats, at(i%s.rooms+i/s.rooms, i%s.rooms, 1))
		}
	case everyRoom:
		for i := range s.subscribers {
			l.seats = append(l.seats, at(i, 0, s.rooms))
		}
	case zipf:
		for room := range s.rooms {
			for i := range s.zipfAudience(room) {
				l.seats = append(l.seats, at(room+i, room, 1))
			}
		}
		for i := range s.gateways {
			l.seats = append(l.seats, at(i, i*s.rooms/(2*s.gateways), (s.rooms+1)/2))
		}
		// Neighbours are in different rooms, as they would be if they had come by chance; the same chance in every run.
		random := rand.New(rand.NewPCG(chance, 0))
		random.Shuffle(len(l.seats), func(i, j int) { l.seats[i], l.seats[j] = l.seats[j], l.seats[i] })
	case neighbours:
		home := s.rooms / nodes // rooms published to on one node
		for i := range s.subscribers {
			for room := range s.rooms {
				l.seats = append(l.seats, seat{node: (room/home + 1 + i) % nodes, protocol: speak[i%2], first: room, rooms: 1})
			}
		}
	default:
		for i := range s.subscribers {
			for room := range s.rooms {
				l.seats = append(l.seats, at(room+i, room, 1))
			}
		}
	}
	for _, seat := range l.seats {
		for room := seat.first; room < seat.first+seat.rooms; room++ {
			l.audience[room]++
		}
	}
	for i := range s.wanderers {
		l.guests = append(l.guests, at(i, 0, 0))
	}
	for i := range s.publishers {
		if s.seating == neighbours {
			home := s.rooms / nodes
			l.posts = append(l.posts, seat{node: (i + i/nodes) % nodes, protocol: speak[i/nodes%2], first: i % nodes * home, rooms: home})
		} else {
			l.posts = append(l.posts, at(i, 0, s.rooms))
		}
	}
	return l
}

// pairs returns the number of (subscriber, room) pairs.
func (l *layout) pairs() (n int) {
	for _, seat := range l.seats {
		n += seat.rooms
	}
	return n
}

// chance seeds what is random in a shape, so that every server and every run gets the same.
const chance = 20
