package e2e

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os/exec"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// runHubSub runs the binary to its end and returns what it said and its exit code.
func runHubSub(t *testing.T, args ...string) (out string, code int) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), hubsubBinary, args...)
	text, err := cmd.CombinedOutput()
	if _, ended := err.(*exec.ExitError); err != nil && !ended {
		t.Fatal(err)
	}
	return string(text), cmd.ProcessState.ExitCode()
}

// TestFewOpenFiles: a thousand connects to a server that may open 64 files are refused in order, and it serves on.
func TestFewOpenFiles(t *testing.T) {
	s := start(t, &server{name: "hubsub", path: hubsubBinary, before: []string{"prlimit", "--nofile=64:64"},
		end: syscall.SIGTERM, args: []string{"--loops", "2"}})
	if out := s.output.String(); !strings.Contains(out, "Current maximum open files is 64. maxclients has been reduced to ") {
		t.Errorf("not told of the limit:\n%s", out)
	}
	first := dial(t, s)
	must(t, first.expect("[subscribe c 1]", "SUBSCRIBE", "c"))
	most := infoFigure(t, dial(t, s), "maxclients")
	if most < 8 {
		t.Errorf("only %d clients of 64 files", most)
	}
	var served, refused atomic.Int64
	var held []*client
	var work crew
	work.t = t
	for range 1000 {
		c, err := connect(s.addr())
		must(t, err)
		held = append(held, c)
		work.run(func() error {
			r, err := c.do("PING")
			switch {
			case err == nil && r.text == "PONG":
				served.Add(1)
			case err == nil && r.String() == "-ERR max number of clients reached", isEnd(err):
				refused.Add(1)
			default:
				return fmt.Errorf("a client got %v, %v", r, err)
			}
			return nil
		})
	}
	work.wait()
	if n := served.Load(); n == 0 || n > int64(most) || served.Load()+refused.Load() != 1000 {
		t.Errorf("%d served, %d refused, at most %d at once", n, refused.Load(), most)
	}
	for _, c := range held {
		c.close()
	}
	awaitServed(t, s, "1", "PUBLISH", "c", "still here")
	must(t, first.next("[message c still here]"))
}

// awaitServed connects until it is served with the answer: the server may not have noticed yet that others have gone.
func awaitServed(t *testing.T, s *server, want string, args ...string) {
	t.Helper()
	for giveUp := time.Now().Add(answerLimit); ; time.Sleep(time.Millisecond) {
		c, err := connect(s.addr())
		must(t, err)
		err = c.expect(want, args...)
		c.close()
		if err == nil {
			return
		}
		if time.Now().After(giveUp) {
			t.Fatal(err)
		}
	}
}

// TestTooFewOpenFiles: it does not start to serve nobody.
func TestTooFewOpenFiles(t *testing.T) {
	out, err := exec.Command("prlimit", "--nofile=24:24", hubsubBinary, "--port", "0", "--unixsocket", t.TempDir()+"/s").CombinedOutput()
	if err == nil || !strings.Contains(string(out), "Your current 'ulimit -n' of 24 is not enough for the server to start.") {
		t.Errorf("%v, said %q", err, out)
	}
}

// TestRestartAtOnce: connections that the last process closed do not hold the port.
func TestRestartAtOnce(t *testing.T) {
	s := startHubSub(t)
	for range 3 {
		var clients []*client
		for range 50 {
			c := dial(t, s)
			must(t, c.expect("[subscribe c 1]", "SUBSCRIBE", "c"))
			clients = append(clients, c)
		}
		s.stop() // it closes them first: they are in TIME_WAIT on its side
		s.restart(t)
		for _, c := range clients {
			if !isClosed(c) {
				t.Fatal("a client of the last process is still connected")
			}
		}
		must(t, dial(t, s).expect("0", "PUBLISH", "c", "x"))
	}
}

// TestCrashRefuses: who connects again as soon as a killed server's connection ends is refused, not taken and then reset.
func TestCrashRefuses(t *testing.T) {
	s := startHubSub(t)
	for range 10 {
		work := crew{t: t}
		for range 10 {
			c := dial(t, s)
			must(t, c.expect("[subscribe c 1]", "SUBSCRIBE", "c"))
			work.run(func() error {
				if r, err := c.read(); err == nil {
					return fmt.Errorf("a subscriber got %v", r)
				}
				again, err := net.Dial("tcp", s.addr())
				if err == nil {
					again.Close()
				}
				if !errors.Is(err, syscall.ECONNREFUSED) {
					return fmt.Errorf("connecting to a killed server: %v, want that it is refused", err)
				}
				return nil
			})
		}
		s.kill()
		work.wait()
		s.restart(t)
	}
}

// TestSecondServerOnThePort is refused in Redis's words, and the first one does not notice.
func TestSecondServerOnThePort(t *testing.T) {
	s := startHubSub(t)
	out, code := runHubSub(t, "--port", fmt.Sprint(s.port))
	want := fmt.Sprintf("Could not create server TCP listening socket 127.0.0.1:%d: bind: Address already in use", s.port)
	if code != 1 || !strings.Contains(out, want) {
		t.Errorf("exit code %d, said %q, want %q", code, out, want)
	}
	for range 100 {
		must(t, dial(t, s).expect("PONG", "PING"))
	}
}

// TestHalfClose: who has shut down its sending side gets the answers to all it has sent, many or long ones.
func TestHalfClose(t *testing.T) {
	s := startHubSub(t)
	f := func(commands int, args ...string) {
		t.Helper()
		c := dial(t, s)
		for range commands {
			c.add(args...)
		}
		sent := make(chan error, 1)
		go func() {
			err := c.flush()
			if err == nil {
				err = c.conn.(*net.TCPConn).CloseWrite()
			}
			sent <- err
		}()
		for i := range commands {
			if r, err := c.read(); err != nil || r.kind == '-' {
				t.Fatalf("%q: answer %d of %d: %.100v, %v", args[0], i, commands, r, err)
			}
		}
		if _, err := c.read(); err != io.EOF {
			t.Errorf("after the last answer: %v", err)
		}
		must(t, <-sent)
	}
	f(1, "PING")
	f(100_000, "PING")
	f(100_000, "PUBLISH", "nobody", "x")
	f(300, "COMMAND", "DOCS")
	f(20, "ECHO", strings.Repeat("x", 5<<20))
}

// TestCrowdConnects: 9,000 clients that connect at once are all served, and hear a message each.
func TestCrowdConnects(t *testing.T) {
	const crowd, dialers = 9000, 64
	s := startPlainHubSub(t)
	clients := make([]*client, crowd)
	var next atomic.Int64
	work := crew{t: t}
	for range dialers {
		work.run(func() error {
			for i := next.Add(1) - 1; i < crowd; i = next.Add(1) - 1 {
				c, err := connect(s.addr())
				if err != nil {
					return err
				}
				clients[i] = c
				if err := c.expect(fmt.Sprintf("[subscribe room:%d 1]", i/10), "SUBSCRIBE", fmt.Sprintf("room:%d", i/10)); err != nil {
					return fmt.Errorf("client %d: %w", i, err)
				}
			}
			return nil
		})
	}
	work.wait()
	defer func() {
		for _, c := range clients {
			if c != nil {
				c.close()
			}
		}
	}()
	if t.Failed() {
		return
	}
	publisher := dial(t, s)
	for room := range crowd / 10 {
		must(t, publisher.expect("10", "PUBLISH", fmt.Sprintf("room:%d", room), "hello"))
	}
	for i, c := range clients {
		must(t, c.next(fmt.Sprintf("[message room:%d hello]", i/10)))
	}
}
