package engine

import "slices"

// buffers is what a loop keeps of output buffers between uses, so that a tick
// leaves no garbage: messages and answers come and go with each.
type buffers struct {
	free   [][]byte // a stack
	bytes  int      // capacity of those in free
	unused int      // how many at the bottom of free nobody took since the last trim
	lent   [][]byte // in use until the end of the tick
}

// take returns an empty buffer, nil if there is none.
func (b *buffers) take() []byte {
	last := len(b.free) - 1
	if last < 0 {
		return nil
	}
	buf := b.free[last]
	b.free[last] = nil
	b.free = b.free[:last]
	b.bytes -= cap(buf)
	b.unused = min(b.unused, last)
	return buf
}

// give takes back a buffer that nobody uses any more.
func (b *buffers) give(buf []byte) {
	if n := cap(buf); 0 < n && n <= spareBufferBytesMax && b.bytes+n <= spareBytesMax {
		b.free = append(b.free, buf[:0])
		b.bytes += n
	}
}

// trim lets go of what nobody needed since the last time.
func (b *buffers) trim() {
	for _, buf := range b.free[:b.unused] {
		b.bytes -= cap(buf)
	}
	b.free = slices.Delete(b.free, 0, b.unused)
	b.unused = len(b.free)
}

// lend takes back a buffer that is in use until the end of the tick.
func (b *buffers) lend(buf []byte) { b.lent = append(b.lent, buf) }

// endTick takes back what was lent.
func (b *buffers) endTick() {
	for i, buf := range b.lent {
		b.give(buf)
		b.lent[i] = nil
	}
	b.lent = b.lent[:0]
}
