package bench

import "testing"

// TestOrder enters what two subscribers of a room received, by turns: "a0" is publisher a's message 0 to the first
// subscriber, "A0" the same to the second.
func TestOrder(t *testing.T) {
	f := func(received string, violated int64, held uint32) {
		t.Helper()
		o := newOrder([]int32{2}, 2)
		sinks := []sink{{index: 0}, {index: 1}}
		for i := 0; i+1 < len(received); i += 2 {
			who, publisher := 0, received[i]-'a'
			if received[i] < 'a' {
				who, publisher = 1, received[i]-'A'
			}
			o.receive(who, mark{publisher: uint32(publisher), number: uint32(received[i+1] - '0')}, &sinks[who])
		}
		r := o.rooms[0]
		if o.violated != violated || r.end-r.begin != held || (o.first != "") != (violated > 0) {
			t.Errorf("%s: %d violated (%s), %d held; want %d and %d", received, o.violated, o.first, r.end-r.begin, violated, held)
		}
	}
	f("", 0, 0)
	f("a0A0", 0, 0)
	f("a0b0a1", 0, 3)
	f("a0b0a1A0B0A1", 0, 0)
	f("A0b1B1", 1, 1) // the second went on by itself
	f("a0b0B0A0", 2, 0)
	f("a0b0A0B0b1a1A1B1", 2, 0)
}

// However far one subscriber is ahead, the ring holds what the other has not passed, and no more when it has.
func TestOrderRing(t *testing.T) {
	o := newOrder([]int32{2}, 2)
	who := sink{}
	o.position[0], o.position[1] = ^uint32(0)-10, ^uint32(0)-10 // positions wrap
	o.rooms[0].begin, o.rooms[0].end = o.position[0], o.position[0]
	const ahead = 5 * orderRing
	for round := range uint32(3) {
		for pair := range 2 {
			for i := range uint32(ahead) {
				o.receive(pair, mark{number: round*ahead + i}, &who)
			}
		}
	}
	if r := o.rooms[0]; o.violated != 0 || r.begin != r.end || len(r.entries) != 8*orderRing {
		t.Errorf("%d violated (%s), %d of %d held", o.violated, o.first, r.end-r.begin, len(r.entries))
	}
}
