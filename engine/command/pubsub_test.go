package command

import (
	"runtime"
	"strconv"
	"strings"
	"testing"

	"hubsub/resp"
)

func TestSubscribeCounts(t *testing.T) {
	f := serve(t, "").dial().says
	f("SUBSCRIBE a b a", confirmed("subscribe", "a", 1)+"⏎"+confirmed("subscribe", "b", 2)+"⏎"+confirmed("subscribe", "a", 2))
	f("PSUBSCRIBE p*", confirmed("psubscribe", "p*", 3))                                         // channels and patterns together
	f("SSUBSCRIBE s1 s2", confirmed("ssubscribe", "s1", 1)+"⏎"+confirmed("ssubscribe", "s2", 2)) // shard channels apart
	f("UNSUBSCRIBE other", confirmed("unsubscribe", "other", 3))
	f("UNSUBSCRIBE a b", confirmed("unsubscribe", "a", 2)+"⏎"+confirmed("unsubscribe", "b", 1))
	f("UNSUBSCRIBE", "*3⏎$11⏎unsubscribe⏎$-1⏎:1")
	f("PUNSUBSCRIBE", confirmed("punsubscribe", "p*", 0))
	f("PUNSUBSCRIBE", "*3⏎$12⏎punsubscribe⏎$-1⏎:0")
	f("SUNSUBSCRIBE s1", confirmed("sunsubscribe", "s1", 1))
	f("SUNSUBSCRIBE", confirmed("sunsubscribe", "s2", 0))
	f("SUNSUBSCRIBE", "*3⏎$12⏎sunsubscribe⏎$-1⏎:0")
	f("PING", "+PONG")
}

func TestSubscribeEmptyName(t *testing.T) {
	c := serve(t, "").dial()
	c.saysWords([]string{"SUBSCRIBE", ""}, confirmed("subscribe", "", 1))
	if _, err := c.conn.Write([]byte("UNSUBSCRIBE \"\"\r\n")); err != nil { // inline
		t.Fatal(err)
	}
	c.gets(confirmed("unsubscribe", "", 0))
}

func TestSubscribeRESP3(t *testing.T) {
	c := serve(t, "").dial()
	f := c.says
	f("HELLO 3", helloReply(3, c.number("CLIENT ID")))
	f("SUBSCRIBE a b", pushed("subscribe", "a", 1)+"⏎"+pushed("subscribe", "b", 2))
	f("PSUBSCRIBE a*", pushed("psubscribe", "a*", 3))
	f("SSUBSCRIBE s", pushed("ssubscribe", "s", 1))
	f("PING", "+PONG")
	f("PING x", "$1⏎x")
	f("PUBLISH b hello", ":1⏎>3⏎$7⏎message⏎$1⏎b⏎$5⏎hello") // the answer first
	f("SPUBLISH s x", ":1⏎>3⏎$8⏎smessage⏎$1⏎s⏎$1⏎x")
	f("UNSUBSCRIBE a", pushed("unsubscribe", "a", 2))
	f("UNSUBSCRIBE", pushed("unsubscribe", "b", 1))
	f("UNSUBSCRIBE", ">3⏎$11⏎unsubscribe⏎_⏎:1")
	f("PUNSUBSCRIBE", pushed("punsubscribe", "a*", 0))
	f("SUNSUBSCRIBE", pushed("sunsubscribe", "s", 0))
}

func TestPublish(t *testing.T) {
	s := serve(t, "")
	sub, pub := s.dial(), s.dial()
	sub.says("SUBSCRIBE room", confirmed("subscribe", "room", 1))
	sub.says("PSUBSCRIBE r*m", confirmed("psubscribe", "r*m", 2))
	sub.says("SSUBSCRIBE room", confirmed("ssubscribe", "room", 1))
	pub.says("PUBLISH nobody x", ":0")
	pub.says("pUbLiSh room hello", ":2") // once by name, once by pattern
	sub.gets("*3⏎$7⏎message⏎$4⏎room⏎$5⏎hello⏎*4⏎$8⏎pmessage⏎$3⏎r*m⏎$4⏎room⏎$5⏎hello")
	pub.says("SPUBLISH room hello", ":1") // no pattern hears it
	sub.gets("*3⏎$8⏎smessage⏎$4⏎room⏎$5⏎hello")
	pub.saysWords([]string{"PUBLISH", "room", "a\r\nb\x00"}, ":2")
	sub.gets("*3⏎$7⏎message⏎$4⏎room⏎$5⏎a⏎b\x00⏎*4⏎$8⏎pmessage⏎$3⏎r*m⏎$4⏎room⏎$5⏎a⏎b\x00")
}

func TestRESP2SubscribeMode(t *testing.T) {
	c := serve(t, "").dial()
	f := c.says
	refused := func(name string) string {
		return "-ERR Can't execute '" + name + "': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context"
	}
	f("SSUBSCRIBE s", confirmed("ssubscribe", "s", 1)) // shard channels count too
	f("ECHO x", refused("echo"))
	f("CLIENT LIST", refused("client|list"))
	f("HELLO", refused("hello"))
	f("AUTH x", refused("auth"))
	f("MULTI", refused("multi"))
	f("PUBLISH a b", refused("publish"))
	f("EXEC", "-EXECABORT Transaction discarded because of: "+strings.TrimPrefix(refused("exec"), "-ERR "))
	f("CLIENT KILL", "-ERR wrong number of arguments for 'client|kill' command") // arity first
	f("PING", "*2⏎$4⏎pong⏎$0⏎")
	f("PING hi", "*2⏎$4⏎pong⏎$2⏎hi")
	f("PING a b", "-ERR wrong number of arguments for 'ping' command")
	f("SUNSUBSCRIBE", confirmed("sunsubscribe", "s", 0))
	f("PING", "+PONG")
	f("PSUBSCRIBE p", confirmed("psubscribe", "p", 1))
	f("RESET", "+RESET")
	f("ECHO x", "$1⏎x")
	f("SUBSCRIBE a", confirmed("subscribe", "a", 1))
	f("QUIT", "+OK")
	c.ends()
}

func TestPubsub(t *testing.T) {
	s := serve(t, "")
	sub := s.dial()
	sub.says("SUBSCRIBE a", confirmed("subscribe", "a", 1))
	sub.says("SSUBSCRIBE s", confirmed("ssubscribe", "s", 1))
	sub.says("PSUBSCRIBE p*", confirmed("psubscribe", "p*", 2))
	s.dial().says("PSUBSCRIBE p*", confirmed("psubscribe", "p*", 1))
	f := s.dial().says
	f("PUBSUB CHANNELS", "*1⏎$1⏎a")
	f("PUBSUB CHANNELS ?", "*1⏎$1⏎a")
	f("PUBSUB CHANNELS s", "*0")
	f("PUBSUB CHANNELS a b", "-ERR unknown subcommand or wrong number of arguments for 'CHANNELS'. Try PUBSUB HELP.")
	f("PUBSUB SHARDCHANNELS", "*1⏎$1⏎s")
	f("pubsub shardchannels a b", "-ERR unknown subcommand or wrong number of arguments for 'shardchannels'. Try PUBSUB HELP.")
	f("PUBSUB NUMSUB", "*0")
	f("PUBSUB NUMSUB a s", "*4⏎$1⏎a⏎:1⏎$1⏎s⏎:0")
	f("PUBSUB SHARDNUMSUB a s", "*4⏎$1⏎a⏎:0⏎$1⏎s⏎:1")
	f("PUBSUB NUMPAT", ":1") // different ones
	f("PUBSUB NUMPAT x", "-ERR wrong number of arguments for 'pubsub|numpat' command")
	f("PUBSUB FOO", "-ERR unknown subcommand 'FOO'. Try PUBSUB HELP.")
}

// TestManyNames: the confirmations of one command come one after the other,
// each with its own count.
func TestManyNames(t *testing.T) {
	c := serve(t, "").dial()
	const n = 20_000
	subscribe, unsubscribe := []string{"SUBSCRIBE"}, []string{"UNSUBSCRIBE"}
	var subscribed, unsubscribed []string
	for i := range n {
		name := "room:" + strconv.Itoa(i)
		subscribe, unsubscribe = append(subscribe, name), append(unsubscribe, name)
		subscribed = append(subscribed, confirmed("subscribe", name, i+1))
		unsubscribed = append(unsubscribed, confirmed("unsubscribe", name, n-1-i))
	}
	c.saysWords(subscribe, strings.Join(subscribed, "⏎"))
	c.saysWords(unsubscribe, strings.Join(unsubscribed, "⏎"))
}

// TestPublishAllocatesNothing: a PUBLISH that nobody hears leaves no garbage.
func TestPublishAllocatesNothing(t *testing.T) {
	c := serve(t, "").dial()
	const n = 20_000
	var batch []byte
	for range n {
		batch = resp.AppendArray(batch, 3)
		for _, word := range []string{"publish", "room", "hello"} {
			batch = resp.AppendBulkString(batch, word)
		}
	}
	answers := strings.TrimSuffix(strings.Repeat(":0⏎", n), "⏎")
	run := func() {
		go c.conn.Write(batch)
		c.gets(answers)
	}
	run()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	run()
	runtime.ReadMemStats(&after)
	if mallocs := after.Mallocs - before.Mallocs; mallocs > n/10 {
		t.Errorf("%d allocations for %d PUBLISH", mallocs, n)
	}
}
