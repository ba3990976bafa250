package e2e

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math/rand/v2"

	"github.com/klauspost/compress/s2"
)

// longestRecord is what a batch may announce at the most, with its length.
const longestRecord = 2<<20 + binary.MaxVarintLen32

// A batch is what nodes send over links, byte by byte as the documentation of links says: a header with a checksum, and
// records, each behind its length, plain or as an s2 block. Like this it may say what it wants.
type batch struct {
	magic          uint16
	version, flags byte
	raw, coded     uint32
	number, ack    uint64
	body           []byte
}

const (
	batchMagic   = 'H'<<8 | 'L'
	batchS2      = 1 // a flag
	batchHeader  = 32
	batchSummed  = batchHeader - 4 // bytes of the header that the checksum is of
	batchVersion = 1
)

func plainBatch(number uint64, records []byte) batch {
	n := uint32(len(records))
	return batch{magic: batchMagic, version: batchVersion, raw: n, coded: n, number: number, body: records}
}

// codedBatch has a body that is, or is not, the code of so many bytes.
func codedBatch(number uint64, raw int, code []byte) batch {
	b := plainBatch(number, code)
	b.flags, b.raw = batchS2, uint32(raw)
	return b
}

func (b batch) sealed() []byte {
	all := binary.BigEndian.AppendUint16(nil, b.magic)
	all = append(all, b.version, b.flags)
	all = binary.BigEndian.AppendUint32(all, b.raw)
	all = binary.BigEndian.AppendUint32(all, b.coded)
	all = binary.BigEndian.AppendUint64(all, b.number)
	all = binary.BigEndian.AppendUint64(all, b.ack)
	castagnoli := crc32.MakeTable(crc32.Castagnoli)
	sum := crc32.Update(crc32.Checksum(all, castagnoli), castagnoli, b.body)
	return append(binary.BigEndian.AppendUint32(all, sum), b.body...)
}

// records puts each behind its length.
func records(all ...[]byte) (b []byte) {
	for _, record := range all {
		b = withVarint(b, record)
	}
	return b
}

func withVarint(dst, b []byte) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(b))), b...)
}

// leaderKey is by what right somebody gives a room its order.
type leaderKey struct {
	generation, index uint64 // of the placement
	rank              byte
	start             uint64 // of the leader's process
}

func (k leaderKey) append(dst []byte) []byte {
	dst = binary.AppendUvarint(binary.AppendUvarint(dst, k.generation), k.index)
	return binary.AppendUvarint(append(dst, k.rank), k.start)
}

// Types of records that leaders send.
const (
	recordAck      = 2
	recordMessage  = 7
	recordPosition = 8
	recordLead     = 9
	recordEnd      = 10
	recordsKnown   = 15 // types from 1
)

const flagLeads = 2

func recordHead(kind, flags byte, room string) []byte {
	return withVarint([]byte{kind, flags}, []byte(room))
}

// orders is what a leader says under a key: that it leads, that somebody's interest is known, how far it is, a message, and
// the end.
func orders(room, channel string, key leaderKey) [][]byte {
	numbers := func(dst []byte, all ...uint64) []byte {
		for _, n := range all {
			dst = binary.AppendUvarint(dst, n)
		}
		return dst
	}
	under := func(kind, flags byte) []byte { return key.append(recordHead(kind, flags, room)) }
	message := append(numbers(under(recordMessage, 0), 1, 1), 0)
	return [][]byte{
		numbers(key.append(under(recordLead, 0)), 7),
		numbers(under(recordAck, flagLeads), 1, 0, 0, 7),
		numbers(under(recordPosition, 0), 0, 0, 7),
		withVarint(withVarint(message, []byte(channel)), []byte("forged")),
		numbers(key.append(under(recordEnd, 0)), 1, 1),
	}
}

// A forgery is something that comes over a link and does not belong there, with the reason by which it is refused. What is
// refused as a record leaves the connection open.
type forgery struct {
	reason string
	hello  bool // it comes before the first batch
	record bool
	write  func(r *rand.Rand, number uint64) []byte // number is that of the session's next batch
}

// series is the metric that counts it.
func (f forgery) series() string {
	of := "link"
	if f.record {
		of = "records"
	}
	return fmt.Sprintf("hubsub_cluster_%s_refused_total{reason=%q}", of, f.reason)
}

// forgeries are all that can be told from what nodes say, whatever room it is about.
func forgeries() map[string]forgery {
	good := func(r *rand.Rand, number uint64) batch {
		return plainBatch(number, records(noise(r, 100+r.IntN(1000)), noise(r, 10)))
	}
	all := map[string]forgery{}
	header := func(name, reason string, change func(r *rand.Rand, b *batch)) {
		all[name] = forgery{reason: reason, write: func(r *rand.Rand, number uint64) []byte {
			b := good(r, number)
			change(r, &b)
			return b.sealed()
		}}
	}
	all["noise"] = forgery{reason: "wrong_magic", write: func(r *rand.Rand, _ uint64) []byte {
		return append([]byte{anyOf(r, []byte("GPhl\x00\xff")...)}, noise(r, batchHeader+r.IntN(4<<10))...)
	}}
	header("magic", "wrong_magic", func(r *rand.Rand, b *batch) { b.magic = uint16(r.IntN(batchMagic)) })
	header("version", "wrong_version", func(r *rand.Rand, b *batch) { b.version = byte(2 + r.IntN(254)) })
	header("flags", "unknown_flags", func(r *rand.Rand, b *batch) { b.flags = byte(2 + r.IntN(254)) })
	header("too long", "wrong_length", func(r *rand.Rand, b *batch) {
		b.raw = anyOf[uint32](r, longestRecord+1, 8<<20, 1<<31-1, 1<<31, 1<<32-1)
		b.coded = anyOf(r, b.raw, b.coded)
	})
	header("longer as code", "wrong_length", func(r *rand.Rand, b *batch) { b.flags, b.coded = batchS2, anyOf[uint32](r, b.raw+1, 1<<32-1) })
	header("no code", "wrong_length", func(r *rand.Rand, b *batch) { b.flags, b.coded, b.body = batchS2, 0, nil })
	header("two lengths", "wrong_length", func(r *rand.Rand, b *batch) { b.coded-- })
	header("one too soon", "wrong_number", func(r *rand.Rand, b *batch) { b.number += 1 + r.Uint64N(1<<40) })
	header("what has come", "wrong_number", func(r *rand.Rand, b *batch) { b.number-- })
	header("nothing with a number", "wrong_number", func(r *rand.Rand, b *batch) { b.raw, b.coded, b.body = 0, 0, nil })
	header("records without a number", "wrong_number", func(r *rand.Rand, b *batch) { b.number = 0 })
	header("thanks for nothing", "wrong_acknowledgement", func(r *rand.Rand, b *batch) { b.ack = 1<<50 + r.Uint64N(1<<40) })

	body := func(name, reason string, write func(r *rand.Rand, number uint64) batch) {
		all[name] = forgery{reason: reason, write: func(r *rand.Rand, number uint64) []byte { return write(r, number).sealed() }}
	}
	all["damaged"] = forgery{reason: "wrong_checksum", write: func(r *rand.Rand, number uint64) []byte {
		b := good(r, number).sealed()
		b[batchSummed+r.IntN(len(b)-batchSummed)] ^= 1 << r.IntN(8)
		return b
	}}
	body("record cut", "malformed_records", func(r *rand.Rand, number uint64) batch {
		b := records(noise(r, 1000))
		return plainBatch(number, b[:3+r.IntN(900)])
	})
	body("record too long", "malformed_records", func(r *rand.Rand, number uint64) batch {
		length := anyOf[uint64](r, 101, 2<<20+1, 1<<31, 1<<32, 1<<63, 1<<64-1)
		return plainBatch(number, append(binary.AppendUvarint(nil, length), noise(r, 100)...))
	})
	body("no length", "malformed_records", func(r *rand.Rand, number uint64) batch {
		return plainBatch(number, bytes.Repeat([]byte{0xff}, 11+r.IntN(100)))
	})
	body("noise as code", "malformed_code", func(r *rand.Rand, number uint64) batch {
		raw := 1000 + r.IntN(1000)
		return codedBatch(number, raw, append(binary.AppendUvarint(nil, uint64(raw)), noise(r, 500)...))
	})
	body("code of another length", "malformed_code", func(r *rand.Rand, number uint64) batch {
		b := bytes.Repeat(noise(r, 50), 40)
		return codedBatch(number, len(b)+anyOf(r, -1, 1, 1000), s2.Encode(nil, b))
	})
	// Bombs: a few bytes that announce four gigabytes, or hold more than they and the header announce.
	body("bomb of what is not there", "malformed_code", func(r *rand.Rand, number uint64) batch {
		return codedBatch(number, longestRecord, append(binary.AppendUvarint(nil, anyOf[uint64](r, longestRecord, 1<<31, 1<<32-1)), noise(r, 20)...))
	})
	body("bomb of more than said", "malformed_code", func(r *rand.Rand, number uint64) batch {
		code := s2.Encode(nil, make([]byte, 8<<20))
		_, n := binary.Uvarint(code)
		return codedBatch(number, longestRecord, append(binary.AppendUvarint(nil, longestRecord), code[n:]...))
	})
	body("bomb within bounds", "malformed_records", func(r *rand.Rand, number uint64) batch {
		return codedBatch(number, longestRecord, s2.Encode(nil, bytes.Repeat([]byte{0xff}, longestRecord)))
	})

	hello := func(name string, write func(r *rand.Rand) []byte) {
		all[name] = forgery{reason: "malformed_hello", hello: true, write: func(r *rand.Rand, _ uint64) []byte { return write(r) }}
	}
	hello("noise as a hello", func(r *rand.Rand) []byte { return withLength(nil, noise(r, 1+r.IntN(4<<10))) })
	hello("long hello", func(r *rand.Rand) []byte {
		return binary.BigEndian.AppendUint32(nil, anyOf[uint32](r, 4<<10+1, 1<<24, 1<<31, 1<<32-1))
	})
	hello("hello without a session", func(r *rand.Rand) []byte {
		return withLength(nil, []byte(anyOf(r, `{}`, `{"min":1,"max":1,"own":0,"next":2,"attempt":1}`, `{"min":1,"max":1,"own":1,"next":2}`, `null`)))
	})
	hello("hello of nobody", func(r *rand.Rand) []byte {
		return withLength(nil, []byte(anyOf(r, `{"min":2,"max":1,"own":1,"next":2,"attempt":1}`, `{"min":1,"max":1,"own":-1,"next":2,"attempt":1}`,
			`{"min":1,"max":1,"own":18446744073709551616,"next":2,"attempt":1}`, `{"own":"`, `[[[[`)))
	})

	record := func(name, reason string, write func(r *rand.Rand) []byte) {
		all[name] = forgery{reason: reason, record: true, write: func(r *rand.Rand, number uint64) []byte {
			return plainBatch(number, records(write(r))).sealed()
		}}
	}
	record("record of the future", "unknown", func(r *rand.Rand) []byte {
		return append(recordHead(byte(recordsKnown+1+r.IntN(255-recordsKnown)), 0, "everywhere"), noise(r, 100)...)
	})
	record("record of no type", "malformed", func(r *rand.Rand) []byte { return append(recordHead(0, 0, "everywhere"), noise(r, 100)...) })
	record("nothing as a record", "malformed", func(*rand.Rand) []byte { return nil })
	record("room too long", "malformed", func(r *rand.Rand) []byte {
		length := anyOf[uint64](r, 64<<10+1, 1<<31, 1<<63, 1<<64-1)
		return append(binary.AppendUvarint([]byte{recordMessage, 0}, length), noise(r, 66<<10)...)
	})
	record("record without its end", "malformed", func(r *rand.Rand) []byte {
		all := orders("everywhere", "everywhere", leaderKey{1, 1, 0, 1})
		one := all[r.IntN(len(all))]
		return one[:r.IntN(len(one))]
	})
	// One that is as long as any may be.
	all["bomb of one record"] = forgery{reason: "malformed", record: true, write: func(r *rand.Rand, number uint64) []byte {
		b := records(make([]byte, 2<<20))
		return codedBatch(number, len(b), s2.Encode(nil, b)).sealed()
	}}
	return all
}
