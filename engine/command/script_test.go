package command

import (
	"slices"
	"strings"
	"testing"

	"hubsub/engine"
)

func TestIsPublishScript(t *testing.T) {
	f := func(script string, want bool) {
		t.Helper()
		if got := isPublishScript([]byte(script)); got != want {
			t.Errorf("isPublishScript(%q) = %v", script, got)
		}
	}
	f("for i = 2, #ARGV do\n  redis.call('publish', ARGV[i], ARGV[1])\nend", true) // Laravel's
	f(publishScript, true)
	f("  for i = 2, #ARGV do\r\n\t\tredis.call('publish', ARGV[i], ARGV[1])\r\n  end\r\n\r\n", true)
	f("for i = 2, #ARGV do redis.call('publish', ARGV[i], ARGV[1]) end", true)

	f("", false)
	f("return 1", false)
	f("for i = 2, #ARGV do redis.call('publish', ARGV[i], ARGV[1])", false)
	f(publishScript+" return 1", false)
	f("return "+publishScript, false)
	f(strings.Replace(publishScript, "2", "3", 1), false)
	f(strings.Replace(publishScript, "publish", "spublish", 1), false)
	f(strings.Replace(publishScript, "publish", "PUBLISH", 1), false)
	f(strings.Replace(publishScript, "'publish'", "' publish'", 1), false)
	f(strings.Replace(publishScript, "call", "pcall", 1), false)
	f(strings.ToUpper(publishScript), false)
}

// evalWords is an EVAL of the script that is known.
func evalWords(rest ...string) []string { return append([]string{"EVAL", publishScript}, rest...) }

func TestEval(t *testing.T) {
	s := serve(t, "")
	sub, pub := s.dial(), s.dial()
	heard := func(pairs ...string) {
		t.Helper()
		for i := 0; i < len(pairs); i += 2 {
			sub.gets("*3⏎$7⏎message⏎" + bulk(pairs[i]) + "⏎" + bulk(pairs[i+1]))
		}
		sub.says("PING", "*2⏎$4⏎pong⏎$0⏎") // and nothing else
	}
	sub.says("SUBSCRIBE {r}a {r}b", confirmed("subscribe", "{r}a", 1)+"⏎"+confirmed("subscribe", "{r}b", 2))
	f := pub.saysWords
	f(evalWords("0"), "$-1")
	f(evalWords("0", "unheard"), "$-1")
	f(evalWords("0", "x", "nobody"), "$-1")
	heard()
	f(evalWords("0", "x", "{r}a"), "$-1")
	heard("{r}a", "x")
	f(evalWords("0", "x\r\n\x00", "{r}b", "nobody", "{r}a", "{r}b", "{r}b"), "$-1") // in order
	heard("{r}b", "x\r\n\x00", "{r}a", "x\r\n\x00", "{r}b", "x\r\n\x00", "{r}b", "x\r\n\x00")
	f(evalWords("2", "{r}a", "{r}b", "x"), "$-1") // keys are not channels
	heard()
	f(evalWords("1", "key", "x", "{r}a"), "$-1")
	heard("{r}a", "x")
	f([]string{"MULTI"}, "+OK")
	f([]string{"PUBLISH", "{r}a", "1"}, "+QUEUED")
	f(evalWords("0", "2", "{r}b", "{r}a"), "+QUEUED")
	f([]string{"PUBLISH", "{r}b", "3"}, "+QUEUED")
	heard()
	f([]string{"EXEC"}, "*3⏎:1⏎$-1⏎:1")
	heard("{r}a", "1", "{r}b", "2", "{r}a", "2", "{r}b", "3")
	pub.send("CLIENT", "REPLY", "SKIP")
	pub.send(evalWords("0", "muted", "{r}a")...)
	pub.says("PING", "+PONG")
	heard("{r}a", "muted")
}

func TestEvalRESP3(t *testing.T) {
	c := serve(t, "").dial()
	c.says("HELLO 3", helloReply(3, c.number("CLIENT ID")))
	c.says("SUBSCRIBE c", pushed("subscribe", "c", 1))
	c.saysWords(evalWords("0", "hello", "c"), "_⏎>3⏎$7⏎message⏎$1⏎c⏎$5⏎hello") // the answer first
}

func TestEvalRefuses(t *testing.T) {
	s := serve(t, "")
	witness, c := s.dial(), s.dial()
	witness.says("PSUBSCRIBE *", confirmed("psubscribe", "*", 1))
	f := c.saysWords
	f(evalWords("x", "m", "c"), "-ERR value is not an integer or out of range")
	f(evalWords("-1", "m", "c"), "-ERR Number of keys can't be negative")
	f(evalWords("3", "m", "c"), "-ERR Number of keys can't be greater than number of args")
	f(evalWords(), "-ERR wrong number of arguments for 'eval' command")
	f([]string{"EVAL", "return redis.call('publish', 'c', 'm')", "0"}, "-ERR This instance has scripting support disabled")
	f([]string{"EVAL", "return 1", "1"}, "-ERR Number of keys can't be greater than number of args")
	f([]string{"EVALSHA", strings.Repeat("0", 40), "0", "m", "c"}, "-NOSCRIPT No matching script. Please use EVAL.")
	f([]string{"EVALSHA", strings.Repeat("0", 40), "3", "m", "c"}, "-ERR Number of keys can't be greater than number of args")
	f([]string{"EVALSHA", "0", "3", "m", "c"}, "-NOSCRIPT No matching script. Please use EVAL.")
	f([]string{"SUBSCRIBE", "c"}, confirmed("subscribe", "c", 1))
	f(evalWords("0", "m", "c"), "-ERR Can't execute 'eval': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context")
	witness.says("PING", "*2⏎$4⏎pong⏎$0⏎")

	serve(t, "secret").dial().saysWords(evalWords("0", "m", "c"), "-NOAUTH Authentication required.")
}

// TestEvalLimit: a message counts once for each channel.
func TestEvalLimit(t *testing.T) {
	s := serve(t, "", func(settings *engine.Settings) { settings.QueryBufferBytes = 1000 })
	sub, pub := s.dial(), s.dial()
	sub.says("SUBSCRIBE c", confirmed("subscribe", "c", 1))
	hundred := strings.Repeat("x", 99) // with the channel's name
	f := func(channels int, answer string) {
		t.Helper()
		pub.saysWords(append(evalWords("0", hundred), slices.Repeat([]string{"c"}, channels)...), answer)
	}
	f(11, "-ERR the script publishes more than client-query-buffer-limit")
	sub.says("PING", "*2⏎$4⏎pong⏎$0⏎")
	f(10, "$-1")
	for range 10 {
		sub.gets("*3⏎$7⏎message⏎$1⏎c⏎$99⏎" + hundred)
	}
}

func TestXrange(t *testing.T) {
	f := serve(t, "").dial().says
	f("XRANGE centrifuge.__.check.stream 0-0 0-0", "*0")
	f("XRANGE s - + COUNT 10", "*0")
	f("XREVRANGE s + -", "*0")
	f("XRANGE s -", "-ERR wrong number of arguments for 'xrange' command")
}
