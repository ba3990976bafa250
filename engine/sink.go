package engine

import (
	"time"

	"hubsub/resp"
)

// sink is a loop as its lane sees it.
type sink struct{ relay *relay }

// Deliver implements Sink.
func (k sink) Deliver(kind Kind, room, channel, message []byte) {
	l := k.relay.loop
	l.publishOne(kind, k.relay.command(channel, message))
	l.tally.published-- // by a client: here, and was counted, or elsewhere
}

// command returns a message as a PUBLISH, good until the next call.
func (y *relay) command(channel, message []byte) *resp.Command {
	y.args = [3][]byte{nil, channel, message}
	y.publish.Args = y.args[:]
	return &y.publish
}

// Answer implements Sink.
func (k sink) Answer(tag uint64, code Code, n int64) { k.relay.answer(tag, Result{N: n, Code: code}) }

// Own implements Sink.
func (k sink) Own(room string, own bool) { k.relay.loop.engine.directory.own(room, own) }

// Traffic implements Sink.
func (k sink) Traffic(room []byte) (messages int64, perSecond float64) {
	r := k.relay.loop.engine.directory.find(room)
	if r == nil {
		return 0, 0
	}
	return r.meter.Total(), r.meter.Rate(k.relay.loop.now)
}

// Wake implements Sink.
func (k sink) Wake() {
	e := k.relay.loop.engine
	e.late.RLock()
	defer e.late.RUnlock()
	if !e.over {
		k.relay.loop.poller.wake()
	}
}

// untilDue shortens a sleep, which is endless if it is negative, to when the
// lane or a gap has something to do.
func (y *relay) untilDue(sleep time.Duration) time.Duration {
	for _, next := range [...]time.Duration{y.lane.Next(), y.expelled.next(y.loop)} {
		if next >= 0 && (sleep < 0 || next < sleep) {
			sleep = next
		}
	}
	return sleep
}
