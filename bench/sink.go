package bench

import (
	"bytes"
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// allRooms is the room of a sink that subscribes to every room.
const allRooms = -1

// sink is one subscriber. Owned by the loop.
type sink struct {
	fd    int
	index int
	room  int    // its room, or allRooms
	lanes int    // its first lane in the ledger
	rest  []byte // an unfinished frame
}

// hears reports whether the sink subscribes to the room.
func (s *sink) hears(room uint32) bool { return s.room == allRooms || s.room == int(room) }

// heard returns the range of rooms that the sink hears.
func (s *sink) heard(rooms int) (first, end int) {
	if s.room == allRooms {
		return 0, rooms
	}
	return s.room, s.room + 1
}

// lane returns the ledger's lane for a room that the sink hears.
func (s *sink) lane(room, publisher uint32, publishers int) int {
	if s.room == allRooms {
		return s.lanes + int(room)*publishers + int(publisher)
	}
	return s.lanes + int(publisher)
}

var (
	pingCommand = []byte("*1\r\n$4\r\nPING\r\n")
	pongPlain   = []byte("+PONG\r\n")                         // RESP3
	pongPush    = []byte("*2\r\n$4\r\npong\r\n$0\r\n\r\n")    // RESP2, while subscribed
	errClosed   = errors.New("server closed the connection")  // end of stream
	errDamaged  = errors.New("message is not what was sent")  // content
	errUnknown  = errors.New("message was never sent")        // mark out of range
	errNotHeard = errors.New("message of a room not joined")  // routing
	errNoFrame  = errors.New("bytes that are not a message")  // framing, in front of the closing PONG
	errOverdue  = errors.New("no answer to the closing PING") // end of run
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
	for len(b) >= g.format.frameLen {
		frame := b[:g.format.frameLen]
		if err := g.deliver(s, frame, now); err != nil {
			return fmt.Errorf("%w: %q", err, frame)
		}
		b = b[g.format.frameLen:]
	}
	if g.closing && len(b) == len(g.pong) {
		if !bytes.Equal(b, g.pong) {
			return fmt.Errorf("%w: %q", errNoFrame, b)
		}
		g.unfinished--
		b = nil
	}
	s.rest = append(s.rest[:0], b...)
	return nil
}

// deliver accounts for one message, read at the given time, which only an open loop needs.
func (g *generator) deliver(s *sink, frame []byte, now int64) error {
	m, ok := g.format.parse(frame)
	switch {
	case !ok:
		return errDamaged
	case int(m.publisher) >= len(g.publishers):
		return errUnknown
	case !s.hears(m.room):
		return errNotHeard
	}
	g.deliveries++
	if !g.ledger.receive(s.lane(m.room, m.publisher, len(g.publishers)), m.number, s, m) {
		return nil
	}
	nth, ok := g.publishers[m.publisher].delivered(m.slot)
	if !ok {
		return errUnknown
	}
	if g.latency != nil {
		g.latency.record(m.intended, now, nth == 1, nth == g.audience)
	}
	return nil
}
