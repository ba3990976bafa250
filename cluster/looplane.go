package cluster

import (
	"bytes"
	"encoding/binary"
	"sync"
	"sync/atomic"
	"time"

	"hubsub/cluster/lane"
	"hubsub/cluster/link"
)

// Outlet is the engine's loop as its lane sees it. But for Wake it is called on
// the loop, from inside the lane's methods.
type Outlet interface {
	Deliver(kind lane.Kind, room, channel, message []byte)
	Answer(tag uint64, code lane.Code, n int64)
	Own(room string, own bool)
	Gap(room string, lost int64, why lane.Why)
	Traffic(room string) (messages int64, perSecond float64) // for clients of this process
	Watch(fd int, ready func()) (stop func())                // stop: any goroutine
	Wake()                                                   // any goroutine
}

// Lane is the lane of one loop, with what connects it to the others: what links
// and the director put down for it waits in its box until the loop's next tick,
// and what it sends to a node in a tick leaves at its end, as one.
type Lane struct {
	// Set once; core and outlet by Attach.
	lanes  *Lanes
	loop   int
	core   *lane.Lane
	outlet Outlet

	// Owned by the loop.
	outgoing []*outgoing // by peer; nil: nothing was ever sent to it
	leaving  []*outgoing // with something to send
	record   lane.Record
	scratch  []byte
	brake    brake

	shownAt time.Duration

	// Any goroutine.
	attached atomic.Bool
	reading  atomic.Bool // the loop reads a link, and looks into the box after that
	mu       sync.Mutex
	box      []letter
	boxed    int        // bytes in it that links have brought
	shown    lane.Stats // of the core, a moment ago
}

// letter is something for a lane: records of a node, or what to do.
type letter struct {
	from    lane.Peer
	records []byte
	do      func(*Lane)
}

// outgoing are the records for one node since the last flush.
type outgoing struct {
	to      lane.Peer
	records []byte
	n       int
	since   time.Duration // when the first of them was put there
	free    int           // bytes that the link's queue had room for then
	slow    bool          // more than half of it was taken: the node does not keep up
	leaving bool          // it is in the lane's list
	stuck   bool          // the link did not take them
	lost    bool          // nor for outgoingTimeMax, and not since
	back    bool          // but now it would
}

// Attach gives the lane to its loop, before that runs.
func (s *Lanes) Attach(loop int, o Outlet) *Lane {
	l := s.all[loop]
	l.outlet = o
	l.core = lane.New(lane.Config{Sink: o, Network: l, Director: l, Foreign: s, Match: s.config.Match})
	l.core.Tick(s.now())
	l.attached.Store(true)
	o.Wake()
	return l
}

// post puts a letter into the box, and reports whether that is full of records. Any
// goroutine.
func (l *Lane) post(m letter) (full bool) {
	l.mu.Lock()
	l.box = append(l.box, m)
	first := len(l.box) == 1
	if m.do == nil {
		l.boxed += len(m.records) + letterBytes
	}
	full = l.boxed > boxBytesMax
	l.mu.Unlock()
	if first && l.attached.Load() && !l.reading.Load() {
		l.outlet.Wake()
	}
	return full
}

// bring puts records of a node into the box. If that is full then it returns what
// tells whether it still is. Any goroutine.
func (l *Lane) bring(from lane.Peer, records []byte) (full func() bool) {
	if l.post(letter{from: from, records: records}) {
		return l.full
	}
	return nil
}

// full reports whether the box is.
func (l *Lane) full() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.boxed > boxBytesMax
}

// Publish, Interest and Count are the engine's questions; see lane.Lane.
func (l *Lane) Publish(tag uint64, kind lane.Kind, room, channel, message []byte) int64 {
	l.brake.begin()
	n := l.core.Publish(tag, kind, room, channel, message)
	if !l.brake.crowded || n < 0 {
		return n
	}
	now := l.lanes.now()
	l.brake.slow(now, room)
	l.brake.hold(lateAnswer{due: now + brakeTime, tag: tag, n: n})
	return -1
}

func (l *Lane) Interest(tag uint64, kind lane.Kind, room, text []byte, delta int) {
	if len(room) == 0 && kind == lane.Pattern {
		l.lanes.change(func(p *lane.Patterns) { p.Interest(tag, text, delta) })
		return
	}
	l.core.Interest(tag, kind, room, text, delta)
}

func (l *Lane) Count(tag uint64, kind lane.Kind, room, channel []byte) {
	l.core.Count(tag, kind, room, channel)
}

// Drain begins a tick.
func (l *Lane) Drain() {
	now := l.lanes.now()
	l.core.Tick(now)
	l.mu.Lock()
	letters := l.box
	l.box, l.boxed = nil, 0
	if now-l.shownAt >= showInterval {
		l.shown, l.shownAt = l.core.Stats(), now
	}
	l.mu.Unlock()
	l.giveUp(now)
	l.release(now)
	for i := range letters {
		m := &letters[i]
		if m.do != nil {
			m.do(l)
		} else {
			l.read(m.from, m.records)
		}
	}
	if l.loop == 0 && l.lanes.patternsNext() <= now {
		l.lanes.change(func(p *lane.Patterns) { p.Flush() })
	}
}

// read hands over records of a node.
func (l *Lane) read(from lane.Peer, records []byte) {
	for len(records) > 0 {
		size, n := binary.Uvarint(records)
		record := records[n : n+int(size)]
		records = records[n+int(size):]
		switch err := lane.ParseRecord(record, &l.record); {
		case err == lane.ErrUnknown:
			l.lanes.unknown.Add(1)
		case err != nil:
			l.lanes.malformed.Add(1)
		case l.record.Type == lane.PatternAnnounce, l.record.Type == lane.PatternAck:
			if l.loop == 0 {
				l.lanes.change(func(p *lane.Patterns) { p.Receive(from, &l.record) })
			}
		default:
			l.brake.begin()
			l.core.Receive(from, &l.record)
			if l.brake.crowded {
				l.brake.slow(l.lanes.now(), l.record.Room)
			}
		}
	}
}

// Flush ends a tick: what was said to others leaves.
func (l *Lane) Flush() {
	l.core.Flush()
	if l.loop == 0 {
		if next := l.lanes.patternsNext(); next < never && next <= l.lanes.now() {
			l.lanes.change(func(p *lane.Patterns) { p.Flush() })
		}
	}
	links := l.lanes.links.Load()
	left := l.leaving[:0]
	for _, o := range l.leaving {
		o.stuck = len(o.records) > 0 && !l.hand(links, o) // else they were discarded
		if o.leaving = o.stuck; o.stuck {
			left = append(left, o)
			continue
		}
		o.records, o.n = o.records[:0], 0
		if cap(o.records) > spareOutgoingMax {
			o.records = nil
		}
	}
	l.leaving = left
}

// hand gives a link what leaves for a node. If the node was lost, that it would
// take it is all there is to know: first the lane has to hear of the loss.
func (l *Lane) hand(links *link.Links, o *outgoing) bool {
	to := l.lanes.peers.get(o.to)
	if links == nil || to.address == "" {
		return false
	}
	if o.lost {
		o.back = links.Send(to.name, to.address, nil, 0)
		return false
	}
	return links.Send(to.name, to.address, o.records, o.n)
}

// giveUp discards what no link has taken for too long: publishers were answered
// meanwhile that nobody knows what has become of their messages, and subscribers
// that they have to ask again. The lane hears of it as of a broken link, so that it
// tells the node all again; once when the first is lost, and once when the link
// takes something again, for what was lost between.
func (l *Lane) giveUp(now time.Duration) {
	for _, o := range l.leaving { // what was said in this tick is not there yet
		switch {
		case o.back:
			o.lost, o.back = false, false
		case now-o.since < outgoingTimeMax || len(o.records) == 0:
			continue
		case o.lost:
			l.discard(o.to)
			continue
		default:
			o.lost = true
		}
		l.discard(o.to)
		l.broken(o.to)
	}
}

// broken tells the lane that a node may not have got what was said to it last.
func (l *Lane) broken(p lane.Peer) {
	if l.loop == 0 {
		l.lanes.change(func(patterns *lane.Patterns) { patterns.Broken(p) })
	}
	l.core.Broken(p)
}

// Next returns in what time Drain has something to do; negative: not before Wake.
func (l *Lane) Next() time.Duration {
	next := l.core.Next()
	if l.loop == 0 {
		next = min(next, l.lanes.patternsNext())
	}
	next = min(next, l.brake.next())
	if next == never && len(l.leaving) == 0 {
		return -1 // mostly, and the clock is not looked at
	}
	now := l.lanes.now()
	for _, o := range l.leaving {
		if !o.lost {
			next = min(next, now+stuckRetry)
			break
		}
		next = min(next, now+lostRetry)
	}
	return max(next-now, 0)
}

// Send is the lane's Network.
func (l *Lane) Send(to lane.Peer, rec *lane.Record) bool {
	l.scratch = lane.AppendRecord(l.scratch[:0], rec)
	if l.brake.active() {
		if now := l.lanes.now(); l.brake.holdsRecord(now, to, rec) {
			l.brake.hold(lateAnswer{due: now + brakeTime, to: to, record: bytes.Clone(l.scratch)})
			return true
		}
	}
	return l.put(to, l.scratch, rec.Type != lane.Message)
}

// put adds a record to what leaves for a node, if there is room before it: the
// longest is longer than what a slow link's queue holds. An urgent one is no
// message, and waits for no link.
func (l *Lane) put(to lane.Peer, record []byte, urgent bool) bool {
	for int(to) >= len(l.outgoing) {
		l.outgoing = append(l.outgoing, nil)
	}
	o := l.outgoing[to]
	if o == nil {
		o = &outgoing{to: to}
		l.outgoing[to] = o
	}
	if len(o.records) == 0 {
		o.since = l.lanes.now()
		o.free, o.slow = l.room(to)
		if !o.leaving {
			o.leaving = true
			l.leaving = append(l.leaving, o)
		}
	}
	if !urgent && !o.lost && (o.slow || o.stuck || 2*len(o.records) > o.free) {
		l.brake.crowded = true // what was given up gets nothing by waiting
	}
	if o.stuck && !urgent || len(o.records) >= o.free {
		return false
	}
	o.records = binary.AppendUvarint(o.records, uint64(len(record)))
	o.records = append(o.records, record...)
	o.n++
	return true
}

// room returns how much may be sent to a node until the next flush, and whether
// that is the smaller part of what its queue holds.
func (l *Lane) room(to lane.Peer) (bytes int, slow bool) {
	links := l.lanes.links.Load()
	if links == nil {
		return outgoingMin, false
	}
	queued, most := links.Queue(l.lanes.peers.get(to).name)
	return max(most-queued, outgoingMin), 2*queued > most
}

// discard forgets what has not left for a node, and its memory: mostly the node is
// dead.
func (l *Lane) discard(p lane.Peer) {
	n := l.brake.forget(p)
	if int(p) < len(l.outgoing) && l.outgoing[p] != nil {
		o := l.outgoing[p]
		n += o.n
		o.records, o.n = nil, 0
	}
	l.lanes.discarded.Add(int64(n))
}

// Ask, Suspect, Enter and Leave are the lane's Director.
func (l *Lane) Ask(room string, create bool) { l.lanes.life.Load().askFor(room, create) }

func (l *Lane) Suspect(p lane.Peer) {
	if name := l.lanes.peers.get(p).name; name != "" {
		l.lanes.life.Load().suspect(name)
	}
}

func (l *Lane) Enter(room string) bool { return l.lanes.life.Load().occupy(room) }
func (l *Lane) Leave(room string)      { l.lanes.life.Load().vacate(room) }
