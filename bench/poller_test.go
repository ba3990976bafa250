package bench

import (
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A spinning wait ends when there is something, and otherwise with its time; what it looked at in vain is counted.
func TestSpin(t *testing.T) {
	p, err := newPoller()
	if err != nil {
		t.Fatal(err)
	}
	defer p.close()
	p.spin = true
	var ends [2]int
	if err := unix.Pipe2(ends[:], unix.O_NONBLOCK|unix.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	defer unix.Close(ends[0])
	defer unix.Close(ends[1])
	if err := p.add(ends[0], 7, unix.EPOLLIN); err != nil {
		t.Fatal(err)
	}
	const d = 20 * time.Millisecond
	if ready, err := p.wait(d); len(ready) != 0 || err != nil || p.spun < d {
		t.Errorf("of nothing: %d events, %v, %v spun", len(ready), err, p.spun)
	}
	if _, err := unix.Write(ends[1], []byte("x")); err != nil {
		t.Fatal(err)
	}
	before := p.spun
	if ready, err := p.wait(time.Hour); len(ready) != 1 || ready[0].Fd != 7 || err != nil || p.spun != before {
		t.Errorf("of something: %v, %v, %v spun", ready, err, p.spun-before)
	}
}

// A run that spins says so, and does not take that for work.
func TestSpinningRun(t *testing.T) {
	r, err := runFake(t, &fakeServer{}, "--rate 100 --spin")
	if err != nil {
		t.Fatal(err)
	}
	var spinning, busy float64
	for _, c := range r.conditions {
		switch c.Name {
		case "generator spinning, of its core":
			spinning = c.Value
		case "generator, of its core":
			busy = c.Value
		}
	}
	if spinning == 0 || busy+spinning > 150 {
		t.Errorf("%v %% of a core busy, %v %% spinning", busy, spinning)
	}
}
