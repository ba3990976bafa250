package e2e

import (
	"fmt"
	"strings"
	"testing"
)

func TestSplitWords(t *testing.T) {
	f := func(in string, want ...string) {
		t.Helper()
		got, err := splitWords(in)
		if err != nil || fmt.Sprintf("%q", got) != fmt.Sprintf("%q", want) {
			t.Errorf("splitWords(%s) = %q, %v; want %q", in, got, err, want)
		}
	}
	f(`SUBSCRIBE news`, "SUBSCRIBE", "news")
	f(`  a   b  `, "a", "b")
	f(`"" ''`, "", "")
	f(`"a b" 'c d'`, "a b", "c d")
	f(`"\x00\xff\r\n\t\b\a\\\""`, "\x00\xff\r\n\t\b\a\\\"")
	f(`'it\'s' '\n'`, "it's", `\n`)
	f(`h[a-\] \*`, `h[a-\]`, `\*`)
	f(`"ab"*3 "-"*0`, "ababab", "")
}

func TestSplitWordsRefuses(t *testing.T) {
	f := func(in string) {
		t.Helper()
		if got, err := splitWords(in); err == nil {
			t.Errorf("splitWords(%s) = %q, want an error", in, got)
		}
	}
	f(`"a`)
	f(`'a`)
	f(`"a"b`)
	f(`"a"*b`)
	f(`"\xzz"`)
}

func TestParseScenariosRefuses(t *testing.T) {
	f := func(want string, lines ...string) {
		t.Helper()
		_, err := parseScenarios("t", strings.Join(lines, "\n"))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got error %v, want %q", lines, err, want)
		}
	}
	f("line 1: a scenario begins", "a: PING")
	f("line 2: not understood", "== t", "PING")
	f("line 2: unknown verb", "== t", "a shout: PING")
	f("line 2: an empty command", "== t", "a:")
	f("line 2: nothing above", "== t", "    PING")
	f("line 3: the line above opens no block", "== t", "a: PING", "    PING")
	f("line 3: server flags come first", "== t", "a: PING", "server --loops 1")
	f("line 2: 'differs' follows", "== t", "differs some-thing")
	f("line 4: an answer is", "== t", "a: PING", "differs some-thing:", "    a")
}

func TestParseScenarios(t *testing.T) {
	scenarios, err := parseScenarios("t", strings.Join([]string{
		"# about",
		"== First",
		"server --requirepass secret",
		"a: AUTH secret",
		"b pipeline, half-close:",
		"    PING",
		"    ECHO x",
		"differs other-words:",
		`    b "+PONG\r\n" "$1\r\nx\r\n"`,
		"a close",
		"== Second",
		`a bytewise: "*1\r\n"`,
		"a inline: PING  x",
	}, "\n"))
	must(t, err)
	if len(scenarios) != 2 || len(scenarios[0].exchanges) != 3 || len(scenarios[1].exchanges) != 2 {
		t.Fatalf("got %+v", scenarios)
	}
	if args := scenarios[0].serverArgs; fmt.Sprint(args) != "[--requirepass secret]" {
		t.Errorf("server flags are %q", args)
	}
	f := func(ex exchange, wantVerb verb, wantBytes string) {
		t.Helper()
		sent, err := ex.bytes(nil)
		if err != nil || ex.verb != wantVerb || string(sent) != wantBytes {
			t.Errorf("%s: verb %d, bytes %q, %v; want %d, %q", ex.text, ex.verb, sent, err, wantVerb, wantBytes)
		}
	}
	first, second := scenarios[0].exchanges, scenarios[1].exchanges
	f(first[0], verbCommand, "*2\r\n$4\r\nAUTH\r\n$6\r\nsecret\r\n")
	f(first[1], verbPipeline, "*1\r\n$4\r\nPING\r\n*2\r\n$4\r\nECHO\r\n$1\r\nx\r\n")
	f(first[2], verbClose, "")
	f(second[0], verbBytewise, "*1\r\n")
	f(second[1], verbRaw, "PING  x\r\n")
	if !first[1].halfClose || first[1].differs != "other-words" || string(first[1].answers["b"]) != "+PONG\r\n$1\r\nx\r\n" {
		t.Errorf("got %+v", first[1])
	}
}
