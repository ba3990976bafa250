package link

import (
	"encoding/binary"
	"hash/crc32"
)

// A batch is a header and a body. Integers are big endian.
//
//	 0  magic     2 bytes
//	 2  version   1
//	 3  flags     1
//	 4  raw       4  bytes of the records
//	 8  coded     4  bytes of the body that follows
//	12  number    8  of the batch in its session, from 1
//	20  ack       8  the last number that has been received
//	28  checksum  4  CRC-32C of all before it and the body
//
// The records are whole: each is its length, an unsigned varint, and its bytes.
// A batch without records has no number: it is there for its ack.
const (
	headerBytes    = 32
	checksumOffset = headerBytes - 4

	magic   = 'H'<<8 | 'L'
	version = 1
)

// flags of a batch. Whoever meets one that it does not know cannot read it.
const (
	flagS2 = 1 << iota // the body is an s2 block

	flagsKnown = flagS2
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// header is what a batch's first bytes say.
type header struct {
	flags       byte
	raw, coded  int
	number, ack uint64
	checksum    uint32
}

// seal writes the header of a batch whose body is in its place, behind it.
func (h *header) seal(batch []byte) {
	binary.BigEndian.PutUint16(batch, magic)
	batch[2], batch[3] = version, h.flags
	binary.BigEndian.PutUint32(batch[4:], uint32(h.raw))
	binary.BigEndian.PutUint32(batch[8:], uint32(h.coded))
	binary.BigEndian.PutUint64(batch[12:], h.number)
	binary.BigEndian.PutUint64(batch[20:], h.ack)
	h.checksum = checksum(batch[:checksumOffset], batch[headerBytes:])
	binary.BigEndian.PutUint32(batch[checksumOffset:], h.checksum)
}

// parseHeader reads a header and checks all that can be known without the body.
func parseHeader(b []byte) (header, error) {
	_ = b[headerBytes-1]
	switch {
	case binary.BigEndian.Uint16(b) != magic:
		return header{}, refuseMagic
	case b[2] != version:
		return header{}, refuseVersion
	case b[3]&^flagsKnown != 0:
		return header{}, refuseFlags
	}
	raw, coded := binary.BigEndian.Uint32(b[4:]), binary.BigEndian.Uint32(b[8:])
	if raw > rawBytesMax || coded > raw {
		return header{}, refuseLength
	}
	h := header{
		flags: b[3], raw: int(raw), coded: int(coded),
		number: binary.BigEndian.Uint64(b[12:]), ack: binary.BigEndian.Uint64(b[20:]),
		checksum: binary.BigEndian.Uint32(b[checksumOffset:]),
	}
	compressed := h.flags&flagS2 != 0
	if (!compressed && h.coded != h.raw) || (compressed && h.coded == 0) {
		return header{}, refuseLength
	}
	if (h.number == 0) != (h.raw == 0) {
		return header{}, refuseOrder
	}
	return h, nil
}

// intact reports whether a batch is what was sealed.
func (h *header) intact(batch []byte) bool {
	return checksum(batch[:checksumOffset], batch[headerBytes:]) == h.checksum
}

func checksum(head, body []byte) uint32 {
	return crc32.Update(crc32.Update(0, castagnoli, head), castagnoli, body)
}

// countRecords returns how many records there are, and false if they are not
// whole.
func countRecords(records []byte) (n int, whole bool) {
	for len(records) > 0 {
		size := recordSize(records)
		if size == 0 {
			return n, false
		}
		records = records[size:]
		n++
	}
	return n, true
}

// splitRecords returns how many of the records, and bytes of them, fit in a
// batch, one at least.
func splitRecords(records []byte) (n, bytes int) {
	for bytes < len(records) {
		size := recordSize(records[bytes:])
		if size == 0 {
			panic("link: sent what are no whole records")
		}
		if n > 0 && bytes+size > batchBytesMax {
			break
		}
		bytes += size
		n++
	}
	return n, bytes
}

// recordSize returns the bytes that the first of some records takes with its
// length, 0 if it is not whole or too long.
func recordSize(records []byte) int {
	if records[0] < 0x80 { // as most are
		if size := 1 + int(records[0]); size <= len(records) {
			return size
		}
		return 0
	}
	length, n := binary.Uvarint(records)
	if n <= 0 || length > RecordBytesMax || uint64(len(records)-n) < length {
		return 0
	}
	return n + int(length)
}
