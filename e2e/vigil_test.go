package e2e

import (
	"context"
	"fmt"
	"strconv"
	"testing"
	"time"
)

// vigilPause is between messages of which none is heard yet.
const vigilPause = 50 * time.Millisecond

// A vigil is kept by a client library while nodes of a cluster die: it publishes until it hears itself.
type vigil struct {
	t        *testing.T
	ctx      context.Context
	messages <-chan string
	sent     int // each message has a number of its own
}

// keep kills the nodes of a cluster one after the other, and starts each again when done returns.
func (v *vigil) keep(s *server, done func()) {
	v.t.Helper()
	done()
	for _, n := range s.nodes {
		awaitVoters(v.t, s.nodes, len(s.nodes)) // so that most of them are left
		n.kill()
		done()
		n.run(v.t)
		awaitMembers(v.t, s.nodes, len(s.nodes))
	}
	done()
}

// hear publishes until what is published last is heard, which looks as the format says. What comes before may be missing,
// for a subscriber whose node has died is nowhere for a while; or come twice, for libraries send a PUBLISH again that got
// no answer; but not out of order.
func (v *vigil) hear(format string, publish func(payload string) error) {
	v.t.Helper()
	var failed error
	first, last := v.sent, v.sent-1
	for {
		if err := publish(strconv.Itoa(v.sent)); err != nil {
			failed = err // while nobody knows yet who is dead
		}
		for pause := time.After(vigilPause); pause != nil; {
			select {
			case got := <-v.messages:
				number := figure(got, `"(\d+)"$`)
				if 0 <= number && number < first {
					continue // again, of an earlier call
				}
				if number < last || number > v.sent || got != fmt.Sprintf(format, number) {
					v.t.Fatalf("received %s behind %d of %d", got, last, v.sent)
				}
				if last = number; last == v.sent {
					v.sent++
					return
				}
			case <-pause:
				pause = nil
			case <-v.ctx.Done():
				v.t.Fatalf("nothing arrives behind %d of %d; publishing failed with %v", last, v.sent, failed)
			}
		}
		v.sent++
	}
}
