package gossip

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"testing"
	"testing/iotest"
)

func TestReadFrame(t *testing.T) {
	f := func(name string, stream []byte, want ...[]byte) {
		t.Helper()
		for how, r := range map[string]io.Reader{
			"at once": bytes.NewReader(stream), "in bytes": iotest.OneByteReader(bytes.NewReader(stream)),
		} {
			b := bufio.NewReaderSize(r, readBufferBytes)
			for i, packet := range want {
				got, report, err := readFrame(b)
				if err != nil || report || !bytes.Equal(got, packet) {
					t.Fatalf("%s, %s: packet %d is %d bytes, %v; want %d", name, how, i, len(got), err, len(packet))
				}
			}
			if packet, _, err := readFrame(b); err == nil {
				t.Errorf("%s, %s: there are %d bytes more", name, how, len(packet))
			}
		}
	}
	frame := func(packets ...[]byte) (stream []byte) {
		for _, p := range packets {
			stream = appendFrame(stream, p)
		}
		return stream
	}
	long := bytes.Repeat([]byte("x"), frameBytesMax)
	f("nothing", nil)
	f("one", frame([]byte("a")), []byte("a"))
	f("several", frame([]byte("a"), long, []byte("bc")), []byte("a"), long, []byte("bc"))
	f("half a header", []byte{0, 0, 0})
	f("half a packet", frame([]byte("a"), []byte("abc"))[:10], []byte("a"))
	f("an empty one", append(frame([]byte("a")), 0, 0, 0, 0, 9, 9), []byte("a"))
	f("one too long", frame(append(long, 'x')))
}

// Whatever comes, a packet has a length that is allowed, and comes back as it
// was sent.
func FuzzReadFrame(f *testing.F) {
	f.Add([]byte{0, 0, 0, 1, 'a', 0, 0, 0, 2, 'b', 'c'})
	f.Add([]byte{0x80, 0, 0, 1, 'a', 0, 0, 0, 1, 'b'})
	f.Add([]byte{0, 0, 0, 0})
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 1})
	f.Fuzz(func(t *testing.T, stream []byte) {
		r := bufio.NewReaderSize(iotest.HalfReader(bytes.NewReader(stream)), readBufferBytes)
		var again []byte
		for {
			packet, report, err := readFrame(r)
			if err != nil {
				bad := frameError{}
				if !errors.As(err, &bad) && err != io.EOF && err != io.ErrUnexpectedEOF {
					t.Fatal(err)
				}
				break
			}
			if len(packet) == 0 || len(packet) > frameBytesMax {
				t.Fatalf("a packet of %d bytes", len(packet))
			}
			if report {
				again = appendReport(again, packet)
			} else {
				again = appendFrame(again, packet)
			}
		}
		if !bytes.HasPrefix(stream, again) {
			t.Errorf("%x became %x", stream, again)
		}
	})
}
