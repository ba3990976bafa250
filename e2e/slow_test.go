package e2e

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

const (
	slowMessages     = 3000
	slowPayloadBytes = 4 << 10 // 12 MB in all: more than the two sockets of a connection take
	fastReaders      = 6
	slowReaders      = 3
)

// TestStalledSubscribers: a subscriber that does not read holds up nobody; within the limit it misses nothing, over
// it is closed, and what it has got until then is the beginning of the stream.
func TestStalledSubscribers(t *testing.T) {
	f := func(name string, closed bool, args ...string) {
		t.Run(name, func(t *testing.T) {
			s := startHubSub(t, args...)
			fast := crew{t: t}
			for range fastReaders {
				c := dial(t, s)
				must(t, c.expect("[subscribe c 1]", "SUBSCRIBE", "c"))
				fast.run(func() error {
					n, err := readNumbers(c)
					if n != slowMessages {
						return fmt.Errorf("one who reads got %d messages of %d: %w", n, slowMessages, err)
					}
					return nil
				})
			}
			var slow []*client
			for range slowReaders {
				c := dial(t, s)
				must(t, c.expect("[subscribe c 1]", "SUBSCRIBE", "c"))
				slow = append(slow, c)
			}
			publisher := dial(t, s)
			padding := strings.Repeat(".", slowPayloadBytes)
			for i := range slowMessages {
				publisher.add("PUBLISH", "c", fmt.Sprintf("%d %s", i, padding))
				if i%50 == 49 {
					must(t, publisher.flush())
					for range 50 {
						if _, err := publisher.read(); err != nil {
							t.Fatal(err)
						}
					}
				}
			}
			fast.wait()
			for i, c := range slow {
				n, err := readNumbers(c)
				switch {
				case closed && (n == slowMessages || !isEnd(err)):
					t.Errorf("stalled client %d got %d messages and %v, want to be closed", i, n, err)
				case !closed && n != slowMessages:
					t.Errorf("stalled client %d got %d messages of %d: %v", i, n, slowMessages, err)
				}
			}
			if closed {
				must(t, publisher.expect(fmt.Sprint(fastReaders), "PUBLISH", "c", "x"))
			}
		})
	}
	f("within the limit", false)
	f("over the hard limit", true, "--client-output-buffer-limit", "pubsub 1mb 0 0")
	f("over the limit of all clients", true, "--maxmemory-clients", "2mb")
}

// readNumbers reads until all messages have come, in order, or the connection ends; it returns how many came.
func readNumbers(c *client) (n int, err error) {
	for n < slowMessages {
		r, err := c.read()
		if err != nil {
			return n, err
		}
		if len(r.items) != 3 || len(r.items[2].text) != slowPayloadBytes+1+len(fmt.Sprint(n)) ||
			!strings.HasPrefix(r.items[2].text, fmt.Sprintf("%d .", n)) {
			return n, errors.New("message " + fmt.Sprint(n) + " is lost or spoilt")
		}
		n++
	}
	return n, nil
}
