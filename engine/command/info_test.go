package command

import (
	"strconv"
	"strings"
	"testing"
)

// fields are the lines of INFO by their names.
func fields(text string) map[string]string {
	m := map[string]string{}
	for line := range strings.SplitSeq(text, "\r\n") {
		if name, value, ok := strings.Cut(line, ":"); ok {
			m[name] = value
		}
	}
	return m
}

func TestInfo(t *testing.T) {
	s := serve(t, "")
	sub, c := s.dial(), s.dial()
	sub.says("SUBSCRIBE a b", confirmed("subscribe", "a", 1)+"⏎"+confirmed("subscribe", "b", 2))
	sub.says("SSUBSCRIBE s", confirmed("ssubscribe", "s", 1))
	sub.says("PSUBSCRIBE p*", confirmed("psubscribe", "p*", 3))
	c.says("PUBLISH a x", ":1")
	sub.gets("*3⏎$7⏎message⏎$1⏎a⏎$1⏎x")
	got := fields(c.text("INFO"))
	for name, want := range map[string]string{
		"redis_version": Version, "redis_mode": "standalone", "loading": "0", "role": "master",
		"connected_clients": "2", "pubsub_clients": "1", "pubsub_channels": "2", "pubsub_patterns": "1",
		"pubsubshard_channels": "1", "total_connections_received": "2", "rejected_connections": "0",
		"evicted_clients": "0", "client_output_buffer_limit_disconnections": "0", "cluster_enabled": "0",
		"maxclients": "10000", "tcp_port": s.addr[strings.LastIndexByte(s.addr, ':')+1:], "config_file": "",
	} {
		if got[name] != want {
			t.Errorf("%s is %q, want %q", name, got[name], want)
		}
	}
	for _, name := range []string{"process_id", "used_memory", "used_memory_rss", "total_system_memory", "total_commands_processed", "total_net_input_bytes"} {
		if n, err := strconv.ParseFloat(got[name], 64); err != nil || n <= 0 {
			t.Errorf("%s is %q", name, got[name])
		}
	}
	if len(got["run_id"]) != 40 {
		t.Errorf("run_id is %q", got["run_id"])
	}
}

func TestInfoSections(t *testing.T) {
	c := serve(t, "").dial()
	f := func(command, want string) {
		t.Helper()
		var titles []string
		for line := range strings.SplitSeq(c.text(command), "\r\n") {
			if title, ok := strings.CutPrefix(line, "# "); ok {
				titles = append(titles, title)
			}
		}
		if got := strings.Join(titles, " "); got != want {
			t.Errorf("%s has %q, want %q", command, got, want)
		}
	}
	const all = "Server Clients Memory Persistence Stats Replication CPU Modules Cluster Keyspace"
	f("INFO", all)
	f("INFO everything", all)
	f("INFO ALL", all)
	f("INFO default nothing", all)
	f("INFO keyspace SERVER server", "Server Keyspace")
	f("INFO nothing", "")
	c.says("INFO cluster modules", "$43⏎# Modules⏎⏎# Cluster⏎cluster_enabled:0⏎")
	c.says("HELLO 3", helloReply(3, c.number("CLIENT ID")))
	c.says("INFO keyspace", "=16⏎txt:# Keyspace⏎")
}

func TestHumanBytes(t *testing.T) {
	f := func(n int64, want string) {
		t.Helper()
		if got := humanBytes(n); got != want {
			t.Errorf("%d is %q, want %q", n, got, want)
		}
	}
	f(0, "0B")
	f(1023, "1023B")
	f(1024, "1.00K")
	f(1<<20-1, "1024.00K")
	f(1<<20+1<<19, "1.50M")
	f(5<<40, "5.00T")
}
