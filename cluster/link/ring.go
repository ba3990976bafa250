package link

import "time"

// ring holds the batches that the peer has not acknowledged, as they go on the
// wire, the oldest first. They lie one behind the other in blocks:
//
//	blocks    [ acked ▒▒▒▒▒▒ ][ ▒▒▒▒▒▒▒▒▒▒▒ ][ ▒▒▒▒▒ reserved      ]
//	batches           ▲ the oldest             newest ▲
//
// A block is used again when all that it holds is acknowledged.
type ring struct {
	batches  []kept // the oldest is at head
	head     int
	bytes    int // of all that are kept, with their overhead
	records  int
	tail     *block // that the next batch goes into; nil: none yet
	reserved bool   // somebody fills the end of the tail
	spare    [2][]*block
}

// kept is a batch in the ring.
type kept struct {
	bytes   []byte
	records int
	since   time.Time // when Send took its first record
	block   *block
}

// block is a piece of memory.
type block struct {
	bytes []byte // its length is what batches have taken, or had
	live  int    // batches in it
}

func (r *ring) len() int { return len(r.batches) - r.head }

// reserve returns memory for a batch of at most so many bytes, the caller's until
// commit. Only pop may be called before that.
func (r *ring) reserve(bytes int) []byte {
	if r.tail == nil || cap(r.tail.bytes)-len(r.tail.bytes) < bytes {
		full := r.tail
		r.tail = r.newBlock(bytes)
		if full != nil && full.live == 0 {
			r.recycle(full)
		}
	}
	r.reserved = true
	from := len(r.tail.bytes)
	return r.tail.bytes[from : from+bytes : from+bytes]
}

// oldest returns since when the oldest batch waits. There is one.
func (r *ring) oldest() time.Time { return r.batches[r.head].since }

// commit makes the first bytes of what was reserved the newest batch.
func (r *ring) commit(bytes, records int, since time.Time) {
	from := len(r.tail.bytes)
	r.tail.bytes = r.tail.bytes[:from+bytes]
	r.tail.live++
	r.reserved = false
	r.batches = append(r.batches, kept{bytes: r.tail.bytes[from:], records: records, since: since, block: r.tail})
	r.bytes += bytes + batchOverhead
	r.records += records
}

// newest returns a batch of the ring, the newest for 0, the one before for 1.
func (r *ring) newest(i int) []byte { return r.batches[len(r.batches)-1-i].bytes }

// pop drops the n oldest batches.
func (r *ring) pop(n int) {
	for range n {
		k := r.batches[r.head]
		r.batches[r.head] = kept{}
		r.head++
		r.bytes -= len(k.bytes) + batchOverhead
		r.records -= k.records
		if k.block.live--; k.block.live == 0 {
			r.recycle(k.block)
		}
	}
	switch {
	case r.head == len(r.batches):
		r.batches, r.head = r.batches[:0], 0
		r.spare[1] = nil // the long ones
	case r.head >= 64 && r.head > len(r.batches)/2:
		n := copy(r.batches, r.batches[r.head:])
		clear(r.batches[n:])
		r.batches, r.head = r.batches[:n], 0
	}
}

// recycle takes back a block that has no batches any more. The tail begins
// again: an idle link writes from the same few lines of cache.
func (r *ring) recycle(b *block) {
	if b == r.tail {
		if !r.reserved {
			b.bytes = b.bytes[:0]
		}
		return
	}
	for i, size := range [...]int{blockBytes, longBlockBytes} {
		if cap(b.bytes) == size && len(r.spare[i]) < spareBlocksMax {
			b.bytes = b.bytes[:0]
			r.spare[i] = append(r.spare[i], b)
		}
	}
}

func (r *ring) newBlock(bytes int) *block {
	class, size := 0, blockBytes
	if bytes > blockBytes/4 {
		class, size = 1, longBlockBytes
	}
	if spare := r.spare[class]; len(spare) > 0 && bytes <= size {
		b := spare[len(spare)-1]
		r.spare[class] = spare[:len(spare)-1]
		return b
	}
	return &block{bytes: make([]byte, 0, max(size, bytes))}
}
