package e2e

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

const (
	exactPairs = 6 // pairs of subscriber and publisher at work at once, each on its own channel
	// exactPool: each side of a pair has this many connections and takes another each time, so that they are on the
	// same loop and on different ones.
	exactPool       = 4
	exactIterations = 300 // of each pair, kind and crowd: 15 commands each
	heldIterations  = 100 // where a held channel makes deliveries wait for their time
	// heldCrowd: with four loops 25 single-subscription clients on each, where 16 make a channel held.
	heldCrowd = 100
)

// kind is one way to subscribe and the way to publish to it.
type kind struct {
	subscribe, unsubscribe, publish string
	pattern                         bool
}

var kinds = []kind{
	{"subscribe", "unsubscribe", "publish", false},
	{"psubscribe", "punsubscribe", "publish", true},
	{"ssubscribe", "sunsubscribe", "spublish", false},
}

// delivery is how a subscriber of name by this kind sees a message, as reply.String shows it.
func (k kind) delivery(name, payload string) string {
	if k.pattern {
		return fmt.Sprintf("[pmessage %s %s %s]", name, name, payload)
	}
	return fmt.Sprintf("[%smessage %s %s]", map[string]string{"publish": "", "spublish": "s"}[k.publish], name, payload)
}

// TestExactness: what a client may conclude from an answer holds on every loop. No sleeps: each step waits for an
// answer only, and the next command is sent at once.
func TestExactness(t *testing.T) {
	f := func(crowd, iterations int, args ...string) {
		t.Run(fmt.Sprintf("%v,crowd=%d", args, crowd), func(t *testing.T) {
			s := startHubSub(t, args...)
			for _, k := range kinds {
				all := crew{t: t}
				for i := range exactPairs {
					all.run(func() error { return exactPair(s, k, fmt.Sprintf("%s-%d", k.subscribe, i), crowd, iterations) })
				}
				all.wait()
			}
		})
	}
	f(0, exactIterations, "--loops", "1")
	f(0, exactIterations, "--loops", "4")
	f(3, exactIterations, "--loops", "4")
	f(3, exactIterations, "--loops", "4", "--coalesce-max", "0")
	f(heldCrowd, heldIterations, "--loops", "4", "--coalesce-max", "5ms")
}

// exactPair lets a subscriber come and go on a channel that a crowd stays in, and publishes around each of its steps.
func exactPair(s *server, k kind, channel string, crowd, iterations int) error {
	var published []string
	var watchers crew
	seen := make([][]string, crowd)
	errs := make([]error, crowd)
	for i := range crowd {
		c, err := connect(s.addr())
		if err != nil {
			return err
		}
		defer c.close()
		if err := c.expect(fmt.Sprintf("[%s %s 1]", k.subscribe, channel), k.subscribe, channel); err != nil {
			return err
		}
		watchers.run(func() error {
			seen[i], errs[i] = watch(c, k.delivery(channel, "end"))
			return nil
		})
	}
	subscribers, publishers, err := pool(s)
	if err != nil {
		return err
	}
	publish := func(payload string, want int) error {
		published = append(published, k.delivery(channel, payload))
		return publishers[rand.IntN(exactPool)].expect(fmt.Sprint(want), k.publish, channel, payload)
	}
	for i := range iterations {
		if err := comeAndGo(subscribers[rand.IntN(exactPool)], k, channel, i, crowd, publish); err != nil {
			return fmt.Errorf("iteration %d: %w", i, err)
		}
	}
	if err := publish("end", crowd); err != nil {
		return err
	}
	watchers.wait()
	for i := range crowd {
		if errs[i] != nil || fmt.Sprint(seen[i]) != fmt.Sprint(published) {
			return fmt.Errorf("%s: one who stayed saw %d messages of %d, or in another order: %v", channel, len(seen[i]), len(published), errs[i])
		}
	}
	return nil
}

// comeAndGo is one stay of a subscriber, with all that must and must not be delivered to it.
func comeAndGo(c *client, k kind, channel string, i, crowd int, publish func(payload string, want int) error) error {
	other := channel + "-other"
	payload := func(when string) string { return fmt.Sprintf("%s%d", when, i) }
	leave, left := [][]string{{k.unsubscribe, channel}, {k.unsubscribe}, {"RESET"}}[i%3], fmt.Sprintf("[%s %s 0]", k.unsubscribe, channel)
	if leave[0] == "RESET" {
		left = "RESET"
	}
	steps := []func() error{
		// Answered before SUBSCRIBE is sent: neither counted nor delivered.
		func() error { return publish(payload("before"), crowd) },
		func() error { return c.expect(fmt.Sprintf("[%s %s 1]", k.subscribe, channel), k.subscribe, channel) },
		// Sent after the confirmation was read: counted and delivered.
		func() error { return publish(payload("during"), crowd+1) },
		func() error { return c.next(k.delivery(channel, payload("during"))) },
		// A second subscription comes and goes: nothing of the first is lost or late.
		func() error { return publish(payload("second"), crowd+1) },
		func() error { return c.expect(k.delivery(channel, payload("second")), k.subscribe, other) },
		func() error { return c.next(fmt.Sprintf("[%s %s 2]", k.subscribe, other)) },
		func() error { return publish(payload("both"), crowd+1) },
		func() error { return c.expect(k.delivery(channel, payload("both")), k.unsubscribe, other) },
		func() error { return c.next(fmt.Sprintf("[%s %s 1]", k.unsubscribe, other)) },
		// Answered before UNSUBSCRIBE is sent: delivered before the confirmation.
		func() error { return publish(payload("last"), crowd+1) },
		func() error { return c.expect(k.delivery(channel, payload("last")), leave...) },
		func() error { return c.next(left) },
		// Sent after the confirmation was read: neither counted nor delivered.
		func() error { return publish(payload("after"), crowd) },
		func() error { return c.expect("PONG", "PING") },
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// pool makes the connections of a pair.
func pool(s *server) (subscribers, publishers []*client, err error) {
	for i := range 2 * exactPool {
		c, err := connect(s.addr())
		if err != nil {
			return nil, nil, err
		}
		if i%2 == 0 {
			subscribers = append(subscribers, c)
		} else {
			publishers = append(publishers, c)
		}
	}
	return subscribers, publishers, nil
}

// watch reads deliveries up to the last one.
func watch(c *client, last string) (seen []string, err error) {
	for {
		r, err := c.read()
		if err != nil {
			return seen, err
		}
		seen = append(seen, r.String())
		if r.String() == last {
			return seen, nil
		}
	}
}

// TestProtocolSwitch: HELLO changes the form of what is delivered after its answer, and of nothing before.
func TestProtocolSwitch(t *testing.T) {
	f := func(crowd, iterations int, args ...string) {
		t.Run(fmt.Sprintf("%v,crowd=%d", args, crowd), func(t *testing.T) {
			s := startHubSub(t, args...)
			for range crowd {
				must(t, dial(t, s).expect("[subscribe c 1]", "SUBSCRIBE", "c"))
			}
			publisher := dial(t, s)
			publish := func(payload string) {
				t.Helper()
				must(t, publisher.expect(fmt.Sprint(crowd+1), "PUBLISH", "c", payload))
			}
			var switchers []*client
			for range exactPool {
				switchers = append(switchers, dial(t, s))
			}
			for i := range iterations {
				c := switchers[i%exactPool]
				must(t, c.send("HELLO", "3"))
				if hello, err := c.read(); err != nil || hello.kind != '%' {
					t.Fatalf("HELLO 3: %v %v", hello, err)
				}
				must(t, c.expect(">[subscribe c 1]", "SUBSCRIBE", "c"))
				publish("three")
				must(t, c.expect(">[message c three]", "HELLO", "2"))
				if hello, err := c.read(); err != nil || hello.kind != '*' || len(hello.items) != 14 {
					t.Fatalf("HELLO 2: %v %v", hello, err)
				}
				publish("two")
				must(t, c.next("[message c two]"), c.expect("RESET", "RESET"))
			}
		})
	}
	f(0, exactIterations, "--loops", "2")
	f(heldCrowd, heldIterations, "--loops", "2", "--coalesce-max", "5ms")
}
