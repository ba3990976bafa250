package e2e

import (
	"bufio"
	"context"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// redisCLI runs redis-cli with a script on its standard input, which may be empty, and returns all it printed.
func redisCLI(t *testing.T, s *server, stdin string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), clientLimit)
	defer cancel()
	cmd := exec.CommandContext(ctx, "redis-cli", append([]string{"-p", strconv.Itoa(s.port)}, args...)...)
	cmd.Stdin = strings.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("redis-cli %q: %v\n%s", args, err, out)
	}
	return string(out)
}

// TestRedisCLIPrints: what redis-cli makes of HubSub's answers is what it makes of Redis's.
func TestRedisCLIPrints(t *testing.T) {
	redis, hubsub := startRedis(t), startHubSub(t)
	f := func(args ...string) {
		t.Helper()
		want, got := redisCLI(t, redis, "", args...), redisCLI(t, hubsub, "", args...)
		if got != want {
			t.Errorf("redis-cli %q prints\n%s\nwant\n%s", args, got, want)
		}
	}
	f("PUBLISH", "news", "hello")
	f("PING")
	f("PING", "hello")
	f("--no-raw", "PING")
	f("--no-raw", "PUBLISH", "news", "hello")
	f("--no-raw", "PUBSUB", "CHANNELS")
	f("--no-raw", "PUBSUB", "NUMSUB", "a", "b")
	f("--no-raw", "CLIENT", "GETNAME")
	f("--no-raw", "ECHO", "\r\n\t\"\x01\xff")
	f("--raw", "ECHO", "\r\n\t\"\x01\xff")
	f("--no-raw", "ROLE")
	f("--no-raw", "NOSUCH", "x")
	f("--no-raw", "CONFIG", "GET", "timeout")
	f("--no-raw", "-3", "CONFIG", "GET", "timeout")
	f("--no-raw", "-3", "CLIENT", "GETNAME")
	f("--no-raw", "-3", "PUBSUB", "NUMSUB", "a")
	f("--no-raw", "-3", "COMMAND", "INFO", "ping")
	f("--no-raw", "COMMAND", "INFO", "ping", "nosuch")
	f("--csv", "PUBSUB", "NUMSUB", "a", "b")
	f("--json", "PUBSUB", "NUMSUB", "a", "b")
	f("-n", "3", "PING")
	f("-r", "3", "-i", "0", "PUBLISH", "c", "m")
	f("--no-raw", "UNSUBSCRIBE", "a")
	f("-X", "message", "PUBLISH", "c", "message")
}

// TestRedisCLIScript: commands on standard input, a transaction among them.
func TestRedisCLIScript(t *testing.T) {
	redis, hubsub := startRedis(t), startHubSub(t)
	const script = "PING\nPUBLISH c m\nMULTI\nPUBLISH c 1\nPUBLISH c 2\nEXEC\nNOSUCH x\nECHO \"a b\"\nHELLO 2 AUTH\nPING\n"
	f := func(args ...string) {
		t.Helper()
		want, got := redisCLI(t, redis, script, args...), redisCLI(t, hubsub, script, args...)
		if got != want {
			t.Errorf("redis-cli %q prints\n%s\nwant\n%s", args, got, want)
		}
	}
	f()
	f("--no-raw")
	f("-3", "--no-raw")
}

func TestRedisCLIPassword(t *testing.T) {
	s := startHubSub(t, "--requirepass", "secret")
	f := func(want string, args ...string) {
		t.Helper()
		if got := redisCLI(t, s, "", args...); got != want {
			t.Errorf("redis-cli %q prints %q, want %q", args, got, want)
		}
	}
	f("PONG\n", "--no-auth-warning", "-a", "secret", "PING")
	f("PONG\n", "--no-auth-warning", "--user", "default", "--pass", "secret", "PING")
	f("NOAUTH Authentication required.\n\n", "PING")
}

// TestRedisCLISubscribes: redis-cli in its subscribe mode prints what others publish.
func TestRedisCLISubscribes(t *testing.T) {
	s := startHubSub(t)
	publisher := dial(t, s)
	f := func(subscribe, publish []string, want ...string) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), clientLimit)
		defer cancel()
		cmd := exec.CommandContext(ctx, "redis-cli", append([]string{"-p", strconv.Itoa(s.port)}, subscribe...)...)
		out, err := cmd.StdoutPipe()
		must(t, err, cmd.Start())
		lines := bufio.NewScanner(out)
		confirmation := 3
		for i, w := range want {
			if i == confirmation {
				must(t, publisher.expect("1", publish...))
			}
			if !lines.Scan() || lines.Text() != w {
				t.Errorf("%q: line %d is %q, want %q", subscribe, i, lines.Text(), w)
				break
			}
		}
		cancel()
		cmd.Wait()
	}
	f([]string{"SUBSCRIBE", "news"}, []string{"PUBLISH", "news", "hello"},
		"subscribe", "news", "1", "message", "news", "hello")
	f([]string{"PSUBSCRIBE", "p*"}, []string{"PUBLISH", "ping", "hello"},
		"psubscribe", "p*", "1", "pmessage", "p*", "ping", "hello")
	f([]string{"SSUBSCRIBE", "shard"}, []string{"SPUBLISH", "shard", "hello"},
		"ssubscribe", "shard", "1", "smessage", "shard", "hello")
	f([]string{"-3", "SUBSCRIBE", "three"}, []string{"PUBLISH", "three", "hello"},
		"subscribe", "three", "1", "message", "three", "hello")
}

// TestRedisCLIInteractive starts redis-cli on a terminal, where it first asks COMMAND DOCS for its hints.
func TestRedisCLIInteractive(t *testing.T) {
	s := startHubSub(t)
	f := func(options string, want ...string) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), clientLimit)
		defer cancel()
		cmd := exec.CommandContext(ctx, "script", "-qec", "redis-cli "+options+" -p "+strconv.Itoa(s.port), "/dev/null")
		cmd.Env = append(cmd.Environ(), "TERM=dumb", "HOME="+t.TempDir())
		cmd.Stdin = strings.NewReader("PING\nhelp PUBLISH\nPUBSUB NUMSUB news\nCLIENT GETNAME\nexit\n")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Errorf("redis-cli %s: %v\n%s", options, err, out)
		}
		for _, w := range want {
			if !strings.Contains(string(out), w) {
				t.Errorf("redis-cli %s does not print %q:\n%s", options, w, out)
			}
		}
	}
	f("", "PONG", "PUBLISH", "summary:", "group:", `1) "news"`, "2) (integer) 0", "(nil)")
	f("-3", "PONG", "PUBLISH", "summary:", "group:", `1) "news"`, "2) (integer) 0", "(nil)")
}

func TestRedisBenchmark(t *testing.T) {
	s := startHubSub(t)
	f := func(args ...string) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), clientLimit)
		defer cancel()
		cmd := exec.CommandContext(ctx, "redis-benchmark", append([]string{"-p", strconv.Itoa(s.port), "-q"}, args...)...)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Errorf("redis-benchmark %q: %v\n%s", args, err, out)
		}
		if regexp.MustCompile(`ERR|WARNING|[Ee]rror`).Match(out) || !strings.Contains(string(out), "requests per second") {
			t.Errorf("redis-benchmark %q prints\n%s", args, out)
		}
	}
	f("-t", "ping", "-n", "20000")
	f("-P", "16", "-n", "50000", "PUBLISH", "ch", "msg")
	f("-3", "-P", "16", "-n", "20000", "PUBLISH", "ch", "msg")
	f("-P", "16", "-n", "20000", "-r", "1000", "PUBLISH", "ch:__rand_int__", "msg")
}
