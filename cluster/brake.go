package cluster

import (
	"bytes"
	"time"

	"hubsub/cluster/lane"
)

// brake slows publishers down whose messages go to a node that does not keep up:
// their answers wait, for brakeTime at the most, so that a link that is broken for
// a moment, or a node that is busy for one, loses nothing. Only publishers of such
// messages are slowed down, whatever else goes to the node. Owned by the loop.
type brake struct {
	crowded bool          // a message has been sent to such a node since begin
	room    []byte        // of the last that was
	until   time.Duration // its answers to other nodes wait
	answers []lateAnswer
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
func (b *brake) active() bool { return b.until > 0 }

// holds reports whether an answer to another node waits: its room is slowed down,
// or an earlier one to that node waits, which it must not overtake.
func (b *brake) holds(now time.Duration, to lane.Peer, room []byte) bool {
	if now < b.until && bytes.Equal(room, b.room) {
		return true
	}
	for i := range b.answers {
		if b.answers[i].to == to && b.answers[i].record != nil {
			return true
		}
	}
	return false
}

func (b *brake) hold(a lateAnswer) { b.answers = append(b.answers, a) }

// due takes the answers whose time has come.
func (b *brake) due(now time.Duration) (all []lateAnswer) {
	n := 0
	for n < len(b.answers) && b.answers[n].due <= now {
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

// next returns when the first is due.
func (b *brake) next() time.Duration {
	if len(b.answers) == 0 {
		return never
	}
	return b.answers[0].due
}

// release answers who has waited long enough.
func (l *Lane) release(now time.Duration) {
	for _, a := range l.brake.due(now) {
		switch {
		case a.record == nil:
			l.outlet.Answer(a.tag, lane.Done, a.n)
		case !l.put(a.to, a.record, true):
			a.due = now + stuckRetry
			l.brake.hold(a)
		}
	}
}
