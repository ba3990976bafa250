package command

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"hubsub/engine"
)

// A SUBSCRIBE is confirmed when all its names are, in one piece, and joins no
// channel before. Nobody else waits.
func TestSubscribeWaitsForAllNames(t *testing.T) {
	onLoops(t, func(t *testing.T, s *site, city *metropolis) {
		c, other := s.dial(), s.dial()
		c.says("SUBSCRIBE old", confirmed("subscribe", "old", 1))
		city.hold("b")
		c.pipeline("SUBSCRIBE a b old a c", "PING")
		city.awaits("b", 1)
		other.says("PUBLISH old x", ":1")
		c.gets(message("old", "x")) // but for what it hears already
		c.silent()
		other.says("SUBSCRIBE c", confirmed("subscribe", "c", 1))
		city.release("b")
		c.gets(lines(confirmed("subscribe", "a", 2), confirmed("subscribe", "b", 3), confirmed("subscribe", "old", 3),
			confirmed("subscribe", "a", 3), confirmed("subscribe", "c", 4), "*2⏎$4⏎pong⏎$0⏎"))
		city.wantInterest("0 a: 1", "0 b: 1", "0 c: 2", "0 old: 1")
		c.says("SUBSCRIBE a", confirmed("subscribe", "a", 4)) // asks nobody
		c.says("SSUBSCRIBE a", confirmed("ssubscribe", "a", 1))
		c.says("PSUBSCRIBE a* {r}*", lines(confirmed("psubscribe", "a*", 5), confirmed("psubscribe", "{r}*", 6)))
		city.wantInterest("0 a: 1", "0 b: 1", "0 c: 2", "0 old: 1", "1 a: 1", "2 a*: 1", "2 {r}*: 1")
		c.conn.Close()
		other.conn.Close()
		city.wantInterest()
	})
}

// One name refused: one error, and nothing is subscribed.
func TestSubscribeOfRefusedName(t *testing.T) {
	onLoops(t, func(t *testing.T, s *site, city *metropolis) {
		c := s.dial()
		c.says("SUBSCRIBE old", confirmed("subscribe", "old", 1))
		city.refuse("b", engine.TryAgain)
		for _, late := range []bool{false, true} {
			if late {
				city.hold("b")
			}
			c.pipeline("SUBSCRIBE a b c old", "PING")
			if late {
				city.awaits("b", 1)
				c.silent()
				city.release("b")
			}
			c.gets(lines(tryAgain, "*2⏎$4⏎pong⏎$0⏎"))
			city.wantInterest("0 old: 1")
		}
		city.refuse("b", engine.Done)
		c.says("SUBSCRIBE b", confirmed("subscribe", "b", 2))
		city.refuse("b", engine.Down) // leaving cannot be refused
		c.says("UNSUBSCRIBE b", confirmed("unsubscribe", "b", 1))
		city.wantInterest("0 old: 1")
	})
}

// What comes for a client's names while it waits for others is for it, too: the lane has counted it. It follows the
// confirmations. Who hears the names already does not wait.
func TestHeardWhileSubscribing(t *testing.T) {
	f := func(kind engine.Kind, subscribe, publish, name, heard string) {
		onLoops(t, func(t *testing.T, s *site, city *metropolis) {
			verb := strings.ToLower(subscribe)
			for i := range 12 { // on all loops, of rooms of all loops
				name, channel := fmt.Sprintf(name, i), fmt.Sprintf("{room%d}c", i)
				old, c, pub := s.dial(), s.dial(), s.dial()
				old.says(subscribe+" "+name, confirmed(verb, name, 1))
				if i%2 > 0 {
					c.words(t, "HELLO 3")
				}
				gets := func(answers ...string) {
					if i%2 > 0 {
						for i := range answers {
							answers[i] = strings.Replace(answers[i], "*", ">", 1)
						}
					}
					c.gets(lines(answers...))
				}
				hears := func(text string) string {
					words := []string{heard, channel, text}
					if heard == "pmessage" {
						words = []string{heard, name, channel, text}
					}
					for i := range words {
						words[i] = bulk(words[i])
					}
					return fmt.Sprintf("*%d⏎%s", len(words), lines(words...))
				}
				for _, refused := range []bool{true, false} {
					city.hold("held")
					if city.refuse("{held}c", engine.Done); refused {
						city.refuse("{held}c", engine.TryAgain)
					}
					c.send(subscribe, name, "{held}c")
					city.awaits("held", 1)
					pub.says(publish+" "+channel+" 1", ":2")
					pub.says(publish+" "+channel+" 2", ":2")
					old.gets(lines(hears("1"), hears("2")))
					c.silent()
					city.release("held")
					if refused {
						c.gets(tryAgain)
						city.wantInterest(interestIn(kind, []byte(name)) + ": 1")
						pub.says(publish+" "+channel+" 3", ":1")
						old.gets(hears("3"))
					} else {
						gets(confirmed(verb, name, 1), confirmed(verb, "{held}c", 2), hears("1"), hears("2"))
						pub.says(publish+" "+channel+" 3", ":2")
						old.gets(hears("3"))
						gets(hears("3"))
					}
				}
				for _, one := range []*client{old, c, pub} {
					one.conn.Close()
				}
				city.wantInterest()
			}
			eventually(t, "nobody is subscribed", func() bool {
				st := s.engine.Stats()
				return st.Rooms == 0 && st.Patterns == 0 && st.ClientMemory == 0
			})
		})
	}
	f(engine.Channel, "SUBSCRIBE", "PUBLISH", "{room%d}c", "message")
	f(engine.Shard, "SSUBSCRIBE", "SPUBLISH", "{room%d}c", "smessage")
	f(engine.Pattern, "PSUBSCRIBE", "PUBLISH", "{room%d}*", "pmessage")
	f(engine.Pattern, "PSUBSCRIBE", "PUBLISH", "?room%d}*", "pmessage") // of no room
}

// A room has one order, for a client that hears one of its channels and is about to hear another, too.
func TestOrderWhileSubscribing(t *testing.T) {
	onLoops(t, func(t *testing.T, s *site, city *metropolis) {
		for i, old := range [][]string{{"{r}a"}, {"{r}a", "x"}, {"{r}a"}, {"{r}a", "x"}} {
			c, pub, n := s.subscribe(old...), s.dial(), len(old)
			city.hold("held")
			if city.refuse("held", engine.Done); i >= 2 {
				city.refuse("held", engine.TryAgain)
			}
			c.pipeline("SUBSCRIBE {r}b held", "UNSUBSCRIBE {r}b held")
			city.awaits("held", 1)
			pub.says("PUBLISH {r}a 1", ":1")
			c.gets(message("{r}a", "1"))
			pub.says("PUBLISH {r}b 2", ":1")
			pub.says("PUBLISH {r}a 3", ":1")
			c.silent()
			city.release("held")
			if i < 2 {
				c.gets(lines(confirmed("subscribe", "{r}b", n+1), confirmed("subscribe", "held", n+2),
					message("{r}b", "2"), message("{r}a", "3"),
					confirmed("unsubscribe", "{r}b", n+1), confirmed("unsubscribe", "held", n)))
			} else {
				c.gets(lines(tryAgain, message("{r}a", "3"), confirmed("unsubscribe", "{r}b", n), confirmed("unsubscribe", "held", n)))
			}
			pub.says("PUBLISH {r}a 4", ":1")
			c.gets(message("{r}a", "4"))
			c.says("UNSUBSCRIBE {r}a", confirmed("unsubscribe", "{r}a", n-1))
			c.conn.Close()
			city.wantInterest()
		}
	})
}

// So it has if the lane answers in the call, and messages come right then.
func TestOrderWhileSubscribingAtOnce(t *testing.T) {
	for _, old := range [][]string{{"{r}a"}, {"{r}a", "x"}} {
		city := newMetropolis(t)
		var over atomic.Bool
		city.hook = func(l *lane, channel string) {
			if channel == "{r}b" && !over.Swap(true) {
				l.sink.Deliver(engine.Channel, []byte("r"), []byte("{r}b"), []byte("2"))
				l.sink.Deliver(engine.Channel, []byte("r"), []byte("{r}a"), []byte("3"))
			}
		}
		s := serveLanes(t, 1, city)
		c, n := s.subscribe(old...), len(old)
		c.says("SUBSCRIBE {r}b", lines(confirmed("subscribe", "{r}b", n+1), message("{r}b", "2"), message("{r}a", "3")))
		c.says("UNSUBSCRIBE {r}b", confirmed("unsubscribe", "{r}b", n))
		s.dial().says("PUBLISH {r}a 4", ":1")
		c.gets(message("{r}a", "4"))
	}
}

// That has the limit of what waits for a subscriber that does not read.
func TestTooMuchHeardWhileSubscribing(t *testing.T) {
	for _, loops := range []int{1, 3} {
		city := newMetropolis(t)
		s := serveLanes(t, loops, city, func(c *engine.Config) { c.Settings.OutputPubSub = engine.OutputLimit{HardBytes: 100_000} })
		c, pub := s.dial(), s.dial()
		city.hold("held")
		c.send("SUBSCRIBE", "a", "held")
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
		pub.says("PUBLISH a x", ":0")
	}
}

// An UNSUBSCRIBE is confirmed when the lanes know; what was published before
// comes before it.
func TestUnsubscribeWaits(t *testing.T) {
	onLoops(t, func(t *testing.T, s *site, city *metropolis) {
		c, pub := s.subscribe("a", "b"), s.dial()
		city.hold("a")
		pub.send("PUBLISH", "a", "x")
		city.awaits("a", 1)
		c.pipeline("UNSUBSCRIBE b a none", "PING")
		city.awaits("a", 2)
		c.silent()
		city.release("a")
		pub.gets(":0") // the lane knew at once
		c.gets(lines(message("a", "x"), confirmed("unsubscribe", "b", 1), confirmed("unsubscribe", "a", 0),
			confirmed("unsubscribe", "none", 0), "+PONG"))
		city.wantInterest()
		c.says("UNSUBSCRIBE", "*3⏎"+bulk("unsubscribe")+"⏎$-1⏎:0")
	})
}

// Whatever ends a client takes its interest back, once: what it had, what it was
// about to have, what it was about to give up.
func TestInterestAddsUpToNothing(t *testing.T) {
	onLoops(t, func(t *testing.T, s *site, city *metropolis) {
		admin := s.dial()
		sessionOf := func(c *client) (found *engine.Session) {
			s.engine.Sessions(func(s *engine.Session) {
				if s.RemoteAddr() == c.conn.LocalAddr().String() {
					found = s
				}
			})
			return found
		}
		ends := map[string]func(c *client){
			"closed": func(c *client) { c.conn.Close() },
			"killed": func(c *client) {
				admin.says(fmt.Sprintf("CLIENT KILL ID %d", sessionOf(c).ID()), ":1")
			},
			"finished": func(c *client) {
				s := sessionOf(c)
				s.Engine().Do(s, s.Finish)
			},
		}
		for how, end := range ends {
			for _, command := range []string{"SUBSCRIBE b c {held}x", "UNSUBSCRIBE", "UNSUBSCRIBE held a", "PSUBSCRIBE {held}*", "PING"} {
				c := s.subscribe("a", "held")
				city.hold("held")
				c.send(strings.Split(command, " ")...)
				if command == "PING" {
					c.gets("*2⏎$4⏎pong⏎$0⏎")
				} else {
					city.awaits("held", 1)
				}
				end(c)
				time.Sleep(time.Millisecond)
				city.release("held")
				city.awaits("held", 0)
				eventually(t, "the client is gone", func() bool { return s.engine.Stats().Connections == 1 })
				if city.wantInterest(); t.Failed() {
					t.Fatal(how, command)
				}
			}
		}
		c := s.subscribe("a", "b")
		c.says("PSUBSCRIBE x*", confirmed("psubscribe", "x*", 3))
		c.says("RESET", "+RESET")
		city.wantInterest()
		c.says("SUBSCRIBE a", confirmed("subscribe", "a", 1))
		c.says("QUIT", "+OK")
		city.wantInterest()
	})
}

// At the end of the engine too.
func TestInterestAtTheEnd(t *testing.T) {
	city := newMetropolis(t)
	s := serveLanes(t, 3, city)
	for i := range 10 {
		s.subscribe("a", fmt.Sprint(i))
	}
	city.hold("late")
	c := s.dial()
	c.send("SUBSCRIBE", "b", "late")
	city.awaits("late", 1)
	t.Cleanup(func() {
		if got := city.interest(); len(got) != 1 || got[0] != "0 b: 1" { // its lane never answered for the other name
			t.Errorf("the interest is %q", got)
		}
	})
	stop(t, s)
	city.lanes[0].sink.Wake() // at any time
}

// Users lose the right to a channel while they wait for it: they do not get it.
func TestRightsLostWhileSubscribing(t *testing.T) {
	onLoops(t, func(t *testing.T, s *site, city *metropolis) {
		admin, c := s.dial(), s.dial()
		admin.says("ACL SETUSER bob on nopass +@all allchannels", "+OK")
		c.says("AUTH bob x", "+OK")
		city.hold("b")
		c.pipeline("SUBSCRIBE a b", "PING")
		city.awaits("b", 1)
		admin.says("ACL SETUSER bob resetchannels &a", "+OK")
		city.release("b")
		c.gets(lines("-NOPERM this user has no permissions to access one of the channels used as arguments", "+PONG"))
		city.wantInterest()
	})
}

// Counts are those of all nodes; local channels have none elsewhere.
func TestCountsOfAllNodes(t *testing.T) {
	onLoops(t, func(t *testing.T, s *site, city *metropolis) {
		s.subscribe("a", "__hubsub__:a")
		city.hears("a", 10)
		city.hears("__hubsub__:a", 10)
		c := s.dial()
		c.says("PUBSUB NUMSUB a b __hubsub__:a", lines("*6", bulk("a"), ":11", bulk("b"), ":0", bulk("__hubsub__:a"), ":1"))
		c.says("PUBSUB SHARDNUMSUB a", lines("*2", bulk("a"), ":10"))
		c.says("PUBSUB NUMSUB", "*0")
		city.hold("a")
		c.pipeline("PUBSUB NUMSUB b a", "PING")
		city.awaits("a", 1)
		c.silent()
		city.release("a")
		c.gets(lines("*4", bulk("b"), ":0", bulk("a"), ":11", "+PONG"))
		city.refuse("a", engine.Down)
		c.says("PUBSUB NUMSUB b a", down)
		c.says("PUBSUB CHANNELS", lines("*2", bulk("there"), bulk("here")))
		c.says("PUBSUB CHANNELS t*", lines("*1", bulk("there")))
		c.says("PUBSUB SHARDCHANNELS", "*0")
		c.says("PUBSUB NUMPAT", ":2")
	})
}

// A local channel is nobody else's, whatever is done with it.
func TestLocalChannels(t *testing.T) {
	onLoops(t, func(t *testing.T, s *site, city *metropolis) {
		c, pub := s.dial(), s.dial()
		c.says("SUBSCRIBE __hubsub__:x", confirmed("subscribe", "__hubsub__:x", 1))
		pub.says("PUBLISH __hubsub__:x hello", ":1")
		c.gets(message("__hubsub__:x", "hello"))
		c.says("UNSUBSCRIBE __hubsub__:x", confirmed("unsubscribe", "__hubsub__:x", 0))
		c.says("SUBSCRIBE __hubsub__:x", confirmed("subscribe", "__hubsub__:x", 1))
		c.conn.Close()
		city.wantInterest()
	})
}
