package engine

import "testing"

// What is taken and given back stays; what nobody takes between two trims goes.
func TestBuffersTrim(t *testing.T) {
	var b buffers
	want := func(what string, free, bytes int) {
		t.Helper()
		if len(b.free) != free || b.bytes != bytes {
			t.Errorf("%s: %d free of %d bytes, want %d of %d", what, len(b.free), b.bytes, free, bytes)
		}
	}
	for range 10 {
		b.give(make([]byte, 5, 100))
	}
	b.trim()
	want("all are new", 10, 1000)
	for range 3 {
		b.lend(b.take())
	}
	want("three are lent", 7, 700)
	b.endTick()
	want("they are back", 10, 1000)
	b.trim()
	want("three were needed", 3, 300)
	b.trim()
	want("none was", 0, 0)
	if b.take() != nil {
		t.Error("a buffer out of nothing")
	}
	b.give(make([]byte, spareBufferBytesMax+1))
	b.give(nil)
	want("too large a one, and none", 0, 0)
	for range 2 * spareBytesMax / spareBufferBytesMax {
		b.give(make([]byte, spareBufferBytesMax))
	}
	want("too many", spareBytesMax/spareBufferBytesMax, spareBytesMax)
}
