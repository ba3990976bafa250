package bench

import (
	"bytes"
	"fmt"
	"strconv"

	"golang.org/x/sys/unix"
)

// slot is a publish in flight.
type slot struct {
	mark     mark  // what every delivery of it must carry
	left     int32 // deliveries still to come, of the room's audience
	answered bool
}

// publisher is one connection that publishes. Owned by the loop.
//
// A publish takes a free slot, whose number travels in the payload, and gives it back when its answer and all its
// deliveries have come. So "in flight" is the number of slots taken. In NATS nothing is answered.
type publisher struct {
	fd     int
	index  int
	format *format

	slots    []slot
	free     []uint32
	awaiting []awaited // publishes without an answer, oldest first, from index oldest on
	oldest   int

	first, end uint32 // the rooms it publishes to, in turn
	room       uint32 // the next of them

	out     []byte // commands not sent yet
	rest    []byte // an unfinished answer
	blocked bool   // the socket is full: wait for EPOLLOUT
}

// awaited is a publish that was not answered yet.
type awaited struct {
	slot     uint32
	number   uint32
	room     uint32
	presence presence // of wanderers, when it was published
}

// newPublisher returns the publisher of a seat, which begins at the given one of its rooms, with as many free slots as
// may be in flight.
func newPublisher(fd, index int, f *format, at seat, begin, inFlight int) *publisher {
	p := &publisher{
		fd: fd, index: index, format: f,
		first: uint32(at.first), end: uint32(at.first + at.rooms), room: uint32(at.first + begin),
	}
	p.grow(inFlight)
	return p
}

// grow adds free slots.
func (p *publisher) grow(by int) {
	for range by {
		p.free = append(p.free, uint32(len(p.slots)))
		p.slots = append(p.slots, slot{})
	}
}

func (p *publisher) inFlight() int { return len(p.slots) - len(p.free) }

// publish queues one message, intended for the given time, into a free slot.
func (g *generator) publish(p *publisher, intended int64) {
	at := p.free[len(p.free)-1]
	p.free = p.free[:len(p.free)-1]
	m := mark{
		number: g.ledger.issue(p.room, uint32(p.index)), room: p.room,
		publisher: uint32(p.index), slot: at, intended: intended,
	}
	p.out = p.format.appendPublish(p.out, m)
	answered := p.format.protocol == nats
	p.slots[at] = slot{mark: m, left: g.audience[p.room], answered: answered}
	if !answered {
		p.awaiting = append(p.awaiting, awaited{at, m.number, m.room, g.guests.in(m.room)})
	}
	if p.room++; p.room == p.end {
		p.room = p.first
	}
	g.published++
}

// flush sends what is queued, as far as the socket takes it.
func (p *publisher) flush() error {
	if len(p.out) == 0 || p.blocked {
		return nil
	}
	n, err := send(p.fd, p.out)
	if err != nil && err != unix.EAGAIN {
		return fmt.Errorf("publisher %d: cannot send: %w", p.index, err)
	}
	p.blocked = n < len(p.out)
	p.out = p.out[:copy(p.out, p.out[n:])]
	return nil
}

// delivered counts a delivery of the message in a slot and returns how many of that message are still to come. It
// reports false if the slot has another message or waits for none.
func (p *publisher) delivered(m mark) (left int32, ok bool) {
	if int(m.slot) >= len(p.slots) || p.slots[m.slot].left == 0 || p.slots[m.slot].mark != m {
		return 0, false
	}
	s := &p.slots[m.slot]
	s.left--
	p.release(m.slot)
	return s.left, true
}

// markOf returns the mark of the message that m claims to be, m itself if its slot has been taken again since.
func (p *publisher) markOf(m mark) mark {
	if int(m.slot) >= len(p.slots) {
		return mark{}
	}
	if known := p.slots[m.slot].mark; known.number == m.number && known.room == m.room {
		return known
	}
	return m
}

// release frees a slot that has its answer and all its deliveries.
func (p *publisher) release(at uint32) {
	if s := &p.slots[at]; s.answered && s.left == 0 {
		p.free = append(p.free, at)
	}
}

// readPublisher reads the answers of a ready publisher until there are none: its events are edge-triggered.
func (g *generator) readPublisher(p *publisher, events uint32) error {
	if events&unix.EPOLLOUT != 0 {
		p.blocked = false
	}
	for {
		kept := copy(g.buffer, p.rest)
		n, err := receive(p.fd, g.buffer[kept:])
		if err == unix.EAGAIN {
			return nil
		}
		if err == nil && n == 0 {
			err = errClosed
		}
		if err != nil {
			return fmt.Errorf("publisher %d: %w", p.index, err)
		}
		b := g.buffer[:kept+n]
		for {
			end := bytes.IndexByte(b, '\n') + 1
			if end == 0 {
				break
			}
			if err := g.takeLine(p, b[:end]); err != nil {
				return fmt.Errorf("publisher %d: %w", p.index, err)
			}
			b = b[end:]
		}
		p.rest = append(p.rest[:0], b...)
	}
}

// takeLine takes one line that a publisher received.
func (g *generator) takeLine(p *publisher, line []byte) error {
	if p.format.protocol != nats {
		return g.answer(p, bytes.TrimRight(line, "\r\n"))
	}
	// A PONG must not be cut by what waits to be sent: it goes behind it.
	n, err := aside(line, func() error { p.out = append(p.out, natsPong...); return nil })
	if err == nil && n <= 0 {
		err = fmt.Errorf("server said %q", line)
	}
	return err
}

// answer accounts for the answer of the oldest publish that has none.
func (g *generator) answer(p *publisher, line []byte) error {
	if p.oldest == len(p.awaiting) {
		return fmt.Errorf("answer %q to nothing", line)
	}
	if len(line) == 0 || line[0] != ':' {
		return fmt.Errorf("PUBLISH answered %q", line)
	}
	got, err := strconv.ParseInt(string(line[1:]), 10, 64)
	if err != nil {
		return fmt.Errorf("PUBLISH answered %q", line)
	}
	of := p.awaiting[p.oldest]
	if p.oldest++; 2*p.oldest > len(p.awaiting) { // so each is moved at most once on average
		p.awaiting = p.awaiting[:copy(p.awaiting, p.awaiting[p.oldest:])]
		p.oldest = 0
	}
	low, high := g.guests.bounds(of.room, of.presence)
	audience := int64(g.audience[of.room])
	g.ledger.answer(got, audience+low, audience+high, p.index)
	g.ledger.settle(of.room, uint32(p.index), of.number)
	p.slots[of.slot].answered = true
	p.release(of.slot)
	g.answers++
	return nil
}
