package e2e

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"testing"
)

// TestNodeClients runs the current and the previous major of each library with the protocol that is its default, and
// with the other one where it knows both.
func TestNodeClients(t *testing.T) {
	if _, err := exec.LookPath("node"); err != nil {
		t.Fatal("node not found: these tests need Node.js 20 or later, with npm")
	}
	f := func(program, library string, protocols ...string) {
		t.Helper()
		if _, err := os.Stat(filepath.Join("clients", "node_modules", library, "package.json")); err != nil {
			t.Errorf("%s is not installed; run: npm ci --prefix e2e/clients", library)
			return
		}
		for _, protocol := range protocols {
			runClient(t, library+" RESP "+protocol, "node", filepath.Join("clients", program), library, protocol)
		}
	}
	f("ioredis.js", "ioredis5", "default")
	f("ioredis.js", "ioredis6", "default", "2")
	f("noderedis.js", "redis5", "default", "3")
	f("noderedis.js", "redis6", "default", "2")
}

// debianPython is the interpreter that Debian's python3-redis is for; another one may come first in PATH.
const debianPython = "/usr/bin/python3"

func TestPythonClients(t *testing.T) {
	need(t, "python3-redis", debianPython, "-c", "import redis.asyncio")
	runClient(t, "redis-py", debianPython, "-B", "clients/redispy.py")
	runClient(t, "redis-py asyncio", debianPython, "-B", "clients/redispy_asyncio.py")
}

func TestHiredis(t *testing.T) {
	f := func(name string) {
		t.Helper()
		program := filepath.Join(t.TempDir(), name)
		need(t, "gcc libc6-dev libhiredis-dev", "cc", "-Wall", "-Wextra", "-Werror", "-o", program, "clients/"+name+".c", "-lhiredis")
		runClient(t, name, program)
	}
	f("hiredis_sync")
	f("hiredis_async")
}

func TestPHPRedis(t *testing.T) {
	need(t, "php-cli php-redis", "php", "-r", "exit(extension_loaded('redis') && extension_loaded('pcntl') ? 0 : 1);")
	runClient(t, "phpredis", "php", "clients/phpredis.php")
}

// need ends the test unless the command succeeds, and says which Debian packages it takes.
func need(t *testing.T, packages string, command ...string) {
	t.Helper()
	if out, err := exec.Command(command[0], command[1:]...).CombinedOutput(); err != nil {
		t.Fatalf("%q: %v\n%son Debian: apt-get install %s", command, err, out, packages)
	}
}

// restartedClusters are the clients that see all nodes of a cluster killed and started again: a few, for that takes seconds.
var restartedClusters = []string{"ioredis6 RESP default", "redis-py"}

// runClient runs a program of the directory clients, part by part, as subtests. What it says must be true of Redis,
// which makes it a fact, of HubSub, and of a cluster, each of the program's connections with another node.
func runClient(t *testing.T, name string, command ...string) {
	f := func(part string, options ...string) {
		words := slices.Concat(command, []string{part})
		t.Run(name+"/"+part+"/redis", func(t *testing.T) {
			t.Parallel()
			runPart(t, startRedis(t, options...), words)
		})
		t.Run(name+"/"+part+"/hubsub", func(t *testing.T) {
			t.Parallel()
			runPart(t, startHubSub(t, options...), words)
		})
		if part == "pubsub" || part == "restart" && slices.Contains(restartedClusters, name) { // the password is one process's
			t.Run(name+"/"+part+"/cluster", func(t *testing.T) {
				t.Parallel()
				runPart(t, startCluster(t, options...), words)
			})
		}
	}
	f("pubsub")
	f("restart")
	f("password", "--requirepass", "secret")
}

// runPart runs a program with the port of s as its last argument. When the program prints "ready", s is killed and
// started again, and the program told so by a line. It must succeed within clientLimit.
func runPart(t *testing.T, s *server, command []string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), clientLimit)
	defer cancel()
	var output lockedBuffer
	words := slices.Concat(command, []string{strconv.Itoa(s.port)})
	cmd := exec.CommandContext(ctx, words[0], words[1:]...)
	cmd.Stderr = &output
	// A program may have started others, which keep its output open.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	stdin, err := cmd.StdinPipe()
	must(t, err)
	stdout, err := cmd.StdoutPipe()
	must(t, err, cmd.Start())
	lines := bufio.NewScanner(stdout)
	for lines.Scan() {
		if lines.Text() != "ready" {
			fmt.Fprintln(&output, lines.Text())
			continue
		}
		s.kill()
		s.restart(t)
		// A program that does not read it any more has its own failure to tell.
		io.WriteString(stdin, "restarted\n")
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("%q with %s: %v\n%s", command, s.name, errors.Join(err, ctx.Err()), output.String())
	}
}
