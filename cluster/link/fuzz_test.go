package link

import (
	"bytes"
	"errors"
	"net"
	"reflect"
	"testing"
	"time"

	"github.com/klauspost/compress/s2"

	"hubsub/cluster/port"
	"hubsub/cluster/port/porttest"
)

// A header that is read is the header of what seals to the same.
func FuzzHeader(f *testing.F) {
	f.Add(plain(1, 2, record(nil, 3, 100)))
	f.Add(sealed(header{flags: flagS2, raw: 1000, number: 1}, []byte("some code")))
	f.Add(plain(0, 9, nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) < headerBytes {
			return
		}
		h, err := parseHeader(b)
		if err != nil {
			var why refusal
			if !errors.As(err, &why) {
				t.Fatal(err)
			}
			return
		}
		if h.raw > rawBytesMax || h.coded > h.raw {
			t.Fatalf("%+v", h)
		}
		again := bytes.Clone(b)
		intact := h.intact(b)
		h.seal(again)
		if intact != bytes.Equal(again, b) {
			t.Fatalf("%q seals to %q", b, again)
		}
	})
}

// A body is refused, or it is as long as announced, and so are its records.
func FuzzBody(f *testing.F) {
	records := bytes.Repeat(record(nil, 1, 50), 20)
	f.Add(s2.Encode(nil, records), len(records), true)
	f.Add(records, len(records), false)
	f.Add([]byte{0xff, 0xff, 0xff, 0x7f, 0}, 1000, true)
	f.Fuzz(func(t *testing.T, body []byte, raw int, compressed bool) {
		h := header{raw: raw, coded: len(body)}
		if compressed {
			h.flags = flagS2
		}
		if raw < 1 || raw > rawBytesMax || h.coded > raw || (!compressed && h.coded != raw) {
			return // no header says so
		}
		got, err := expand(nil, h, body)
		if err != nil {
			return
		}
		if len(got) != raw {
			t.Fatalf("%d bytes of %d", len(got), raw)
		}
		n, whole := countRecords(got)
		if n > len(got) {
			t.Fatalf("%d records", n)
		}
		if whole {
			if m, size := splitRecords(got); m > n || size > len(got) || (m < n && size+recordSize(got[size:]) <= batchBytesMax) {
				t.Fatalf("split %d of %d records", m, n)
			}
		}
	})
}

func FuzzHello(f *testing.F) {
	f.Add([]byte(`{"min":1,"max":1,"own":18446744073709551615,"next":2,"peer":3,"received":4,"attempt":5,"heard":6,"codings":["s2"]}`))
	f.Add([]byte(`{"refused":"crossed","own":1,"lost":true,"min":1,"max":1,"new":[{}]}`))
	f.Add([]byte(`null`))
	f.Fuzz(func(t *testing.T, b []byte) {
		again(t, b, parseHello)
		again(t, b, parseAnswer)
	})
}

// again finds that what is understood is understood again when it is said again.
func again[T any](t *testing.T, b []byte, parse func([]byte) (T, error)) {
	v, err := parse(b)
	if err != nil {
		if err != error(refuseHello) {
			t.Fatalf("%q: %v", b, err)
		}
		return
	}
	near, far := net.Pipe()
	defer near.Close()
	go func() { say(far, v); far.Close() }()
	said, err := hear(near)
	if err != nil {
		return // longer than a node makes it
	}
	w, err := parse(said)
	if err != nil || !reflect.DeepEqual(v, w) {
		t.Fatalf("%q: read %+v, then of %q %+v, %v", b, v, said, w, err)
	}
}

// Whatever a node says behind its greeting, nobody else notices, and nothing of
// it is received that was not sealed.
func FuzzAccept(f *testing.F) {
	network := porttest.New()
	a, b := start(f, network.At(addressA), addressA, "1"), start(f, network.At(addressB), addressB, "1")
	from := stranger(f, network.At(addressC), addressC)
	var number int
	good := plain(1, 0, record(nil, 1, 100))
	f.Add(false, good)
	f.Add(true, good)
	f.Add(true, append(bytes.Clone(good), good...))
	f.Add(true, good[:len(good)-1])
	f.Add(true, bytes.Repeat([]byte{0xff}, 100))
	f.Add(false, []byte("\x00\x00\x00\x02{}"))
	f.Add(false, []byte("\xff\xff\xff\xff{}"))
	f.Fuzz(func(t *testing.T, greeted bool, sent []byte) {
		var conn net.Conn
		if greeted {
			conn, _ = greet(t, from, b)
		} else {
			var err error
			if conn, _, err = from.Dial(t.Context(), port.Link, addressB, b.name); err != nil {
				t.Fatal(err)
			}
		}
		conn.Write(sent)
		for !a.say(b, number) {
			time.Sleep(time.Millisecond)
		}
		number++
		eventually(t, func() bool { n, _ := b.count(a); return n >= number })
		conn.Close()
		b.inOrder(t, a, number, 0)
		b.mu.Lock()
		delete(b.from, "stranger/1")
		b.mu.Unlock()
	})
}
