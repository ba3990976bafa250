package bench

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// terminal returns both ends of a pseudo-terminal: what a program writes to tty, screen reads.
func terminal(t *testing.T, columns uint16) (tty, screen *os.File) {
	t.Helper()
	screen, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { screen.Close() })
	if err := unix.IoctlSetPointerInt(int(screen.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	number, err := unix.IoctlGetInt(int(screen.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	tty, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tty.Close() })
	if err := unix.IoctlSetWinsize(int(tty.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 25, Col: columns}); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TERM", "xterm")
	return tty, screen
}

// shown closes the terminal and returns what was written to it.
func shown(tty, screen *os.File) string {
	const end = "end of test"
	io.WriteString(tty, end)
	var all strings.Builder
	b := make([]byte, 4096)
	for !strings.HasSuffix(all.String(), end) {
		n, err := screen.Read(b)
		if err != nil {
			break
		}
		all.Write(b[:n])
	}
	return strings.TrimSuffix(all.String(), end)
}

func TestProgressShows(t *testing.T) {
	tty, screen := terminal(t, 60)
	p := newProgress(tty, 5, 2, 3500*time.Millisecond)
	p.begin(2, "red\x1b[2Jis")
	p.show(0, 0)
	p.show(50*time.Millisecond, 1) // too soon
	p.show(2*time.Second, 3_000_000)
	p.end()
	lines := strings.Split(shown(tty, screen), "\x1b[K")
	want := []string{
		"pair 2 of 5  red?[2Jis  starting  (run: 0.0 s of about 35.0",
		"\rpair 2 of 5  red?[2Jis  0.0 s of 3.5 s  (run: 0.0 s of about",
		"\rpair 2 of 5  red?[2Jis  2.0 s of 3.5 s  1,500,000 deliverie",
		"\r\r",
		"",
	}
	for i := range max(len(lines), len(want)) {
		if i >= len(lines) || i >= len(want) || !strings.HasPrefix(want[i], lines[i]) || len(lines[i]) < len(want[i])-1 {
			t.Fatalf("got %q, want %q", lines, want)
		}
	}
}

func TestProgressNothing(t *testing.T) {
	f := func(w io.Writer) {
		t.Helper()
		p := newProgress(w, 5, 2, time.Second)
		if p != nil {
			t.Fatalf("progress for %T", w)
		}
		p.begin(1, "x")
		p.say("x")
		p.show(time.Second, 1)
		p.wait(t.Context(), 0, "x")
		p.end()
	}
	f(io.Discard)
	file, err := os.Create(t.TempDir() + "/file")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	f(file)
	tty, _ := terminal(t, 60)
	t.Setenv("TERM", "dumb")
	f(tty)
}

// A whole run writes nothing into a pipe, and on a terminal leaves nothing behind.
func TestProgressOfRun(t *testing.T) {
	withFloor(t, func(address string) {
		args := []string{"pingpong", "--duration", "20ms", "--warmup", "0s", "--generator-cpu", "-1", "--addr", address}
		out, in, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		defer out.Close()
		if code := Run(t.Context(), args, io.Discard, in); code != exitOK {
			t.Fatalf("exit code %d", code)
		}
		in.Close()
		if b, err := io.ReadAll(out); err != nil || len(b) > 0 {
			t.Errorf("%q in a pipe, %v", b, err)
		}

		tty, screen := terminal(t, 80)
		if code := Run(t.Context(), args, io.Discard, tty); code != exitOK {
			t.Fatalf("exit code %d", code)
		}
		got := shown(tty, screen)
		if !strings.Contains(got, address+"  connecting") || !strings.HasSuffix(got, "\r\x1b[K") {
			t.Errorf("on a terminal: %q", got)
		}
	})
}

func TestProgressAllocates(t *testing.T) {
	tty, screen := terminal(t, 80)
	go io.Copy(io.Discard, screen)
	p := newProgress(tty, 5, 2, time.Second)
	p.begin(1, "redis")
	now := time.Second
	p.show(now, 1)
	if n := testing.AllocsPerRun(20, func() { now += progressInterval; p.show(now, 123_456_789) }); n > 0 {
		t.Errorf("%v allocations per update", n)
	}
}

func TestProgressWaits(t *testing.T) {
	tty, screen := terminal(t, 80)
	p := newProgress(tty, 1, 1, time.Second)
	p.begin(1, "redis")
	p.wait(t.Context(), 3*time.Millisecond, "settling")
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	p.wait(cancelled, time.Hour, "for ever")
	if got := shown(tty, screen); !strings.Contains(got, "redis  settling 0.0 s of 0.0 s") || strings.Contains(got, "for ever") {
		t.Errorf("got %q", got)
	}
}
