package engine

import "sync"

// question is what a lane is asked, but for the words.
type question struct {
	what  ask
	kind  Kind
	delta int8 // of interest
}

// ask says which of the lane's methods is meant.
type ask uint8

const (
	askPublish ask = iota
	askInterest
	askCount
)

// asks are a loop's questions to another loop's lane since it last sent some.
type asks struct {
	list  []asked
	bytes []byte // name and message, one after the other
}

type asked struct {
	tag uint64
	question
	name, message int // lengths
}

var spareAsks = sync.Pool{New: func() any { return new(asks) }}

// ask asks the lane of a name's room. The result is Pending if the answer comes
// later, to the ticket; one without a session wants no answer.
func (y *relay) ask(q question, name, message []byte, who ticket) Result {
	var tag uint64
	if who.session != nil {
		tag = y.issue(who)
	}
	room := roomFor(q.kind, name)
	at := LaneOf(room, len(y.asks))
	if at == y.loop.id {
		r := y.put(q, tag, room, name, message)
		if tag != 0 && r.Code != Pending {
			y.redeem(tag)
		}
		return r
	}
	if tag != 0 {
		y.awaited++
	}
	to := y.asks[at]
	if to == nil {
		to = spareAsks.Get().(*asks)
		y.asks[at] = to
	}
	to.list = append(to.list, asked{tag, q, len(name), len(message)})
	to.bytes = append(append(to.bytes, name...), message...)
	return Result{Code: Pending}
}

// put asks the loop's own lane.
func (y *relay) put(q question, tag uint64, room, name, message []byte) Result {
	y.touched = true
	y.calling, y.called = tag, Result{Code: Pending}
	switch q.what {
	case askPublish:
		if n := y.lane.Publish(tag, q.kind, room, name, message); n >= 0 {
			y.called = Result{N: n}
		}
	case askInterest:
		y.lane.Interest(tag, q.kind, room, name, int(q.delta))
	case askCount:
		y.lane.Count(tag, q.kind, room, name)
	}
	y.calling = 0
	return y.called
}

// send sends the other loops what their lanes are asked.
func (y *relay) send() {
	for at, batch := range y.asks {
		if batch != nil {
			y.asks[at] = nil
			to := y.loop.engine.loops[at]
			to.post(func() { to.relay.take(batch) })
		}
	}
}

// take asks the loop's lane what another loop wants to know.
func (y *relay) take(batch *asks) {
	rest := batch.bytes
	for i := range batch.list {
		q := &batch.list[i]
		name, message := rest[:q.name:q.name], rest[q.name:q.name+q.message]
		rest = rest[q.name+q.message:]
		if r := y.put(q.question, q.tag, roomFor(q.kind, name), name, message); q.tag != 0 && r.Code != Pending {
			y.reply(tagLoop(q.tag), q.tag, r)
		}
	}
	if cap(batch.bytes) <= spareBufferBytesMax {
		batch.list, batch.bytes = batch.list[:0], batch.bytes[:0]
		spareAsks.Put(batch)
	}
}
