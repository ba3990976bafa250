package command

import (
	"fmt"
	"strings"
	"testing"

	"hubsub/engine"
)

// A SUBSCRIBE that is refused late, or whose rights were lost meanwhile, is over
// before the EXEC goes on to the next: that one is as any other.
func TestExecGoesOnAfterRefusedSubscribe(t *testing.T) {
	const noPermission = "-NOPERM this user has no permissions to access one of the channels used as arguments"
	onLoops(t, func(t *testing.T, s *site, city *metropolis) {
		for _, fault := range []string{tryAgain, noPermission} {
			admin, c, pub := s.dial(), s.dial(), s.dial()
			admin.says("ACL SETUSER bob on nopass +@all allchannels", "+OK")
			c.says("AUTH bob x", "+OK")
			city.hold("no")
			city.hold("a")
			c.pipeline("MULTI", "SUBSCRIBE no", "SUBSCRIBE a", "EXEC")
			c.gets(lines("+OK", "+QUEUED", "+QUEUED"))
			city.awaits("no", 1)
			if fault == tryAgain {
				city.refuse("no", engine.TryAgain)
			} else {
				admin.says("ACL SETUSER bob resetchannels &a", "+OK")
			}
			city.release("no")
			city.awaits("a", 1)
			city.release("a")
			c.gets(lines("*2", fault, confirmed("subscribe", "a", 1)))
			city.refuse("no", engine.Done)
			city.wantInterest("0 a: 1")
			city.own("a", true)
			memory := s.engine.Stats().ClientMemory
			for range 100 {
				pub.says("PUBLISH a x", ":1")
				c.gets(message("a", "x"))
			}
			if now := s.engine.Stats().ClientMemory; now != memory {
				t.Errorf("the clients take %d bytes, and %d after all was delivered", memory, now)
			}
			city.own("a", false)
			for _, one := range []*client{admin, c, pub} {
				one.conn.Close()
			}
			city.wantInterest()
			eventually(t, "nothing is left", func() bool {
				st := s.engine.Stats()
				return st.Connections == 0 && st.Rooms == 0 && st.ClientMemory == 0
			})
		}
	})
}

// An EXEC's messages to a room that this node has to itself keep their order,
// though one of its channels is heard by patterns only.
func TestExecToChannelOfPatterns(t *testing.T) {
	onLoops(t, func(t *testing.T, s *site, city *metropolis) {
		city.own("r", true)
		s.subscribe("{r}a")
		c := s.dial()
		c.says("PSUBSCRIBE {r}*", confirmed("psubscribe", "{r}*", 1))
		for range 6 { // on all loops
			pub := s.dial()
			for _, publishes := range [][]string{
				{"PUBLISH {r}a 1", "PUBLISH {r}b 2", "PUBLISH {r}a 3"},
				{"PUBLISH {r}b 1", "PUBLISH {r}a 2", "PUBLISH {r}b 3"},
			} {
				answers, want := lines("*3", ":2", ":1", ":2"), "aba"
				if publishes[0] == "PUBLISH {r}b 1" {
					answers, want = lines("*3", ":1", ":2", ":1"), "bab"
				}
				pub.pipeline("MULTI", publishes[0], publishes[1], publishes[2], "EXEC")
				pub.gets(lines("+OK", "+QUEUED", "+QUEUED", "+QUEUED", answers))
				for i := range 3 {
					words, _ := c.answer(t)
					if got := words[2] + " " + words[3]; got != fmt.Sprintf("{r}%c %d", want[i], i+1) {
						t.Fatalf("got %s as message %d of %s", got, i+1, want)
					}
				}
				for i, publish := range publishes { // not in an EXEC
					pub.pipeline(publish)
					pub.gets(strings.Split(answers, "⏎")[i+1])
				}
				pub.pipeline(publishes...)
				pub.gets(strings.TrimPrefix(answers, "*3⏎"))
				for i := range 6 {
					words, _ := c.answer(t)
					if got := words[3]; got != fmt.Sprint(i%3+1) {
						t.Fatalf("got %s as message %d", got, i%3+1)
					}
				}
			}
		}
	})
}

// A channel of this node may be named as if it were of a room: what else is of
// that room goes by its lane all the same.
func TestExecToLocalChannel(t *testing.T) {
	onLoops(t, func(t *testing.T, s *site, city *metropolis) {
		s.subscribe("__hubsub__:{r}x")
		s.subscribe("{r}a")
		city.hears("{r}a", 10)
		c := s.dial()
		c.pipeline("MULTI", "PUBLISH __hubsub__:{r}x 1", "PUBLISH {r}a 2", "EXEC")
		c.gets(lines("+OK", "+QUEUED", "+QUEUED", "*2", ":1", ":11"))
	})
}
