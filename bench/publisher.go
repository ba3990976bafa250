package bench

import (
	"bytes"
	"fmt"
	"strconv"

	"golang.org/x/sys/unix"
)

// slot is a publish in flight.
type slot struct {
	delivered int32 // deliveries counted; the audience completes it
	answered  bool
}

// publisher is one connection that publishes. Owned by the loop.
//
// A publish takes a free slot, whose number travels in the payload, and gives it back when its answer and all its
// deliveries have come. So "in flight" is the number of slots taken.
type publisher struct {
	fd       int
	index    int
	audience int32

	slots    []slot
	free     []uint32
	awaiting []uint32 // slots without an answer, oldest first, from index oldest on
	oldest   int

	room    uint32 // next to publish to
	out     []byte // commands not sent yet
	rest    []byte // an unfinished answer
	blocked bool   // the socket is full: wait for EPOLLOUT
}

// newPublisher returns a publisher with room for the given number of publishes in flight. Publishers begin at different
// rooms, so that they do not march through them together.
func newPublisher(fd, index int, s *shape, inFlight int) *publisher {
	p := &publisher{
		fd: fd, index: index, audience: int32(s.subscribers),
		room: uint32(index * s.rooms / s.publishers),
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
	p.slots[at] = slot{}
	p.awaiting = append(p.awaiting, at)
	p.out = g.format.appendPublish(p.out, mark{
		number: g.ledger.issue(p.room, uint32(p.index)), room: p.room,
		publisher: uint32(p.index), slot: at, intended: intended,
	})
	if p.room++; int(p.room) == g.shape.rooms {
		p.room = 0
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

// delivered counts a delivery of the message in a slot and returns which delivery of that message it is, from 1. It
// reports false for a slot that is free.
func (p *publisher) delivered(at uint32) (nth int32, ok bool) {
	if int(at) >= len(p.slots) || p.slots[at].delivered == p.audience {
		return 0, false
	}
	s := &p.slots[at]
	s.delivered++
	p.release(at)
	return s.delivered, true
}

// release frees a slot that has its answer and all its deliveries.
func (p *publisher) release(at uint32) {
	if s := &p.slots[at]; s.answered && s.delivered == p.audience {
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
			end := bytes.IndexByte(b, '\n')
			if end < 0 {
				break
			}
			if err := g.answer(p, bytes.TrimRight(b[:end], "\r")); err != nil {
				return fmt.Errorf("publisher %d: %w", p.index, err)
			}
			b = b[end+1:]
		}
		p.rest = append(p.rest[:0], b...)
	}
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
	g.ledger.answer(got, int64(p.audience), p.index)
	at := p.awaiting[p.oldest]
	if p.oldest++; 2*p.oldest > len(p.awaiting) { // so each is moved at most once on average
		p.awaiting = p.awaiting[:copy(p.awaiting, p.awaiting[p.oldest:])]
		p.oldest = 0
	}
	p.slots[at].answered = true
	p.release(at)
	g.answers++
	return nil
}
