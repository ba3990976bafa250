package bench

import (
	"bytes"
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// sink is one subscriber. Owned by the loop.
type sink struct {
	fd     int
	index  int
	format *format
	first  uint32 // it is in the rooms [first, first+rooms); a wanderer in none of them
	rooms  uint32
	pairs  int    // its (subscriber, room) pair of room r has the number pairs+r
	rest   []byte // an unfinished frame
	guest  *wanderer
	closed bool // the closing PONG has come
}

// newSink returns the subscriber of a seat, whose pairs begin at number firstPair.
func newSink(fd, index int, f *format, at seat, firstPair int) sink {
	return sink{fd: fd, index: index, format: f, first: uint32(at.first), rooms: uint32(at.rooms), pairs: firstPair - at.first}
}

// hears reports whether the sink subscribes to the room.
func (s *sink) hears(room uint32) bool { return room-s.first < s.rooms }

// pair returns the number of the sink and a room that it hears, among all such pairs.
func (s *sink) pair(room uint32) int { return s.pairs + int(room) }

var (
	errClosed   = errors.New("server closed the connection: it ended, or an output limit is reached")
	errDamaged  = errors.New("message is not what was sent")      // content
	errUnknown  = errors.New("message was never sent")            // mark of no message that is due
	errNotHeard = errors.New("message of a room not joined")      // routing, or before a join or after a leave
	errEarly    = errors.New("message from before the subscribe") // answered before SUBSCRIBE was sent
	errNoFrame  = errors.New("bytes that are not a message")      // framing, in front of the closing PONG
	errOverdue  = errors.New("no answer to the closing PING")     // end of run
)

// readSink reads a ready subscriber and accounts for every complete message. Its events are edge-triggered, which spares
// the kernel a second look at each: so it reads until a read did not fill the buffer, or to the end of a stream that the
// event says has one.
func (g *generator) readSink(s *sink, events uint32) error {
	for {
		kept := copy(g.buffer, s.rest)
		n, err := receive(s.fd, g.buffer[kept:])
		if err == unix.EAGAIN {
			return nil
		}
		if err == nil && n == 0 {
			err = errClosed
		}
		if err == nil {
			err = g.account(s, g.buffer[:kept+n])
		}
		if err != nil {
			return fmt.Errorf("subscriber %d: %w", s.index, err)
		}
		if kept+n < len(g.buffer) && events&unix.EPOLLRDHUP == 0 {
			return nil
		}
	}
}

// account takes what a subscriber received, from the beginning of a frame on, and keeps an unfinished frame.
func (g *generator) account(s *sink, b []byte) error {
	var now int64
	if g.latency != nil {
		now = int64(g.now())
	}
	f := s.format
	for {
		var err error
		if s.guest == nil {
			b, err = g.takeMessages(s, b, now)
		} else {
			b, err = g.takeVisit(s, b)
		}
		if err != nil && err != errDamaged {
			return fmt.Errorf("%w: %q", err, b[:min(len(b), f.frameLen)])
		}
		n, failure := g.takeOther(s, b)
		if failure != nil {
			return failure
		}
		if n == 0 && err != nil {
			return fmt.Errorf("%w: %q", err, b[:f.frameLen])
		}
		if n == 0 && g.closing && len(b) == len(f.pong) {
			return fmt.Errorf("%w: %q", errNoFrame, b)
		}
		if n <= 0 {
			break
		}
		b = b[n:]
	}
	s.rest = append(s.rest[:0], b...)
	return nil
}

// takeOther takes what is no message and stands at the beginning of b: the closing PONG, or what a NATS server says
// beside its messages. It returns its length, 0 if it is none, -1 if more bytes are needed to tell.
func (g *generator) takeOther(s *sink, b []byte) (n int, err error) {
	f := s.format
	if g.closing && !s.closed && bytes.HasPrefix(b, f.pong) {
		s.closed = true
		g.unfinished--
		return len(f.pong), nil
	}
	if f.protocol != nats || len(b) == 0 {
		return 0, nil
	}
	return aside(b, func() error { return sendWhole(s.fd, natsPong) })
}

// takeMessages accounts for the messages at the beginning of b and returns what follows them: less than a frame, or with
// an error the frame that is wrong.
func (g *generator) takeMessages(s *sink, b []byte, now int64) (rest []byte, err error) {
	frameLen := s.format.frameLen
	for len(b) >= frameLen {
		if err := g.deliver(s, b[:frameLen], now); err != nil {
			return b, err
		}
		b = b[frameLen:]
	}
	return b, nil
}

// deliver accounts for one message, read at the given time, which only an open loop needs.
func (g *generator) deliver(s *sink, frame []byte, now int64) error {
	m, ok := s.format.parse(frame)
	switch {
	case !ok:
		return errDamaged
	case int(m.publisher) >= len(g.publishers):
		return errUnknown
	case !s.hears(m.room):
		return errNotHeard
	case m.number >= g.ledger.issued(m.room, int(m.publisher)):
		return errUnknown
	}
	g.deliveries++
	pair := s.pair(m.room)
	if !g.ledger.receive(pair*g.ledger.publishers+int(m.publisher), m.number, s, m) {
		return nil
	}
	if g.order != nil {
		g.order.receive(pair, m, s)
	}
	left, ok := g.publishers[m.publisher].delivered(m)
	if !ok {
		return errUnknown
	}
	if g.latency != nil {
		g.latency.record(m.intended, now, left == g.audience[m.room]-1, left == 0)
	}
	return nil
}
