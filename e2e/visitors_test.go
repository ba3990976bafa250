package e2e

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"syscall"
)

// Those who do not stay in a room: sleepers, visitors, victims.

const (
	visitPings     = 3 // round trips that a visitor stays
	victimMessages = 5 // messages that a victim reads before its end
)

// sleep stands in a room without reading until all is published, and reads it then unless it never does.
func (l *load) sleep(r room, wakes bool, published <-chan struct{}, joined func()) error {
	kind := residentKinds[0]
	c, err := l.join(kind.join(r), kind.resp3)
	joined()
	if err != nil {
		return fmt.Errorf("a sleeper of room %d: %w", r, err)
	}
	defer c.close()
	<-published
	if !wakes {
		return nil
	}
	got, err := readLanes(c, r, len(r.lanes(kind.lanes)))
	if err != nil {
		return fmt.Errorf("a sleeper of room %d, after %d messages: %w", r, len(got), err)
	}
	l.keep(piece{"a sleeper", r, kind.lanes, true, got})
	return nil
}

// visit joins one room after the other for some round trips.
func (l *load) visit(random *rand.Rand) error {
	c, err := connect(l.s.addr())
	if err != nil {
		return err
	}
	defer c.close()
	for !l.done.Load() {
		r := room(random.IntN(int(l.rooms)))
		channel := r.channel(laneChat)
		if err := c.expect(fmt.Sprintf("[subscribe %s 1]", channel), "SUBSCRIBE", channel); err != nil {
			return fmt.Errorf("a visitor joins: %w", err)
		}
		var got []message
		for range visitPings {
			if got, err = readUntil(c, r, got, "[pong ]", "PING"); err != nil {
				return fmt.Errorf("a visitor stays: %w", err)
			}
		}
		if got, err = readUntil(c, r, got, fmt.Sprintf("[unsubscribe %s 0]", channel), "UNSUBSCRIBE", channel); err != nil {
			return fmt.Errorf("a visitor leaves: %w", err)
		}
		if err := c.expect("PONG", "PING"); err != nil {
			return fmt.Errorf("a visitor has left: %w", err)
		}
		l.keep(piece{"a visitor", r, []lane{laneChat}, false, got})
	}
	return nil
}

// readUntil sends a command and appends the room's messages to got until the answer comes.
func readUntil(c *client, r room, got []message, answer string, args ...string) ([]message, error) {
	if err := c.send(args...); err != nil {
		return got, err
	}
	for {
		frame, err := c.read()
		if err != nil {
			return got, err
		}
		if frame.String() == answer {
			return got, nil
		}
		m, ok, err := r.parseDelivery(frame)
		if err != nil || !ok {
			return got, fmt.Errorf("%q: got %v, want %s: %w", args, frame, answer, err)
		}
		got = append(got, m)
	}
}

// suffer joins one room after the other and ends in the middle of the stream: killed by an administrator or by a
// reset of its own.
func (l *load) suffer(random *rand.Rand, killed bool) error {
	admin, err := connect(l.s.addr())
	if err != nil {
		return err
	}
	defer admin.close()
	for !l.done.Load() {
		r := room(random.IntN(int(l.rooms)))
		c, err := connect(l.s.addr())
		if err != nil {
			return err
		}
		id, err := c.do("CLIENT", "ID")
		if err != nil {
			return err
		}
		if _, err = c.do("SUBSCRIBE", r.channel(laneChat)); err != nil {
			return err
		}
		if l.done.Load() { // then the lane may have ended before it joined
			c.close()
			return nil
		}
		var got []message
		for err == nil {
			if len(got) == victimMessages && !killed {
				c.abort()
				break
			}
			if len(got) == victimMessages {
				if err := admin.expect("1", "CLIENT", "KILL", "ID", id.String()); err != nil {
					return fmt.Errorf("a victim is killed: %w", err)
				}
			}
			var frame reply
			if frame, err = c.read(); err != nil {
				break
			}
			m, ok, parseErr := r.parseDelivery(frame)
			if parseErr != nil || !ok {
				return fmt.Errorf("a victim got %v: %w", frame, parseErr)
			}
			if got = append(got, m); m.seq == lastSeq {
				break
			}
		}
		c.close()
		if err != nil && !isEnd(err) {
			return fmt.Errorf("a victim ends with %w", err)
		}
		l.keep(piece{"a victim", r, []lane{laneChat}, false, got})
	}
	return nil
}

// isEnd: the peer closed the connection, in whatever manner.
func isEnd(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, net.ErrClosed)
}
