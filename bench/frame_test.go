package bench

import (
	"bytes"
	"strings"
	"testing"
)

func TestFormatPublish(t *testing.T) {
	f := newFormat(3, 30, false)
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

func TestFormatParse(t *testing.T) {
	for _, resp3 := range []bool{false, true} {
		f := newFormat(1000, 40, resp3)
		want := mark{number: 7, room: 999, publisher: 1, slot: 5, intended: 123456789}
		frame := f.appendPublish(nil, want)
		copy(frame[verbAt:], messageVerb)
		if resp3 {
			frame[0] = '>'
		}
		got, ok := f.parse(frame)
		if !ok || got != want {
			t.Fatalf("resp3 %v: parsed %+v, %v; want %+v", resp3, got, ok, want)
		}
		// A change of any byte outside the mark is seen; so is another room in the mark.
		for i := range frame {
			inMark := i >= f.headLen && i < f.headLen+markBytes
			inRoom := i >= f.headLen+4 && i < f.headLen+8
			changed := bytes.Clone(frame)
			changed[i] ^= 1
			if _, ok := f.parse(changed); ok != (inMark && !inRoom) {
				t.Fatalf("resp3 %v: byte %d changed, parse reports %v", resp3, i, ok)
			}
		}
	}
}

func TestFormatSmallestPayload(t *testing.T) {
	f := newFormat(1, markBytes, false)
	frame := f.appendPublish(nil, mark{slot: 3})
	copy(frame[verbAt:], messageVerb)
	if m, ok := f.parse(frame); !ok || m.slot != 3 {
		t.Fatalf("parsed %+v, %v", m, ok)
	}
}
