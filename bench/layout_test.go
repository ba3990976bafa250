package bench

import "testing"

// Every room is on all nodes, hears all protocols, and every publisher publishes to all its rooms.
func TestLayout(t *testing.T) {
	f := func(name string, nodes, connections int) {
		t.Helper()
		s, _ := shapeNamed(name)
		s = s.over(nodes)
		l := layoutOf(&s, nodes, protocols{resp2, resp3})
		if len(l.seats) != connections || len(l.seats) != s.subscriptions() || l.pairs() != s.pairs() {
			t.Errorf("%s on %d nodes: %d connections, want %d and %d; %d subscriptions, want %d",
				name, nodes, len(l.seats), connections, s.subscriptions(), l.pairs(), s.pairs())
		}
		heard := make([]int32, s.rooms)
		type kind struct {
			node     int
			protocol protocol
		}
		of := make([]map[kind]bool, s.rooms)
		for _, seat := range l.seats {
			if seat.first < 0 || seat.first+seat.rooms > s.rooms || seat.node >= nodes {
				t.Fatalf("%s on %d nodes: %+v of %d rooms", name, nodes, seat, s.rooms)
			}
			for room := seat.first; room < seat.first+seat.rooms; room++ {
				if of[room] == nil {
					of[room] = make(map[kind]bool)
				}
				of[room][kind{seat.node, seat.protocol}] = true
				heard[room]++
			}
		}
		for room, n := range heard {
			if n != l.audience[room] || n == 0 {
				t.Errorf("%s on %d nodes: room %d is heard by %d, audience %d", name, nodes, room, n, l.audience[room])
			}
			if want := min(2*nodes, int(n)); s.seating < zipf && len(of[room]) < want {
				t.Errorf("%s on %d nodes: room %d of %d has %d kinds of connections", name, nodes, room, n, len(of[room]))
			}
		}
		published := make([]int, s.rooms)
		for _, post := range l.posts {
			for room := post.first; room < post.first+post.rooms; room++ {
				published[room]++
			}
		}
		for room, n := range published {
			if n == 0 {
				t.Errorf("%s on %d nodes: nobody publishes to room %d", name, nodes, room)
			}
		}
	}
	f("pingpong", 1, 1)
	f("pingpong", 3, 1)
	f("room", 2, 1000)
	f("rooms", 1, 1000)
	f("rooms", 2, 1000)
	f("rooms", 3, 1000)
	f("gateway", 1, 20)
	f("patterns", 4, 100)
	f("mixed", 1, 1781)
	f("mixed", 3, 1781)
	f("cluster", 1, 50)
	f("cluster", 2, 100)
	f("cluster", 5, 250)
}

// In a cluster a room's publisher is on one node and its subscribers are on the next two.
func TestLayoutNeighbours(t *testing.T) {
	const nodes = 5
	s, _ := shapeNamed("cluster")
	s = s.over(nodes)
	l := layoutOf(&s, nodes, protocols{})
	home := make(map[int]int)
	for _, post := range l.posts {
		for room := post.first; room < post.first+post.rooms; room++ {
			home[room] = post.node
		}
	}
	steps := make(map[int]int)
	for _, seat := range l.seats {
		steps[(seat.node-home[seat.first]+nodes)%nodes]++
	}
	if len(home) != 125 || len(steps) != 2 || steps[1] != 125 || steps[2] != 125 {
		t.Errorf("%d rooms; subscribers by distance %v", len(home), steps)
	}
}
