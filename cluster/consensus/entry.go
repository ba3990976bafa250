package consensus

import (
	"encoding/binary"
	"errors"

	"hubsub/cluster/placement"
)

// An entry of the log, numbers being uvarints (signed ones zigzag) and texts
// having their length before them:
//
//	version  proposer  session  proposal  count of ops, then of each
//	    kind, one byte  length of what follows
//	    PutRoom          room  prev's generation and index  want  keep
//	                     hosts: count, each  pins: count, each
//	    DeleteRoom       room  prev's generation and index
//	    PutMember        name  id  boot  cluster  clients: count, each  zone  weight
//	    SetState         name  state
//	    Forget           name
//	    BeginGeneration  generation  cluster
//
// Fields may be added at the end of an op, and kinds: who does not know them
// skips them.

const entryVersion = 1

// entry is ops and who proposed them. A process is several proposers, one after
// the other: a session is one of them, so that what is read again from the log
// after a restart is not taken for what was proposed since.
type entry struct {
	proposer placement.Name
	session  uint64
	proposal uint64
	ops      []placement.Op
}

func (e *entry) encode() []byte {
	b := append(make([]byte, 0, 64+64*len(e.ops)), entryVersion)
	b = appendText(b, string(e.proposer))
	b = binary.AppendUvarint(b, e.session)
	b = binary.AppendUvarint(b, e.proposal)
	b = binary.AppendUvarint(b, uint64(len(e.ops)))
	var body []byte
	for i := range e.ops {
		body = appendOp(body[:0], &e.ops[i])
		b = append(b, byte(e.ops[i].Kind))
		b = binary.AppendUvarint(b, uint64(len(body)))
		b = append(b, body...)
	}
	return b
}

func appendOp(b []byte, op *placement.Op) []byte {
	switch op.Kind {
	case placement.PutRoom:
		b = appendText(b, op.Room)
		b = appendEpoch(b, op.Prev)
		b = binary.AppendVarint(b, int64(op.Want))
		b = appendBool(b, op.Keep)
		b = appendTexts(b, op.Hosts)
		return appendTexts(b, op.Pins)
	case placement.DeleteRoom:
		return appendEpoch(appendText(b, op.Room), op.Prev)
	case placement.PutMember:
		m := &op.Member
		b = appendText(b, string(m.Name))
		b = appendText(b, m.ID)
		b = binary.AppendUvarint(b, m.Boot)
		b = appendText(b, m.Cluster)
		b = appendTexts(b, m.Clients)
		b = appendText(b, m.Zone)
		return binary.AppendVarint(b, int64(m.Weight))
	case placement.SetState:
		return append(appendText(b, string(op.Member.Name)), byte(op.State))
	case placement.Forget:
		return appendText(b, string(op.Member.Name))
	case placement.BeginGeneration:
		return appendText(binary.AppendUvarint(b, uint64(op.Generation)), op.Cluster)
	}
	return b
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func appendTexts[T ~string](b []byte, all []T) []byte {
	b = binary.AppendUvarint(b, uint64(len(all)))
	for _, s := range all {
		b = appendText(b, string(s))
	}
	return b
}

func appendEpoch(b []byte, e placement.Epoch) []byte {
	return binary.AppendUvarint(binary.AppendUvarint(b, uint64(e.Generation)), e.Index)
}

func appendBool(b []byte, v bool) []byte {
	if v {
		return append(b, 1)
	}
	return append(b, 0)
}

var errEntry = errors.New("malformed entry")

// decode reads what encode wrote. Every program of one version finds the same,
// an error too: all must do the same with an entry. What it returns shares
// nothing with b.
func decode(b []byte) (entry, error) {
	d := decoder{rest: b}
	if d.byte() != entryVersion {
		return entry{}, errEntry
	}
	e := entry{proposer: placement.Name(d.text()), session: d.number(), proposal: d.number()}
	for range d.count(2) {
		op := placement.Op{Kind: placement.OpKind(d.byte())}
		body := decoder{rest: d.bytes(d.number()), failed: d.failed}
		body.op(&op)
		if d.failed = body.failed; d.failed {
			break
		}
		e.ops = append(e.ops, op)
	}
	if d.failed || len(d.rest) > 0 {
		return entry{}, errEntry
	}
	return e, nil
}

// decoder reads until the first mistake; from then on all is zero. No length is
// believed: what is allocated follows what is there.
type decoder struct {
	rest   []byte
	failed bool
}

func (d *decoder) op(op *placement.Op) {
	switch op.Kind {
	case placement.PutRoom:
		op.Room, op.Prev = d.text(), d.epoch()
		op.Want, op.Keep = d.signed(), d.byte() != 0
		op.Hosts, op.Pins = texts[placement.Name](d), texts[string](d)
	case placement.DeleteRoom:
		op.Room, op.Prev = d.text(), d.epoch()
	case placement.PutMember:
		op.Member = placement.Member{
			Name: placement.Name(d.text()), ID: d.text(), Boot: d.number(), Cluster: d.text(),
			Clients: texts[string](d), Zone: d.text(), Weight: d.signed(),
		}
	case placement.SetState:
		op.Member.Name, op.State = placement.Name(d.text()), placement.State(d.byte())
	case placement.Forget:
		op.Member.Name = placement.Name(d.text())
	case placement.BeginGeneration:
		op.Generation, op.Cluster = d.number32(), d.text()
	}
}

func (d *decoder) bytes(n uint64) []byte {
	if d.failed = d.failed || n > uint64(len(d.rest)); d.failed {
		return nil
	}
	b := d.rest[:n]
	d.rest = d.rest[n:]
	return b
}

func (d *decoder) byte() byte {
	if b := d.bytes(1); b != nil {
		return b[0]
	}
	return 0
}

func (d *decoder) number() uint64 {
	v, n := binary.Uvarint(d.rest)
	if d.bytes(uint64(max(n, 0))); n <= 0 {
		d.failed = true
	}
	if d.failed {
		return 0
	}
	return v
}

func (d *decoder) number32() uint32 {
	v := d.number()
	if v > 1<<32-1 {
		d.failed = true
	}
	return uint32(v)
}

func (d *decoder) signed() int {
	v, n := binary.Varint(d.rest)
	if d.bytes(uint64(max(n, 0))); n <= 0 {
		d.failed = true
	}
	if d.failed {
		return 0
	}
	return int(v)
}

// count reads how many things follow that take so many bytes each at least.
func (d *decoder) count(each int) uint64 {
	n := d.number()
	if n > uint64(len(d.rest)/each) {
		d.failed = true
		return 0
	}
	return n
}

func (d *decoder) text() string { return string(d.bytes(d.number())) }

func texts[T ~string](d *decoder) (all []T) {
	for range d.count(1) {
		all = append(all, T(d.text()))
	}
	return all
}

func (d *decoder) epoch() placement.Epoch {
	return placement.Epoch{Generation: d.number32(), Index: d.number()}
}
