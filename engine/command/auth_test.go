package command

import (
	"strconv"
	"strings"
	"testing"
)

const noAuthHello = "-NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol version at the same time"

// helloReply is what HELLO answers to the client with an ID.
func helloReply(protocol, id int64) string {
	head := "%7"
	if protocol == 2 {
		head = "*14"
	}
	n := func(n int64) string { return strconv.FormatInt(n, 10) }
	return head + "⏎$6⏎server⏎$5⏎redis⏎$7⏎version⏎$5⏎7.4.0⏎$5⏎proto⏎:" + n(protocol) +
		"⏎$2⏎id⏎:" + n(id) + "⏎$4⏎mode⏎$10⏎standalone⏎$4⏎role⏎$6⏎master⏎$7⏎modules⏎*0"
}

func TestHello(t *testing.T) {
	s := serve(t, "")
	c := s.dial()
	f := c.says
	id := c.number("CLIENT ID")
	f("HELLO", helloReply(2, id))
	f("HELLO 3", helloReply(3, id))
	f("HELLO", helloReply(3, id))
	f("CLIENT GETNAME", "_")
	f("HELLO 2", helloReply(2, id))
	f("CLIENT GETNAME", "$-1")
	f("HELLO 4", "-NOPROTO unsupported protocol version")
	f("HELLO 1", "-NOPROTO unsupported protocol version")
	f("HELLO x", "-ERR Protocol version is not an integer or out of range")
	f("HELLO 3 AUTH", "-ERR Syntax error in HELLO option 'AUTH'")
	f("HELLO 3 AUTH a", "-ERR Syntax error in HELLO option 'AUTH'")
	f("HELLO 3 SETNAME", "-ERR Syntax error in HELLO option 'SETNAME'")
	f("HELLO 3 FOO", "-ERR Syntax error in HELLO option 'FOO'")
	f("HELLO 3 SETNAME x AUTH nobody x", "-WRONGPASS invalid username-password pair or user is disabled.")
	f("CLIENT GETNAME", "$-1") // it does all or nothing
	c.saysWords([]string{"HELLO", "3", "SETNAME", "a b"}, "-ERR Client names cannot contain spaces, newlines or special characters.")
	f("hello 3 setname x auth default anything", helloReply(3, id))
	f("CLIENT GETNAME", "$1⏎x")
}

func TestAuthWithoutPassword(t *testing.T) {
	f := serve(t, "").dial().says
	f("AUTH", "-ERR wrong number of arguments for 'auth' command")
	f("AUTH x", "-ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?")
	f("AUTH default x", "+OK")
	f("AUTH nobody x", "-WRONGPASS invalid username-password pair or user is disabled.")
	f("AUTH a b c", "-ERR syntax error")
}

func TestAuthWithPassword(t *testing.T) {
	c := serve(t, "secret").dial()
	f := c.says
	f("PING", "-NOAUTH Authentication required.")
	f("SUBSCRIBE a", "-NOAUTH Authentication required.")
	f("FOO", "-ERR unknown command 'FOO', with args beginning with: ")
	f("PUBLISH a", "-ERR wrong number of arguments for 'publish' command")
	f("EXEC", "-EXECABORT Transaction discarded because of: NOAUTH Authentication required.")
	f("HELLO", noAuthHello)
	f("HELLO 3 SETNAME x", noAuthHello)
	f("HELLO 4", "-NOPROTO unsupported protocol version")
	f("AUTH secre", "-WRONGPASS invalid username-password pair or user is disabled.")
	f("AUTH nobody secret", "-WRONGPASS invalid username-password pair or user is disabled.")
	f("HELLO 3 AUTH default bad", "-WRONGPASS invalid username-password pair or user is disabled.")
	f("PING", "-NOAUTH Authentication required.")
	f("RESET", "+RESET")
	f("AUTH secret", "+OK")
	f("PING", "+PONG")
	id := c.number("CLIENT ID")
	f("HELLO 3", helloReply(3, id)) // keeps the user
	f("AUTH bad", "-WRONGPASS invalid username-password pair or user is disabled.")
	f("PING", "+PONG") // and so does a failure
	f("RESET", "+RESET")
	f("PING", "-NOAUTH Authentication required.")
	f("HELLO 2 AUTH default secret", helloReply(2, id))
	f("PING", "+PONG")
	f("QUIT", "+OK")
	c.ends()
}

func TestPasswordTakenAway(t *testing.T) {
	s := serve(t, "secret")
	c := s.dial()
	c.says("PING", "-NOAUTH Authentication required.")
	s.users.SetDefaultPassword("")
	c.says("PING", "+PONG")
}

func TestQuitNeedsNoPassword(t *testing.T) {
	c := serve(t, "secret").dial()
	c.says("QUIT", "+OK")
	c.ends()
}

func TestReset(t *testing.T) {
	s := serve(t, "")
	c := s.dial()
	f := c.says
	id := c.number("CLIENT ID")
	f("HELLO 3 SETNAME me", helloReply(3, id))
	f("SELECT 3", "+OK")
	f("CLIENT SETINFO LIB-NAME lib", "+OK")
	f("CLIENT TRACKING ON", "+OK")
	f("SUBSCRIBE a", pushed("subscribe", "a", 1))
	f("PSUBSCRIBE p*", pushed("psubscribe", "p*", 2))
	f("SSUBSCRIBE s", pushed("ssubscribe", "s", 1))
	f("MULTI", "+OK")
	f("RESET", "+RESET")
	f("EXEC", "-ERR EXEC without MULTI")
	f("CLIENT GETNAME", "$-1") // RESP2 again
	line := c.text("CLIENT INFO")
	hasFields(t, line, "name=", "flags=N", "db=0", "sub=0", "psub=0", "ssub=0", "multi=-1", "redir=-1", "resp=2", "lib-name=lib")
	f("PUBSUB NUMSUB a", "*2⏎$1⏎a⏎:0")
	f("PUBSUB NUMPAT", ":0")
	f("RESET now", "-ERR wrong number of arguments for 'reset' command")
	f("CLIENT REPLY ON", "+OK")
	c.send("CLIENT", "REPLY", "OFF")
	f("RESET", "+RESET")
	f("PING", "+PONG")
}

// TestLimitsBeforeAuth: who has no password yet may send little.
func TestLimitsBeforeAuth(t *testing.T) {
	c := serve(t, "secret").dial()
	c.send(strings.Split("PUBLISH 1 2 3 4 5 6 7 8 9 10", " ")...)
	c.gets("-ERR Protocol error: unauthenticated multibulk length")
	c.ends()
}
