package engine

import "time"

// sink is a loop as its lane sees it.
type sink struct{ relay *relay }

// Deliver implements Sink: it is publishOne, but for the count.
func (k sink) Deliver(kind Kind, room, channel, message []byte) {
	l := k.relay.loop
	ch, m, receivers := l.route(l.engine.directory.lookup(kind, channel), kind, channel)
	if receivers > 0 {
		l.addMessage(ch, m, channel, message)
	}
}

// addMessage is add for a message that is no command.
func (l *loop) addMessage(ch *channel, m *matches, name, message []byte) {
	r := l.openRun(ch, m, len(name)+len(message))
	r.data = appendMessage(r.data, verbs[ch.kind], name, message)
	r.frames++
}

// Answer implements Sink.
func (k sink) Answer(tag uint64, code Code, n int64) { k.relay.answer(tag, Result{N: n, Code: code}) }

// Own implements Sink.
func (k sink) Own(room []byte, own bool) { k.relay.loop.engine.directory.own(room, own) }

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
