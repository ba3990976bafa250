package engine

import (
	"runtime"
	"sync"
	"sync/atomic"

	"hubsub/resp"
	"hubsub/ring"
)

// relay is a loop's dealings with lanes: its own, and those of the other loops,
// which it asks through their loops.
//
//	a session ── ask ──▶ own lane
//	          └─ asks, one batch a tick ──▶ another loop ── put ──▶ its lane
//	                ◀── mail: replies, after that loop has appended ──┘
//
// A lane's answer is recorded at once, whoever called the lane. What follows of
// it waits for its time: writing for emit, before messages go out to clients;
// executing commands for advance, when none is being executed.
type relay struct {
	// Set once.
	loop *loop
	lane Lane
	max  int // bytes of a message

	// Owned by the loop.
	tickets
	newcomers
	asks     []*asks    // by loop, what its lane is to be asked; nil: nothing
	replies  [][]reply  // by loop, what its questions were answered
	owed     int        // how many
	awaited  int        // answers that other loops owe us
	touched  bool       // the lane has heard something since it was flushed
	calling  uint64     // the tag with which the lane is being called
	called   Result     // what it answered in the call
	answered []*Session // have slots that were filled
	stalls   []*Session // may go on, perhaps
	complete []*Batch
	written  int // of complete
	gaps     gapLog
	publish  resp.Command // what is delivered
	args     [3][]byte    // its
	expelled expelled

	// Any goroutine, atomic: from the append of messages to the mail of what their
	// publishers are answered.
	publishing atomic.Bool
	hasMail    atomic.Bool
	mu         sync.Mutex
	mail       []reply // guarded by mu
	read       []reply // the loop's; changes places with mail
}

// reply is an answer on its way to the loop that asked.
type reply struct {
	tag    uint64
	result Result
}

func newRelay(l *loop, max int) *relay {
	loops := len(l.engine.loops)
	return &relay{loop: l, max: max, tickets: tickets{own: l.id}, newcomers: makeNewcomers(),
		asks: make([]*asks, loops), replies: make([][]reply, loops)}
}

func (y *relay) tooLarge(n int) bool { return y.max > 0 && n > y.max }

// answer records what a question was answered with.
func (y *relay) answer(tag uint64, r Result) {
	switch loop := tagLoop(tag); {
	case tag == 0:
	case tag == y.calling:
		y.called = r
	case loop == y.loop.id:
		y.record(tag, r)
	default:
		y.reply(loop, tag, r)
	}
}

func (y *relay) reply(loop int, tag uint64, r Result) {
	y.replies[loop] = append(y.replies[loop], reply{tag, r})
	y.owed++
}

// record gives an answer to who waits for it, if they still do.
func (y *relay) record(tag uint64, r Result) {
	who, ok := y.redeem(tag)
	if !ok {
		y.loop.engine.log.Error("a question was answered twice", "loop", y.loop.id, "tag", tag)
		return
	}
	s := who.session
	if b := who.batch; b != nil {
		if b.quick && s.pending != nil {
			if s.pending.asked--; s.pending.empty() {
				s.pending = nil
			}
		}
		if b.fill(who.place, r) {
			y.complete = append(y.complete, b)
		}
		return
	}
	if s.pending != nil && s.pending.fill(who.place, r) && !s.has(answered) {
		s.flags |= answered
		y.answered = append(y.answered, s)
	}
}

// emit writes the answers that have come, where that is all there is to do.
func (y *relay) emit() {
	for i, s := range y.answered {
		y.answered[i] = nil
		s.flags &^= answered
		if s.ended() || s.has(doomed) {
			continue
		}
		s.active.Store(y.loop.now) // it was not silent: it waited
		s.emit()
		if s.has(stalled) {
			y.stalls = append(y.stalls, s)
		}
	}
	y.answered = y.answered[:0]
	for ; y.written < len(y.complete); y.written++ {
		if b := y.complete[y.written]; b != nil {
			b.write()
		}
	}
}

// advance has those go on whose answers have come. No command may be executed
// while it is called.
func (y *relay) advance() {
	y.takeMail()
	y.emit()
	for i := 0; i < len(y.complete); i++ {
		b := y.complete[i]
		y.complete[i] = nil
		b.finish()
	}
	y.complete, y.written = y.complete[:0], 0
	for i := 0; i < len(y.stalls); i++ {
		s := y.stalls[i]
		y.stalls[i] = nil
		if s.has(stalled) && s.mayGoOn() {
			y.loop.goOn(s, stalled)
		}
	}
	y.stalls = y.stalls[:0]
}

// catchUp is the loop's, with answers in their places: those to what the loop
// brings out to clients come first, and other loops have theirs once the
// messages are in the logs.
func (y *relay) catchUp() {
	l := y.loop
	y.takeMail()
	y.emit()
	l.inbox.Drain(y.readLog)
	if y.owed == 0 {
		l.publish()
	} else {
		y.publishing.Store(true)
		l.publish()
		y.post()
		y.publishing.Store(false)
	}
	l.inbox.Drain(y.readLog)
}

// readLog is the loop's read for one that other loops owe answers: what a
// client published itself comes after its answer. A run that is in a log was
// put there after publishing was set, and the answer is in the mail before it
// is cleared. Nobody waits while it is set, so this ends.
func (y *relay) readLog(reader *ring.Reader[*run]) {
	l := y.loop
	if y.awaited == 0 {
		l.read(reader)
		return
	}
	var last *run
	for r, ok := reader.Next(); ok; r, ok = reader.Next() {
		for _, other := range l.engine.loops {
			for other != l && other.relay.publishing.Load() {
				runtime.Gosched()
			}
		}
		y.takeMail()
		y.emit()
		l.deliver(r)
		last = r
	}
	if last != nil && reader.Interest == 0 {
		l.leaveRoom(last.channel.room, reader)
	}
}

// post gives the other loops their answers.
func (y *relay) post() {
	for loop, list := range y.replies {
		if len(list) == 0 {
			continue
		}
		other := y.loop.engine.loops[loop]
		other.relay.mu.Lock()
		other.relay.mail = append(other.relay.mail, list...)
		other.relay.mu.Unlock()
		other.relay.hasMail.Store(true)
		other.poller.wake()
		y.replies[loop] = list[:0]
	}
	y.owed = 0
}

// takeMail records the answers of other loops.
func (y *relay) takeMail() {
	if !y.hasMail.Load() {
		return
	}
	y.hasMail.Store(false)
	y.mu.Lock()
	y.mail, y.read = y.read[:0], y.mail
	y.mu.Unlock()
	for _, r := range y.read {
		y.awaited--
		y.record(r.tag, r.result)
	}
}

// begin is a tick's first step, end its last but walks and answers: the lane
// tells other nodes what happened, other loops are asked and answered.
func (y *relay) begin() {
	y.touched = true
	y.lane.Drain()
	y.advance()
}

func (y *relay) end() {
	y.touched = false
	y.lane.Flush()
	if len(y.loop.outbound) > 0 || y.owed > 0 {
		y.catchUp()
	}
	y.send()
	y.expelDue()
}

// endSweep flushes the lane once more, for what the end of clients has told it.
// What it says to that makes another tick: this one's walks are over, and what is
// delivered now would wait for the next with bytes that are taken back.
func (y *relay) endSweep() {
	if y.touched {
		y.touched = false
		y.lane.Flush()
	}
	y.send()
	if y.owed+len(y.answered)+len(y.complete)+len(y.stalls)+len(y.loop.outbound) > 0 {
		y.loop.poller.wake()
	}
}
