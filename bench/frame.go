package bench

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// markBytes is the length of a payload's mark:
//
//	0       4       8            12     16                24
//	| number | room | publisher | slot | intended time ns | filling ... |
//
// Little-endian. The smallest payload is a mark alone.
const markBytes = 24

// mark says which message a payload is.
type mark struct {
	number    uint32 // from 0, per publisher and room
	room      uint32
	publisher uint32
	slot      uint32 // the publisher's in-flight slot
	intended  int64  // when it was meant to be sent, ns since the run began
}

// format knows the bytes of every message of a run. All have one length:
//
//	*3 CRLF $7 CRLF message CRLF $11 CRLF room:000042 CRLF $64 CRLF mark filling CRLF
//	|------------------------ head, one per room ----------------------|     |- tail -|
//
// The command PUBLISH has the same length as the push message that it causes.
type format struct {
	rooms    int
	heads    []byte // one per room, headLen each
	headLen  int
	frameLen int
	tail     []byte
}

// verbAt is where the verb stands in a head.
const verbAt = len("*3\r\n$7\r\n")

// channel returns the name of a room's channel. All names have the same length.
func channel(room int) string {
	return fmt.Sprintf("room:%06d", room)
}

// newFormat lays out messages with payloads of size bytes. A RESP3 server delivers pushes ('>').
func newFormat(rooms, size int, resp3 bool) *format {
	kind := byte('*')
	if resp3 {
		kind = '>'
	}
	f := &format{rooms: rooms, tail: append(bytes.Repeat([]byte("."), size-markBytes), "\r\n"...)}
	for room := range rooms {
		name := channel(room)
		f.heads = fmt.Appendf(f.heads, "%c3\r\n$7\r\nmessage\r\n$%d\r\n%s\r\n$%d\r\n", kind, len(name), name, size)
	}
	f.headLen = len(f.heads) / rooms
	f.frameLen = f.headLen + size + len("\r\n")
	return f
}

// head returns the bytes that every message of the room begins with.
func (f *format) head(room uint32) []byte {
	at := int(room) * f.headLen
	return f.heads[at : at+f.headLen]
}

// appendPublish appends the PUBLISH command of a message.
func (f *format) appendPublish(dst []byte, m mark) []byte {
	at := len(dst)
	dst = append(dst, f.head(m.room)...)
	dst[at] = '*'
	copy(dst[at+verbAt:], "PUBLISH")
	dst = binary.LittleEndian.AppendUint32(dst, m.number)
	dst = binary.LittleEndian.AppendUint32(dst, m.room)
	dst = binary.LittleEndian.AppendUint32(dst, m.publisher)
	dst = binary.LittleEndian.AppendUint32(dst, m.slot)
	dst = binary.LittleEndian.AppendUint64(dst, uint64(m.intended))
	return append(dst, f.tail...)
}

// parse returns the mark of a delivered frame of frameLen bytes. It reports false if any byte outside the mark is not
// what was sent.
func (f *format) parse(frame []byte) (mark, bool) {
	b := frame[f.headLen : f.headLen+markBytes]
	m := mark{
		number:    binary.LittleEndian.Uint32(b),
		room:      binary.LittleEndian.Uint32(b[4:]),
		publisher: binary.LittleEndian.Uint32(b[8:]),
		slot:      binary.LittleEndian.Uint32(b[12:]),
		intended:  int64(binary.LittleEndian.Uint64(b[16:])),
	}
	ok := int(m.room) < f.rooms &&
		bytes.Equal(frame[:f.headLen], f.head(m.room)) &&
		bytes.Equal(frame[f.headLen+markBytes:], f.tail)
	return m, ok
}
