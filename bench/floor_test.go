package bench

import (
	"context"
	"strings"
	"testing"
)

// withFloor calls use with the address of a floor that serves meanwhile. The floor must not outlive its use: waiting, it
// keeps a scheduler slot.
func withFloor(t *testing.T, use func(address string)) {
	t.Helper()
	f, err := newFloor(0)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- f.serve(ctx) }()
	defer func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		f.close()
	}()
	use(f.address())
}

func TestFloorServes(t *testing.T) {
	f := func(line string) {
		t.Helper()
		withFloor(t, func(address string) {
			// Twice, so that the floor has to forget the subscribers of the first run.
			for range 2 {
				o, err := parse(t, line+" --duration 100ms --warmup 20ms --addr "+address)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := o.measure(t.Context(), target{addresses: []string{address}}); err != nil {
					t.Fatalf("%s: %v", line, err)
				}
			}
		})
	}
	f("pingpong")
	f("pingpong --pipeline 128")
	f("pingpong --pipeline 128 --size 5000") // commands in pieces
	f("room --subscribers 100 --pipeline 8")
	f("room --subscribers 10 --publishers 3 --pipeline 8")
	f("rooms --rooms 10 --subscribers 3")
}

func TestFloorRefusesResp3(t *testing.T) {
	withFloor(t, func(address string) {
		o, err := parse(t, "pingpong --protocol resp3 --addr "+address)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := o.measure(t.Context(), target{addresses: []string{address}}); err == nil || !strings.Contains(err.Error(), "RESP3") {
			t.Fatalf("got %v", err)
		}
	})
}

func TestFloorMeasure(t *testing.T) {
	const command = "*3\r\n$7\r\nPUBLISH\r\n$4\r\nroom\r\n$10\r\n0123456789\r\n"
	var c floorConn
	c.measure([]byte(command[:len(publishHead)+5]))
	if c.length != 0 {
		t.Fatalf("measured %d bytes by the beginning of a command", c.length)
	}
	c.measure([]byte(command + command))
	if c.length != len(command) || command[c.channelAt:c.channelEnd] != "room" {
		t.Fatalf("measured %d bytes, channel %q", c.length, command[c.channelAt:c.channelEnd])
	}
}

// A floor answers 0 where nobody subscribes.
func TestFloorNobody(t *testing.T) {
	withFloor(t, func(address string) {
		if r := ask(t, address, "PUBLISH", "nobody", "x"); r.kind != ':' || r.text != "0" {
			t.Fatalf("got %q", r)
		}
	})
}
