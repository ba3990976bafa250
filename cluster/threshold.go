package cluster

import (
	"bytes"
	"sync/atomic"
	"time"

	"hubsub/cluster/lane"
)

// threshold is where messages wait for clients that are about to join a room: the
// leader counts them as soon as it knows of them, they join once their
// subscription is confirmed, on whatever loop they are, and a message between is
// for them, too. Owned by the lane's loop.
type threshold struct {
	rooms map[string]*doorway
	tags  map[uint64]string // of subscriptions without an answer, with their rooms
	bytes int               // held
	count int               // of messages held

	early atomic.Int64 // messages that went on before all who were coming had joined. Any goroutine
}

// doorway is the threshold of one room.
type doorway struct {
	coming int           // clients about to join
	due    time.Duration // when what waits must go on; 0: nothing waits
	late   bool          // some client took too long: nothing waits for those who are coming
	held   []lane.Record
	owned  bool // clients may publish past the lane when nothing is held any more
}

// await takes that a subscription waits for its answer.
func (t *threshold) await(tag uint64, room []byte) {
	if t.rooms == nil {
		t.rooms, t.tags = make(map[string]*doorway), make(map[uint64]string)
	}
	name := string(room)
	d := t.rooms[name]
	if d == nil {
		d = new(doorway)
		t.rooms[name] = d
	}
	d.coming++
	t.tags[tag] = name
}

// answered takes an answer, and reports whether it is that of a subscription that
// was not granted, with its room.
func (t *threshold) answered(tag uint64, code lane.Code) (room string, refused bool) {
	room, ok := t.tags[tag]
	if ok {
		delete(t.tags, tag)
	}
	return room, ok && code != lane.Done
}

// holds reports whether somebody is about to join a room, for whom its messages
// must wait.
func (t *threshold) holds(room []byte) bool {
	d := t.rooms[string(room)]
	return d != nil && !d.late && t.bytes <= thresholdBytesMax
}

// hold keeps a message, and reports whether it is the first that waits: then
// clients must not publish past the lane.
func (t *threshold) hold(now time.Duration, kind lane.Kind, room, channel, message []byte) (first bool) {
	d := t.rooms[string(room)]
	first = len(d.held) == 0
	if first {
		d.due = now + thresholdTimeMax
	}
	d.held = append(d.held, lane.Record{Kind: kind, Channel: bytes.Clone(channel), Message: bytes.Clone(message)})
	t.bytes += len(channel) + len(message)
	t.count++
	return first
}

// owns takes whether clients may publish past the lane, and reports whether they
// may now.
func (t *threshold) owns(room string, own bool) bool {
	d := t.rooms[room]
	if d == nil || len(d.held) == 0 {
		return own
	}
	d.owned = own
	return false
}

// settled takes that one of those who were coming to a room hears it, or never
// will.
func (t *threshold) settled(room []byte, to Outlet) {
	d := t.rooms[string(room)]
	if d == nil {
		return
	}
	if d.coming--; d.coming == 0 {
		t.release(room, to)
		delete(t.rooms, string(room))
	}
}

// release delivers what waits for a room.
func (t *threshold) release(room []byte, to Outlet) {
	d := t.rooms[string(room)]
	if d == nil || len(d.held) == 0 {
		return
	}
	held := d.held
	d.held, d.due = nil, 0
	t.count -= len(held)
	for i := range held {
		m := &held[i]
		t.bytes -= len(m.Channel) + len(m.Message)
		to.Deliver(m.Kind, room, m.Channel, m.Message)
	}
	if d.owned {
		to.Own(string(room), true)
	}
}

// pass is called for a message that does not wait, with what does before it.
func (t *threshold) pass(room []byte, to Outlet) {
	if d := t.rooms[string(room)]; d != nil {
		t.early.Add(int64(len(d.held)) + 1)
		t.release(room, to)
	}
}

// next returns when something has waited too long.
func (t *threshold) next() time.Duration {
	next := never
	if t.count > 0 {
		for _, d := range t.rooms {
			if d.due != 0 {
				next = min(next, d.due)
			}
		}
	}
	return next
}

// expire has what has waited too long go on without those who are coming: one
// that waits for many rooms shall not delay the others in one of them.
func (t *threshold) expire(now time.Duration, to Outlet) {
	if t.count == 0 {
		return
	}
	for name, d := range t.rooms {
		if d.due != 0 && d.due <= now {
			d.late = true
			t.early.Add(int64(len(d.held)))
			t.release([]byte(name), to)
		}
	}
}

// Joined tells that a client whose subscription was granted hears its room, or
// has gone: the engine calls it once for each.
func (l *Lane) Joined(room []byte) { l.threshold.settled(room, l.outlet) }

// Deliver, Answer and Own are the lane's Sink, with the threshold before the
// engine.
func (l *Lane) Deliver(kind lane.Kind, room, channel, message []byte) {
	switch t := &l.threshold; {
	case len(t.rooms) == 0:
	case t.holds(room):
		if t.hold(l.lanes.now(), kind, room, channel, message) {
			info, _ := l.core.Info(string(room))
			l.Own(string(room), info.Owns)
		}
		return
	default:
		t.pass(room, l.outlet)
	}
	l.outlet.Deliver(kind, room, channel, message)
}

func (l *Lane) Answer(tag uint64, code lane.Code, n int64) {
	if room, refused := l.threshold.answered(tag, code); refused {
		l.threshold.settled([]byte(room), l.outlet)
	}
	l.outlet.Answer(tag, code, n)
}

func (l *Lane) Own(room string, own bool) { l.outlet.Own(room, l.threshold.owns(room, own)) }

func (l *Lane) Gap(room string, lost int64, why lane.Why) { l.outlet.Gap(room, lost, why) }
