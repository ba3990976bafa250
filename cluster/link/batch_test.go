package link

import (
	"bytes"
	"encoding/binary"
	"testing"
	"time"

	"github.com/klauspost/compress/s2"
)

// sealed returns a batch as it goes on the wire.
func sealed(h header, body []byte) []byte {
	h.coded = len(body)
	b := append(make([]byte, headerBytes), body...)
	h.seal(b)
	return b
}

// plain returns one that is as a node makes it.
func plain(number, ack uint64, records []byte) []byte {
	return sealed(header{raw: len(records), number: number, ack: ack}, records)
}

func TestHeader(t *testing.T) {
	b := sealed(header{flags: flagS2, raw: 1000, number: 7, ack: 1 << 40}, []byte("body"))
	h, err := parseHeader(b)
	want := header{flags: flagS2, raw: 1000, coded: 4, number: 7, ack: 1 << 40, checksum: h.checksum}
	if err != nil || h != want || !h.intact(b) {
		t.Fatalf("%+v, %v", h, err)
	}
	for i := range b { // one bit anywhere
		b[i] ^= 4
		if h, err := parseHeader(b); err == nil && h.intact(b) {
			t.Errorf("byte %d may change", i)
		}
		b[i] ^= 4
	}
}

func TestHeaderRefused(t *testing.T) {
	f := func(why refusal, change func(b []byte)) {
		t.Helper()
		b := plain(1, 0, record(nil, 1, 10))
		change(b)
		if _, err := parseHeader(b); err != error(why) {
			t.Errorf("%v, want %v", err, why)
		}
	}
	put := binary.BigEndian.PutUint32
	f(refuseMagic, func(b []byte) { b[0] = 'G' })
	f(refuseVersion, func(b []byte) { b[2] = 2 })
	f(refuseFlags, func(b []byte) { b[3] = 2 })
	f(refuseLength, func(b []byte) { put(b[4:], rawBytesMax+1); put(b[8:], rawBytesMax+1) })
	f(refuseLength, func(b []byte) { put(b[8:], 1<<31) })
	f(refuseLength, func(b []byte) { put(b[8:], 10) })                // shorter, and not compressed
	f(refuseLength, func(b []byte) { b[3] = flagS2; put(b[8:], 0) })  // nothing to expand
	f(refuseLength, func(b []byte) { b[3] = flagS2; put(b[8:], 12) }) // compression that makes longer
	f(refuseOrder, func(b []byte) { b[19] = 0 })                      // records without a number
	f(refuseOrder, func(b []byte) { put(b[4:], 0); put(b[8:], 0) })   // a number without records
}

func TestExpandRefused(t *testing.T) {
	f := func(body []byte, raw int) {
		t.Helper()
		if _, err := expand(nil, header{flags: flagS2, raw: raw, coded: len(body)}, body); err != error(refuseCode) {
			t.Errorf("%q of %d: %v", body, raw, err)
		}
	}
	coded := s2.Encode(nil, bytes.Repeat([]byte("a"), 5000))
	f(coded, 4999)
	f(coded, 5001)
	f(coded[:len(coded)-1], 5000)
	f(binary.AppendUvarint(nil, 1<<32-1), 5000) // a bomb's announcement
	f([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, 5000)
}

func TestRecords(t *testing.T) {
	f := func(b []byte, n int, whole bool) {
		t.Helper()
		if got, ok := countRecords(b); ok != whole || (whole && got != n) {
			t.Errorf("%q: %d, %v", b, got, ok)
		}
	}
	f(nil, 0, true)
	f([]byte{0, 0, 1, 'x'}, 3, true)
	f(record(record(nil, 1, 127), 2, 128), 2, true)
	f([]byte{2, 'x'}, 0, false)
	f([]byte{0x80}, 0, false)
	f([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01}, 0, false)
	f([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01}, 0, false)
	f(record(nil, 1, RecordBytesMax), 1, true)
	f(record(nil, 1, RecordBytesMax+1), 0, false)

	long := record(nil, 1, batchBytesMax)
	if n, size := splitRecords(append(long, 0)); n != 1 || size != len(long) {
		t.Errorf("split %d records, %d bytes", n, size)
	}
	short := record(nil, 1, 1000)
	if n, size := splitRecords(bytes.Repeat(short, 1000)); size != n*len(short) || size > batchBytesMax || size+len(short) <= batchBytesMax {
		t.Errorf("split %d records, %d bytes", n, size)
	}
}

func TestCompression(t *testing.T) {
	var z compressor
	f := func(raw []byte, want bool) {
		t.Helper()
		body, compressed := z.encode(raw)
		h := header{raw: len(raw), coded: len(body)}
		if compressed {
			h.flags = flagS2
		}
		got, err := expand(nil, h, body)
		if compressed != want || err != nil || !bytes.Equal(got, raw) || len(body) > len(raw) {
			t.Fatalf("%v, %d of %d bytes, %v", compressed, len(body), len(raw), err)
		}
	}
	text, random := record(nil, 1, 5000), noise(nil, 1, 5000)
	f(text, true)
	f(record(nil, 1, compressBytesMin-10), false)
	f(random, false)
	f(record(nil, 1, RecordBytesMax), true)
	for range 4 * shareBatches {
		f(random, false)
	}
	if !z.off {
		t.Fatalf("it is not off, it leaves %v", z.share)
	}
	f(text, false)
	z.tried = z.tried.Add(-probeInterval)
	f(random, false) // a probe in vain
	f(text, false)
	z.tried = z.tried.Add(-probeInterval)
	f(text, true)
	f(text, true)
	if z.off || time.Since(z.tried) > time.Minute {
		t.Errorf("it is still off")
	}
	if cap(z.coded) > spareBytesMax {
		t.Errorf("it keeps %d bytes", cap(z.coded))
	}
}
