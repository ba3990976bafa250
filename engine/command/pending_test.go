package command

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"hubsub/engine"
	"hubsub/resp"
)

// pipeline sends commands, their words separated by spaces, in one write.
func (c *client) pipeline(commands ...string) {
	c.t.Helper()
	var all []byte
	for _, command := range commands {
		words := strings.Split(command, " ")
		all = resp.AppendArray(all, len(words))
		for _, word := range words {
			all = resp.AppendBulkString(all, word)
		}
	}
	if _, err := c.conn.Write(all); err != nil {
		c.t.Fatal(err)
	}
}

// silent wants that nothing comes for a moment.
func (c *client) silent() {
	c.t.Helper()
	c.conn.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
	if b, err := c.in.ReadByte(); err == nil {
		rest, _ := c.in.Peek(c.in.Buffered())
		c.t.Fatalf("got %q, want nothing", string(b)+string(rest))
	}
}

// message is one in RESP2.
func message(channel, text string) string {
	return "*3⏎" + bulk("message") + "⏎" + bulk(channel) + "⏎" + bulk(text)
}

const (
	tryAgain = "-TRYAGAIN the room's leader did not answer"
	down     = "-CLUSTERDOWN The cluster is down: no leader of the cluster is in reach"
)

func lines(answers ...string) string { return strings.Join(answers, "⏎") }

// subscribe has a new client subscribe.
func (s *site) subscribe(names ...string) *client {
	s.t.Helper()
	c := s.dial()
	c.send(append([]string{"SUBSCRIBE"}, names...)...)
	for i, name := range names {
		c.gets(confirmed("subscribe", name, i+1))
	}
	return c
}

// Answers keep their places, however they come: at once, later, as errors.
func TestPipelineKeepsItsPlaces(t *testing.T) {
	onLoops(t, func(t *testing.T, s *site, city *metropolis) {
		sub, pub := s.subscribe("a", "b", "c"), s.dial()
		city.hears("b", 10)
		city.hears("c", 20)
		city.own("b", true)
		city.hold("a")
		city.refuse("d", engine.TryAgain)
		city.refuse("e", engine.Down)
		pub.pipeline("PUBLISH a 1", "PUBLISH b 2", "PUBLISH c 3", "PUBLISH c 4", "PUBLISH d 5", "SPUBLISH c 6", "PUBLISH a 7",
			"publish e 8", "PING", "PUBLISH c 9")
		city.awaits("a", 2)
		pub.silent()
		city.release("a")
		pub.gets(lines(":1", ":11", ":21", ":21", tryAgain, ":20", ":1", down, "+PONG", ":21"))
		for range 6 {
			if words, fault := sub.answer(t); fault != "" || words[0] != "message" {
				t.Fatal(words, fault)
			}
		}
		sub.says("PING", "*2⏎$4⏎pong⏎$0⏎")
	})
}

// What this node has to itself is published as ever, whatever the lane thinks.
func TestOwnedRoomsPassTheirLanes(t *testing.T) {
	onLoops(t, func(t *testing.T, s *site, city *metropolis) {
		city.own("{r}", true)
		city.own("r", true) // before anybody is there
		sub, pub := s.subscribe("{r}a", "{r}b"), s.dial()
		city.hears("{r}a", 10)
		asked := city.questions("r")
		pub.pipeline("PUBLISH {r}a 1", "PUBLISH {r}a 2", "PUBLISH {r}b 3")
		pub.gets(lines(":1", ":1", ":1"))
		sub.gets(lines(message("{r}a", "1"), message("{r}a", "2"), message("{r}b", "3")))
		if city.questions("r") != asked {
			t.Error("the lane was asked")
		}
		city.own("r", false)
		pub.says("PUBLISH {r}a 4", ":11")
		sub.gets(message("{r}a", "4"))
		city.own("r", true)
		pub.says("PUBLISH {r}a 5", ":1")
		sub.says("UNSUBSCRIBE", lines(message("{r}a", "5"), confirmed("unsubscribe", "{r}a", 1), confirmed("unsubscribe", "{r}b", 0)))
		again := s.subscribe("{r}b") // the room is another, and its owner the same
		pub.says("PUBLISH {r}b 6", ":1")
		again.gets(message("{r}b", "6"))
		city.own("r", false)
		again.conn.Close()
		city.wantInterest()
	})
}

// A client that has an answer to come publishes by the lane, whoever owns the
// room by now: its messages keep their order.
func TestOrderOverAChangeOfOwner(t *testing.T) {
	onLoops(t, func(t *testing.T, s *site, city *metropolis) {
		sub, pub := s.subscribe("a"), s.dial()
		city.hold("a")
		pub.send("PUBLISH", "a", "1")
		city.awaits("a", 1)
		city.own("a", true)
		pub.send("PUBLISH", "a", "2")
		city.awaits("a", 2)
		other := s.dial()
		other.says("PUBLISH a between", ":1")
		city.release("a")
		pub.gets(lines(":1", ":1"))
		sub.gets(lines(message("a", "between"), message("a", "1"), message("a", "2")))
	})
}

// A client that publishes on and on without an answer is not read, and goes on
// when it has some.
func TestUnansweredPublishesAreLimited(t *testing.T) {
	onLoops(t, func(t *testing.T, s *site, city *metropolis) {
		pub := s.dial()
		city.hold("a")
		city.hears("a", 7)
		const n = 10_000
		go func() {
			var all []byte
			for i := range n {
				all = resp.AppendArray(all, 3)
				all = resp.AppendBulkString(all, "PUBLISH")
				all = resp.AppendBulkString(all, "a")
				all = resp.AppendBulkString(all, fmt.Sprint(i))
			}
			_, _ = pub.conn.Write(all)
		}()
		city.awaits("a", 1024)
		time.Sleep(10 * time.Millisecond)
		city.awaits("a", 1024)
		city.release("a")
		pub.gets(strings.TrimSuffix(strings.Repeat(":7⏎", n), "⏎"))
		if got := len(city.got("a")); got != n {
			t.Fatalf("%d messages, want %d", got, n)
		}
		for i, text := range city.got("a") {
			if text != fmt.Sprint(i) {
				t.Fatalf("message %d is %s", i, text)
			}
		}
		pub.says("PING", "+PONG")
	})
}

// Other commands, a wrong one too, wait for the answers before them.
func TestOtherCommandsWaitForAnswers(t *testing.T) {
	onLoops(t, func(t *testing.T, s *site, city *metropolis) {
		f := func(command, answer string, waiting int) {
			t.Helper()
			c := s.dial()
			city.hold("a")
			c.pipeline("PUBLISH a 1", command, "PUBLISH a 2")
			city.awaits("a", waiting)
			c.silent()
			city.release("a")
			c.gets(lines(":0", answer, ":0"))
		}
		f("PING", "+PONG", 1)
		f("NONSENSE", "-ERR unknown command 'NONSENSE', with args beginning with: ", 1)
		f("PUBLISH a", "-ERR wrong number of arguments for 'publish' command", 2)
		f("HELLO 4", "-NOPROTO unsupported protocol version", 1)
		f("ROOM HELP x", "-ERR wrong number of arguments for 'room|help' command", 1)
	})
}

// What is wrong with the protocol ends a connection after the answers before it,
// and so does QUIT, and so does the end of what a client sends.
func TestEndComesAfterAnswers(t *testing.T) {
	onLoops(t, func(t *testing.T, s *site, city *metropolis) {
		f := func(end func(c *client), answer string) {
			t.Helper()
			c := s.dial()
			city.hold("a")
			c.pipeline("PUBLISH a 1", "PUBLISH a 2")
			city.awaits("a", 2)
			end(c)
			c.silent()
			city.release("a")
			c.gets(lines(":0", ":0") + answer)
			c.ends()
		}
		f(func(c *client) { _, _ = c.conn.Write([]byte("*x\r\n")) }, "⏎-ERR Protocol error: invalid multibulk length")
		f(func(c *client) { c.send("QUIT") }, "⏎+OK")
		f(func(c *client) { _ = c.conn.(*net.TCPConn).CloseWrite() }, "")
	})
}

// CLIENT REPLY is for each command as it was when it was executed.
func TestReplyModesOfLaterAnswers(t *testing.T) {
	onLoops(t, func(t *testing.T, s *site, city *metropolis) {
		c := s.dial()
		f := func(answer string, waiting int, commands ...string) {
			t.Helper()
			city.hold("a")
			c.pipeline(commands...)
			city.awaits("a", waiting)
			c.silent()
			city.release("a")
			c.gets(answer)
		}
		f("+PONG", 1, "CLIENT REPLY SKIP", "PUBLISH a 1", "PING")
		f(lines(":0", ":0"), 3, "CLIENT REPLY SKIP", "PUBLISH a 1", "PUBLISH a 2", "PUBLISH a 3")
		f(lines(":0", "+PONG"), 1, "PUBLISH a 1", "CLIENT REPLY SKIP", "PUBLISH a 2", "PING")
		f("+OK", 2, "CLIENT REPLY OFF", "PUBLISH a 1", "PUBLISH a 2", "CLIENT REPLY ON")
		f(lines(":0", "+OK", "+PONG"), 1, "PUBLISH a 1", "CLIENT REPLY OFF", "PUBLISH a 2", "CLIENT REPLY ON", "PING")
		f(confirmed("subscribe", "a", 1), 1, "CLIENT REPLY OFF", "SUBSCRIBE a")
	})
}

// In RESP3 a client may hear itself: after the answer.
func TestAnswerBeforeOwnMessage(t *testing.T) {
	onLoops(t, func(t *testing.T, s *site, city *metropolis) {
		var clients []*client
		for range 4 { // on different loops
			c := s.dial()
			c.send("HELLO", "3")
			c.words3(t)
			clients = append(clients, c)
		}
		for _, delay := range []time.Duration{0, 100 * time.Microsecond} {
			city.delay.Store(int64(delay))
			for round := range 500 {
				room := fmt.Sprint("room", round)
				c := clients[round%len(clients)]
				c.says("SUBSCRIBE "+room, pushed("subscribe", room, 1))
				c.says("PUBLISH "+room+" x", lines(":1", ">"+message(room, "x")[1:]))
				c.says("UNSUBSCRIBE "+room, pushed("unsubscribe", room, 0))
			}
		}
	})
}

// The same if the lane answers while another client's commands are executed,
// and those have messages brought out at once.
func TestAnswerBeforeOwnMessageWithinATick(t *testing.T) {
	city := newMetropolis(t)
	city.hook = func(l *lane, channel string) {
		if channel == "trigger" {
			for _, q := range l.queue["a"] {
				q.answer()
			}
			delete(l.queue, "a")
		}
	}
	s := serveLanes(t, 1, city)
	c, other := s.dial(), s.dial()
	c.send("HELLO", "3")
	c.words3(t)
	c.says("SUBSCRIBE a b", lines(pushed("subscribe", "a", 1), pushed("subscribe", "b", 2)))
	city.hold("a")
	c.pipeline("PUBLISH a x", "MULTI", "PUBLISH a y", "EXEC")
	city.awaits("a", 1)
	other.pipeline("PUBLISH trigger x", "SUBSCRIBE z")
	other.gets(lines(":0", confirmed("subscribe", "z", 1)))
	c.gets(lines(":1", ">"+message("a", "x")[1:]))
	city.awaits("a", 1)
	other.says("UNSUBSCRIBE z", confirmed("unsubscribe", "z", 0))
	other.pipeline("PUBLISH trigger x", "SUBSCRIBE z")
	other.gets(lines(":0", confirmed("subscribe", "z", 1)))
	c.gets(lines("+OK", "+QUEUED", "*1", ":1", ">"+message("a", "y")[1:]))
}

// words3 reads the answer to HELLO 3.
func (c *client) words3(t *testing.T) {
	t.Helper()
	c.answer(t)
}

// Who is gone or killed while answers are to come leaves nothing behind.
func TestEndWhilePublishesWait(t *testing.T) {
	onLoops(t, func(t *testing.T, s *site, city *metropolis) {
		admin := s.dial()
		gone := func() { // TCP tells of a client that is not read only when it is written to
			eventually(t, "the client is gone", func() bool { return s.engine.Stats().Connections == 1 })
		}
		for _, end := range []func(c *client){
			func(c *client) { c.conn.Close(); city.release("a") },
			func(c *client) {
				var id uint64
				s.engine.Sessions(func(s *engine.Session) {
					if s.RemoteAddr() == c.conn.LocalAddr().String() {
						id = s.ID()
					}
				})
				admin.says(fmt.Sprintf("CLIENT KILL ID %d", id), ":1")
				gone()
			},
		} {
			c := s.subscribe("b")
			c.says("RESET", "+RESET")
			city.hold("a")
			c.pipeline("PUBLISH a 1", "PUBLISH a 2", "PING")
			city.awaits("a", 2)
			end(c)
			city.release("a")
			gone()
			city.awaits("a", 0)
			admin.says("PING", "+PONG")
			city.wantInterest()
		}
	})
}

// A message may be no longer than what goes between nodes, whoever owns its room.
func TestLongestMessage(t *testing.T) {
	city := newMetropolis(t)
	s := serveLanes(t, 2, city, func(c *engine.Config) { c.MessageBytesMax = 100 })
	sub, pub := s.subscribe("a", "__hubsub__:x"), s.dial()
	const fault = "-ERR a message or name is longer than cluster-max-message"
	long := strings.Repeat("x", 100)
	for _, own := range []bool{false, true} {
		city.own("a", own)
		pub.says("PUBLISH a "+long, fault)
		pub.pipeline("PUBLISH a "+long[1:], "PUBLISH a "+long, "PUBLISH a x")
		pub.gets(lines(":1", fault, ":1"))
		sub.gets(lines(message("a", long[1:]), message("a", "x")))
		pub.pipeline("MULTI", "PUBLISH a "+long, "PUBLISH a x", "EXEC")
		pub.gets(lines("+OK", "+QUEUED", "+QUEUED", "*2", fault, ":1"))
		sub.gets(message("a", "x"))
	}
	pub.says("PUBLISH __hubsub__:x "+long, ":1") // stays here
	sub.gets(message("__hubsub__:x", long))
	sub.says("SUBSCRIBE b "+long+"y", fault)
	city.wantInterest("0 a: 1")
}
