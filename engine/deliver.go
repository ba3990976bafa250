package engine

import (
	"container/heap"
	"time"

	"hubsub/ring"
)

// catchUp brings the audiences all that was published before now, here or
// elsewhere: what was answered has been in the inbox since.
func (l *loop) catchUp() {
	if l.relay != nil {
		l.relay.catchUp()
		return
	}
	l.inbox.Drain(l.read) // first what came first: publish may pass the logs by
	l.publish()
	l.inbox.Drain(l.read)
}

// settleAll does so and walks all audiences, held ones too.
func (l *loop) settleAll() {
	l.catchUp()
	l.walkQueued()
	for len(l.held) > 0 {
		l.beginWalk(l.held[0])
	}
	l.endWalks()
}

// read brings the audiences what is new in a room's log, and leaves a room
// that nobody here is subscribed to: only patterns heard it.
func (l *loop) read(reader *ring.Reader[*run]) {
	var last *run
	for r, ok := reader.Next(); ok; r, ok = reader.Next() {
		l.deliver(r)
		last = r
	}
	if last != nil && reader.Interest == 0 {
		l.leaveRoom(last.channel.room, reader)
	}
}

// deliver gives a run to the audiences that hear it: at once to sessions with
// many subscriptions, so that they see the room's order across its channels;
// to the others at the walk.
func (l *loop) deliver(r *run) {
	a := l.audienceOf(r.channel)
	p := r.parcel()
	hearing := l.hearing[:0]
	if r.matches != nil {
		for _, pt := range r.matches.patterns {
			if pa := l.patterns[pt.name]; pa != nil && pa.pattern == pt {
				hearing = append(hearing, pa)
			}
		}
	}
	switch {
	case len(hearing) == 0:
		if a != nil {
			l.give(a, &p)
		}
	case len(hearing) == 1 && a == nil:
		heard := l.forPattern(&p, hearing[0].pattern, r.channel.name)
		l.give(hearing[0], &heard)
	default:
		// A client that hears a message by name and by pattern, or by two
		// patterns, gets all copies before the next message, as from Redis: so
		// message by message.
		p.split(func(one parcel) {
			if a != nil {
				l.give(a, &one)
			}
			for _, pa := range hearing {
				heard := l.forPattern(&one, pa.pattern, r.channel.name)
				l.give(pa, &heard)
			}
		})
	}
	clear(hearing)
	l.hearing = hearing
}

// give hands a parcel to one audience.
func (l *loop) give(a *audience, p *parcel) {
	if a.awaited {
		for _, n := range l.relay.coming[a] {
			n.session.putAside(a, p, false)
		}
	}
	for _, m := range a.many {
		s := m.session
		if b := p.forms[0].bytes; s.flags&(dirty|arriving) == dirty && s.backlog == nil && !s.out.V3 && len(b) <= copyBytesMax {
			s.out.Buf = append(s.out.Buf, b...) // as push does, for most
		} else if !s.has(arriving) || !s.sideline(a, p) {
			s.push(p)
		}
	}
	l.tally.delivered += int64(p.frames * len(a.many))
	if a.aloneCount() == 0 {
		return
	}
	switch {
	case a.queue == unqueued:
		l.queueWalk(a)
	case a.queue == held && len(a.pending)+1 >= heldParcelsMax:
		heap.Remove(&l.held, int(a.heap))
		a.queue = toWalk
		l.walks = append(l.walks, a)
	}
	if a.queue == held {
		l.keepUntilWalk(p)
	}
	a.pending = append(a.pending, *p)
}

// queueWalk decides when an audience with something pending is walked: at the
// end of this tick, or, if it is crowded and was walked a moment ago, when its
// hold is over.
func (l *loop) queueWalk(a *audience) {
	if a.aloneCount() >= holdAudienceMin && !l.due(a) {
		a.queue = held
		heap.Push(&l.held, a)
		return
	}
	a.queue = toWalk
	l.walks = append(l.walks, a)
}

// walkDue walks what waits for the end of the tick, and what was held long
// enough.
func (l *loop) walkDue() {
	l.walkQueued()
	for len(l.held) > 0 && l.due(l.held[0]) {
		l.beginWalk(l.held[0])
	}
	l.endWalks()
}

// due reports whether an audience's hold is over.
func (l *loop) due(a *audience) bool {
	return l.now-a.walked >= int64(l.engine.settings.Load().CoalesceMax)
}

// untilDue returns how long to sleep at the most: until the first hold is over,
// or the lane has something to do, or, negative, for ever.
func (l *loop) untilDue() time.Duration {
	due := time.Duration(-1)
	if len(l.held) > 0 {
		hold := l.engine.settings.Load().CoalesceMax
		due = max(hold-time.Duration(l.engine.clock()-l.held[0].walked), 0)
	}
	if l.relay != nil {
		due = l.relay.untilDue(due)
	}
	return due
}

func (l *loop) walkQueued() {
	for _, a := range l.walks {
		l.beginWalk(a)
	}
	l.endWalks()
	clear(l.walks)
	l.walks = l.walks[:0]
}

// walk sends an audience's pending parcels at once.
func (l *loop) walk(a *audience) {
	l.beginWalk(a)
	l.endWalks()
}

// beginWalk sends an audience's pending parcels to its sessions that have no
// other subscription: one send each, of bytes that all share. The last sends may
// be made only when the walks end, together with those of the next.
func (l *loop) beginWalk(a *audience) {
	if a.queue == held {
		heap.Remove(&l.held, int(a.heap))
	}
	a.queue = unqueued
	parcels := a.pending
	if len(parcels) == 0 {
		return
	}
	a.pending = nil
	frames, size := 0, 0
	for i := range parcels {
		frames += parcels[i].frames
		size += len(parcels[i].forms[0].bytes)
	}
	for list, v3 := range [2]bool{listRESP2: false, listRESP3: true} {
		members := a.alone[list]
		if len(members) == 0 {
			continue
		}
		if size > joinedBytesMax && len(parcels) > 1 {
			for _, m := range members {
				m.session.pushAll(parcels)
			}
		} else {
			bytes := l.concat(parcels, v3)
			for i := range members {
				m := &members[i]
				if l.occupied.has(m.fd) {
					m.session.pushAll(parcels)
					continue
				}
				l.gather(send{m.session, m.fd, v3, bytes, parcels})
			}
		}
		l.tally.delivered += int64(frames * len(members))
	}
	a.walked = l.now
	l.walked = append(l.walked, walked{a, parcels})
}

// walked is a walk that has begun. Its sends may refer to the parcels until the
// walks end; then the audience may use their array again.
type walked struct {
	audience *audience
	parcels  []parcel
}

// endWalks makes the sends that are left of the walks since the last time.
func (l *loop) endWalks() {
	l.sendGathered()
	for i, w := range l.walked {
		clear(w.parcels)
		if w.audience.pending == nil {
			w.audience.pending = w.parcels[:0]
		}
		l.walked[i] = walked{}
	}
	l.walked = l.walked[:0]
	if cap(l.joined) > joinedBytesMax {
		l.joined = nil
	}
}

// concat returns the parcels' bytes in one piece: a single one as it is, several
// in a buffer of the loop that is good until the next call.
func (l *loop) concat(parcels []parcel, v3 bool) []byte {
	if len(parcels) == 1 {
		return l.bytes(&parcels[0], v3)
	}
	l.sendGathered() // which may be of the buffer
	l.joined = l.joined[:0]
	for i := range parcels {
		l.joined = append(l.joined, l.bytes(&parcels[i], v3)...)
	}
	return l.joined
}

// heldAudiences is a heap of held audiences. On top is the one whose last walk
// is the oldest: all holds are equally long, so it is due first.
type heldAudiences []*audience

func (h heldAudiences) Len() int           { return len(h) }
func (h heldAudiences) Less(i, j int) bool { return h[i].walked < h[j].walked }
func (h heldAudiences) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].heap, h[j].heap = int32(i), int32(j)
}

func (h *heldAudiences) Push(x any) {
	a := x.(*audience)
	a.heap = int32(len(*h))
	*h = append(*h, a)
}

func (h *heldAudiences) Pop() any {
	last := len(*h) - 1
	a := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	return a
}
