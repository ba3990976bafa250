package bench

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// target is a server to measure.
type target struct {
	name    string
	address string
	pid     int    // 0 if unknown: then neither CPU time nor memory is reported
	limits  string // what became of its pub/sub output limit
}

// server is a target that was started here and is ended here.
type server struct {
	target
	process *exec.Cmd
	output  *os.File      // what it printed; has no name any more
	ended   chan struct{} // closed when the process has ended
}

// startServer starts a shell command in which {port} stands for a free port, pinned to a CPU if that is not negative,
// and waits until it answers PING. The shell replaces itself by the command, so the pid is the server's.
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

	command = strings.ReplaceAll(command, "{port}", strconv.Itoa(port))
	s := &server{
		target:  target{name: name, address: net.JoinHostPort("127.0.0.1", strconv.Itoa(port))},
		process: exec.Command("/bin/sh", "-c", "exec "+command),
		output:  output,
		ended:   make(chan struct{}),
	}
	s.process.Stdout, s.process.Stderr = output, output
	if err := s.launch(cpu); err != nil {
		output.Close()
		return nil, fmt.Errorf("cannot start %s: %w", name, err)
	}
	s.pid = s.process.Process.Pid
	if err := s.awaitReady(ctx); err != nil {
		err = fmt.Errorf("cannot start %s: %w%s", name, err, s.lastOutput())
		s.stop()
		return nil, err
	}
	s.limits = unlimitOutput(s.address)
	return s, nil
}

// launch starts the process. The kernel kills it when the thread that started it ends, so that no server outlives this
// process, however that ends; therefore the thread stays until the server has ended.
func (s *server) launch(cpu int) error {
	s.process.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
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
	dial, err := newDialer(s.address, false)
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
			return fmt.Errorf("it ended: %v", s.process.ProcessState)
		case <-ctx.Done():
			return fmt.Errorf("not ready (%v): %w", err, context.Cause(ctx))
		default:
		}
	}
}

// stop ends the process, by SIGTERM and if that does not help by SIGKILL, and waits for its end.
func (s *server) stop() {
	defer s.output.Close()
	s.process.Process.Signal(syscall.SIGTERM)
	select {
	case <-s.ended:
	case <-time.After(stopTimeout):
		s.process.Process.Kill()
		<-s.ended
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

// unlimitOutput turns the server's limit for lagging pub/sub clients off and returns what it answered.
func unlimitOutput(address string) string {
	return configure(address, "SET", "client-output-buffer-limit", "pubsub 0 0 0")
}

// outputLimits returns the limits in force, which are left as they are.
func outputLimits(address string) string {
	return configure(address, "GET", "client-output-buffer-limit")
}

// configure sends a CONFIG command and returns command and answer as one line.
func configure(address string, args ...string) string {
	text := "CONFIG " + strings.Join(args, " ") + ": "
	dial, err := newDialer(address, false)
	if err != nil {
		return text + err.Error()
	}
	fd, err := dial.open()
	if err != nil {
		return text + err.Error()
	}
	defer unix.Close(fd)
	r, err := dial.do(append([]string{"CONFIG"}, args...)...)
	if err != nil {
		return text + err.Error()
	}
	return text + r.String()
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
