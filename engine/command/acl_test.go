package command

import (
	"fmt"
	"strings"
	"testing"

	"hubsub/engine/acl"
)

const (
	noChannel = "-NOPERM this user has no permissions to access one of the channels used as arguments"
	noPing    = "-NOPERM this user has no permissions to run the 'ping' command"
)

func TestUserInSession(t *testing.T) {
	s := serve(t, "")
	admin, c := s.dial(), s.dial()
	f := c.says
	admin.says("ACL SETUSER u on >pw %P&out:* %S&in +@all -ping", "+OK")
	f("ACL WHOAMI", "$7⏎default")
	f("AUTH u wp", "-WRONGPASS invalid username-password pair or user is disabled.")
	f("AUTH u pw", "+OK")
	f("ACL WHOAMI", "$1⏎u")
	hasFields(t, c.text("CLIENT INFO"), "user=u")
	f("PING", noPing)
	f("PUBLISH out:1 x", ":0")
	f("PUBLISH in x", noChannel)
	f("SUBSCRIBE in", confirmed("subscribe", "in", 1))
	f("SUBSCRIBE in out:1", noChannel)
	f("PSUBSCRIBE in", confirmed("psubscribe", "in", 2))
	f("PUBLISH in x", noChannel) // before that RESP2 clients cannot publish now
	f("UNSUBSCRIBE out:1", confirmed("unsubscribe", "out:1", 2))
	f("RESET", "+RESET")
	f("ACL WHOAMI", "$7⏎default")
	id := c.number("CLIENT ID")
	f("HELLO 3 AUTH u pw", helloReply(3, id))
	f("PING", noPing)
	admin.says("ACL SETUSER u +ping", "+OK")
	f("PING", "+PONG")
	admin.says("ACL DELUSER u", ":1")
	c.ends()
}

// TestDenialsAreCounted under the names of Redis 7.2.
func TestDenialsAreCounted(t *testing.T) {
	s := serve(t, "")
	admin, c := s.dial(), s.dial()
	f := func(auth, cmd, channel string) {
		t.Helper()
		got := fields(admin.text("INFO stats"))
		for name, want := range map[string]string{"auth": auth, "cmd": cmd, "key": "0", "channel": channel} {
			if n := got["acl_access_denied_"+name]; n != want {
				t.Errorf("denied %s: %q, want %q", name, n, want)
			}
		}
	}
	f("0", "0", "0")
	admin.says("ACL SETUSER u on >pw &a +publish", "+OK")
	c.says("AUTH u wrong", "-WRONGPASS invalid username-password pair or user is disabled.")
	c.says("AUTH u pw", "+OK")
	for range 2 {
		c.says("PUBLISH b x", noChannel)
		c.says("PING", noPing)
	}
	c.says("PUBLISH a x", ":0")
	admin.says("ACL LOG RESET", "+OK")
	f("1", "2", "2")
	admin.says("CONFIG RESETSTAT", "+OK")
	f("0", "0", "0")
}

// TestLoadedUsers: users of a configuration file.
func TestLoadedUsers(t *testing.T) {
	s := serve(t, "secret")
	users, err := s.users.Parse([][]string{acl.Words("default on >pw ~* &* +@all"), acl.Words("u on nopass +ping ~cache:* -@dangerous")})
	if err != nil {
		t.Fatal(err)
	}
	s.users.Load(users)
	f := s.dial().says
	f("PING", "-NOAUTH Authentication required.")
	f("AUTH secret", "-WRONGPASS invalid username-password pair or user is disabled.")
	f("AUTH pw", "+OK")
	f("ACL USERS", "*2⏎$7⏎default⏎$1⏎u")
	f("AUTH u x", "+OK")
	f("PING", "+PONG")
	f("ECHO x", "-NOPERM this user has no permissions to run the 'echo' command")
}

// TestOwnRevocation: who loses a channel by its own doing is answered first.
func TestOwnRevocation(t *testing.T) {
	f := func(command, answer string) {
		t.Helper()
		s := serve(t, "")
		c := s.dial()
		s.dial().says("ACL SETUSER u on nopass allchannels +@all", "+OK")
		id := c.number("CLIENT ID")
		c.says("HELLO 3 AUTH u x", helloReply(3, id))
		c.says("SUBSCRIBE a", pushed("subscribe", "a", 1))
		c.says(command, answer)
		c.ends()
	}
	f("ACL SETUSER u resetchannels", "+OK")
	f("ACL SETUSER u resetchannels &b", "+OK")
	f("ACL DELUSER u", ":1")
}

// TestDeletedInTransaction: who deletes itself is nobody in the rest of the
// transaction.
func TestDeletedInTransaction(t *testing.T) {
	s := serve(t, "")
	c := s.dial()
	s.dial().says("ACL SETUSER u on nopass allchannels +@all", "+OK")
	c.says("AUTH u x", "+OK")
	c.says("MULTI", "+OK")
	c.says("ACL DELUSER u", "+QUEUED")
	c.says("PUBLISH a x", "+QUEUED")
	c.says("EXEC", "*2⏎:1⏎"+"-"+rulesChanged(acl.CommandDenied))
	c.ends()
}

// TestNamelessIsDefault: who came when the default user needed a password, and
// has not said who it is, is the default user to rules and to CLIENT KILL.
func TestNamelessIsDefault(t *testing.T) {
	s := serve(t, "secret")
	admin, a, b := s.dial(), s.dial(), s.dial()
	admin.says("AUTH secret", "+OK")
	admin.says("ACL SETUSER root on nopass allchannels +@all", "+OK")
	admin.says("AUTH root x", "+OK")
	a.says("PING", "-NOAUTH Authentication required.")
	b.says("PING", "-NOAUTH Authentication required.")
	admin.says("ACL SETUSER default nopass", "+OK")
	a.says("SUBSCRIBE x", confirmed("subscribe", "x", 1))
	b.says("SUBSCRIBE y", confirmed("subscribe", "y", 1))
	admin.says("ACL SETUSER default resetchannels &y", "+OK")
	a.ends()
	admin.says("CLIENT KILL USER default", ":1")
	b.ends()
}

// TestRevocationSparesOthers: only who has a subscription that is not allowed
// any more is closed.
func TestRevocationSparesOthers(t *testing.T) {
	s := serve(t, "")
	admin := s.dial()
	login := func(words ...string) *client {
		t.Helper()
		c := s.dial()
		c.says("AUTH u x", "+OK")
		if words != nil {
			c.says(strings.Join(words, " "), confirmed(strings.ToLower(words[0]), words[1], 1))
		}
		return c
	}
	admin.says("ACL SETUSER u on nopass allchannels +@all", "+OK")
	idle, a, b, both, shard := login(), login("SUBSCRIBE", "a"), login("SUBSCRIBE", "b"), login("SUBSCRIBE", "a"), login("SSUBSCRIBE", "b")
	both.says("PSUBSCRIBE a*", confirmed("psubscribe", "a*", 2))
	other := s.dial()
	other.says("SUBSCRIBE b", confirmed("subscribe", "b", 1))
	admin.says("ACL SETUSER u resetchannels &a", "+OK")
	for _, c := range []*client{b, both, shard} {
		c.ends()
	}
	idle.says("PING", "+PONG")
	other.says("PING", "*2⏎$4⏎pong⏎$0⏎")
	a.says("PING", "*2⏎$4⏎pong⏎$0⏎")
	admin.says("ACL SETUSER u resetchannels %P&a", "+OK")
	a.ends()
}

// TestLimitsFollowTheDefaultUser: a client that has not authenticated has full
// limits while no password is needed.
func TestLimitsFollowTheDefaultUser(t *testing.T) {
	s := serve(t, "secret")
	c := s.dial()
	long := "PUBSUB NUMSUB" + strings.Repeat(" x", 10)
	set := func(password string) {
		s.users.SetDefaultPassword(password)
		s.UsersChanged()
	}
	c.says("PING", "-NOAUTH Authentication required.")
	set("")
	c.says(long, "*20"+strings.Repeat("⏎$1⏎x⏎:0", 10))
	set("secret")
	c.says("PING", "-NOAUTH Authentication required.")
	c.send(strings.Split(long, " ")...)
	c.gets("-ERR Protocol error: unauthenticated multibulk length")
	c.ends()
}

func TestACLLogBounds(t *testing.T) {
	s := serve(t, "")
	c := s.dial()
	id := c.number("CLIENT ID")
	s.dial().says("ACL SETUSER u on nopass +publish +acl|log", "+OK")
	c.says("AUTH u x", "+OK")
	for i := range denialsMax + 1 {
		c.says(fmt.Sprintf("PUBLISH %d x", i), noChannel)
	}
	for range 3 {
		c.saysWords([]string{"PUBLISH", strings.Repeat("n", 2*denialBytesMax), "x"}, noChannel)
	}
	f := func(entry int, object string, count int64) {
		t.Helper()
		got := s.handler.denials.newest(denialsMax + 1)
		if len(got) != denialsMax || got[entry].object != object || got[entry].count != count {
			t.Errorf("%d entries, the one at %d is %+v", len(got), entry, got[entry])
		}
	}
	f(0, strings.Repeat("n", denialBytesMax), 3)
	f(1, fmt.Sprint(denialsMax), 1)
	f(denialsMax-1, "2", 1)
	c.saysWords([]string{"HELLO", "2", "AUTH", "u", "x", "SETNAME", strings.Repeat("n", 2*denialBytesMax)}, helloReply(2, id))
	c.says("PUBLISH 120 x", noChannel) // like the 9th entry
	f(0, "120", 2)
	if line := s.handler.denials.newest(1)[0].client; len(line) != denialBytesMax || !strings.Contains(line, " name=nnn") {
		t.Errorf("of a client with a long name %d bytes are kept: %.200s", len(line), line)
	}
	f(1, strings.Repeat("n", denialBytesMax), 3)
	c.says("PUBLISH 100 x", noChannel) // like one too long ago
	f(0, "100", 1)
}

func TestGenPass(t *testing.T) {
	c := serve(t, "").dial()
	f := func(command string, digits int) {
		t.Helper()
		if got := c.text(command); len(got) != digits || strings.Trim(got, "0123456789abcdef") != "" {
			t.Errorf("%s: %q", command, got)
		}
	}
	f("ACL GENPASS", 64)
	f("ACL GENPASS 1", 1)
	f("ACL GENPASS 5", 2)
	f("ACL GENPASS 4096", 1024)
	if c.text("ACL GENPASS") == c.text("ACL GENPASS") {
		t.Error("twice the same")
	}
}

// TestCatalog: rules can name every command and category there is.
func TestCatalog(t *testing.T) {
	h := New(Config{})
	set := func(rule string) {
		t.Helper()
		if _, err := h.Users.Set("u", []string{rule}); err != nil {
			t.Error(err)
		}
	}
	h.table.each(func(c *command) { set("+" + c.full) })
	for _, name := range categoryNames {
		set("-@" + name)
	}
	for _, foreign := range []string{"+get", "-keys", "+object|encoding", "+client|pause", "-hexpire"} {
		set(foreign)
	}
	all, _ := h.Users.Set("v", []string{"+@all", "-@all", "+acl|whoami"})
	verdict, _ := all.After.Check(h.table.resolve([]byte("acl|whoami")).access, words("ACL WHOAMI"))
	if verdict != acl.Allowed {
		t.Error(verdict)
	}
}
