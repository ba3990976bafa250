package engine

import (
	"bytes"
	"math/bits"

	"hubsub/resp"
)

// outbound is what one loop published to one room since it last appended to
// the room's log. Owned by the loop.
type outbound struct {
	room   *room
	runs   []*run
	frames []byte // of the last run, which gets a copy without room to spare
}

// close ends the last run. Backlogs may keep it for long, so it has the bytes it
// needs and no more; the buffer in which it grew is used again.
func (ob *outbound) close() {
	if n := len(ob.runs); n > 0 && ob.runs[n-1].data == nil {
		ob.runs[n-1].data = bytes.Clone(ob.frames)
		ob.frames = ob.frames[:0]
	}
}

// Publish takes a PUBLISH or SPUBLISH, cmd.Args being verb, channel and
// message, and returns how many clients it reaches. It costs the same whatever
// their number: the message goes out at the end of the tick.
func (s *Session) Publish(kind Kind, cmd *resp.Command) int64 {
	l := s.loop
	name := cmd.Args[1]
	ch := l.engine.directory.lookup(kind, name)
	if ch == nil && l.passing != nil && l.passing.kind == kind && l.passing.name == string(name) {
		ch = l.passing
	}
	var m *matches
	if kind == Channel {
		m = l.engine.patterns.match(ch, name)
	}
	receivers := m.subscribers()
	if ch != nil {
		receivers += ch.subscribers.Load()
	}
	l.tally.published++
	if receivers == 0 {
		return 0
	}
	if ch == nil {
		ch = l.engine.directory.passing(kind, name)
		ch.matches.Store(m)
		l.passing = ch
	}
	l.add(ch, m, cmd)
	return receivers
}

// add puts a message behind what the loop has for the channel's room.
func (l *loop) add(ch *channel, m *matches, cmd *resp.Command) {
	at, known := l.unpublished[ch.room]
	if !known {
		at = len(l.outbound)
		l.unpublished[ch.room] = at
		if at < cap(l.outbound) {
			l.outbound = l.outbound[:at+1]
		} else {
			l.outbound = append(l.outbound, outbound{})
		}
		l.outbound[at].room = ch.room
	}
	ob := &l.outbound[at]
	var last *run
	if n := len(ob.runs); n > 0 {
		last = ob.runs[n-1]
	}
	if last == nil || last.data != nil || last.channel != ch || last.matches != m || len(ob.frames) >= runBytesMax {
		ob.close()
		last = &run{channel: ch, matches: m}
		ob.runs = append(ob.runs, last)
	}
	last.frames++
	if len(ob.frames) == 0 && len(cmd.Raw) >= runBytesMax { // a run by itself
		last.data = appendFrame(nil, ch.kind, cmd)
		return
	}
	ob.frames = appendFrame(ob.frames, ch.kind, cmd)
}

// publish appends what this loop published to the logs of the rooms and wakes
// the loops that hear them. Until then nobody has seen it; answers to its
// publishers leave after it.
func (l *loop) publish() {
	for i := range l.outbound {
		ob := &l.outbound[i]
		ob.close()
		l.append(ob)
		ob.room = nil
		if i >= spareBuffersMax || cap(ob.frames) > spareBufferBytesMax {
			ob.frames = nil
		}
	}
	l.outbound = l.outbound[:0]
	clear(l.unpublished)
	l.passing = nil
}

func (l *loop) append(ob *outbound) {
	var hear uint64
	for _, r := range ob.runs {
		hear |= r.matches.loops()
	}
	wake, heard, open := ob.room.log.Append(ob.runs, hear, l.engine.inboxes)
	switch {
	case !open:
		l.reappend(ob.runs)
	case !heard:
		l.engine.directory.release(ob.room)
	}
	l.wake(wake)
	clear(ob.runs)
	ob.runs = ob.runs[:0]
}

// reappend is for a room that everybody left between publish and append. If it
// is there again, the runs go to its successor; otherwise nobody is left who
// was promised them.
func (l *loop) reappend(runs []*run) {
	for _, r := range runs {
		for {
			ch := l.engine.directory.lookup(r.channel.kind, []byte(r.channel.name))
			if ch == nil {
				if r.matches.subscribers() == 0 {
					break
				}
				ch = l.engine.directory.passing(r.channel.kind, []byte(r.channel.name))
			}
			r.channel = ch
			wake, heard, open := ch.room.log.Append([]*run{r}, r.matches.loops(), l.engine.inboxes)
			l.wake(wake)
			if open && !heard {
				l.engine.directory.release(ch.room)
			}
			if open {
				break
			}
		}
	}
}

// wake makes the other loops of a set run a tick.
func (l *loop) wake(set uint64) {
	for set &^= 1 << l.id; set != 0; set &= set - 1 {
		l.engine.loops[bits.TrailingZeros64(set)].waiter.wake()
	}
}
