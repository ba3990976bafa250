package e2e

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

const (
	// startAttempts: a port that was free a moment ago may be taken by another process before the server binds it.
	startAttempts = 5
	// startLimit and stopLimit bound a server that hangs; a healthy one needs milliseconds.
	startLimit = 20 * time.Second
	stopLimit  = 10 * time.Second
)

// hubsubBinary is the path of the built server, set by TestMain.
var hubsubBinary string

func TestMain(m *testing.M) {
	os.Exit(buildAndRun(m))
}

func buildAndRun(m *testing.M) int {
	if err := checkTools(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	dir, err := os.MkdirTemp("", "hubsub-e2e-")
	if err != nil {
		fmt.Fprintf(os.Stderr, "cannot make a directory for the binary: %v\n", err)
		return 1
	}
	defer os.RemoveAll(dir)
	hubsubBinary = filepath.Join(dir, "hubsub")
	if err := buildHubSub(hubsubBinary); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

// checkTools returns an error that says what to install when a real peer is missing.
func checkTools() error {
	var missing []string
	for _, tool := range []string{"redis-server", "redis-cli", "redis-benchmark", "script"} {
		if _, err := exec.LookPath(tool); err != nil {
			missing = append(missing, tool)
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("%s not found: these tests need real peers; on Debian: apt-get install redis-server redis-tools bsdutils",
			strings.Join(missing, ", "))
	}
	out, err := exec.Command("redis-server", "--version").Output()
	if err != nil {
		return fmt.Errorf("cannot run redis-server: %w", err)
	}
	// The table of intended differences is about this line: 7.2 words some errors differently.
	if !regexp.MustCompile(`\bv=7\.0\.`).Match(out) {
		return fmt.Errorf("redis-server 7.0 is wanted (Debian 12: apt-get install redis-server), found: %s", bytes.TrimSpace(out))
	}
	return nil
}

// buildHubSub builds the server, with the race detector if the tests have it; flags come after, so they win.
func buildHubSub(path string, flags ...string) error {
	args := []string{"build", "-o", path, fmt.Sprintf("-race=%v", raceEnabled)}
	cmd := exec.Command("go", slices.Concat(args, flags, []string{"."})...)
	cmd.Dir = ".."
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("cannot build hubsub: %w\n%s", err, out)
	}
	return nil
}

// readFolders lists the folders of the source once. "go test" repeats an earlier result while the files and folders that
// the tests have read are the same: it does not see what "go build" reads for them, nor what TestMain does.
var readFolders = sync.OnceValue(func() error {
	return filepath.WalkDir("..", func(_ string, entry fs.DirEntry, err error) error {
		if err == nil && slices.Contains([]string{".git", ".node", "node_modules"}, entry.Name()) {
			return filepath.SkipDir
		}
		return err
	})
})

// server is one process that speaks the Redis protocol on host:port.
type server struct {
	name   string
	path   string
	before []string // a command that starts the path's
	args   []string
	end    os.Signal // what stop sends
	host   string    // empty: 127.0.0.1
	port   int
	cmd    *exec.Cmd
	exited chan struct{} // closed when the process has ended
	output lockedBuffer
	nodes  []*node // of a cluster that stands for one server, which has no process of its own
	spread *spread // where it listens
}

// startHubSub starts the built binary with two loops and waits until it answers; args come last, so they win.
func startHubSub(t testing.TB, args ...string) *server {
	t.Helper()
	return start(t, &server{name: "hubsub", path: hubsubBinary, end: syscall.SIGTERM,
		args: append([]string{"--loops", "2"}, args...)})
}

// startRedis starts the real redis-server, without persistence, and waits until it answers.
func startRedis(t testing.TB, args ...string) *server {
	t.Helper()
	// Redis looks at SIGTERM ten times a second only, and has nothing to lose here.
	return start(t, &server{name: "redis", path: "redis-server", end: syscall.SIGKILL,
		args: append([]string{"--save", "", "--appendonly", "no"}, args...)})
}

func start(t testing.TB, s *server) *server {
	t.Helper()
	must(t, readFolders())
	t.Cleanup(func() {
		s.stop()
		s.report(t)
	})
	var err error
	for range startAttempts {
		s.port = freePort(t)
		if err = s.run(); err == nil {
			return s
		}
		s.kill()
	}
	t.Fatalf("cannot start %s %v: %v\n%s", s.name, s.args, err, s.output.String())
	return nil
}

// freePort returns a port of 127.0.0.1 that no other process is given until the test ends, not even while nobody listens
// there, because a server is down: a socket that never listens is bound to it, which those that reuse addresses may share.
func freePort(t testing.TB) int {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	must(t, err)
	t.Cleanup(func() { syscall.Close(fd) })
	must(t, syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1),
		syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}))
	address, err := syscall.Getsockname(fd)
	must(t, err)
	return address.(*syscall.SockaddrInet4).Port
}

// run starts the process on s.port and waits until it answers PING (with -NOAUTH if it has a password).
func (s *server) run() error {
	words := slices.Concat(s.before, []string{s.path, "--port", strconv.Itoa(s.port), "--bind", s.bind()}, s.args)
	s.cmd = exec.Command(words[0], words[1:]...)
	s.cmd.Stdout, s.cmd.Stderr = &s.output, &s.output
	// The race detector would hold up every exit for a second.
	s.cmd.Env = append(os.Environ(), "GORACE=atexit_sleep_ms=0")
	if err := s.cmd.Start(); err != nil {
		s.cmd = nil
		return err
	}
	exited := make(chan struct{})
	s.exited = exited
	go func(cmd *exec.Cmd) {
		cmd.Wait()
		close(exited)
	}(s.cmd)
	giveUp := time.After(startLimit)
	for {
		if answersPing(s.addr()) {
			return nil
		}
		select {
		case <-exited:
			return errors.New("it ended at once")
		case <-giveUp:
			return fmt.Errorf("no answer to PING within %v", startLimit)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// answersPing asks once, says QUIT and waits for the end, so that the server has forgotten the asker.
func answersPing(addr string) bool {
	c, err := connect(addr)
	if err != nil {
		return false
	}
	defer c.close()
	if _, err := c.do("PING"); err != nil {
		return false
	}
	c.send("QUIT")
	for err == nil {
		_, err = c.read()
	}
	return true
}

func (s *server) bind() string { return cmp.Or(s.host, "127.0.0.1") }

func (s *server) addr() string { return fmt.Sprintf("%s:%d", s.bind(), s.port) }

// signalAndWait sends sig to the process and reports whether it ended within the limit.
func (s *server) signalAndWait(sig os.Signal, limit time.Duration) bool {
	if s.cmd == nil {
		return true
	}
	s.cmd.Process.Signal(sig)
	select {
	case <-s.exited:
		return true
	case <-time.After(limit):
		return false
	}
}

// kill ends the process at once, as a crash would.
func (s *server) kill() {
	s.signalAndWait(syscall.SIGKILL, stopLimit)
	if s.spread != nil {
		s.spread.close() // first, as a process that is killed listens no more when its connections end
	}
	for _, n := range s.nodes {
		n.kill()
	}
}

// stop ends the process politely, and at once if it does not listen.
func (s *server) stop() {
	if !s.signalAndWait(s.end, stopLimit) {
		s.kill()
	}
}

// restart starts the server again on the port it had.
func (s *server) restart(t testing.TB) {
	t.Helper()
	if s.nodes != nil {
		for _, n := range s.nodes {
			n.run(t)
		}
		awaitMembers(t, s.nodes, len(s.nodes))
		s.spread.open(t)
		return
	}
	if err := s.run(); err != nil {
		t.Fatalf("cannot restart %s on port %d: %v\n%s", s.name, s.port, err, s.output.String())
	}
}

// report fails the test if the process panicked or raced, and shows its output if the test failed.
func (s *server) report(t testing.TB) {
	out := s.output.String()
	for _, bad := range []string{"panic:", "fatal error:", "WARNING: DATA RACE"} {
		if strings.Contains(out, bad) {
			t.Errorf("%s wrote %q", s.name, bad)
		}
	}
	if t.Failed() && out != "" {
		t.Logf("output of %s:\n%s", s.name, out)
	}
}

// lockedBuffer collects the output of a process; any goroutine.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
