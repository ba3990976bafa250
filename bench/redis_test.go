package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

const redisCommand = `redis-server --port {port} --save "" --appendonly no`

// startRedis starts a Redis server for a test; the tests of this file need one.
func startRedis(t *testing.T) *server {
	t.Helper()
	if _, err := exec.LookPath("redis-server"); err != nil {
		t.Fatalf("this test measures a real Redis: %v", err)
	}
	s, err := startServer(t.Context(), "redis", redisCommand, -1)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.stop)
	return s
}

// ask sends one command on a connection of its own.
func ask(t *testing.T, address string, args ...string) reply {
	t.Helper()
	d, err := newDialer([]string{address})
	if err != nil {
		t.Fatal(err)
	}
	fd, err := d.open(0, resp2)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	r, err := d.do(args...)
	if err != nil || r.kind == '-' {
		t.Fatalf("%v: %q %v", args, r, err)
	}
	return r
}

// infoNumber returns the number after the key in an INFO section.
func infoNumber(t *testing.T, address, section, key string) int64 {
	t.Helper()
	_, text, ok := strings.Cut(ask(t, address, "INFO", section).text, key)
	if !ok {
		t.Fatalf("INFO %s has no %q", section, key)
	}
	n, err := strconv.ParseInt(text[:strings.IndexAny(text, ",\r")], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// What the generator counts is what Redis counts.
func TestShapesCount(t *testing.T) {
	f := func(line string) {
		t.Helper()
		redis := startRedis(t)
		o, err := parse(t, line+" --duration 200ms --warmup 50ms --addr "+redis.addresses[0])
		if err != nil {
			t.Fatal(err)
		}
		g, err := newGenerator(redis.target, o)
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		defer g.close()
		for _, room := range []int{0, o.shape.rooms - 1} {
			r := ask(t, redis.addresses[0], "PUBSUB", "NUMSUB", channel(room))
			if got := r.items[1].text; got != strconv.Itoa(o.shape.subscribers) {
				t.Fatalf("%s: %s has %s subscribers", line, channel(room), got)
			}
		}
		if got := ask(t, redis.addresses[0], "PUBSUB", "NUMPAT").text; got != strconv.Itoa(o.shape.patterns) {
			t.Fatalf("%s: %s patterns", line, got)
		}
		before := infoNumber(t, redis.addresses[0], "stats", "total_net_output_bytes:")

		m, err := g.run(t.Context())
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		calls := infoNumber(t, redis.addresses[0], "commandstats", "cmdstat_publish:calls=")
		if m.published != calls || m.delivered != calls*int64(o.shape.subscribers) || calls == 0 {
			t.Fatalf("%s: %d published, %d delivered; Redis executed %d", line, m.published, m.delivered, calls)
		}
		output := infoNumber(t, redis.addresses[0], "stats", "total_net_output_bytes:") - before
		if output < m.delivered*int64(g.sinks[0].format.frameLen) {
			t.Fatalf("%s: %d frames of %d bytes, but Redis sent %d bytes", line, m.delivered, g.sinks[0].format.frameLen, output)
		}
		for _, figure := range loadResult(m, true).figures {
			if figure.Value <= 0 {
				t.Errorf("%s: %s is %v", line, figure.Name, figure.Value)
			}
		}
	}
	f("pingpong")
	f("pingpong --protocol resp3")
	f("pingpong --pipeline 100 --size 24")
	f("room --subscribers 200")
	f("room --subscribers 50 --publishers 3 --pipeline 8 --protocol resp3")
	f("room --subscribers 3 --pipeline 4 --size 200000")
	f("rooms --rooms 20 --subscribers 5")
	f("gateway --rooms 1200 --subscribers 4")
	f("gateway --rooms 10 --subscribers 4 --protocol resp3")
	f("patterns --rooms 5 --subscribers 2 --patterns 1000")
	f("room --subscribers 20 --rate 500")
	f("rooms --rooms 7 --subscribers 3 --rate 1000")
}

func TestIdleMemory(t *testing.T) {
	redis := startRedis(t)
	o, err := parse(t, "idle --subscribers 500 --settle 100ms --pid 1 --addr "+redis.addresses[0])
	if err != nil {
		t.Fatal(err)
	}
	m, err := measureIdle(t.Context(), redis.target, o)
	if err != nil {
		t.Fatal(err)
	}
	if calls := infoNumber(t, redis.addresses[0], "commandstats", "cmdstat_subscribe:calls="); calls != 500 {
		t.Errorf("%d subscribed", calls)
	}
	if resident, proportional := m.perConnection(); resident < 500 || proportional < 500 {
		t.Errorf("%v and %v bytes for a connection of Redis", resident, proportional)
	}
}

func TestIdleChannels(t *testing.T) {
	redis := startRedis(t)
	f := func(line string, channels, subscribers int) {
		t.Helper()
		o, err := parse(t, line+" --pid 1 --addr "+redis.addresses[0])
		if err != nil {
			t.Fatal(err)
		}
		g, err := connectIdle(redis.target, o)
		if err != nil {
			t.Fatal(err)
		}
		if got := len(ask(t, redis.addresses[0], "PUBSUB", "CHANNELS").items); got != channels {
			t.Errorf("%s: %d channels, want %d", line, got, channels)
		}
		last := ask(t, redis.addresses[0], "PUBSUB", "NUMSUB", channel(channels-1)).items[1].text
		if last != strconv.Itoa(subscribers) {
			t.Errorf("%s: %s has %s subscribers, want %d", line, channel(channels-1), last, subscribers)
		}
		if err := g.fence(t.Context()); err != nil {
			t.Errorf("%s: %v", line, err)
		}
		g.close()
	}
	f("idle --subscribers 60 --rooms 10", 10, 6)
	f("idle --subscribers 60", 60, 1)
}

func TestRunStart(t *testing.T) {
	var out strings.Builder
	code := Run(t.Context(), []string{"room", "--subscribers", "10", "--duration", "100ms", "--warmup", "0s",
		"--start", redisCommand, "--server-cpu", "-1", "--generator-cpu", "-1"}, &out, &out)
	if code != exitOK {
		t.Fatalf("exit code %d:\n%s", code, &out)
	}
	for _, want := range []string{"CPU per delivery", "deliveries/s", "publishes/s", "messages per segment", "resident",
		"pubsub 0 0 0: OK", "none lost"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, &out)
		}
	}
}

func TestRunVersus(t *testing.T) {
	var out strings.Builder
	code := Run(t.Context(), []string{"pingpong", "--duration", "50ms", "--warmup", "0s", "--pairs", "3", "--server-cpu", "-1",
		"--generator-cpu", "-1", "--vs", "one=" + redisCommand, "--vs", "two=" + redisCommand}, &out, &out)
	if code != exitOK {
		t.Fatalf("exit code %d:\n%s", code, &out)
	}
	var order []string
	for line := range strings.Lines(out.String()) {
		if fields := strings.Fields(line); len(fields) > 2 && fields[2] == "deliveries/s" {
			order = append(order, fields[0]+fields[1])
		}
	}
	if got := strings.Join(order, " "); got != "1one 1two 2two 2one 3one 3two" {
		t.Errorf("order %q", got)
	}
	if !strings.Contains(out.String(), "two / one, 3 pairs") {
		t.Errorf("no ratios in\n%s", &out)
	}
}

func TestStartServerFails(t *testing.T) {
	_, err := startServer(t.Context(), "x", "sh -c 'echo port {port} is cursed; exit 3'", -1)
	if err == nil || !strings.Contains(err.Error(), "is cursed") || !strings.Contains(err.Error(), "exit status 3") {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := startServer(ctx, "x", "sleep 60", -1); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// Behind a wrapper it is the server that is measured, and it ends with the wrapper.
func TestStartWrapped(t *testing.T) {
	s, err := startServer(t.Context(), "wrapped", `sh -c 'redis-server --port {port} --save "" & wait'`, -1)
	if err != nil {
		t.Fatal(err)
	}
	if found := s.processes.String(); !strings.HasPrefix(found, "redis-server") {
		t.Errorf("the processes are %s", found)
	}
	s.stop()
	if found, err := listeners(s.addresses); err == nil {
		t.Errorf("%v runs after stop", found)
	}
}

// A server that went into the background ends with the run, although its command has ended before.
func TestStopDaemon(t *testing.T) {
	port, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	s := &server{target: target{addresses: []string{fmt.Sprintf("127.0.0.1:%d", port)}}, ended: make(chan struct{})}
	if s.output, err = os.Create(filepath.Join(t.TempDir(), "log")); err != nil {
		t.Fatal(err)
	}
	command := strings.ReplaceAll(redisCommand, "{port}", strconv.Itoa(port))
	s.process = exec.Command("/bin/sh", "-c", "exec "+command+" --daemonize yes")
	if err := s.launch(-1); err != nil {
		t.Fatal(err)
	}
	<-s.ended
	for deadline := time.Now().Add(startTimeout); len(ownListeners(s.addresses)) == 0; {
		if time.Now().After(deadline) {
			t.Fatal("no daemon listens")
		}
	}
	s.stop()
	if found, err := listeners(s.addresses); err == nil {
		t.Errorf("%v runs after stop", found)
	}
}

// What stands in the way of a run is said before it, with what to do about it.
func TestRefusals(t *testing.T) {
	f := func(s *server, flags, want string) {
		t.Helper()
		o, err := parse(t, "room --subscribers 1 --addr "+s.addresses[0]+" "+flags)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := o.measure(t.Context(), s.target); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", flags, err, want)
		}
	}
	s := startRedis(t)
	f(s, "--protocol nats", "speaks RESP2, not NATS")
	ask(t, s.addresses[0], "CONFIG", "SET", "requirepass", "x")
	f(s, "", "the bench has no password")
	f(s, "--protocol resp3", "the bench has no password")
	if err := s.awaitReady(t.Context()); err != nil { // so that a started one is not waited for
		t.Error(err)
	}
	s.stop()
	f(s, "", "cannot connect to "+s.addresses[0])
}

// Two servers that know nothing of each other are no cluster.
func TestStrangersAsNodes(t *testing.T) {
	one, two := startRedis(t), startRedis(t)
	o, err := parse(t, "room --subscribers 2 --duration 50ms --warmup 0s --addr "+one.addresses[0]+","+two.addresses[0])
	if err != nil {
		t.Fatal(err)
	}
	o.patience = 100 * time.Millisecond
	_, err = o.measure(t.Context(), target{addresses: o.addresses})
	if err == nil || !strings.Contains(err.Error(), "nodes of one server?") {
		t.Errorf("got %v", err)
	}
}

// A pid that is not the server's is measured as asked, and said to be another's.
func TestGivenProcesses(t *testing.T) {
	s := startRedis(t)
	f := func(pid int, foreign bool) {
		t.Helper()
		if name := runningTarget(s.addresses, processes{pid}).name; strings.Contains(name, "by --pid, though it is redis-server") != foreign {
			t.Errorf("pid %d: %q", pid, name)
		}
	}
	f(s.processes[0], false)
	f(os.Getpid(), true)
}

// The pid is the server's own, and the server is gone after stop.
func TestStopServer(t *testing.T) {
	s := startRedis(t)
	name, err := os.ReadFile("/proc/" + strconv.Itoa(s.processes[0]) + "/comm")
	if err != nil || !strings.HasPrefix(string(name), "redis-server") {
		t.Fatalf("the pid is of %q, %v", name, err)
	}
	s.stop()
	if err := syscall.Kill(s.processes[0], 0); err != syscall.ESRCH {
		t.Fatalf("process %d after stop: %v", s.processes, err)
	}
}

func TestRunUsage(t *testing.T) {
	f := func(want int, args ...string) {
		t.Helper()
		if got := Run(t.Context(), args, io.Discard, io.Discard); got != want {
			t.Errorf("%q: exit code %d, want %d", args, got, want)
		}
	}
	f(exitUsage)
	f(exitUsage, "floor", "x")
	f(exitUsage, "floor", "--port", "99999")
	f(exitOK, "-h")
	f(exitOK, "room", "-h")
	f(exitOK, "floor", "-h")
	f(exitUsage, "nosuchshape")
	f(exitUsage, "room", "--nosuchflag")
	f(exitUsage, "floor", "--port", "x")
	f(exitFailed, "room", "--addr", "127.0.0.1:1", "--generator-cpu", "-1")
}

// counted runs a load against a server and returns the generator that did, and what it found.
func counted(t *testing.T, at target, line string) (*generator, measurement) {
	t.Helper()
	o, err := parse(t, line+" --duration 200ms --warmup 50ms --start x")
	if err != nil {
		t.Fatal(err)
	}
	g, err := newGenerator(at, o)
	if err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	t.Cleanup(g.close)
	g.idleCPU = min(g.idleCPU, 50*time.Millisecond)
	m, err := g.run(t.Context())
	if err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	return g, m
}

// Wanderers come and go; what everybody heard, they too, is what Redis sent.
func TestMixedCounts(t *testing.T) {
	redis := startRedis(t)
	address := redis.addresses[0]
	g, m := counted(t, redis.target, "mixed --rooms 20 --subscribers 20 --wanderers 10 --total-order")
	if m.guests.moves() < 20 || m.guests.messages() == 0 || m.guests.messages() >= m.delivered {
		t.Errorf("%d visits, %d of %d messages", m.guests.moves(), m.guests.messages(), m.delivered)
	}
	if counted := m.surveys[1].deliveries; counted != m.delivered-m.guests.messages() {
		t.Errorf("K is of %d deliveries", counted)
	}
	subscribed := infoNumber(t, address, "commandstats", "cmdstat_subscribe:calls=")
	if want := int64(len(g.sinks)-10) + m.guests.moves(); subscribed != want {
		t.Errorf("Redis executed %d SUBSCRIBE, want %d", subscribed, want)
	}
	if left := infoNumber(t, address, "commandstats", "cmdstat_unsubscribe:calls="); left != m.guests.moves()-10 {
		t.Errorf("%d left, %d came", left, m.guests.moves())
	}
	// 20 rooms of 20, 10, 7, 5, 4, 3, 3, 3, 2 × 5 and 1 × 7 members, and 4 gateways in 10 rooms each.
	if got := len(g.sinks); got != 72+4+10 {
		t.Errorf("%d connections subscribe", got)
	}
	for room, want := range map[int]int64{0: 21, 9: 2 + 4, 19: 1} {
		if got := int64(g.audience[room]); got != want {
			t.Errorf("%s has %d members, want %d", channel(room), got, want)
		}
	}
	old := strings.Count(ask(t, address, "CLIENT", "LIST", "TYPE", "PUBSUB").text, "resp=2")
	if old < 40 || old > 46 {
		t.Errorf("%d of 86 subscribers speak RESP2", old)
	}
}

func TestUnixSocket(t *testing.T) {
	s, err := startServer(t.Context(), "redis", `redis-server --port {port} --unixsocket {socket} --save "" --appendonly no`, -1)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.stop)
	if !strings.HasPrefix(s.addresses[0], unixPrefix) {
		t.Fatalf("connected by %v", s.addresses)
	}
	_, m := counted(t, s.target, "room --subscribers 10 --wanderers 2")
	for _, figure := range loadResult(m, true).figures {
		if figure.Name == "K" || figure.Value <= 0 {
			t.Errorf("%s is %v over a Unix socket", figure.Name, figure.Value)
		}
	}
	path := strings.TrimPrefix(s.addresses[0], unixPrefix)
	s.stop()
	if _, err := os.Stat(filepath.Dir(path)); !os.IsNotExist(err) {
		t.Errorf("after stop %s: %v", path, err)
	}
}
