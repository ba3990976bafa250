package placement

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
	"math"
	"slices"
)

// Restore replaces all that the table holds with a snapshot. If it cannot, the
// table stays as it was.
func (t *Table) Restore(r io.Reader) error {
	in := &snapshotReader{from: bufio.NewReaderSize(r, 64<<10), sum: crc32.New(castagnoli)}
	restored := in.table()
	if in.err != nil {
		return fmt.Errorf("cannot restore the table: %w", in.err)
	}
	*t = *restored
	return nil
}

var errDamaged = errors.New("the snapshot is damaged")

// snapshotReader reads until the first error, which it keeps; from then on all is
// zero. No length is believed: what is allocated follows what has arrived.
type snapshotReader struct {
	from    *bufio.Reader
	sum     hash.Hash32
	err     error
	scratch []byte
}

func (r *snapshotReader) fail(err error) {
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	if r.err == nil {
		r.err = err
	}
}

// check fails unless it is so.
func (r *snapshotReader) check(so bool) {
	if !so {
		r.fail(errDamaged)
	}
}

// ReadByte is for binary.ReadUvarint.
func (r *snapshotReader) ReadByte() (byte, error) {
	b, err := r.from.ReadByte()
	if err == nil {
		r.scratch = append(r.scratch[:0], b)
		r.sum.Write(r.scratch)
	}
	return b, err
}

func (r *snapshotReader) byte() byte {
	if r.err != nil {
		return 0
	}
	b, err := r.ReadByte()
	if err != nil {
		r.fail(err)
	}
	return b
}

// number reads one that is at most most.
func (r *snapshotReader) number(most uint64) uint64 {
	if r.err != nil {
		return 0
	}
	n, err := binary.ReadUvarint(r)
	if err != nil {
		r.fail(err)
		return 0
	}
	if r.check(n <= most); r.err != nil {
		return 0
	}
	return n
}

func (r *snapshotReader) text(most int) string {
	b := make([]byte, r.number(uint64(most)))
	if r.err != nil {
		return ""
	}
	if _, err := io.ReadFull(r.from, b); err != nil {
		r.fail(err)
		return ""
	}
	r.sum.Write(b)
	return string(b)
}

func (r *snapshotReader) texts(most int) (all []string) {
	for range r.number(uint64(most)) {
		all = append(all, r.text(memberTextMax))
	}
	return all
}

func (r *snapshotReader) epoch() Epoch {
	return Epoch{uint32(r.number(math.MaxUint32)), r.number(math.MaxUint64)}
}

func (r *snapshotReader) table() *Table {
	t := NewTable()
	for _, want := range []byte(snapshotMagic) {
		r.check(r.byte() == want)
	}
	if v := r.byte(); r.err == nil && v != snapshotVersion {
		r.fail(fmt.Errorf("the snapshot is of version %d, which this program does not know", v))
	}
	t.cluster = r.text(memberTextMax)
	t.generation = uint32(r.number(math.MaxUint32))
	t.index = r.number(math.MaxUint64)
	t.roster = r.epoch()
	r.check(t.roster.Compare(t.Now()) <= 0)
	for range r.number(membersMax) {
		if r.member(t); r.err != nil {
			return nil
		}
	}
	for shard := range shardCount {
		for range r.number(math.MaxUint64) {
			if r.room(t, shard); r.err != nil {
				return nil
			}
		}
	}
	r.end()
	return t
}

func (r *snapshotReader) member(t *Table) {
	state := r.byte()
	if state == snapshotFree {
		t.members = append(t.members, member{free: true})
		return
	}
	m := Member{Name: Name(r.text(memberTextMax)), ID: r.text(memberTextMax), Boot: r.number(math.MaxUint64)}
	m.Cluster, m.Clients, m.Zone = r.text(memberTextMax), r.texts(clientsMax), r.text(memberTextMax)
	m.Weight = int(r.number(weightMax))
	_, twice := t.byName[m.Name]
	if r.check(m.fits() && !twice && State(state) <= Left); r.err == nil {
		t.byName[m.Name] = place(len(t.members))
		t.members = append(t.members, member{Member: m, state: State(state)})
	}
}

func (r *snapshotReader) room(t *Table, shard int) {
	name := r.text(RoomNameMax)
	var one room
	one.epoch = r.epoch()
	flags := r.number(HostsMax<<1 | 1)
	one.want, one.keep = uint8(flags>>1), flags&1 == 1
	one.n = uint8(r.number(HostsMax))
	for i := range one.n {
		at := r.number(membersMax - 1)
		if r.check(at < uint64(len(t.members)) && !t.members[at].free && !slices.Contains(one.hosts[:i], place(at))); r.err != nil {
			return
		}
		one.hosts[i] = place(at)
	}
	pins := r.texts(HostsMax)
	_, twice := t.shards[shard][name]
	r.check(nameFits(name) && shardOf(name) == shard && !twice && one.n > 0 && one.want > 0)
	if r.check(!one.epoch.IsZero() && one.epoch.Compare(t.Now()) <= 0); r.err == nil {
		t.put(name, one, pins)
	}
}

// end reads the sum, behind which nothing comes.
func (r *snapshotReader) end() {
	sum := r.sum.Sum32()
	var read [4]byte
	if r.err != nil {
		return
	}
	if _, err := io.ReadFull(r.from, read[:]); err != nil {
		r.fail(err)
		return
	}
	_, err := r.from.ReadByte()
	r.check(binary.BigEndian.Uint32(read[:]) == sum && err == io.EOF)
}
