package e2e

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// plainBinary builds the server without the race detector, which multiplies memory and connections' cost. Built once, when the
// first test asks for it.
var plainBinary = sync.OnceValues(func() (string, error) {
	if !raceEnabled {
		return hubsubBinary, nil
	}
	path := filepath.Join(filepath.Dir(hubsubBinary), "hubsub-plain")
	return path, buildHubSub(path, "-race=false")
})

// startPlainHubSub is startHubSub without the race detector: for what is about memory.
func startPlainHubSub(t testing.TB, args ...string) *server {
	t.Helper()
	path, err := plainBinary()
	must(t, err)
	return start(t, &server{name: "hubsub", path: path, end: syscall.SIGTERM, args: append([]string{"--loops", "2"}, args...)})
}

// memoryOf reads a line of the process's status, as VmRSS (now) or VmHWM (the most so far), in bytes.
func memoryOf(t testing.TB, s *server, line string) int64 {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	must(t, err)
	return int64(figure(string(status), line+`:\s+(\d+)`)) << 10
}

// TestBacklogsShareMemory: twenty subscribers that never read, and are let go on, have 2.4 GB to come between them. Messages that
// wait are in memory once, so that is 120 MB; another who reads loses nothing.
func TestBacklogsShareMemory(t *testing.T) {
	const (
		stalled     = 20
		messages    = 30_000
		payload     = 4 << 10 // 120 MB in all
		growthMax   = 200 << 20
		inFlight    = 50
		channelName = "c"
	)
	s := startPlainHubSub(t, "--client-output-buffer-limit", "pubsub 0 0 0")
	for range stalled {
		must(t, dial(t, s).expect("[subscribe c 1]", "SUBSCRIBE", channelName))
	}
	reader, publisher := dial(t, s), dial(t, s)
	must(t, reader.expect("[subscribe c 1]", "SUBSCRIBE", channelName))
	base := memoryOf(t, s, "VmRSS")
	padding := strings.Repeat(".", payload)
	work := crew{t: t}
	work.run(func() error {
		for i := range messages {
			r, err := reader.read()
			if err != nil {
				return err
			}
			if want := strconv.Itoa(i); len(r.items) != 3 || r.items[2].text != want+padding[len(want):] {
				return fmt.Errorf("message %d is lost or spoilt", i)
			}
		}
		return nil
	})
	for i := range messages {
		text := strconv.Itoa(i)
		publisher.add("PUBLISH", channelName, text+padding[len(text):])
		if i%inFlight == inFlight-1 {
			must(t, publisher.flush())
			for range inFlight {
				must(t, publisher.next(strconv.Itoa(stalled+1)))
			}
		}
	}
	work.wait()
	backlog := infoFigure(t, publisher, "mem_clients_normal")
	if least := stalled * messages * payload * 9 / 10; backlog < least {
		t.Errorf("only %d bytes wait, want %d: the sockets took the rest, the test tests nothing", backlog, least)
	}
	growth := memoryOf(t, s, "VmHWM") - base
	t.Logf("%d MB wait for %d subscribers; the server grew from %d MB by %d MB at most", backlog>>20, stalled, base>>20, growth>>20)
	if growth > growthMax {
		t.Errorf("the server grew by %d MB, want at most %d", growth>>20, growthMax>>20)
	}
}

// TestPublishToRandomNames: ten million publishes, each to a name that was never heard of, leave nothing behind.
func TestPublishToRandomNames(t *testing.T) {
	const (
		publishes = 10_000_000
		batch     = 50_000
		growthMax = 16 << 20
	)
	s := startPlainHubSub(t)
	c := dial(t, s)
	random := rand.New(rand.NewPCG(1, 2))
	send := func(n int) {
		t.Helper()
		for ; n > 0; n -= batch {
			sent := make(chan error, 1)
			for range batch {
				c.out = append(c.out, "*3\r\n$7\r\nPUBLISH\r\n$16\r\n"...)
				c.out = fmt.Appendf(c.out, "%016x", random.Uint64())
				c.out = append(c.out, "\r\n$1\r\nx\r\n"...)
			}
			go func() { sent <- c.flush() }()
			answers := make([]byte, 4*batch)
			for at := 0; at < len(answers); {
				n, err := c.r.Read(answers[at:])
				must(t, err)
				at += n
			}
			if strings.Count(string(answers), ":0\r\n") != batch {
				t.Fatal("an answer is not 0")
			}
			must(t, <-sent)
		}
	}
	send(publishes / 10) // buffers and the heap have grown to what they need
	base := memoryOf(t, s, "VmRSS")
	send(publishes - publishes/10)
	if growth := memoryOf(t, s, "VmRSS") - base; growth > growthMax {
		t.Errorf("the server grew by %d KB, from %d KB", growth>>10, base>>10)
	}
	must(t, c.expect("[]", "PUBSUB", "CHANNELS"))
}

// TestSpongers: clients that cost a server most where they can, none of whom reads: the memory stays bounded, and others are served.
func TestSpongers(t *testing.T) {
	const growthMax = 256 << 20
	s := startPlainHubSub(t, "--maxmemory-clients", "64mb")
	base := memoryOf(t, s, "VmRSS")
	other := dial(t, s)
	must(t, other.expect("[subscribe c 1]", "SUBSCRIBE", "c"))
	f := func(name string, clients int, sponge func(c *client) error) {
		t.Helper()
		var spongers []*client
		for range clients {
			c, err := connect(s.addr())
			must(t, err)
			c.timeout /= 10 // who is not read cannot write on: that is the point
			spongers = append(spongers, c)
		}
		work := crew{t: t}
		for _, c := range spongers {
			work.run(func() error {
				_ = sponge(c) // ends when the server has closed it or does not take more
				return nil
			})
		}
		work.wait()
		judge := dial(t, s)
		must(t, judge.expect("1", "PUBLISH", "c", name), other.next("[message c "+name+"]"))
		judge.close()
		for _, c := range spongers {
			c.close()
		}
		growth := memoryOf(t, s, "VmHWM") - base
		t.Logf("%s: at most %d MB over the base so far", name, growth>>20)
		if growth > growthMax {
			t.Errorf("%s: the server grew by %d MB", name, growth>>20)
		}
	}
	repeat := func(args ...string) func(c *client) error {
		return func(c *client) error {
			for range 200 {
				for range 500 {
					c.add(args...)
				}
				if err := c.flush(); err != nil {
					return err
				}
			}
			return nil
		}
	}
	f("long answers", 10, repeat("COMMAND", "DOCS"))
	f("echoes", 10, repeat("ECHO", strings.Repeat("x", 1000)))
	f("transactions without end", 10, func(c *client) error {
		if err := c.expect("OK", "MULTI"); err != nil {
			return err
		}
		return repeat("PUBLISH", "c", strings.Repeat("x", 1000))(c)
	})
	f("commands without end", 10, func(c *client) error {
		c.out = append(c.out, "*3\r\n$7\r\nPUBLISH\r\n$1\r\nc\r\n$536870912\r\n"...)
		for range 200 {
			c.out = append(c.out, strings.Repeat("x", 100_000)...)
			if err := c.flush(); err != nil {
				return err
			}
		}
		return nil
	})
	f("many arguments", 10, func(c *client) error {
		c.out = append(c.out, "*2000000000\r\n"...)
		return repeatRaw(c, strings.Repeat("$0\r\n\r\n", 10_000), 100)
	})
	f("subscriptions without end", 4, func(c *client) error {
		name := 0
		for range 500 {
			names := []string{"SUBSCRIBE"}
			for range 500 {
				name++
				names = append(names, fmt.Sprintf("%s:%d", c.conn.LocalAddr(), name))
			}
			if err := c.send(names...); err != nil {
				return err
			}
		}
		return nil
	})
}

func repeatRaw(c *client, text string, n int) error {
	for range n {
		c.out = append(c.out, text...)
		if err := c.flush(); err != nil {
			return err
		}
	}
	return nil
}
