package bench

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"
)

// runFake measures the fake server with a room of three subscribers.
func runFake(t *testing.T, f *fakeServer, flags string) (*result, error) {
	t.Helper()
	f.start(t)
	address := f.listener.Addr().String()
	o, err := parse(t, "room --subscribers 3 --duration 100ms --warmup 0s --addr "+address+" "+flags)
	if err != nil {
		t.Fatal(err)
	}
	o.patience = 2 * time.Second
	return o.measure(t.Context(), target{addresses: []string{address}})
}

const faultAt = 20 // the publish at which a fault happens

func TestFaultless(t *testing.T) {
	if _, err := runFake(t, &fakeServer{}, "--pipeline 4"); err != nil {
		t.Fatal(err)
	}
}

func TestDeliveryFaults(t *testing.T) {
	f := func(name string, server *fakeServer, flags string, wrong func(e *deliveryError) bool) {
		t.Run(name, func(t *testing.T) {
			_, err := runFake(t, server, flags)
			var e *deliveryError
			if !errors.As(err, &e) || !wrong(e) {
				t.Fatalf("got %v", err)
			}
		})
	}
	f("lost", &fakeServer{deliver: func(n int, frame []byte) [][]byte {
		if n == faultAt {
			return nil
		}
		return [][]byte{frame}
	}}, "--pipeline 4", func(e *deliveryError) bool { return e.lost > 0 && e.repeated+e.reordered+e.wrongCount == 0 })

	f("all lost from some time on", &fakeServer{deliver: func(n int, frame []byte) [][]byte {
		if n >= faultAt {
			return nil
		}
		return [][]byte{frame}
	}}, "--pipeline 1", func(e *deliveryError) bool { return e.lost > 0 && e.repeated+e.reordered+e.wrongCount == 0 })

	f("repeated", &fakeServer{deliver: func(n int, frame []byte) [][]byte {
		if n == faultAt {
			return [][]byte{frame, frame}
		}
		return [][]byte{frame}
	}}, "--pipeline 4", func(e *deliveryError) bool { return e.repeated == 1 && e.lost+e.reordered+e.wrongCount == 0 })

	var last []byte
	f("repeated after everything", &fakeServer{
		deliver: func(n int, frame []byte) [][]byte {
			last = frame
			return [][]byte{frame}
		},
		beforePong: func() []byte { return last },
	}, "--pipeline 4", func(e *deliveryError) bool { return e.repeated == 1 && e.lost+e.reordered+e.wrongCount == 0 })

	f("repeated after the PONG", &fakeServer{
		deliver: func(n int, frame []byte) [][]byte {
			last = frame
			return [][]byte{frame}
		},
		afterPong: func() []byte { return last },
	}, "--pipeline 4", func(e *deliveryError) bool { return e.repeated == 1 && e.lost+e.reordered+e.wrongCount == 0 })

	var held []byte
	f("reordered", &fakeServer{deliver: func(n int, frame []byte) [][]byte {
		switch n {
		case faultAt:
			held = frame
			return nil
		case faultAt + 1:
			return [][]byte{frame, held}
		}
		return [][]byte{frame}
	}}, "--pipeline 4", func(e *deliveryError) bool { return e.reordered == 1 && e.lost+e.repeated+e.wrongCount == 0 })

	f("wrong count", &fakeServer{answer: func(n, subscribers int) int {
		if n == faultAt {
			return subscribers - 1
		}
		return subscribers
	}}, "--pipeline 4", func(e *deliveryError) bool { return e.wrongCount == 1 && e.lost+e.repeated+e.reordered == 0 })
}

// Two subscribers that see two publishers' messages in different orders, each publisher's in its own.
func TestTotalOrderFault(t *testing.T) {
	swapping := func() *fakeServer {
		var held []byte
		return &fakeServer{deliver: func(n int, frame []byte) [][]byte {
			switch n {
			case faultAt:
				held = frame // of one publisher, which waits for it: so the next is the other's
				return nil
			case faultAt + 1:
				return [][]byte{frame, held}
			}
			return [][]byte{frame}
		}}
	}
	if _, err := runFake(t, swapping(), "--publishers 2"); err != nil {
		t.Fatalf("without --total-order: %v", err)
	}
	_, err := runFake(t, swapping(), "--publishers 2 --total-order")
	var e *deliveryError
	if !errors.As(err, &e) || e.disordered == 0 || e.lost+e.repeated+e.reordered+e.wrongCount != 0 {
		t.Fatalf("got %v", err)
	}
}

// The fake server has three subscribers and one wanderer.
func TestWandererFaults(t *testing.T) {
	const flags = "--pipeline 4 --wanderers 1"
	counts := func(name string, server *fakeServer, wrong func(e *deliveryError) bool) {
		t.Run(name, func(t *testing.T) {
			server.stable = 3
			_, err := runFake(t, server, flags)
			var e *deliveryError
			if !errors.As(err, &e) || !wrong(e) {
				t.Fatalf("got %v", err)
			}
		})
	}
	ends := func(name string, server *fakeServer, want error) {
		t.Run(name, func(t *testing.T) {
			server.stable = 3
			if _, err := runFake(t, server, flags); !errors.Is(err, want) {
				t.Fatalf("got %v, want %v", err, want)
			}
		})
	}
	ends("none", &fakeServer{}, nil)

	none := func([]byte) [][]byte { return nil }
	// A visit's tenth was published after its confirmation was read. Some visits end before it and need not have it.
	visit := 0
	counts("lost", &fakeServer{onJoin: func(confirmation []byte) []byte {
		visit = 0
		return confirmation
	}, deliverGuest: func(frame []byte) [][]byte {
		if visit++; visit == 10 {
			return nil
		}
		return [][]byte{frame}
	}}, func(e *deliveryError) bool { return e.lost > 0 && e.repeated+e.reordered+e.wrongCount == 0 })
	heard := 0
	counts("repeated", &fakeServer{deliverGuest: func(frame []byte) [][]byte {
		if heard++; heard == faultAt {
			return [][]byte{frame, frame}
		}
		return [][]byte{frame}
	}}, func(e *deliveryError) bool { return e.repeated == 1 && e.lost+e.reordered+e.wrongCount == 0 })
	counts("deaf", &fakeServer{deliverGuest: none},
		func(e *deliveryError) bool { return e.lost > 0 && e.repeated+e.reordered+e.wrongCount == 0 })
	counts("not counted", &fakeServer{answer: func(n, subscribers int) int { return min(subscribers, 3) }},
		func(e *deliveryError) bool { return e.wrongCount > 0 && e.lost+e.repeated+e.reordered == 0 })

	// Of what a visit begins with, four may have been published before the confirmation was read, but no eight.
	skip := 0
	counts("beginning lost", &fakeServer{onJoin: func(confirmation []byte) []byte {
		skip = 8
		return confirmation
	}, deliverGuest: func(frame []byte) [][]byte {
		if skip--; skip >= 0 {
			return nil
		}
		return [][]byte{frame}
	}}, func(e *deliveryError) bool { return e.lost > 0 && strings.Contains(e.first, "was due") })

	// Delivered eight publishes late, of which four may be unanswered, and what is late at the leave is never delivered.
	var late [][]byte
	counts("end lost", &fakeServer{deliverGuest: func(frame []byte) [][]byte {
		if late = append(late, frame); len(late) <= 8 {
			return nil
		}
		frame, late = late[0], late[1:]
		return [][]byte{frame}
	}, onLeave: func(confirmation []byte) []byte {
		late = nil
		return confirmation
	}}, func(e *deliveryError) bool { return strings.Contains(e.first, "left with") })

	var first, last []byte
	keepFirst := func(frame []byte) [][]byte {
		if first == nil {
			first = frame
		}
		return [][]byte{frame}
	}
	keep := func(frame []byte) [][]byte { last = frame; return [][]byte{frame} }
	behind := func(confirmation []byte) []byte { return append(confirmation, last...) }
	before := func(confirmation []byte) []byte { return append(bytes.Clone(last), confirmation...) }
	ends("intended time changed", &fakeServer{deliverGuest: func(frame []byte) [][]byte {
		frame = bytes.Clone(frame)
		frame[newFormat(resp2, 1, defaultPayload).headLen+16] ^= 1
		return [][]byte{frame}
	}}, errUnknown)
	ends("join refused", &fakeServer{onJoin: func([]byte) []byte { return []byte("-NOPERM no\r\n") }}, errRefused)
	ends("leave refused", &fakeServer{onLeave: func([]byte) []byte { return []byte("-ERR no\r\n") }}, errRefused)
	ends("message after leave", &fakeServer{deliverGuest: keep, onLeave: behind}, errNotHeard)
	ends("message before join", &fakeServer{deliverGuest: keep, onJoin: before}, errNotHeard)
	ends("message from before the join", &fakeServer{deliverGuest: keepFirst, onJoin: func(confirmation []byte) []byte {
		return append(confirmation, first...)
	}}, errEarly)
}

func TestContentFaults(t *testing.T) {
	f := func(name string, change func(frame []byte) []byte, want error) {
		t.Run(name, func(t *testing.T) {
			_, err := runFake(t, &fakeServer{deliver: func(n int, frame []byte) [][]byte {
				if n == faultAt {
					frame = change(bytes.Clone(frame))
				}
				return [][]byte{frame}
			}}, "--rooms 1 --pipeline 4")
			if !errors.Is(err, want) {
				t.Fatalf("got %v, want %v", err, want)
			}
		})
	}
	replace := func(old, new string) func([]byte) []byte {
		return func(frame []byte) []byte { return bytes.Replace(frame, []byte(old), []byte(new), 1) }
	}
	f("filling", replace("....", "..,."), errDamaged)
	f("channel", replace("room:000000", "room:000001"), errDamaged)
	f("verb", replace("message", "massage"), errDamaged)
	f("short", func(frame []byte) []byte { return frame[1:] }, errDamaged)
	at := func(offset int, b byte) func([]byte) []byte {
		return func(frame []byte) []byte {
			frame[newFormat(resp2, 1, defaultPayload).headLen+offset] ^= b
			return frame
		}
	}
	f("number far ahead", at(3, 0xff), errUnknown)
	f("publisher", at(8, 9), errUnknown)
	f("slot", at(12, 99), errUnknown)
	f("slot of another message", at(12, 1), errUnknown)
	f("intended time", at(16, 1), errUnknown)
}

// A message of a room to a subscriber of another.
func TestMisrouted(t *testing.T) {
	g := &generator{publishers: make([]*publisher, 1)}
	f := newFormat(resp2, 2, markBytes)
	who := newSink(-1, 0, f, seat{first: 0, rooms: 1}, 0)
	if err := g.deliver(&who, messageOf(f, mark{room: 1}), 0); err != errNotHeard {
		t.Fatalf("got %v", err)
	}
}

// The end of a stream is seen, also right behind a message.
func TestServerCloses(t *testing.T) {
	server := &fakeServer{}
	server.deliver = func(n int, frame []byte) [][]byte {
		if n == faultAt {
			server.subscribers[0].conn.Write(frame)
			server.subscribers[0].conn.Close()
		}
		return [][]byte{frame}
	}
	if _, err := runFake(t, server, "--pipeline 4"); !errors.Is(err, errClosed) {
		t.Fatalf("got %v", err)
	}
}

func TestRunFails(t *testing.T) {
	server := &fakeServer{answer: func(n, subscribers int) int { return subscribers + 1 }}
	server.start(t)
	var out, problems strings.Builder
	code := Run(t.Context(), []string{"room", "--subscribers", "2", "--duration", "100ms", "--generator-cpu", "-1",
		"--addr", server.listener.Addr().String()}, &out, &problems)
	if code != exitFailed || !strings.Contains(problems.String(), "FAILED") || strings.Contains(out.String(), "deliveries/s") {
		t.Fatalf("exit code %d\n%s\n%s", code, &out, &problems)
	}
}

// While a server stands still an open loop goes on, so everything meant to be sent meanwhile is late too: a stall of
// 100 ms at 1000 publishes/s delays some hundred messages by 50 ms on average. A closed loop would have seen one.
func TestOpenLoopSeesStall(t *testing.T) {
	const stall = 100 * time.Millisecond
	server := &fakeServer{stall: func(n int) {
		if n == faultAt {
			time.Sleep(stall) // the fault itself
		}
	}}
	server.start(t)
	address := server.listener.Addr().String()
	o, err := parse(t, "room --subscribers 3 --rate 1000 --duration 300ms --warmup 0s --addr "+address)
	if err != nil {
		t.Fatal(err)
	}
	g, err := newGenerator(target{addresses: []string{address}}, o)
	if err != nil {
		t.Fatal(err)
	}
	defer g.close()
	m, err := g.run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if m.published < 300 {
		t.Errorf("%d published of 300 that were due", m.published)
	}
	slow := int64(0)
	for _, bar := range m.latency.last.Distribution() {
		if bar.From >= int64(stall/2) {
			slow += bar.Count
		}
	}
	if slow < 40 {
		t.Errorf("%d publishes were late by half of the stall or more, want about 50", slow)
	}
	if first, last := m.latency.first.TotalCount(), m.latency.last.TotalCount(); first != last || m.latency.every.TotalCount() != 3*first {
		t.Errorf("%d deliveries, %d first, %d last", m.latency.every.TotalCount(), first, last)
	}
}
