package lane

import (
	"encoding/binary"
	"errors"

	"hubsub/cluster/placement"
)

// This file is about records on the wire:
//
//	type, flags    a byte each
//	room           uvarint length, bytes
//	the rest       as its type has it (see Type): numbers are uvarints, names and
//	               messages like the room, a key is generation, index, rank, start,
//	               items are their number, then kind, name and count of each
//
// What follows in a record of a known type is of a later version, and is skipped.

// Errors of ParseRecord.
var (
	ErrUnknown = errors.New("a record of a type that is not known")
	ErrRecord  = errors.New("not a record")
)

// parts say what a record of each type has, in this order.
type part uint16

const (
	hasKey part = 1 << iota
	hasPrev
	hasSerial
	hasAttempt
	hasNumber
	hasIndex
	hasLife
	hasCount
	hasChannel // kind, too
	hasMessage
	hasItems
)

var partsOf = [typeMax]part{
	Announce:        hasKey | hasSerial | hasItems,
	Ack:             hasKey | hasSerial | hasNumber | hasIndex | hasLife,
	NotHost:         hasKey,
	Publish:         hasKey | hasSerial | hasAttempt | hasChannel | hasMessage,
	Ordered:         hasKey | hasSerial | hasCount,
	Refuse:          hasKey | hasSerial | hasAttempt,
	Message:         hasKey | hasNumber | hasIndex | hasChannel | hasMessage,
	Position:        hasKey | hasNumber | hasIndex | hasLife,
	Lead:            hasKey | hasPrev | hasLife,
	End:             hasKey | hasPrev | hasNumber | hasIndex,
	Handover:        hasKey | hasPrev | hasCount,
	Higher:          hasKey,
	PatternAnnounce: hasSerial | hasItems,
	PatternAck:      hasSerial,
	Recall:          hasKey,
}

// AppendRecord appends a record.
func AppendRecord(dst []byte, r *Record) []byte {
	dst = append(dst, byte(r.Type), r.Flags)
	dst = appendBytes(dst, r.Room)
	has := partsOf[r.Type]
	if has&hasKey != 0 {
		dst = appendKey(dst, r.Key)
	}
	if has&hasPrev != 0 {
		dst = appendKey(dst, r.Prev)
	}
	if has&hasSerial != 0 {
		dst = binary.AppendUvarint(dst, r.Serial)
	}
	if has&hasAttempt != 0 {
		dst = binary.AppendUvarint(dst, r.Attempt)
	}
	if has&hasNumber != 0 {
		dst = binary.AppendUvarint(dst, r.Number)
	}
	if has&hasIndex != 0 {
		dst = binary.AppendUvarint(dst, r.Index)
	}
	if has&hasLife != 0 {
		dst = binary.AppendUvarint(dst, r.Life)
	}
	if has&hasCount != 0 {
		dst = binary.AppendUvarint(dst, uint64(r.Count))
	}
	if has&hasChannel != 0 {
		dst = append(dst, byte(r.Kind))
		dst = appendBytes(dst, r.Channel)
	}
	if has&hasMessage != 0 {
		dst = appendBytes(dst, r.Message)
	}
	if has&hasItems != 0 {
		dst = binary.AppendUvarint(dst, uint64(len(r.Items)))
		for i := range r.Items {
			item := &r.Items[i]
			dst = append(dst, byte(item.Kind))
			dst = appendBytes(dst, item.Name)
			dst = binary.AppendUvarint(dst, uint64(item.Count))
		}
	}
	return dst
}

func appendBytes(dst, b []byte) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(b)))
	return append(dst, b...)
}

func appendKey(dst []byte, k Key) []byte {
	dst = binary.AppendUvarint(dst, uint64(k.Epoch.Generation))
	dst = binary.AppendUvarint(dst, k.Epoch.Index)
	dst = append(dst, k.Rank)
	return binary.AppendUvarint(dst, k.Start)
}

// RoomOf returns the room of a record, whatever its type.
func RoomOf(src []byte) (room []byte, err error) {
	d := decoder{rest: src}
	d.byte()
	d.byte()
	room = d.bytes(roomBytesMax)
	return room, d.err()
}

// ParseRecord reads one record into r, whose slices then refer to src; the array
// of its items is used again. The error is ErrUnknown for what a later version may
// have sent.
func ParseRecord(src []byte, r *Record) error {
	items := r.Items[:0]
	*r = Record{}
	d := decoder{rest: src}
	r.Type, r.Flags = Type(d.byte()), d.byte()
	r.Room = d.bytes(roomBytesMax)
	if d.bad || r.Type == 0 {
		return ErrRecord
	}
	if r.Type >= typeMax {
		return ErrUnknown
	}
	has := partsOf[r.Type]
	if has&hasKey != 0 {
		r.Key = d.key()
	}
	if has&hasPrev != 0 {
		r.Prev = d.key()
	}
	if has&hasSerial != 0 {
		r.Serial = d.number()
	}
	if has&hasAttempt != 0 {
		r.Attempt = d.number()
	}
	if has&hasNumber != 0 {
		r.Number = d.number()
	}
	if has&hasIndex != 0 {
		r.Index = d.number()
	}
	if has&hasLife != 0 {
		r.Life = d.number()
	}
	if has&hasCount != 0 {
		r.Count = int64(d.upTo(1<<63 - 1))
	}
	if has&hasChannel != 0 {
		r.Kind = d.kind()
		r.Channel = d.bytes(nameBytesMax)
	}
	if has&hasMessage != 0 {
		r.Message = d.bytes(messageBytesMax)
	}
	if has&hasItems != 0 {
		n := int(d.upTo(itemsMax))
		for i := 0; i < n && !d.bad; i++ {
			items = append(items, Item{d.kind(), d.bytes(nameBytesMax), int64(d.upTo(1<<63 - 1))})
		}
		r.Items = items
	}
	return d.err()
}

// decoder reads what a record consists of; bad stays set once something was
// missing or too large.
type decoder struct {
	rest []byte
	bad  bool
}

func (d *decoder) err() error {
	if d.bad {
		return ErrRecord
	}
	return nil
}

func (d *decoder) byte() (b byte) {
	if len(d.rest) == 0 {
		d.bad = true
		return 0
	}
	b, d.rest = d.rest[0], d.rest[1:]
	return b
}

func (d *decoder) number() uint64 {
	n, size := binary.Uvarint(d.rest)
	if size <= 0 {
		d.bad = true
		return 0
	}
	d.rest = d.rest[size:]
	return n
}

func (d *decoder) upTo(most uint64) uint64 {
	n := d.number()
	if n > most {
		d.bad = true
		return 0
	}
	return n
}

func (d *decoder) bytes(most int) []byte {
	n := int(d.upTo(uint64(most)))
	if d.bad || n > len(d.rest) {
		d.bad = true
		return nil
	}
	b := d.rest[:n:n]
	d.rest = d.rest[n:]
	return b
}

func (d *decoder) kind() Kind {
	k := Kind(d.byte())
	if k > Pattern {
		d.bad = true
	}
	return k
}

func (d *decoder) key() Key {
	return Key{
		Epoch: placement.Epoch{Generation: uint32(d.upTo(1<<32 - 1)), Index: d.number()},
		Rank:  d.byte(),
		Start: d.number(),
	}
}
