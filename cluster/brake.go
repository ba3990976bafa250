package cluster

import (
	"bytes"
	"slices"
	"time"

	"hubsub/cluster/lane"
)

// brake slows publishers down whose messages go to a node that does not keep up:
// their answers wait, for brakeTime at the most, so that a link that is broken for
// a moment, or a node that is busy for one, loses nothing. Only publishers of such
// messages are slowed down, whatever else goes to the node. Owned by the loop.
//
// An answer to another node is Ordered. Refuse must not overtake it: who publishes
// would take what was ordered for refused too, and send it again. Nothing else
// speaks of a publish: a message may come before its answer, as it does for clients
// here, and what else there is about a room (Lead, End, Handover, Ack, Position)
// leaves publishes alone until they are answered.
type brake struct {
	crowded bool              // a message has been sent to such a node since begin
	room    []byte            // of the last that was
	until   time.Duration     // its answers to other nodes wait
	retryAt time.Duration     // nothing leaves before: a link had no room
	answers []lateAnswer      // in the order in which they came, and are due
	records map[lane.Peer]int // how many of them are for which node
}

// lateAnswer is one that waits: to a client here, or to another node, which then
// has a record.
type lateAnswer struct {
	due    time.Duration
	tag    uint64
	n      int64
	to     lane.Peer
	record []byte // encoded; nil: for a client here
}

// begin is called before what may send messages.
func (b *brake) begin() { b.crowded = false }

// slow slows a room down, of which a message has gone to a node that does not keep
// up.
func (b *brake) slow(now time.Duration, room []byte) {
	b.room = append(b.room[:0], room...)
	b.until = now + brakeTime
}

// active reports whether something may wait.
func (b *brake) active() bool { return b.until > 0 || len(b.records) > 0 }

// holds reports whether an answer to another node waits: its room is slowed down,
// or an earlier one to that node waits, which it must not overtake.
func (b *brake) holds(now time.Duration, to lane.Peer, room []byte) bool {
	return now < b.until && bytes.Equal(room, b.room) || b.waits(to)
}

// waits reports whether an answer to a node does.
func (b *brake) waits(to lane.Peer) bool { return b.records[to] > 0 }

// holdsRecord reports whether a record for another node waits.
func (b *brake) holdsRecord(now time.Duration, to lane.Peer, rec *lane.Record) bool {
	switch rec.Type {
	case lane.Ordered:
		return b.holds(now, to, rec.Room)
	case lane.Refuse:
		return b.waits(to)
	default:
		return false
	}
}

func (b *brake) hold(a lateAnswer) {
	b.answers = append(b.answers, a)
	b.count(a, 1)
}

// count counts the records for each node, so that nobody has to look for them.
func (b *brake) count(a lateAnswer, n int) {
	if a.record == nil {
		return
	}
	if b.records == nil {
		b.records = make(map[lane.Peer]int)
	}
	if b.records[a.to] += n; b.records[a.to] == 0 {
		delete(b.records, a.to)
	}
}

// due takes the answers whose time has come.
func (b *brake) due(now time.Duration) (all []lateAnswer) {
	n := 0
	for now >= b.retryAt && n < len(b.answers) && b.answers[n].due <= now {
		b.count(b.answers[n], -1)
		n++
	}
	if all = b.answers[:n]; n == len(b.answers) {
		b.answers = nil
		if now >= b.until {
			b.until = 0
		}
	} else {
		b.answers = b.answers[n:]
	}
	return all
}

// again takes back what could not be sent, in front of what came later.
func (b *brake) again(now time.Duration, all []lateAnswer) {
	b.retryAt = now + stuckRetry
	b.answers = append(all, b.answers...)
	for _, a := range all {
		b.count(a, 1)
	}
}

// forget drops what waits for a node, and returns how many records that are.
func (b *brake) forget(to lane.Peer) (n int) {
	if n = b.records[to]; n > 0 {
		b.answers = slices.DeleteFunc(b.answers, func(a lateAnswer) bool { return a.record != nil && a.to == to })
		delete(b.records, to)
	}
	return n
}

// next returns when the first is due.
func (b *brake) next() time.Duration {
	if len(b.answers) == 0 {
		return never
	}
	return max(b.answers[0].due, b.retryAt)
}

// release answers who has waited long enough. If there is no room for one to a
// node there is none for those after it, before the next flush: none overtakes it.
func (l *Lane) release(now time.Duration) {
	var stuck []lateAnswer
	for _, a := range l.brake.due(now) {
		if a.record == nil {
			l.outlet.Answer(a.tag, lane.Done, a.n)
		} else if !l.put(a.to, a.record, true) {
			stuck = append(stuck, a)
		}
	}
	if stuck != nil {
		l.brake.again(now, stuck)
	}
}
