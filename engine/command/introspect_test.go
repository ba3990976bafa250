package command

import (
	"strconv"
	"strings"
	"testing"

	"hubsub/resp"
)

func TestIntrospection(t *testing.T) {
	c := serve(t, "").dial()
	f := c.says
	f("COMMAND INFO publish foo client|id", "*3⏎*10⏎$7⏎publish⏎:3⏎*4⏎+pubsub⏎+loading⏎+stale⏎+fast⏎:0⏎:0⏎:0⏎*2⏎+@pubsub⏎+@fast⏎*0⏎*0⏎*0⏎"+
		"$-1⏎*10⏎$9⏎client|id⏎:2⏎*3⏎+noscript⏎+loading⏎+stale⏎:0⏎:0⏎:0⏎*2⏎+@slow⏎+@connection⏎*0⏎*0⏎*0")
	f("COMMAND LIST FILTERBY PATTERN *PUBLISH", "*2⏎$7⏎publish⏎$8⏎spublish")
	f("COMMAND LIST FILTERBY ACLCAT scripting", "*4⏎$4⏎eval⏎$7⏎evalsha⏎$14⏎function|flush⏎$13⏎function|help")
	f("COMMAND LIST FILTERBY MODULE x", "*0")
	f("COMMAND LIST FILTERBY FOO x", "-ERR syntax error")
	f("COMMAND LIST FILTERBY", "-ERR syntax error")
	f("COMMAND LIST x", "-ERR syntax error")
	f("COMMAND GETKEYS SPUBLISH a b", "-ERR The command has no key arguments")
	f("COMMAND GETKEYS FOO x", "-ERR Invalid command specified")
	f("COMMAND GETKEYS CLIENT FOO", "-ERR Invalid command specified")
	f("COMMAND GETKEYS PING", "-ERR wrong number of arguments for 'command|getkeys' command")
	f("COMMAND DOCS foo", "*0")
	f("COMMAND DOCS ping", "*2⏎$4⏎ping⏎*8⏎$7⏎summary⏎"+bulk("Returns PONG, or the message.")+"⏎$5⏎since⏎$5⏎1.0.0⏎$5⏎group⏎$10⏎connection⏎$10⏎complexity⏎$4⏎O(1)")
	f("HELLO 3", helloReply(3, c.number("CLIENT ID")))
	f("COMMAND INFO spublish", "*1⏎*10⏎$8⏎spublish⏎:3⏎~4⏎+pubsub⏎+loading⏎+stale⏎+fast⏎:1⏎:1⏎:1⏎~2⏎+@pubsub⏎+@fast⏎~0⏎"+
		"~1⏎%3⏎$5⏎flags⏎~1⏎+not_key⏎$12⏎begin_search⏎%2⏎$4⏎type⏎$5⏎index⏎$4⏎spec⏎%1⏎$5⏎index⏎:1⏎"+
		"$9⏎find_keys⏎%2⏎$4⏎type⏎$5⏎range⏎$4⏎spec⏎%3⏎$7⏎lastkey⏎:0⏎$7⏎keystep⏎:1⏎$5⏎limit⏎:0⏎~0")
	f("COMMAND INFO sunsubscribe", "*1⏎*10⏎$12⏎sunsubscribe⏎:-1⏎~4⏎+pubsub⏎+noscript⏎+loading⏎+stale⏎:1⏎:-1⏎:1⏎~2⏎+@pubsub⏎+@slow⏎~0⏎"+
		"~1⏎%3⏎$5⏎flags⏎~1⏎+not_key⏎$12⏎begin_search⏎%2⏎$4⏎type⏎$5⏎index⏎$4⏎spec⏎%1⏎$5⏎index⏎:1⏎"+
		"$9⏎find_keys⏎%2⏎$4⏎type⏎$5⏎range⏎$4⏎spec⏎%3⏎$7⏎lastkey⏎:-1⏎$7⏎keystep⏎:1⏎$5⏎limit⏎:0⏎~0")
	f("COMMAND DOCS acl|whoami", "%1⏎$10⏎acl|whoami⏎%4⏎$7⏎summary⏎"+bulk("Returns the connection's user.")+"⏎$5⏎since⏎$5⏎6.0.0⏎$5⏎group⏎$6⏎server⏎$10⏎complexity⏎$4⏎O(1)")
	f("FUNCTION HELP", "*5⏎+FUNCTION <subcommand> [<argument> ...], with one of these subcommands:⏎+FLUSH [ASYNC|SYNC]⏎+    Accepted; there are no functions.⏎+HELP⏎+    Prints this.")
}

// TestCommandIsWellFormed walks through the whole answers of COMMAND and
// COMMAND DOCS, in both protocols: every head must have as many elements as it
// says.
func TestCommandIsWellFormed(t *testing.T) {
	table := newTable(commands())
	for _, v3 := range []bool{false, true} {
		w := &resp.Writer{V3: v3}
		for _, c := range table.all {
			c.describe(w)
		}
		if n := elements(t, w.Buf); n != len(table.all) {
			t.Errorf("COMMAND has %d entries, want %d", n, len(table.all))
		}
		w.Buf = nil
		writeDocs(w, table.all)
		if n := elements(t, w.Buf); n != 1 {
			t.Errorf("COMMAND DOCS is %d answers", n)
		}
	}
}

// elements counts the answers that b consists of.
func elements(t *testing.T, b []byte) (n int) {
	t.Helper()
	lines := strings.Split(strings.TrimSuffix(string(b), "\r\n"), "\r\n")
	var element func()
	element = func() {
		if len(lines) == 0 {
			t.Fatal("it ends too early")
		}
		head := lines[0]
		lines = lines[1:]
		size, err := strconv.Atoi(head[1:])
		switch head[0] {
		case '$':
			if err != nil || len(lines[0]) != size {
				t.Fatalf("%q before %q", head, lines[0])
			}
			lines = lines[1:]
		case '*', '~':
			for range size {
				element()
			}
		case '%':
			for range 2 * size {
				element()
			}
		case ':', '+':
		default:
			t.Fatalf("%q", head)
		}
	}
	for ; len(lines) > 0; n++ {
		element()
	}
	return n
}
