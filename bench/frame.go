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

// format knows the bytes of every message of a run in one protocol. All have one length:
//
//	*3 CRLF $7 CRLF message CRLF $11 CRLF room:000042 CRLF $64 CRLF mark filling CRLF     RESP2; RESP3 begins with >
//	MSG room:000042 000042 64 CRLF                                  mark filling CRLF     NATS
//	|------------------------ head, one per room ----------------------|     |- tail -|
type format struct {
	protocol protocol
	rooms    int
	heads    []byte // one per room, headLen each
	headLen  int
	frameLen int
	tail     []byte

	ping, pong []byte // see protocol.ping

	// A command that publishes is verb, name, after, mark, tail. The name stands in the head too.
	verb, after []byte
	nameAt      int
}

const (
	roomPrefix = "room:"
	nameLen    = len("room:000042")
)

// channel returns the name of a room's channel. All names have the same length.
func channel(room int) string {
	return fmt.Sprintf("%s%06d", roomPrefix, room)
}

// newFormat lays out messages with payloads of size bytes.
func newFormat(p protocol, rooms, size int) *format {
	f := &format{protocol: p, rooms: rooms, tail: append(bytes.Repeat([]byte("."), size-markBytes), "\r\n"...)}
	f.ping, f.pong = p.ping()
	var before string // what stands in a head before the name
	if p == nats {
		before = "MSG "
		f.verb, f.after = []byte("PUB "), fmt.Appendf(nil, " %d\r\n", size)
	} else {
		lead := func(kind byte, verb string) string {
			return fmt.Sprintf("%c3\r\n$%d\r\n%s\r\n$%d\r\n", kind, len(verb), verb, nameLen)
		}
		before = lead(p.pushKind(), messageVerb)
		f.verb, f.after = []byte(lead('*', "PUBLISH")), fmt.Appendf(nil, "\r\n$%d\r\n", size)
	}
	f.nameAt = len(before)
	for room := range rooms {
		name := channel(room)
		f.heads = append(append(f.heads, before...), name...)
		if p == nats {
			f.heads = append(append(f.heads, ' '), natsID(name)...)
		}
		f.heads = append(f.heads, f.after...)
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

// appendPublish appends the command that publishes a message.
func (f *format) appendPublish(dst []byte, m mark) []byte {
	dst = append(dst, f.verb...)
	dst = append(dst, f.head(m.room)[f.nameAt:f.nameAt+nameLen]...)
	dst = append(dst, f.after...)
	return f.appendPayload(dst, m)
}

// appendPayload appends a message's mark, its filling and the end of its frame.
func (f *format) appendPayload(dst []byte, m mark) []byte {
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
