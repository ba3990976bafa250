package bench

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// target is a server to measure.
type target struct {
	name      string
	addresses []string  // of its nodes: host:port or unix:/path
	processes processes // none if unknown: then neither CPU time nor memory is reported
	limits    string    // what became of its pub/sub output limit
	version   string    // what it says of itself, empty if nothing
}

// runningTarget is a server that runs already. Its processes, if they are not given, are looked for.
func runningTarget(addresses []string, given processes) target {
	t := target{
		name: strings.Join(addresses, ","), addresses: addresses, processes: given,
		limits: outputLimits(addresses), version: serverVersion(addresses),
	}
	found, err := listeners(addresses)
	if len(given) > 0 {
		t.name += "; " + given.String()
		if err == nil && !slices.ContainsFunc(given, func(pid int) bool { return slices.Contains(found, pid) }) {
			t.name += ", by --pid, though it is " + found.String() + " that listens"
		}
		return t
	}
	if err != nil {
		t.name += fmt.Sprintf("; CPU time and memory unknown: %v", err)
		return t
	}
	t.name += "; " + found.String()
	t.processes = found
	return t
}

// server is a target that was started here and is ended here.
type server struct {
	target
	process *exec.Cmd
	output  *os.File      // what it printed; has no name any more
	folder  string        // of its Unix socket, "" if it has none
	ended   chan struct{} // closed when the process has ended
}

// startServer starts a shell command in which {port} stands for a free port and {socket} for the path of a Unix socket,
// which is then used to connect. It is pinned to a CPU if that is not negative. startServer waits until the server
// answers. The server's processes are those that listen then: the command, which replaces the shell, or, if it is only a
// wrapper, what it has started.
func startServer(ctx context.Context, name, command string, cpu int) (*server, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	output, err := os.CreateTemp("", "hubsub-bench-*.log")
	if err != nil {
		return nil, fmt.Errorf("cannot keep the server's output: %w", err)
	}
	os.Remove(output.Name())
	s := &server{
		target: target{name: name, addresses: []string{net.JoinHostPort("127.0.0.1", strconv.Itoa(port))}},
		output: output,
		ended:  make(chan struct{}),
	}
	if strings.Contains(command, "{socket}") {
		if s.folder, err = os.MkdirTemp("", "hubsub-bench-"); err != nil {
			s.discard()
			return nil, fmt.Errorf("cannot place the server's socket: %w", err)
		}
		path := filepath.Join(s.folder, "socket")
		s.addresses = []string{unixPrefix + path}
		command = strings.ReplaceAll(command, "{socket}", path)
	}
	command = strings.ReplaceAll(command, "{port}", strconv.Itoa(port))
	s.process = exec.Command("/bin/sh", "-c", "exec "+command)
	s.process.Stdout, s.process.Stderr = output, output
	if err := s.launch(cpu); err != nil {
		s.discard()
		return nil, fmt.Errorf("cannot start %s: %w", name, err)
	}
	s.processes = processes{s.process.Process.Pid}
	if err := s.awaitReady(ctx); err != nil {
		err = fmt.Errorf("cannot start %s: %w%s", name, err, s.lastOutput())
		s.stop()
		return nil, err
	}
	if found := ownListeners(s.addresses); len(found) > 0 {
		s.processes = found
	}
	s.limits = unlimitOutput(s.addresses)
	s.version = serverVersion(s.addresses)
	return s, nil
}

// discard removes what the server leaves behind.
func (s *server) discard() {
	s.output.Close()
	if s.folder != "" {
		os.RemoveAll(s.folder)
	}
}

// launch starts the process in a group of its own, which a terminal's Ctrl-C does not reach. The kernel kills it when the
// thread that started it ends, so that no server outlives this process, however that ends; therefore the thread stays
// until the server has ended. What it leaves behind becomes a child of this process.
func (s *server) launch(cpu int) error {
	s.process.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return err
	}
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := startedOn(cpu, s.process.Start)
		started <- err
		if err == nil {
			s.process.Wait()
			close(s.ended)
		}
	}()
	return <-started
}

// freePort returns a port that was free a moment ago.
func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("cannot find a free port: %w", err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

func (s *server) awaitReady(ctx context.Context) error {
	dial, err := newDialer(s.addresses)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for {
		err := dial.ping()
		if err == nil {
			return nil
		}
		sleepOr(ctx, startPoll)
		select {
		case <-s.ended:
			return fmt.Errorf("it ended (%v) and must stay, in the foreground", s.process.ProcessState)
		case <-ctx.Done():
			return fmt.Errorf("not ready (%v), must listen at {port} or {socket}: %w", err, context.Cause(ctx))
		default:
		}
	}
}

// stop ends the process and its group, by SIGTERM and if that does not help by SIGKILL, and waits for its end. A command
// that has ended well by itself may have left a daemon behind, which is ended too.
func (s *server) stop() {
	defer s.discard()
	group := -s.process.Process.Pid
	unix.Kill(group, unix.SIGTERM)
	select {
	case <-s.ended:
		if s.process.ProcessState.Success() {
			s.stopDaemon()
		}
	case <-time.After(stopTimeout):
	}
	unix.Kill(group, unix.SIGKILL)
	<-s.ended
}

// stopDaemon kills what listens at the server's address, and waits for it a little if there is nothing yet.
func (s *server) stopDaemon() {
	for begin := time.Now(); time.Since(begin) < daemonTimeout; time.Sleep(startPoll) {
		for _, pid := range ownListeners(s.addresses) {
			unix.Kill(pid, unix.SIGKILL)
			unix.Wait4(pid, nil, 0, nil)
		}
	}
}

// lastOutput returns the end of what the server printed, on lines of its own.
func (s *server) lastOutput() string {
	size, err := s.output.Seek(0, io.SeekEnd)
	if err != nil || size == 0 {
		return ""
	}
	tail := make([]byte, min(size, serverLogTail))
	n, err := s.output.ReadAt(tail, size-int64(len(tail)))
	if err != nil && err != io.EOF {
		return ""
	}
	return "\n" + strings.TrimSpace(string(tail[:n]))
}

// unlimitOutput turns the limit for lagging pub/sub clients off on every node and returns what the nodes answered.
func unlimitOutput(addresses []string) string {
	return configure(addresses, "SET", "client-output-buffer-limit", "pubsub 0 0 0")
}

// outputLimits returns the limits in force, which are left as they are.
func outputLimits(addresses []string) string {
	return configure(addresses, "GET", "client-output-buffer-limit")
}

// configure sends a CONFIG command to every node and returns command and answers as one line.
func configure(addresses []string, args ...string) string {
	dial, err := newDialer(addresses)
	if err != nil {
		return err.Error()
	}
	if p, err := dial.detect(); err != nil {
		return err.Error()
	} else if p == nats {
		return "as the server has them: NATS has no command for them"
	}
	var answers []string
	for node := range addresses {
		answer, err := dial.ask(node, append([]string{"CONFIG"}, args...)...)
		if err != nil {
			answer = err.Error()
		}
		if !slices.Contains(answers, answer) {
			answers = append(answers, answer)
		}
	}
	return "CONFIG " + strings.Join(args, " ") + ": " + strings.Join(answers, "; ")
}

// sleepOr waits for d or until the context is done.
func sleepOr(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
