package cluster

import (
	"bytes"
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
}

// doorway is the threshold of one room.
type doorway struct {
	coming int           // clients about to join
	due    time.Duration // when what waits must go on; 0: nothing waits
	late   bool          // some client took too long: nothing waits for those who are coming
	held   []lane.Record
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

// holds keeps a message if somebody is about to join its room, and reports that.
func (t *threshold) holds(now time.Duration, kind lane.Kind, room, channel, message []byte) bool {
	d := t.rooms[string(room)]
	if d == nil || d.late || t.bytes > thresholdBytesMax {
		return false
	}
	if d.due == 0 {
		d.due = now + thresholdTimeMax
	}
	d.held = append(d.held, lane.Record{Kind: kind, Channel: bytes.Clone(channel), Message: bytes.Clone(message)})
	t.bytes += len(channel) + len(message)
	t.count++
	return true
}

// deliver hears what has waited long enough.
type deliver func(kind lane.Kind, room, channel, message []byte)

// settled takes that one of those who were coming to a room hears it, or never
// will.
func (t *threshold) settled(room []byte, deliver deliver) {
	d := t.rooms[string(room)]
	if d == nil {
		return
	}
	if d.coming--; d.coming == 0 {
		t.release(room, deliver)
		delete(t.rooms, string(room))
	}
}

// release delivers what waits for a room.
func (t *threshold) release(room []byte, deliver deliver) {
	d := t.rooms[string(room)]
	if d == nil {
		return
	}
	held := d.held
	d.held, d.due = nil, 0
	t.count -= len(held)
	for i := range held {
		m := &held[i]
		t.bytes -= len(m.Channel) + len(m.Message)
		deliver(m.Kind, room, m.Channel, m.Message)
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
func (t *threshold) expire(now time.Duration, deliver deliver) {
	if t.count == 0 {
		return
	}
	for name, d := range t.rooms {
		if d.due != 0 && d.due <= now {
			d.late = true
			t.release([]byte(name), deliver)
		}
	}
}

// Joined tells that a client whose subscription was granted hears its room, or
// has gone: the engine calls it once for each.
func (l *Lane) Joined(room []byte) { l.threshold.settled(room, l.outlet.Deliver) }

// Deliver, Answer and Own are the lane's Sink, with the threshold before the
// engine.
func (l *Lane) Deliver(kind lane.Kind, room, channel, message []byte) {
	if len(l.threshold.rooms) > 0 {
		if l.threshold.holds(l.lanes.now(), kind, room, channel, message) {
			return
		}
		l.threshold.release(room, l.outlet.Deliver)
	}
	l.outlet.Deliver(kind, room, channel, message)
}

func (l *Lane) Answer(tag uint64, code lane.Code, n int64) {
	if room, refused := l.threshold.answered(tag, code); refused {
		l.threshold.settled([]byte(room), l.outlet.Deliver)
	}
	l.outlet.Answer(tag, code, n)
}

// Own lets clients publish past the lane, so nothing of theirs may wait here.
func (l *Lane) Own(room string, own bool) {
	if own {
		l.threshold.release([]byte(room), l.outlet.Deliver)
	}
	l.outlet.Own(room, own)
}

func (l *Lane) Gap(room string, lost int64, why lane.Why) { l.outlet.Gap(room, lost, why) }
