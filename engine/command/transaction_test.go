package command

import (
	"strings"
	"testing"

	"hubsub/engine"
)

func TestTransaction(t *testing.T) {
	f := serve(t, "").dial().says
	f("EXEC", "-ERR EXEC without MULTI")
	f("DISCARD", "-ERR DISCARD without MULTI")
	f("MULTI", "+OK")
	f("MULTI", "-ERR MULTI calls can not be nested")
	f("PING", "+QUEUED")
	f("PING a b", "+QUEUED") // refused when it runs
	f("ECHO x", "+QUEUED")
	f("EXEC", "*3⏎+PONG⏎-ERR wrong number of arguments for 'ping' command⏎$1⏎x")
	f("EXEC", "-ERR EXEC without MULTI")
	f("MULTI", "+OK")
	f("EXEC", "*0")
	f("MULTI", "+OK")
	f("PING", "+QUEUED")
	f("DISCARD", "+OK")
	f("PING", "+PONG")
}

func TestTransactionSpoiled(t *testing.T) {
	f := serve(t, "").dial().says
	spoil := func(command, fault string) {
		t.Helper()
		f("MULTI", "+OK")
		f(command, fault)
		f("PING", "+QUEUED")
		f("EXEC", "-EXECABORT Transaction discarded because of previous errors.")
		f("PING", "+PONG")
	}
	spoil("FOO a", "-ERR unknown command 'FOO', with args beginning with: 'a' ")
	spoil("PUBLISH a", "-ERR wrong number of arguments for 'publish' command")
	spoil("CLIENT FOO", "-ERR unknown subcommand 'FOO'. Try CLIENT HELP.")
	spoil("SHUTDOWN", "-ERR Command not allowed inside a transaction")
	f("MULTI", "+OK")
	f("EXEC x", "-EXECABORT Transaction discarded because of: wrong number of arguments for 'exec' command")
	f("EXEC", "-ERR EXEC without MULTI")
}

func TestTransactionSubscribes(t *testing.T) {
	c := serve(t, "").dial()
	f := c.says
	f("MULTI", "+OK")
	f("SUBSCRIBE a b", "+QUEUED")
	f("PING", "+QUEUED")
	f("SSUBSCRIBE s", "+QUEUED")
	f("UNSUBSCRIBE a b", "+QUEUED")
	f("PING", "+QUEUED")
	f("EXEC", "*5⏎"+confirmed("subscribe", "a", 1)+"⏎"+confirmed("subscribe", "b", 2)+
		"⏎*2⏎$4⏎pong⏎$0⏎⏎-ERR SSUBSCRIBE isn't allowed for a DENY BLOCKING client⏎"+
		confirmed("unsubscribe", "a", 1)+"⏎"+confirmed("unsubscribe", "b", 0)+"⏎+PONG")

	// What it publishes to itself comes behind the answers, though the second
	// SUBSCRIBE brings it out.
	id := c.number("CLIENT ID")
	f("MULTI", "+OK")
	f("HELLO 3", "+QUEUED")
	f("SUBSCRIBE a", "+QUEUED")
	f("PUBLISH a x", "+QUEUED")
	f("SUBSCRIBE b", "+QUEUED")
	f("EXEC", "*4⏎"+helloReply(3, id)+"⏎"+pushed("subscribe", "a", 1)+"⏎:1⏎"+pushed("subscribe", "b", 2)+
		"⏎>3⏎$7⏎message⏎$1⏎a⏎$1⏎x")
}

func TestTransactionPublishes(t *testing.T) {
	s := serve(t, "")
	sub, pub := s.dial(), s.dial()
	sub.says("SUBSCRIBE a", confirmed("subscribe", "a", 1))
	pub.says("MULTI", "+OK")
	for _, message := range []string{"one", "two", "three"} {
		pub.says("PUBLISH a "+message, "+QUEUED")
	}
	pub.says("EXEC", "*3⏎:1⏎:1⏎:1")
	for _, message := range []string{"one", "two", "three"} {
		sub.gets("*3⏎$7⏎message⏎$1⏎a⏎" + bulk(message))
	}
}

func TestTransactionAndReplies(t *testing.T) {
	c := serve(t, "").dial()
	f := c.says
	c.send("CLIENT", "REPLY", "OFF")
	c.send("MULTI")
	c.send("PING")
	c.send("SUBSCRIBE", "a")
	c.send("EXEC")
	c.gets(confirmed("subscribe", "a", 1))
	f("RESET", "+RESET")
	f("MULTI", "+OK")
	f("CLIENT REPLY SKIP", "+QUEUED")
	f("EXEC", "*1")
	c.send("PING")
	f("ECHO x", "$1⏎x")
}

func TestTransactionIsShown(t *testing.T) {
	c := serve(t, "").dial()
	hasFields(t, c.text("CLIENT INFO"), "multi=-1", "flags=N")
	c.says("MULTI", "+OK")
	c.says("PING", "+QUEUED")
	c.says("CLIENT INFO", "+QUEUED")
	c.send("EXEC")
	c.gets("*2⏎+PONG")
	hasFields(t, c.getsText(), "multi=2", "flags=x", "cmd=exec")
}

// TestTransactionTooLong: what is queued counts as sent but not executed.
func TestTransactionTooLong(t *testing.T) {
	s := serve(t, "", func(s *engine.Settings) { s.QueryBufferBytes = 1 << 20 })
	c := s.dial()
	c.says("MULTI", "+OK")
	for range 3 {
		c.says("ECHO "+strings.Repeat("x", 300<<10), "+QUEUED")
	}
	c.send("ECHO", strings.Repeat("x", 300<<10))
	c.ends()
}
