package command

import (
	"strings"
	"testing"
)

func words(line string) (w [][]byte) {
	for _, word := range strings.Split(line, " ") {
		w = append(w, []byte(word))
	}
	return w
}

func TestFind(t *testing.T) {
	table := newTable(commands())
	f := func(line, full, fault string) {
		t.Helper()
		c, got := table.find(words(line))
		name := ""
		if c != nil {
			name = c.full
		}
		if name != full || got != fault {
			t.Errorf("%q is %q, fault %q; want %q, fault %q", line, name, got, full, fault)
		}
	}
	f("PUBLISH a b", "publish", "")
	f("pUbLiSh a b", "publish", "")
	f("PUBLISH a", "publish", "ERR wrong number of arguments for 'publish' command")
	f("PUBLISH a b c", "publish", "ERR wrong number of arguments for 'publish' command")
	f("ping", "ping", "")
	f("PING a b", "ping", "") // its arity is open
	f("UNSUBSCRIBE", "unsubscribe", "")
	f("SUBSCRIBE", "subscribe", "ERR wrong number of arguments for 'subscribe' command")
	f("client list", "client|list", "")
	f("Client KILL", "client|kill", "ERR wrong number of arguments for 'client|kill' command")
	f("CLIENT", "client", "ERR wrong number of arguments for 'client' command")
	f("CLIENT FOO x", "", "ERR unknown subcommand 'FOO'. Try CLIENT HELP.")
	f("COMMAND", "command", "")
	f("CLIENT|LIST", "", "ERR unknown command 'CLIENT|LIST', with args beginning with: ")
	f("GET key", "", "ERR unknown command 'GET', with args beginning with: 'key' ")
	f("PIN\x07 x", "", "ERR unknown command 'PIN\x07', with args beginning with: 'x' ")
	f("CLIENT NO\rEVICT ON", "", "ERR unknown subcommand 'NO\rEVICT'. Try CLIENT HELP.")
	long := strings.Repeat("x", 100)
	f(long, "", "ERR unknown command '"+long+"', with args beginning with: ")
	f(" x", "", "ERR unknown command '', with args beginning with: 'x' ")
}

func TestEveryCommandIsComplete(t *testing.T) {
	table := newTable(commands())
	seen := map[string]bool{}
	table.each(func(c *command) {
		switch {
		case seen[c.full]:
			t.Errorf("%s: twice", c.full)
		case c.name != strings.ToLower(c.name):
			t.Errorf("%s: cannot be found", c.full)
		case c.run == nil && c.subcommands == nil:
			t.Errorf("%s: does nothing", c.full)
		case c.arity == 0 || c.container != nil && c.arity > 0 && c.arity < 2:
			t.Errorf("%s: arity %d", c.full, c.arity)
		case c.group == "" || c.since == "" || c.summary == "" || !strings.HasSuffix(c.summary, "."):
			t.Errorf("%s: no documentation", c.full)
		case table.resolve([]byte(strings.ToUpper(c.full))) != c:
			t.Errorf("%s: COMMAND INFO does not find it", c.full)
		}
		seen[c.full] = true
		if c.subcommands != nil && c.byLength.find([]byte("help")) == nil {
			t.Errorf("%s: no HELP", c.full)
		}
	})
}

func TestFlagsAndCategories(t *testing.T) {
	table := newTable(commands())
	f := func(full, flags, categories string) {
		t.Helper()
		c := table.resolve([]byte(full))
		if got := strings.Join(c.flagNames(), " "); got != flags {
			t.Errorf("%s has the flags %q, want %q", full, got, flags)
		}
		if got := strings.Join(c.categoryNames(), " "); got != categories {
			t.Errorf("%s is in %q, want %q", full, got, categories)
		}
	}
	f("publish", "pubsub loading stale fast", "@pubsub @fast")
	f("ssubscribe", "pubsub noscript loading stale", "@pubsub @slow")
	f("auth", "noscript loading stale fast no_auth allow_busy", "@fast @connection")
	f("exec", "noscript loading stale skip_slowlog", "@slow @transaction")
	f("shutdown", "admin noscript loading stale no_multi allow_busy", "@admin @slow @dangerous")
	f("role", "noscript loading stale fast", "@admin @fast @dangerous")
	f("flushall", "write", "@keyspace @write @slow @dangerous")
	f("function|flush", "write noscript", "@write @slow @scripting")
	f("client|list", "admin noscript loading stale", "@admin @slow @dangerous @connection")
	f("cluster|forget", "admin stale no_async_loading", "@admin @slow @dangerous")
	f("client", "", "@slow")
}

func TestFindAllocatesNothing(t *testing.T) {
	table := newTable(commands())
	for _, line := range []string{"PUBLISH room hello", "publish room hello", "PING", "SPUBLISH room hello", "CLIENT ID"} {
		w := words(line)
		if n := testing.AllocsPerRun(1000, func() {
			if c, fault := table.find(w); c == nil || fault != "" {
				t.Fatal(fault)
			}
		}); n != 0 {
			t.Errorf("%q: %v allocations", line, n)
		}
	}
}

func TestUnknownCommandText(t *testing.T) {
	a := func(n int) string { return strings.Repeat("a", n) }
	f := func(words []string, want string) {
		t.Helper()
		var w [][]byte
		for _, word := range words {
			w = append(w, []byte(word))
		}
		if got := unknownCommand(w); got != "ERR unknown command "+want {
			t.Errorf("%q: got %q", words, got)
		}
	}
	f([]string{"FOO"}, "'FOO', with args beginning with: ")
	f([]string{"fOO", "", "b"}, "'fOO', with args beginning with: '' 'b' ")
	f([]string{"F\x00OO", "a\x00b"}, "'F', with args beginning with: 'a' ")
	f([]string{a(140), "x"}, "'"+a(128)+"', with args beginning with: 'x' ")
	f([]string{"FOO", a(100), a(100), "c"}, "'FOO', with args beginning with: '"+a(100)+"' '"+a(25)+"' ")
	f([]string{"FOO", a(124), "bb", "c"}, "'FOO', with args beginning with: '"+a(124)+"' 'b' ")
	f([]string{"FOO", a(125), "bb", "c"}, "'FOO', with args beginning with: '"+a(125)+"' ")
}
