package command

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"hubsub/engine"
)

// An EXEC that publishes is answered as a whole, when all are answered.
func TestExecWaitsForItsPublishes(t *testing.T) {
	onLoops(t, func(t *testing.T, s *site, city *metropolis) {
		sub, c := s.subscribe("a", "b", "owned"), s.dial()
		city.own("owned", true)
		city.refuse("d", engine.TryAgain)
		city.hold("a")
		c.pipeline("MULTI", "PUBLISH owned 1", "PUBLISH a 2", "PING", "PUBLISH b 3", "PUBLISH d 4", "PUBLISH a 5", "EXEC", "PING", "PUBLISH b 6")
		c.gets(lines("+OK", strings.TrimSuffix(strings.Repeat("+QUEUED⏎", 6), "⏎")))
		city.awaits("a", 2)
		c.silent()
		city.release("a")
		c.gets(lines("*6", ":1", ":1", "+PONG", ":1", tryAgain, ":1", "+PONG", ":1"))
		for range 5 {
			sub.answer(t)
		}
		// Inline, and with nothing published.
		c.pipeline("MULTI", "PUBLISH a 7", "EXEC", "MULTI", "PING", "EXEC", "MULTI", "EXEC")
		c.gets(lines("+OK", "+QUEUED", "*1", ":1", "+OK", "+QUEUED", "*1", "+PONG", "+OK", "*0"))
	})
}

// Muted, an EXEC publishes all the same.
func TestMutedExec(t *testing.T) {
	onLoops(t, func(t *testing.T, s *site, city *metropolis) {
		c := s.dial()
		city.hold("a")
		c.pipeline("CLIENT REPLY OFF", "MULTI", "PUBLISH a 1", "PUBLISH b 2", "EVAL "+oneLineScript+" 0 x a", "EXEC", "CLIENT REPLY ON")
		city.awaits("a", 1)
		c.silent()
		city.release("a")
		c.gets("+OK")
		if a, b := city.got("a"), city.got("b"); len(a) != 1 || len(b) != 1 {
			t.Error(a, b)
		}
	})
}

// oneLineScript is no script: it has no blanks, for the pipeline.
const oneLineScript = "return"

// The publishes of one EXEC to a room stand together, whoever else publishes
// and whoever owns the room.
func TestExecIsContiguous(t *testing.T) {
	onLoops(t, func(t *testing.T, s *site, city *metropolis) {
		sub := s.subscribe("{r}a", "{r}b")
		city.delay.Store(int64(50 * time.Microsecond))
		const publishers, rounds, size = 4, 50, 5
		var running sync.WaitGroup
		var over atomic.Bool
		defer running.Wait()
		defer over.Store(true)
		for p := range publishers {
			c := s.dial()
			running.Go(func() {
				for round := range rounds {
					commands := []string{"MULTI"}
					for i := range size {
						commands = append(commands, fmt.Sprintf("PUBLISH {r}%c %d.%d.%d", 'a'+i%2, p, round, i))
					}
					c.pipeline(append(commands, "EXEC")...)
					c.gets(lines("+OK", strings.TrimSuffix(strings.Repeat("+QUEUED⏎", size), "⏎"), "*5", ":1", ":1", ":1", ":1", ":1"))
				}
			})
		}
		running.Go(func() {
			for own := true; !over.Load(); own = !own {
				city.own("r", own)
			}
		})
		next := make(map[string]int)
		for n := 0; n < publishers*rounds; n++ {
			var first string
			for i := range size {
				words, _ := sub.answer(t)
				head, last, _ := strings.Cut(words[2], ".")
				round, number, _ := strings.Cut(last, ".")
				if i == 0 {
					first = head + "." + round
					if round != fmt.Sprint(next[head]) {
						t.Fatalf("got %s of %s, want %d", round, head, next[head])
					}
					next[head]++
				}
				if head+"."+round != first || number != fmt.Sprint(i) {
					t.Fatalf("got %s behind %d of %s", words[2], i, first)
				}
			}
		}
	})
}

// A room that changes hands within an EXEC does so after it.
func TestExecGoesOneWay(t *testing.T) {
	city := newMetropolis(t)
	city.hook = func(l *lane, channel string) {
		if channel == "trigger" {
			l.sink.Own("r", false)
		}
	}
	s := serveLanes(t, 1, city)
	sub, c := s.subscribe("{r}a"), s.dial()
	city.own("r", true)
	asked := city.questions("r")
	c.pipeline("MULTI", "PUBLISH {r}a 1", "PUBLISH trigger x", "PUBLISH {r}a 2", "EXEC")
	c.gets(lines("+OK", "+QUEUED", "+QUEUED", "+QUEUED", "*3", ":1", ":0", ":1"))
	if n := city.questions("r"); n != asked {
		t.Error("a publish went the other way")
	}
	c.says("PUBLISH {r}a 3", ":1")
	if n := city.questions("r"); n != asked+1 {
		t.Error("the room has changed hands in vain")
	}
	sub.gets(lines(message("{r}a", "1"), message("{r}a", "2"), message("{r}a", "3")))
}

// An EXEC may subscribe and publish: in the order of its commands.
func TestExecThatSubscribes(t *testing.T) {
	onLoops(t, func(t *testing.T, s *site, city *metropolis) {
		c := s.dial()
		c.send("HELLO", "3")
		c.answer(t)
		city.refuse("no", engine.TryAgain)
		for _, late := range []bool{false, true} {
			if late {
				city.hold("a")
			}
			c.pipeline("MULTI", "PUBLISH a 1", "SUBSCRIBE a b", "PUBLISH a 2", "SUBSCRIBE a no", "PUBSUB NUMSUB a b", "PUBSUB NUMPAT",
				"PUBSUB CHANNELS t*", "UNSUBSCRIBE a", "PUBLISH a 3", "EXEC", "PING")
			c.gets(lines("+OK", strings.TrimSuffix(strings.Repeat("+QUEUED⏎", 9), "⏎")))
			if late {
				city.awaits("a", 2)
				c.silent()
				city.release("a")
			}
			c.gets(lines("*9", ":0", pushed("subscribe", "a", 1), pushed("subscribe", "b", 2), ":1", tryAgain,
				"*4", bulk("a"), ":1", bulk("b"), ":1", ":2", "*1", bulk("there"), pushed("unsubscribe", "a", 1), ":0"))
			// The messages follow. The first is the client's, too, if its lane heard of the subscription before it delivered
			// that.
			for last := "0"; c.peek() == '>'; {
				words, _ := c.answer(t)
				if len(words) != 3 || words[2] <= last || words[2] > "2" {
					t.Fatalf("got %q after message %s", words, last)
				}
				last = words[2]
			}
			c.gets("+PONG")
			c.says("UNSUBSCRIBE", pushed("unsubscribe", "b", 0))
			city.wantInterest()
		}
	})
}

// peek returns the next byte and leaves it.
func (c *client) peek() byte {
	c.t.Helper()
	c.conn.SetReadDeadline(time.Now().Add(patience))
	b, err := c.in.Peek(1)
	if err != nil {
		c.t.Fatal(err)
	}
	return b[0]
}

// A client that is closed in the middle of an EXEC leaves nothing behind.
func TestEndWithinExec(t *testing.T) {
	onLoops(t, func(t *testing.T, s *site, city *metropolis) {
		for _, commands := range [][]string{
			{"MULTI", "PUBLISH a 1", "SUBSCRIBE b a", "PUBLISH a 2", "EXEC"},
			{"MULTI", "SUBSCRIBE c", "PUBLISH a 1", "EXEC"},
			{"MULTI", "SUBSCRIBE c", "UNSUBSCRIBE c", "SUBSCRIBE a", "EXEC"},
		} {
			c := s.dial()
			city.hold("a")
			c.pipeline(commands...)
			eventually(t, "a question waits", func() bool { return city.waiting("a") > 0 })
			var sessions []*engine.Session
			s.engine.Sessions(func(s *engine.Session) { sessions = append(sessions, s) })
			s.engine.Kill(sessions[0])
			eventually(t, "the client is gone", func() bool { return s.engine.Stats().Connections == 0 })
			city.release("a")
			city.awaits("a", 0)
			city.wantInterest()
			if n := s.engine.Stats().ClientMemory; n != 0 {
				t.Errorf("%d bytes are left", n)
			}
		}
	})
}

// A script is answered when all its publishes are, and with an error if one was
// refused; in an EXEC too.
func TestScriptWaitsForItsPublishes(t *testing.T) {
	onLoops(t, func(t *testing.T, s *site, city *metropolis) {
		sub, c := s.subscribe("a", "b"), s.dial()
		city.refuse("d", engine.TryAgain)
		eval := func(channels ...string) {
			t.Helper()
			c.send(append([]string{"EVAL", publishScript, "0", "text"}, channels...)...)
		}
		city.hold("a")
		eval("a", "b", "a")
		c.send("PING")
		city.awaits("a", 2)
		c.silent()
		city.release("a")
		c.gets(lines("$-1", "+PONG"))
		city.hold("a")
		eval("a", "d")
		city.awaits("a", 1)
		city.release("a")
		c.gets(tryAgain)
		eval("d", "b")
		c.gets(tryAgain)
		city.hold("a")
		c.send("MULTI")
		eval("a", "b")
		eval("b", "d")
		eval()
		c.send("PUBLISH", "b", "x")
		c.send("EXEC")
		c.gets(lines("+OK", "+QUEUED", "+QUEUED", "+QUEUED", "+QUEUED"))
		city.awaits("a", 1)
		c.silent()
		city.release("a")
		c.gets(lines("*4", "$-1", tryAgain, "$-1", ":1"))
		for range 9 {
			sub.answer(t)
		}
		sub.silent()
	})
}

// A client that an EXEC of its own closes has the answer to that first, though
// it comes later.
func TestExecThatClosesItsClient(t *testing.T) {
	onLoops(t, func(t *testing.T, s *site, city *metropolis) {
		f := func(waits, answer, pong string) {
			t.Helper()
			c := s.dial()
			kill := fmt.Sprintf("CLIENT KILL ID %d SKIPME no", c.number("CLIENT ID"))
			city.hold("a")
			c.pipeline("MULTI", "PUBLISH b x", kill, waits, "PING", "EXEC", "PING")
			c.gets(lines("+OK", "+QUEUED", "+QUEUED", "+QUEUED", "+QUEUED"))
			city.awaits("a", 1)
			c.silent()
			city.release("a")
			c.gets(lines("*4", ":0", ":1", answer, pong))
			c.ends()
		}
		f("PUBLISH a x", ":0", "+PONG")
		f("PUBSUB NUMSUB a", lines("*2", bulk("a"), ":0"), "+PONG")
		f("SUBSCRIBE a", confirmed("subscribe", "a", 1), "*2⏎$4⏎pong⏎$0⏎")
		city.wantInterest()

		c := s.dial() // waits for the cluster
		kill := fmt.Sprintf("CLIENT KILL ID %d SKIPME no", c.number("CLIENT ID"))
		c.pipeline("MULTI", kill, "PUBSUB NUMPAT", "EXEC")
		c.gets(lines("+OK", "+QUEUED", "+QUEUED", "*2", ":1", ":2"))
		c.ends()

		c = s.dial()
		c.says("ACL SETUSER bob on nopass +@all allchannels", "+OK")
		c.says("AUTH bob x", "+OK")
		city.hold("a")
		c.pipeline("MULTI", "SUBSCRIBE b", "ACL SETUSER bob resetchannels", "PUBSUB NUMSUB a", "EXEC")
		c.gets(lines("+OK", "+QUEUED", "+QUEUED", "+QUEUED"))
		city.awaits("a", 1)
		city.release("a")
		c.gets(lines("*3", confirmed("subscribe", "b", 1), "+OK", "*2", bulk("a"), ":0"))
		c.ends()
		city.wantInterest()
		eventually(t, "nothing is left", func() bool {
			st := s.engine.Stats()
			return st.Connections == 0 && st.Rooms == 0 && st.ClientMemory == 0
		})
	})
}
