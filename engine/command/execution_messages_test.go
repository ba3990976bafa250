package command

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"hubsub/engine"
)

// inProtocols runs a test with a RESP2 client and a RESP3 client; push makes a
// RESP2 answer what the client gets of it.
func inProtocols(s *site, f func(c *client, push func(answer string) string)) {
	for _, hello := range []bool{false, true} {
		c := s.dial()
		push := func(answer string) string { return answer }
		if hello {
			c.send("HELLO", "3")
			c.answer(s.t.(*testing.T))
			push = func(answer string) string { return ">" + answer[1:] }
		}
		f(c, push)
		c.conn.Close()
	}
}

// What an EXEC subscribes to is heard behind its answer: a RESP2 client would
// take a message before it for the answer.
func TestMessagesFollowExec(t *testing.T) {
	for _, s := range []*site{serve(t, ""), serveLanes(t, 1, newMetropolis(t)), serveLanes(t, 3, newMetropolis(t))} {
		inProtocols(s, func(c *client, push func(string) string) {
			c.pipeline("MULTI", "SUBSCRIBE a", "PUBLISH a 1", "SUBSCRIBE b", "PUBLISH a 2", "EXEC")
			c.gets(lines("+OK", "+QUEUED", "+QUEUED", "+QUEUED", "+QUEUED",
				"*4", push(confirmed("subscribe", "a", 1)), ":1", push(confirmed("subscribe", "b", 2)), ":1",
				push(message("a", "1")), push(message("a", "2"))))
			c.says("UNSUBSCRIBE b", push(confirmed("unsubscribe", "b", 1)))
			s.dial().says("PUBLISH a 3", ":1")
			c.gets(push(message("a", "3")))
		})
	}
}

// So it is if the EXEC waits, for whatever reason and how often.
func TestMessagesFollowExecThatWaits(t *testing.T) {
	onLoops(t, func(t *testing.T, s *site, city *metropolis) {
		pub := s.dial()
		inProtocols(s, func(c *client, push func(string) string) {
			subscribe := push(confirmed("subscribe", "{r}a", 1))
			for _, f := range []struct{ command, answer string }{
				{"PUBLISH held x", ":0"},
				{"PUBSUB NUMSUB held", lines("*2", bulk("held"), ":0")},
			} {
				city.hold("held")
				c.pipeline("MULTI", "SUBSCRIBE {r}a", f.command, "EXEC")
				c.gets(lines("+OK", "+QUEUED", "+QUEUED"))
				city.awaits("held", 1)
				pub.says("PUBLISH {r}a 1", ":1")
				pub.says("PUBLISH {r}a 2", ":1")
				c.silent()
				city.release("held")
				c.gets(lines("*2", subscribe, f.answer, push(message("{r}a", "1")), push(message("{r}a", "2"))))
				pub.says("PUBLISH {r}a 3", ":1")
				c.gets(push(message("{r}a", "3")))
				c.says("UNSUBSCRIBE", push(confirmed("unsubscribe", "{r}a", 0)))
			}

			// Two that wait, the second for one that is refused, and a publish that does.
			for _, room := range []string{"held", "no", "late"} {
				city.hold(room)
			}
			city.refuse("{no}x", engine.TryAgain)
			c.pipeline("MULTI", "SUBSCRIBE {r}a", "SUBSCRIBE {r}b held", "SUBSCRIBE {r}c {no}x", "PUBLISH late x", "EXEC")
			c.gets(lines("+OK", strings.TrimSuffix(strings.Repeat("+QUEUED⏎", 4), "⏎")))
			say := func(text string, receivers ...int) {
				for i, n := range receivers {
					pub.says(fmt.Sprintf("PUBLISH {r}%c %s", 'a'+i, text), fmt.Sprintf(":%d", n))
				}
			}
			city.awaits("held", 1)
			say("1", 1, 1)
			city.release("held")
			city.awaits("no", 1)
			say("2", 1, 1, 1)
			city.release("no")
			city.awaits("late", 1)
			say("3", 1, 1, 0)
			c.silent()
			city.release("late")
			c.gets(lines("*4", subscribe, push(confirmed("subscribe", "{r}b", 2)), push(confirmed("subscribe", "held", 3)), tryAgain, ":0"))
			for text := '1'; text <= '3'; text++ {
				c.gets(lines(push(message("{r}a", string(text))), push(message("{r}b", string(text)))))
			}
			say("4", 1, 1, 0)
			c.gets(lines(push(message("{r}a", "4")), push(message("{r}b", "4"))))
			c.conn.Close()
			city.wantInterest()
		})
		pub.conn.Close()
		eventually(t, "nothing is left", func() bool {
			st := s.engine.Stats()
			return st.Rooms == 0 && st.ClientMemory == 0
		})
	})
}

// Who gives up in the same EXEC what it subscribed to is not subscribed behind
// it, and a RESP2 client cannot take a message then.
func TestSubscribedWithinExecOnly(t *testing.T) {
	onLoops(t, func(t *testing.T, s *site, city *metropolis) {
		c, pub := s.dial(), s.dial()
		city.hold("held")
		c.pipeline("MULTI", "SUBSCRIBE a", "PUBSUB NUMSUB held", "UNSUBSCRIBE a", "EXEC", "PING")
		c.gets(lines("+OK", "+QUEUED", "+QUEUED", "+QUEUED"))
		city.awaits("held", 1)
		pub.says("PUBLISH a x", ":1")
		city.release("held")
		c.gets(lines("*3", confirmed("subscribe", "a", 1), "*2", bulk("held"), ":0", confirmed("unsubscribe", "a", 0), "+PONG"))
		city.wantInterest()

		// Who has it again behind it is.
		city.hold("held")
		c.pipeline("MULTI", "SUBSCRIBE a", "PUBSUB NUMSUB held", "UNSUBSCRIBE a", "SUBSCRIBE a", "EXEC")
		c.gets(lines("+OK", "+QUEUED", "+QUEUED", "+QUEUED", "+QUEUED"))
		city.awaits("held", 1)
		pub.says("PUBLISH a x", ":1")
		city.release("held")
		c.gets(lines("*4", confirmed("subscribe", "a", 1), "*2", bulk("held"), ":0", confirmed("unsubscribe", "a", 0),
			confirmed("subscribe", "a", 1), message("a", "x")))
	})
}

// What waits for the answer has the limit of what waits for a subscriber that
// does not read.
func TestTooMuchHeardWithinExec(t *testing.T) {
	for _, loops := range []int{1, 3} {
		city := newMetropolis(t)
		s := serveLanes(t, loops, city, func(c *engine.Config) { c.Settings.OutputPubSub = engine.OutputLimit{HardBytes: 100_000} })
		c, pub := s.dial(), s.dial()
		city.hold("held")
		c.pipeline("MULTI", "SUBSCRIBE a", "PUBLISH held x", "EXEC")
		c.gets(lines("+OK", "+QUEUED", "+QUEUED"))
		city.awaits("held", 1)
		text := strings.Repeat("x", 30_000)
		for range 3 {
			pub.says("PUBLISH a "+text, ":1")
		}
		c.silent()
		pub.says("PUBLISH a "+text, ":1")
		c.ends()
		city.release("held")
		city.wantInterest()
		pub.conn.Close()
		eventually(t, "nothing is left", func() bool {
			st := s.engine.Stats()
			return st.Connections == 0 && st.ClientMemory == 0
		})
	}
}

// Clients subscribe in EXECs while others publish, and lanes answer when they
// like: each finds its answers where they belong, and a room's order between.
func TestExecsWhateverLanesDo(t *testing.T) {
	onLoops(t, func(t *testing.T, s *site, city *metropolis) {
		const publishers, subscribers, rounds = 2, 4, 150
		city.delay.Store(int64(50 * time.Microsecond))
		city.refuse("{no}x", engine.TryAgain)
		var running sync.WaitGroup
		var over atomic.Bool
		for p := range publishers {
			c := s.dial()
			running.Go(func() {
				for n := 0; !over.Load() && !t.Failed(); n++ {
					c.send("PUBLISH", fmt.Sprintf("{r}%c", 'a'+n%2), fmt.Sprintf("%d %d", p, n))
					c.answer(t)
				}
			})
		}
		running.Go(func() {
			for own := true; !over.Load(); own = !own {
				city.own("r", own)
			}
		})
		var subscribing sync.WaitGroup
		for range subscribers {
			c := s.dial()
			subscribing.Go(func() {
				for round := range rounds {
					last := make(map[int]int)
					hears := func(words []string) bool {
						if len(words) != 3 || words[0] != "message" {
							return false
						}
						var p, n int
						fmt.Sscan(words[2], &p, &n)
						if before, ok := last[p]; ok && n <= before {
							t.Errorf("message %d of publisher %d after %d", n, p, before)
						}
						last[p] = n
						return true
					}
					commands := []string{"SUBSCRIBE {r}a", "PUBLISH {q}x y", "SUBSCRIBE {no}x", "PUBSUB NUMSUB {r}a", "SUBSCRIBE {r}b"}
					if round%2 > 0 {
						commands = commands[:2+round%4]
					}
					c.pipeline(slices.Concat([]string{"MULTI"}, commands, []string{"EXEC"})...)
					c.gets(lines("+OK", strings.TrimSuffix(strings.Repeat("+QUEUED⏎", len(commands)), "⏎"), fmt.Sprintf("*%d", len(commands)),
						confirmed("subscribe", "{r}a", 1)))
					for range commands[1:] {
						if words, _ := c.answer(t); hears(words) {
							t.Error("a message stands in the answer")
						}
					}
					c.pipeline("UNSUBSCRIBE {r}a {r}b", "PING")
					for left := 2; left > 0 && !t.Failed(); {
						if words, _ := c.answer(t); !hears(words) {
							left--
						}
					}
					c.gets("+PONG")
				}
			})
		}
		subscribing.Wait()
		over.Store(true)
		running.Wait()
		city.wantInterest()
		if n := s.engine.Stats().Rooms; n != 0 {
			t.Errorf("%d rooms are left", n)
		}
	})
}
