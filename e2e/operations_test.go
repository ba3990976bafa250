package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestTerminationSendsTheRest: SIGTERM takes no message from a subscriber that is slow to read.
func TestTerminationSendsTheRest(t *testing.T) {
	s := startHubSub(t)
	slow, publisher := dial(t, s), dial(t, s)
	must(t, slow.expect("[subscribe c 1]", "SUBSCRIBE", "c"))
	padding := strings.Repeat(".", 100_000)
	const messages = 200 // 20 MB: more than the sockets take
	for i := range messages {
		must(t, publisher.expect("1", "PUBLISH", "c", fmt.Sprint(i, padding)))
	}
	must(t, s.cmd.Process.Signal(syscall.SIGTERM))
	if !isClosed(publisher) {
		t.Error("who is owed nothing stays connected")
	}
	if c, err := connect(s.addr()); err == nil {
		c.close()
		t.Error("a new client is still accepted")
	}
	for i := range messages {
		must(t, slow.next("[message c "+fmt.Sprint(i, padding)+"]"))
	}
	if _, err := slow.read(); err != io.EOF {
		t.Errorf("after the last message: %v", err)
	}
	<-s.exited
	if code := s.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

// TestTerminationIsBounded: who does not read at all keeps no server from its end.
func TestTerminationIsBounded(t *testing.T) {
	t.Parallel()
	s := startHubSub(t)
	stalled, publisher := dial(t, s), dial(t, s)
	must(t, stalled.expect("[subscribe c 1]", "SUBSCRIBE", "c"))
	for range 200 {
		must(t, publisher.expect("1", "PUBLISH", "c", strings.Repeat(".", 100_000)))
	}
	if !s.signalAndWait(syscall.SIGTERM, 3*stopLimit) {
		t.Fatal("it has not ended")
	}
	if code := s.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	if out := s.output.String(); !strings.Contains(out, "closing clients that did not read all in time") {
		t.Errorf("the log does not tell:\n%s", out)
	}
}

// TestHangup: SIGHUP reads the file again, puts in force what can change, tells what cannot, and opens the log anew.
func TestHangup(t *testing.T) {
	dir := t.TempDir()
	conf, log := filepath.Join(dir, "hubsub.conf"), filepath.Join(dir, "hubsub.log")
	write := func(lines ...string) {
		t.Helper()
		must(t, os.WriteFile(conf, []byte("logfile "+log+"\n"+strings.Join(lines, "\n")+"\n"), 0o600))
	}
	write("maxclients 100", "loops 2", "appendonly no")
	s := startHubSub(t, "--config", conf)
	c := dial(t, s)
	told := func(path, what string) {
		t.Helper()
		for giveUp := time.Now().Add(answerLimit); ; time.Sleep(time.Millisecond) {
			text, _ := os.ReadFile(path) // until it is there
			if strings.Contains(string(text), what) {
				return
			}
			if time.Now().After(giveUp) {
				t.Fatalf("not in %s: %q\n%s", path, what, text)
			}
		}
	}
	hangup := func() {
		t.Helper()
		must(t, s.cmd.Process.Signal(syscall.SIGHUP))
	}
	told(log, `options=appendonly`)
	told(log, "ready to accept connections")
	must(t, c.expect("[maxclients 100]", "CONFIG", "GET", "maxclients"), c.expect("OK", "CONFIG", "SET", "timeout", "77"))

	must(t, os.Rename(log, log+".1"))
	write("maxclients 200", "coalesce-max 5ms", "tcp-backlog 99")
	hangup()
	told(log, "the configuration is read again")
	told(log, "changed=\"maxclients timeout coalesce-max\"")
	told(log, "\"needing a restart\"=tcp-backlog")
	must(t, c.expect("[maxclients 200]", "CONFIG", "GET", "maxclients"), c.expect("[coalesce-max 5ms]", "CONFIG", "GET", "coalesce-max"),
		c.expect("[timeout 0]", "CONFIG", "GET", "timeout"), c.expect("[tcp-backlog 511]", "CONFIG", "GET", "tcp-backlog"))

	write("maxclients many", "timeout 5")
	hangup()
	told(log, "line 2: maxclients: argument couldn't be parsed into an integer")
	must(t, c.expect("[maxclients 200]", "CONFIG", "GET", "maxclients"), c.expect("[timeout 0]", "CONFIG", "GET", "timeout"))

	// Users: who is gone is closed, and who hears what it may not any more.
	write("user ann on nopass &* +@all", "user bob on nopass &* +@all", "user cid on nopass &* +@all")
	hangup()
	told(log, `users="ann bob cid"`)
	as := func(user string) *client {
		t.Helper()
		own := dial(t, s)
		must(t, own.expect("OK", "AUTH", user, "x"), own.expect("[subscribe c 1]", "SUBSCRIBE", "c"))
		return own
	}
	ann, bob, cid := as("ann"), as("bob"), as("cid")
	write("user ann on nopass &* +@all", "user cid on nopass &d +@all", "requirepass secret")
	hangup()
	told(log, `users="bob cid"`)
	if !isClosed(bob) || !isClosed(cid) {
		t.Error("somebody without a right is still connected")
	}
	must(t, dial(t, s).expect("-NOAUTH Authentication required.", "PING"), c.expect("1", "PUBLISH", "c", "x"), ann.next("[message c x]"))
	// The default user, once the file speaks of it no more, is as requirepass says.
	write("requirepass secret", "user default on nopass ~* &* +@all")
	hangup()
	told(log, `users="ann cid default"`)
	must(t, dial(t, s).expect("PONG", "PING"))
	write("requirepass secret")
	hangup()
	told(log, `users=default`)
	must(t, dial(t, s).expect("-NOAUTH Authentication required.", "PING"))
	write("user eve +nonsense")
	hangup()
	told(log, "user eve: Error in user declaration '+nonsense': Unknown command or category name in ACL")
	must(t, c.expect("[default]", "ACL", "USERS"))
}

// TestLog: each line is one event that an operator wants, in the format asked for; messages are none.
func TestLog(t *testing.T) {
	s := startHubSub(t, "--log-format", "json", "--client-output-buffer-limit", "pubsub 1mb 0 0")
	subscriber, publisher := dial(t, s), dial(t, s)
	must(t, subscriber.expect("[subscribe c 1]", "SUBSCRIBE", "c"))
	for i := range 1000 {
		must(t, publisher.expect("1", "PUBLISH", "c", fmt.Sprint(i)), subscriber.next(fmt.Sprintf("[message c %d]", i)))
	}
	for n := int64(1); n > 0; {
		r, err := publisher.do("PUBLISH", "c", strings.Repeat("x", 100_000))
		must(t, err)
		n = r.n
	}
	s.stop()
	var events []string
	for line := range strings.SplitSeq(strings.TrimSpace(s.output.String()), "\n") {
		var event struct {
			Time       time.Time
			Level, Msg string
		}
		if err := json.Unmarshal([]byte(line), &event); err != nil || event.Time.IsZero() || event.Level == "" {
			t.Errorf("not a line of the log: %q, %v", line, err)
		}
		events = append(events, event.Level+" "+event.Msg)
	}
	want := []string{"notice HubSub is ready to accept connections", "warning closed a client over its limit", "notice HubSub is shutting down"}
	if got := strings.Join(events, "\n"); got != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", got, strings.Join(want, "\n"))
	}
}

// TestRedisConf has redis-server write its configuration down, users and quoted words and all, and starts HubSub from that file.
func TestRedisConf(t *testing.T) {
	conf := filepath.Join(t.TempDir(), "redis.conf")
	must(t, os.WriteFile(conf, nil, 0o600))
	redis := start(t, &server{name: "redis", path: "redis-server", end: syscall.SIGKILL,
		before: []string{"sh", "-c", `exec "$0" "` + conf + `" "$@"`}})
	password := "a \"word\"\x01 'more'"
	c := dial(t, redis)
	for _, set := range [][]string{
		{"CONFIG", "SET", "maxclients", "123", "timeout", "7", "client-query-buffer-limit", "3mb", "save", "60 1", "maxmemory", "100mb"},
		{"CONFIG", "SET", "client-output-buffer-limit", "normal 1mb 512kb 5 pubsub 2mb 0 0"},
		{"CONFIG", "SET", "requirepass", password},
		{"ACL", "SETUSER", "ann", "on", ">secret", "&chat:*", "-@all", "+@pubsub", "+ping", "+client|id"},
		{"ACL", "SETUSER", "bob", "off"},
		{"CONFIG", "REWRITE"},
	} {
		must(t, c.expect("OK", set...))
	}
	redis.stop()

	s := startHubSub(t, "--config", conf)
	if out := s.output.String(); !strings.Contains(out, "they have no effect") || !strings.Contains(out, "maxmemory") {
		t.Errorf("the log does not name what HubSub does not have:\n%s", out)
	}
	c = dial(t, s)
	must(t, c.expect("-NOAUTH Authentication required.", "PING"), c.expect("OK", "AUTH", password),
		c.expect("[maxclients 123]", "CONFIG", "GET", "maxclients"), c.expect("[timeout 7]", "CONFIG", "GET", "timeout"),
		c.expect("[client-query-buffer-limit 3145728]", "CONFIG", "GET", "client-query-buffer-limit"),
		c.expect("[client-output-buffer-limit normal 1048576 524288 5 slave 268435456 67108864 60 pubsub 2097152 0 0]",
			"CONFIG", "GET", "client-output-buffer-limit"),
		c.expect("-WRONGPASS invalid username-password pair or user is disabled.", "AUTH", "bob", "x"),
		c.expect("OK", "AUTH", "ann", "secret"), c.expect("[subscribe chat:1 1]", "SUBSCRIBE", "chat:1"),
		c.expect("-NOPERM this user has no permissions to access one of the channels used as arguments", "SUBSCRIBE", "other"))
}
