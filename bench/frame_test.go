package bench

import (
	"bytes"
	"strings"
	"testing"
)

func TestFormatPublish(t *testing.T) {
	f := newFormat(resp2, 3, 30)
	m := mark{number: 7, room: 2, publisher: 1, slot: 5, intended: 123456789}
	got := f.appendPublish(nil, m)
	head := "*3\r\n$7\r\nPUBLISH\r\n$11\r\nroom:000002\r\n$30\r\n"
	if !strings.HasPrefix(string(got), head) || !strings.HasSuffix(string(got), "......\r\n") {
		t.Fatalf("PUBLISH is %q", got)
	}
	if len(got) != f.frameLen || len(got) != len(head)+30+2 {
		t.Fatalf("PUBLISH has %d bytes, a frame %d", len(got), f.frameLen)
	}
}

// messageOf is what a server makes of a publish.
func messageOf(f *format, m mark) []byte {
	return f.appendPayload(append([]byte(nil), f.head(m.room)...), m)
}

func TestFormatParse(t *testing.T) {
	for _, p := range []protocol{resp2, resp3, nats} {
		f := newFormat(p, 1000, 40)
		want := mark{number: 7, room: 999, publisher: 1, slot: 5, intended: 123456789}
		frame := messageOf(f, want)
		got, ok := f.parse(frame)
		if !ok || got != want {
			t.Fatalf("%v: parsed %+v, %v; want %+v", p, got, ok, want)
		}
		// A change of any byte outside the mark is seen; so is another room in the mark.
		for i := range frame {
			inMark := i >= f.headLen && i < f.headLen+markBytes
			inRoom := i >= f.headLen+4 && i < f.headLen+8
			changed := bytes.Clone(frame)
			changed[i] ^= 1
			if _, ok := f.parse(changed); ok != (inMark && !inRoom) {
				t.Fatalf("%v: byte %d changed, parse reports %v", p, i, ok)
			}
		}
	}
}

func TestFormatHead(t *testing.T) {
	f := func(p protocol, head, command string) {
		t.Helper()
		x := newFormat(p, 43, 64)
		if got := string(x.head(42)); got != head {
			t.Errorf("%v: a message begins with %q, want %q", p, got, head)
		}
		if got := string(x.appendPublish(nil, mark{room: 42})); !strings.HasPrefix(got, command) || len(got) != len(command)+64+2 {
			t.Errorf("%v: a publish is %q, want %q and the payload", p, got, command)
		}
	}
	f(resp2, "*3\r\n$7\r\nmessage\r\n$11\r\nroom:000042\r\n$64\r\n", "*3\r\n$7\r\nPUBLISH\r\n$11\r\nroom:000042\r\n$64\r\n")
	f(resp3, ">3\r\n$7\r\nmessage\r\n$11\r\nroom:000042\r\n$64\r\n", "*3\r\n$7\r\nPUBLISH\r\n$11\r\nroom:000042\r\n$64\r\n")
	f(nats, "MSG room:000042 000042 64\r\n", "PUB room:000042 64\r\n")
}

func TestFormatSmallestPayload(t *testing.T) {
	f := newFormat(resp2, 1, markBytes)
	frame := messageOf(f, mark{slot: 3})
	if m, ok := f.parse(frame); !ok || m.slot != 3 {
		t.Fatalf("parsed %+v, %v", m, ok)
	}
}
