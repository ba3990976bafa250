package placement

import (
	"bufio"
	"encoding/binary"
	"hash"
	"hash/crc32"
	"io"
	"slices"
)

// A snapshot as bytes, numbers being uvarints and texts having their length before
// them:
//
//	magic  version  cluster  generation  index  roster's generation and index
//	members: count, then by place a byte, snapshotFree or the state and
//	    name  id  boot  cluster  clients: count, each  zone  weight
//	by shard: count of rooms, then of each
//	    name  epoch's generation and index  want<<1 + keep
//	    hosts: count, place of each  pins: count, each
//	CRC-32C of all that, four bytes, big endian

const (
	snapshotMagic   = "HSPT"
	snapshotVersion = 1
	snapshotFree    = 0xff // a place that no member has
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Snapshot is a table as it was at one time. It shares what has not changed since
// with the table, and may be read while that goes on changing.
type Snapshot struct {
	cluster    string
	generation uint32
	index      uint64
	roster     Epoch
	members    []member
	shards     [shardCount]map[string]room
	pins       map[string][]string
}

// Snapshot takes a snapshot, which costs the same with a million rooms as with
// none. The first change of a shard after it copies the shard.
func (t *Table) Snapshot() *Snapshot {
	for i := range t.frozen {
		t.frozen[i] = true
	}
	t.pinsFrozen = true
	return &Snapshot{t.cluster, t.generation, t.index, t.roster, slices.Clone(t.members), t.shards, t.pins}
}

// WriteTo writes the snapshot.
func (s *Snapshot) WriteTo(w io.Writer) (int64, error) {
	out := &snapshotWriter{to: bufio.NewWriterSize(w, 64<<10), sum: crc32.New(castagnoli)}
	out.bytes([]byte(snapshotMagic))
	out.bytes([]byte{snapshotVersion})
	out.text(s.cluster)
	out.number(uint64(s.generation))
	out.number(s.index)
	out.epoch(s.roster)
	out.number(uint64(len(s.members)))
	for i := range s.members {
		out.member(&s.members[i])
	}
	for _, shard := range s.shards {
		out.number(uint64(len(shard)))
		for name, r := range shard {
			out.room(name, &r, s.pins[name])
		}
	}
	out.bytes(out.sum.Sum(nil))
	if err := out.to.Flush(); out.err == nil {
		out.err = err
	}
	return out.written, out.err
}

// snapshotWriter writes until the first error, which it keeps.
type snapshotWriter struct {
	to      *bufio.Writer
	sum     hash.Hash32
	written int64
	err     error
	scratch []byte
}

func (w *snapshotWriter) bytes(b []byte) {
	if w.err != nil {
		return
	}
	w.sum.Write(b)
	n, err := w.to.Write(b)
	w.written += int64(n)
	w.err = err
}

func (w *snapshotWriter) number(n uint64) {
	w.scratch = binary.AppendUvarint(w.scratch[:0], n)
	w.bytes(w.scratch)
}

func (w *snapshotWriter) text(s string) {
	w.scratch = append(binary.AppendUvarint(w.scratch[:0], uint64(len(s))), s...)
	w.bytes(w.scratch)
}

func (w *snapshotWriter) texts(all []string) {
	w.number(uint64(len(all)))
	for _, s := range all {
		w.text(s)
	}
}

func (w *snapshotWriter) epoch(e Epoch) {
	w.number(uint64(e.Generation))
	w.number(e.Index)
}

func (w *snapshotWriter) member(m *member) {
	if m.free {
		w.bytes([]byte{snapshotFree})
		return
	}
	w.bytes([]byte{byte(m.state)})
	w.text(string(m.Name))
	w.text(m.ID)
	w.number(m.Boot)
	w.text(m.Cluster)
	w.texts(m.Clients)
	w.text(m.Zone)
	w.number(uint64(m.Weight))
}

func (w *snapshotWriter) room(name string, r *room, pins []string) {
	w.text(name)
	w.epoch(r.epoch)
	flags := uint64(r.want) << 1
	if r.keep {
		flags |= 1
	}
	w.number(flags)
	w.number(uint64(r.n))
	for _, at := range r.hosts[:r.n] {
		w.number(uint64(at))
	}
	w.texts(pins)
}
