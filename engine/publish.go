package engine

import (
	"bytes"
	"math/bits"

	"hubsub/resp"
)

// outbound is what one loop published to one room since it last appended to
// the room's log. Owned by the loop.
type outbound struct {
	room *room
	runs []*run
}

// Publish takes a PUBLISH or SPUBLISH, cmd.Args being verb, channel and
// message, and returns how many clients it reaches. It costs the same whatever
// their number: the message goes out at the end of the tick. n is how many
// answers the Handler is to write: one, or none if the engine writes it, because
// a lane is asked, at once or when it knows.
func (s *Session) Publish(kind Kind, cmd *resp.Command) (receivers int64, n int) {
	l := s.loop
	if l.relay != nil && !s.publishesHere(kind, cmd) {
		s.publishThere(kind, cmd.Args[1], cmd.Args[2])
		return 0, 0
	}
	_, _, receivers = l.publishOne(kind, cmd)
	return receivers, 1
}

// PublishAll does the same for cmd and for what follows it in the client's
// pipeline and differs from it in the message only: n commands, each of which
// reaches that many clients. Nobody can tell, for all were sent before the first
// is executed. n is 0 if the engine writes the answers.
func (s *Session) PublishAll(kind Kind, cmd *resp.Command) (receivers int64, n int) {
	l := s.loop
	var ch *channel
	var m *matches
	if l.relay == nil {
		ch, m, receivers = l.publishOne(kind, cmd)
	} else if ch = s.owned(kind, cmd); ch != nil {
		m, receivers = l.publishOwned(ch, cmd)
	} else if IsLocal(cmd.Args[1]) {
		ch, m, receivers = l.publishOne(kind, cmd)
	} else {
		s.publishAllThere(kind, cmd)
		return 0, 0
	}
	n = 1
	if cmd.Raw == nil {
		return receivers, n
	}
	var r *run
	for {
		size := cmd.Again(l.rest, l.limits)
		if size == 0 || size > len(cmd.Raw) && l.relay != nil && l.relay.tooLong(cmd, size) {
			break
		}
		if receivers > 0 {
			if r == nil || len(r.data) >= runBytesMax {
				r = l.openRun(ch, m, size)
			}
			r.data = appendRaw(r.data, l.rest[:size], verbs[kind])
			r.frames++
		}
		l.rest = l.rest[size:]
		n++
	}
	l.tally.commands += int64(n - 1)
	l.tally.published += int64(n - 1)
	return receivers, n
}

func (l *loop) publishOne(kind Kind, cmd *resp.Command) (ch *channel, m *matches, receivers int64) {
	name := cmd.Args[1]
	ch = l.engine.directory.lookup(kind, name)
	switch p := l.passing; {
	case p == nil:
	case ch == nil && p.is(kind, name):
		ch = p
	case ch != nil && ch.room != p.room && ch.room.name == p.room.name:
		l.passing = nil // its room is dead; what goes there now would overtake this
	}
	if kind == Channel {
		m = l.engine.patterns.match(ch, name)
	}
	receivers = m.subscribers()
	if ch != nil {
		receivers += ch.subscribers.Load()
	}
	l.tally.published++
	if receivers == 0 {
		return nil, nil, 0
	}
	if ch == nil {
		ch = l.engine.directory.passing(kind, name)
		ch.matches.Store(m)
		l.passing = ch
	}
	l.add(ch, m, cmd)
	return ch, m, receivers
}

// add puts a message behind what the loop has for the channel's room.
func (l *loop) add(ch *channel, m *matches, cmd *resp.Command) {
	r := l.openRun(ch, m, len(cmd.Raw))
	r.data = appendFrame(r.data, ch.kind, cmd)
	r.frames++
}

// openRun returns the run that takes the channel's next message, of n bytes: the
// room's last if it can.
func (l *loop) openRun(ch *channel, m *matches, n int) *run {
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
	if n := len(ob.runs); n > 0 {
		if last := ob.runs[n-1]; last.channel == ch && last.matches == m && len(last.data) < runBytesMax {
			return last
		}
	}
	r := l.newRun()
	r.channel, r.matches = ch, m
	if n < runBytesMax {
		r.data, r.borrowed = l.frames.take(), true
	}
	ob.runs = append(ob.runs, r)
	return r
}

// newRun returns an empty run, reuse takes back one that nobody has seen but
// this loop.
func (l *loop) newRun() *run {
	if last := len(l.spareRuns) - 1; last >= 0 {
		r := l.spareRuns[last]
		l.spareRuns = l.spareRuns[:last]
		return r
	}
	return &run{}
}

func (l *loop) reuse(r *run) {
	if r.borrowed {
		l.frames.lend(r.data)
	}
	*r = run{}
	if len(l.spareRuns) < spareRunsMax {
		l.spareRuns = append(l.spareRuns, r)
	}
}

// publish brings what this loop published to those who read the rooms' logs.
// Until then nobody has seen it; answers to its publishers leave after it.
func (l *loop) publish() {
	for i := range l.outbound {
		ob := &l.outbound[i]
		if l.relay != nil {
			ob.measure(l.now)
		}
		if !l.publishHere(ob) {
			l.append(ob)
		}
		ob.room = nil
		clear(ob.runs)
		ob.runs = ob.runs[:0]
	}
	l.outbound = l.outbound[:0]
	clear(l.unpublished)
	l.passing = nil
}

// measure counts the messages.
func (ob *outbound) measure(now int64) {
	n := 0
	for _, r := range ob.runs {
		n += r.frames
	}
	ob.room.meter.Add(now, int64(n))
}

// publishHere delivers what only this loop hears, without the room's log. Most
// rooms are small, and so most messages go this way where there are few loops.
func (l *loop) publishHere(ob *outbound) bool {
	if ob.hear()&^(1<<l.id) != 0 {
		return false
	}
	private, read := ob.room.log.Private(l.inbox)
	if !private {
		return false
	}
	for _, r := range ob.runs {
		l.deliver(r)
		l.reuse(r)
	}
	if !read {
		l.engine.directory.release(ob.room)
	}
	return true
}

// append puts what others hear too into the room's log and wakes their loops.
func (l *loop) append(ob *outbound) {
	for _, r := range ob.runs {
		l.own(r)
	}
	wake, heard, open := ob.room.log.Append(ob.runs, ob.hear(), l.engine.inboxes)
	switch {
	case !open:
		l.reappend(ob.runs)
	case !heard:
		l.engine.directory.release(ob.room)
	}
	l.wake(wake)
}

// hear returns the loops that hear the room's messages by a pattern.
func (ob *outbound) hear() (loops uint64) {
	for _, r := range ob.runs {
		loops |= r.matches.loops()
	}
	return loops
}

// own gives a run that others will see bytes of its own: as many as it needs,
// for backlogs may keep it for long.
func (l *loop) own(r *run) {
	if r.borrowed {
		grown := r.data
		r.data, r.borrowed = bytes.Clone(grown), false
		l.frames.give(grown)
	}
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
		l.engine.loops[bits.TrailingZeros64(set)].poller.wake()
	}
}
