package engine

// buffers is what a loop keeps of output buffers between uses, so that a tick
// leaves no garbage: messages and answers come and go with each.
type buffers struct {
	free  [][]byte
	bytes int      // capacity of those in free
	lent  [][]byte // in use until the end of the tick
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
	return buf
}

// give takes back a buffer that nobody uses any more.
func (b *buffers) give(buf []byte) {
	if n := cap(buf); 0 < n && n <= spareBufferBytesMax && b.bytes+n <= spareBytesMax {
		b.free = append(b.free, buf[:0])
		b.bytes += n
	}
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
