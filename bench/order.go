package bench

import "fmt"

// order checks that all subscribers of a room see the messages of all its publishers in one same order: the order that
// the first one to get there saw. Owned by the loop.
type order struct {
	audience []int32
	rooms    []roomOrder
	position []uint32 // per (subscriber, room) pair: how many messages it has had; wraps

	violated int64 // deliveries that were not the room's next for their subscriber
	first    string
}

// roomOrder is the part of a room's order that not all subscribers have passed yet: a ring of a power of two entries.
type roomOrder struct {
	entries []orderEntry
	begin   uint32 // position of the oldest
	end     uint32 // position behind the newest
}

// orderEntry is a message at a position. Subscribers pass positions in turn, so an entry is passed by all before the
// next one is.
type orderEntry struct {
	publisher uint32
	number    uint32
	passed    int32
}

func newOrder(audience []int32, pairs int) *order {
	return &order{audience: audience, rooms: make([]roomOrder, len(audience)), position: make([]uint32, pairs)}
}

// receive enters a message that a subscriber had not had before.
func (o *order) receive(pair int, m mark, who *sink) {
	r := &o.rooms[m.room]
	at := o.position[pair]
	o.position[pair]++
	if at == r.end {
		r.push(orderEntry{publisher: m.publisher, number: m.number})
	}
	e := r.at(at)
	if e.publisher != m.publisher || e.number != m.number {
		o.violated++
		if o.first == "" {
			o.first = fmt.Sprintf("subscriber %d, %s: message %d of publisher %d came where others had message %d of publisher %d",
				who.index, channel(int(m.room)), m.number, m.publisher, e.number, e.publisher)
		}
	}
	if e.passed++; e.passed == o.audience[m.room] {
		r.begin++
	}
}

// at returns the entry of a position that the ring holds.
func (r *roomOrder) at(position uint32) *orderEntry {
	return &r.entries[position&uint32(len(r.entries)-1)]
}

// push adds an entry behind the newest, in a ring of twice the size if there is no room.
func (r *roomOrder) push(e orderEntry) {
	if int(r.end-r.begin) == len(r.entries) {
		larger := roomOrder{entries: make([]orderEntry, max(orderRing, 2*len(r.entries))), begin: r.begin, end: r.end}
		for position := r.begin; position != r.end; position++ {
			*larger.at(position) = *r.at(position)
		}
		*r = larger
	}
	r.end++
	*r.at(r.end - 1) = e
}
