package cluster

import (
	"bytes"

	"hubsub/cluster/lane"
)

// threshold is where messages wait for clients of the loop that are about to join a
// room: the leader counts them as soon as it knows of them, the engine joins them
// when their subscription is confirmed, and a message between is for them, too.
// Owned by the loop.
type threshold struct {
	coming map[string]int    // subscriptions without an answer, by room
	tags   map[uint64]string // their rooms
	held   map[string][]lane.Record
	opened []string // rooms in which one was answered since the last tick
	bytes  int      // held
}

// await takes that a subscription waits for its answer.
func (t *threshold) await(tag uint64, room []byte) {
	if t.coming == nil {
		t.coming, t.tags, t.held = make(map[string]int), make(map[uint64]string), make(map[string][]lane.Record)
	}
	name := string(room)
	t.coming[name]++
	t.tags[tag] = name
}

// answered takes an answer. The client joins after the lane's call, so the
// room's messages wait for the next tick still.
func (t *threshold) answered(tag uint64) {
	name, ok := t.tags[tag]
	if !ok {
		return
	}
	delete(t.tags, tag)
	t.opened = append(t.opened, name)
}

// holds keeps a message if somebody is about to join its room, and reports that.
func (t *threshold) holds(kind lane.Kind, room, channel, message []byte) bool {
	if len(t.coming) == 0 || t.coming[string(room)] == 0 || t.bytes > thresholdBytesMax {
		return false
	}
	t.held[string(room)] = append(t.held[string(room)], lane.Record{Kind: kind, Channel: bytes.Clone(channel), Message: bytes.Clone(message)})
	t.bytes += len(channel) + len(message)
	return true
}

// pass delivers what has waited for clients that have joined since the last tick.
func (t *threshold) pass(deliver func(kind lane.Kind, room, channel, message []byte)) {
	for _, name := range t.opened {
		if t.coming[name]--; t.coming[name] > 0 {
			continue
		}
		delete(t.coming, name)
		t.release([]byte(name), deliver)
	}
	t.opened = t.opened[:0]
}

// release delivers at once what waits for a room: there is too much.
func (t *threshold) release(room []byte, deliver func(kind lane.Kind, room, channel, message []byte)) {
	held := t.held[string(room)]
	if held == nil {
		return
	}
	delete(t.held, string(room))
	for i := range held {
		m := &held[i]
		t.bytes -= len(m.Channel) + len(m.Message)
		deliver(m.Kind, room, m.Channel, m.Message)
	}
}

// Deliver and Answer are the lane's Sink, with the threshold before the engine.
func (l *Lane) Deliver(kind lane.Kind, room, channel, message []byte) {
	if l.threshold.holds(kind, room, channel, message) {
		return
	}
	if len(l.threshold.held) > 0 {
		l.threshold.release(room, l.outlet.Deliver)
	}
	l.outlet.Deliver(kind, room, channel, message)
}

func (l *Lane) Answer(tag uint64, code lane.Code, n int64) {
	l.threshold.answered(tag)
	l.outlet.Answer(tag, code, n)
}

func (l *Lane) Own(room string, own bool)                 { l.outlet.Own(room, own) }
func (l *Lane) Gap(room string, lost int64, why lane.Why) { l.outlet.Gap(room, lost, why) }
