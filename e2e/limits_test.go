package e2e

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// infoFigure asks for a figure of INFO; -1 if there is none of that name.
func infoFigure(t testing.TB, c *client, field string) int {
	t.Helper()
	r, err := c.do("INFO", "all")
	must(t, err)
	return figure(r.text, `(?m)^`+field+`:(\d+)\r$`)
}

// awaitFigure waits until a figure of INFO is as wanted.
func awaitFigure(t testing.TB, c *client, field string, want int) {
	t.Helper()
	for giveUp := time.Now().Add(answerLimit); ; time.Sleep(time.Millisecond) {
		got := infoFigure(t, c, field)
		if got == want {
			return
		}
		if time.Now().After(giveUp) {
			t.Fatalf("%s is %d, want %d", field, got, want)
		}
	}
}

// isClosed reports whether the server closes the connection, whatever it sends before.
func isClosed(c *client) bool {
	for {
		if _, err := c.read(); err != nil {
			return isEnd(err)
		}
	}
}

// TestLimitsCount: each limit, given as a flag or by CONFIG SET, closes or refuses the client that is over it, is counted under
// Redis's name, and leaves the others alone.
func TestLimitsCount(t *testing.T) {
	f := func(name, counter, option, value string, offend func(t *testing.T, s *server) *client) {
		for _, live := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, live %v", name, live), func(t *testing.T) {
				t.Parallel()
				var s *server
				if live {
					s = startHubSub(t)
					c := dial(t, s)
					must(t, c.expect("OK", "CONFIG", "SET", option, value), c.send("QUIT"))
					isClosed(c)
				} else {
					s = startHubSub(t, "--"+option, value)
				}
				other := dial(t, s)
				must(t, other.expect("[subscribe quiet 1]", "SUBSCRIBE", "quiet"))
				offender := offend(t, s)
				defer offender.close()
				if !isClosed(offender) {
					t.Error("the offender is still connected")
				}
				watcher := dial(t, s)
				awaitFigure(t, watcher, counter, 1)
				must(t, watcher.expect("1", "PUBLISH", "quiet", "x"), other.next("[message quiet x]"))
			})
		}
	}
	connected := func(t *testing.T, s *server) *client {
		t.Helper()
		c, err := connect(s.addr())
		must(t, err)
		return c
	}
	// flood publishes to a subscriber that does not read until the publisher sees it gone.
	flood := func(t *testing.T, s *server) *client {
		stalled, publisher := connected(t, s), connected(t, s)
		defer publisher.close()
		must(t, stalled.expect("[subscribe c 1]", "SUBSCRIBE", "c"))
		message := strings.Repeat("x", 100_000)
		for n := int64(1); n > 0; {
			r, err := publisher.do("PUBLISH", "c", message)
			must(t, err)
			n = r.n
		}
		return stalled
	}
	f("hard limit", "client_output_buffer_limit_disconnections", "client-output-buffer-limit", "pubsub 1mb 0 0", flood)
	f("soft limit", "client_output_buffer_limit_disconnections", "client-output-buffer-limit", "pubsub 0 1mb 1", flood)
	f("all clients", "evicted_clients", "maxmemory-clients", "2mb", flood)
	f("query buffer", "client_query_buffer_limit_disconnections", "client-query-buffer-limit", "1mb", func(t *testing.T, s *server) *client {
		c := connected(t, s)
		c.out = append(c.out, "*2\r\n$4\r\nECHO\r\n$9000000\r\n"+strings.Repeat("x", 3<<20)...)
		_ = c.flush() // fails when the server closes first
		return c
	})
	f("bulk length", "client_protocol_error_disconnections", "proto-max-bulk-len", "1mb", func(t *testing.T, s *server) *client {
		c := connected(t, s)
		c.out = append(c.out, "*2\r\n$4\r\nECHO\r\n$1048577\r\n"...)
		must(t, c.flush(), c.next("-ERR Protocol error: invalid bulk length"))
		return c
	})
	f("idle", "client_timeout_disconnections", "timeout", "3", connected)
	f("too many", "rejected_connections", "maxclients", "2", func(t *testing.T, s *server) *client {
		one := connected(t, s) // with the test's own client there are two now
		t.Cleanup(one.close)
		must(t, one.expect("PONG", "PING"))
		over := connected(t, s)
		must(t, over.next("-ERR max number of clients reached"))
		one.send("QUIT")
		isClosed(one)
		return over
	})
}

// TestTimeoutSparesSubscribers: who waits for messages is not idle.
func TestTimeoutSparesSubscribers(t *testing.T) {
	s := startHubSub(t)
	kinds := []string{"SUBSCRIBE", "PSUBSCRIBE", "SSUBSCRIBE"}
	var subscribers []*client
	for _, kind := range kinds {
		c := dial(t, s)
		must(t, c.expect("["+strings.ToLower(kind)+" c 1]", kind, "c"))
		subscribers = append(subscribers, c)
	}
	idle, changer := dial(t, s), dial(t, s)
	must(t, changer.expect("OK", "CONFIG", "SET", "timeout", "1"))
	if !isClosed(idle) { // after a second; the subscribers are older
		t.Error("an idle client stays")
	}
	publisher := dial(t, s)
	must(t, publisher.expect("2", "PUBLISH", "c", "x"), publisher.expect("1", "SPUBLISH", "c", "x"),
		subscribers[0].next("[message c x]"), subscribers[1].next("[pmessage c c x]"), subscribers[2].next("[smessage c x]"))
}

// TestLimitsBeforeAuthentication: a stranger may announce and keep waiting only little, as with Redis.
func TestLimitsBeforeAuthentication(t *testing.T) {
	s := startHubSub(t, "--requirepass", "secret")
	f := func(sent, want string) {
		t.Helper()
		c := dial(t, s)
		c.out = append(c.out, sent...)
		must(t, c.flush(), c.next(want))
		if !isClosed(c) {
			t.Errorf("%q: still connected", sent)
		}
	}
	f("*11\r\n", "-ERR Protocol error: unauthenticated multibulk length")
	f("*1\r\n$16385\r\n", "-ERR Protocol error: unauthenticated bulk length")

	known := dial(t, s)
	must(t, known.expect("OK", "AUTH", "secret"))
	known.add(append([]string{"SUBSCRIBE"}, strings.Split("a b c d e f g h i j k", " ")...)...)
	must(t, known.flush(), known.next("[subscribe a 1]"))

	// Without a password there are no strangers, not even those who came before.
	waiting, changer := dial(t, s), dial(t, s)
	must(t, waiting.expect("-NOAUTH Authentication required.", "PING"), changer.expect("OK", "AUTH", "secret"),
		changer.expect("OK", "CONFIG", "SET", "requirepass", ""),
		waiting.expect("PONG", "PING"), waiting.expect(strings.Repeat("x", 20_000), "ECHO", strings.Repeat("x", 20_000)))
}

// TestProtectedMode: without a password only clients on this machine are served, until the operator says otherwise.
func TestProtectedMode(t *testing.T) {
	outside := ownAddress(t)
	s := startHubSub(t, "--bind", "127.0.0.1 "+outside)
	far := func() *client {
		t.Helper()
		c, err := connect(net.JoinHostPort(outside, strconv.Itoa(s.port)))
		must(t, err)
		t.Cleanup(c.close)
		return c
	}
	near := dial(t, s)
	must(t, near.expect("PONG", "PING"))
	r, err := far().read()
	if err != nil || r.kind != '-' || !strings.HasPrefix(r.text, "DENIED Redis is running in protected mode") {
		t.Errorf("from outside: %v, %v", r, err)
	}
	awaitFigure(t, near, "rejected_connections", 1)
	must(t, near.expect("OK", "CONFIG", "SET", "protected-mode", "no"), far().expect("PONG", "PING"),
		near.expect("OK", "CONFIG", "SET", "protected-mode", "yes", "requirepass", "secret"))
	must(t, far().expect("-NOAUTH Authentication required.", "PING"), far().expect("OK", "AUTH", "secret"))
	must(t, near.expect("OK", "ACL", "SETUSER", "default", "nopass"))
	if r, err := far().read(); err != nil || !strings.HasPrefix(r.text, "DENIED ") {
		t.Errorf("from outside, once no password is needed: %v, %v", r, err)
	}
	must(t, near.expect("OK", "ACL", "SETUSER", "default", ">other"), far().expect("OK", "AUTH", "other"))
}

// ownAddress is an address of this machine that is not loopback; what is sent to it stays on the machine.
func ownAddress(t *testing.T) string {
	t.Helper()
	addrs, err := net.InterfaceAddrs()
	must(t, err)
	for _, a := range addrs {
		if ip, ok := a.(*net.IPNet); ok && ip.IP.To4() != nil && ip.IP.IsGlobalUnicast() {
			return ip.IP.String()
		}
	}
	t.Fatal("this machine has only loopback addresses: protected mode cannot be tested without another, add one: ip addr add 192.0.2.1/32 dev lo")
	return ""
}

// TestKeepAlive asks the kernel: it probes clients after the time of --tcp-keepalive, and not at all with 0.
func TestKeepAlive(t *testing.T) {
	s := startHubSub(t, "--tcp-keepalive", "100")
	changer := dial(t, s)
	f := func(value string, wantOn bool, atMost time.Duration) {
		t.Helper()
		must(t, changer.expect("OK", "CONFIG", "SET", "tcp-keepalive", value))
		c := dial(t, s)
		must(t, c.expect("PONG", "PING"))
		on, left := keepAliveTimer(t, c.conn.RemoteAddr().(*net.TCPAddr).Port, c.conn.LocalAddr().(*net.TCPAddr).Port)
		if on != wantOn || on && (left > atMost || left < atMost/2) {
			t.Errorf("tcp-keepalive %s: timer runs %v, for %v", value, on, left)
		}
	}
	f("100", true, 100*time.Second)
	f("7", true, 7*time.Second)
	f("0", false, 0)
}

// keepAliveTimer reads from /proc/net/tcp whether the keep-alive timer runs for a connection, and how long it has to.
func keepAliveTimer(t *testing.T, localPort, remotePort int) (on bool, left time.Duration) {
	t.Helper()
	table, err := os.ReadFile("/proc/net/tcp")
	must(t, err)
	row := regexp.MustCompile(fmt.Sprintf(`0100007F:%04X 0100007F:%04X 01 \S+ (\d\d):(\S+)`, localPort, remotePort)).FindStringSubmatch(string(table))
	if row == nil {
		t.Fatalf("no connection from port %d to %d in\n%s", localPort, remotePort, table)
	}
	const jiffy = 10 * time.Millisecond // USER_HZ is 100
	jiffies, err := strconv.ParseInt(row[2], 16, 64)
	must(t, err)
	return row[1] == "02", time.Duration(jiffies) * jiffy
}

// TestUnixSocket: its permissions are as asked for, and nothing but a dead socket is ever removed for it.
func TestUnixSocket(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "hub sub.sock")
	s := startHubSub(t, "--unixsocket", path, "--unixsocketperm", "600")
	info, err := os.Stat(path)
	must(t, err)
	if info.Mode().Perm() != 0o600 {
		t.Errorf("permissions %v", info.Mode().Perm())
	}
	conn, err := net.Dial("unix", path)
	must(t, err)
	c := newClient(conn)
	defer c.close()
	must(t, c.expect("PONG", "PING"))
	s.stop()

	refused := func(what, path, want string) {
		t.Helper()
		out, code := runHubSub(t, "--port", "0", "--unixsocket", path)
		if code != 1 || !strings.Contains(out, want) {
			t.Errorf("%s: exit code %d, said %q, want %q", what, code, out, want)
		}
	}
	refused("a directory", dir, "there is something that is no socket")
	if _, err := os.Stat(dir); err != nil {
		t.Error(err)
	}
	file := filepath.Join(dir, "file")
	must(t, os.WriteFile(file, []byte("precious"), 0o600))
	refused("a file", file, "there is something that is no socket")
	if text, err := os.ReadFile(file); string(text) != "precious" {
		t.Errorf("the file now holds %q, %v", text, err)
	}
	alive := startHubSub(t, "--unixsocket", path)
	refused("another server's", path, "another server listens there")
	alive.signalAndWait(syscall.SIGKILL, stopLimit)
	startHubSub(t, "--unixsocket", path) // takes the dead one's place
}
