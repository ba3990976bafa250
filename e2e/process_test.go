package e2e

import (
	"io"
	"os"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

// TestInfo looks at the form of INFO, not at its figures: clients parse it line by line when they connect.
func TestInfo(t *testing.T) {
	c := dial(t, startHubSub(t))
	info := func(args ...string) string {
		t.Helper()
		r, err := c.do(append([]string{"INFO"}, args...)...)
		if err != nil || r.kind != '$' {
			t.Fatalf("INFO %q: %v %v", args, r, err)
		}
		return r.text
	}
	all := info()
	lineForm := regexp.MustCompile(`^(|# [A-Z]\w*|[a-z][a-z0-9_.-]*:.*)$`)
	for line := range strings.SplitSeq(strings.TrimSuffix(all, "\r\n"), "\r\n") {
		if !lineForm.MatchString(line) {
			t.Errorf("not a line of INFO: %q", line)
		}
	}
	f := func(text string, lines ...string) {
		t.Helper()
		for _, line := range lines {
			if !regexp.MustCompile(`(?m)^` + line + `\r$`).MatchString(text) {
				t.Errorf("no line %q in INFO:\n%s", line, text)
			}
		}
	}
	f(all, "# Server", "# Clients", "# Memory", "# Stats", "# Replication", "# CPU",
		`redis_version:7\.4\.\d+`, "redis_mode:standalone", "role:master", `run_id:[0-9a-f]{40}`, `tcp_port:\d+`,
		`uptime_in_seconds:\d+`, `connected_clients:\d+`, `total_commands_processed:\d+`, "pubsub_channels:0", "pubsub_patterns:0")
	f(info("server"), "# Server", `redis_version:7\.4\.\d+`)
	f(info("REPLICATION"), "# Replication", "role:master")
	f(info("server", "clients"), "# Server", "# Clients")
	f(info("everything"), "# Server", "# Clients", "# Stats")
	if one := info("clients"); strings.Contains(one, "# Server") {
		t.Errorf("INFO clients tells of the server:\n%s", one)
	}
	if none := info("nosuch"); none != "" {
		t.Errorf("INFO nosuch: %q", none)
	}
	must(t, c.expect("[subscribe c 1]", "SUBSCRIBE", "c"), c.expect("[psubscribe p* 2]", "PSUBSCRIBE", "p*"), c.expect("RESET", "RESET"))
	if r, err := c.do("HELLO", "3"); err != nil || r.kind != '%' {
		t.Fatalf("HELLO 3: %v %v", r, err)
	}
	must(t, c.expect(">[subscribe c 1]", "SUBSCRIBE", "c"), c.expect(">[psubscribe p* 2]", "PSUBSCRIBE", "p*"))
	r, err := c.do("INFO")
	if err != nil || r.kind != '=' || !strings.HasPrefix(r.text, "txt:# Server\r\n") {
		t.Fatalf("INFO in RESP3: %c %.40q %v", r.kind, r.text, err)
	}
	f(r.text, "pubsub_channels:1", "pubsub_patterns:1", "pubsub_clients:1", "connected_clients:1")
}

// TestEnds: however the server is asked to end, subscribers see the end of their connection and the exit code is 0.
func TestEnds(t *testing.T) {
	f := func(name string, end func(s *server) error) {
		t.Run(name, func(t *testing.T) {
			s := startHubSub(t)
			subscriber := dial(t, s)
			must(t, subscriber.expect("[subscribe c 1]", "SUBSCRIBE", "c"))
			must(t, end(s))
			if r, err := subscriber.read(); err != io.EOF {
				t.Errorf("a subscriber got %v, %v; want the end", r, err)
			}
			<-s.exited
			if code := s.cmd.ProcessState.ExitCode(); code != 0 {
				t.Errorf("exit code %d", code)
			}
		})
	}
	command := func(args ...string) func(*server) error {
		return func(s *server) error {
			c, err := connect(s.addr())
			if err != nil {
				return err
			}
			defer c.close()
			if r, err := c.do(args...); err == nil {
				t.Errorf("%q is answered with %v", args, r)
			}
			return nil
		}
	}
	signal := func(sig os.Signal) func(*server) error {
		return func(s *server) error { return s.cmd.Process.Signal(sig) }
	}
	f("SHUTDOWN", command("SHUTDOWN"))
	f("SHUTDOWN NOSAVE", command("SHUTDOWN", "NOSAVE"))
	f("SIGTERM", signal(syscall.SIGTERM))
	f("SIGINT", signal(syscall.SIGINT))
}
