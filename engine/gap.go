package engine

import (
	"encoding/json"
	"sync/atomic"
	"time"
)

// This file tells of gaps: messages of a room that clients here may have missed.
// Clients see no numbers, so those who want to know subscribe to a channel of
// this node, or have themselves be closed (Settings.CloseOnGap).

// gapPrefix and the room's name are the channel of its gaps.
const gapPrefix = localPrefix + "gap:"

// gapNews is what subscribers of that channel get, as JSON.
type gapNews struct {
	Room   string `json:"room"`
	Lost   int64  `json:"lost"` // -1: unknown
	Reason string `json:"reason"`
	At     int64  `json:"at"` // Unix ms
}

// gapCounts are those of one reason, since the start or the last reset.
type gapCounts struct{ gaps, lost atomic.Int64 }

// GapCount tells how many gaps one reason made, and of how many messages, as far
// as that is known.
type GapCount struct {
	Reason     string
	Gaps, Lost int64
}

// Gaps returns the counts since the start or the last ResetStats for every
// reason there is, in a fixed order. Any goroutine.
func (e *Engine) Gaps() []GapCount {
	counts := make([]GapCount, whys)
	for why := range whys {
		counts[why] = GapCount{why.String(), e.gaps[why].gaps.Load(), e.gaps[why].lost.Load()}
	}
	return counts
}

// Gap implements Sink. The news pass patterns by: nobody shall have them who did
// not ask.
func (k sink) Gap(room []byte, lost int64, why Why) {
	y := k.relay
	l := y.loop
	why = min(why, Other)
	count := &l.engine.gaps[why]
	count.gaps.Add(1)
	count.lost.Add(max(lost, 0))
	if others, ok := y.gaps.mayTell(string(room), l.now); ok {
		l.engine.log.Warn("clients may have missed messages of a room", "room", string(room), "lost", lost,
			"reason", why.String(), "gaps before", others)
	}
	name := append([]byte(gapPrefix), room...)
	if ch := l.engine.directory.lookup(Channel, name); ch != nil {
		news, _ := json.Marshal(gapNews{string(room), lost, why.String(), time.Now().UnixMilli()}) // cannot fail
		l.add(ch, nil, y.command(name, news))
	}
	if l.engine.settings.Load().CloseOnGap {
		y.expelled.note(string(room))
	}
}

// gapLog bounds the log: one line a room and second, and not too many of all
// rooms.
type gapLog struct {
	told   map[string]struct{} // since begin
	begin  int64
	untold int64
}

// mayTell reports whether a gap of the room may be logged. others are those of
// any room that were not since the last.
func (g *gapLog) mayTell(room string, now int64) (others int64, ok bool) {
	if g.told == nil || now-g.begin >= int64(warningInterval) {
		g.told, g.begin = make(map[string]struct{}), now
	}
	if _, twice := g.told[room]; twice || len(g.told) >= gapLinesMax {
		g.untold++
		return 0, false
	}
	g.told[room] = struct{}{}
	others, g.untold = g.untold, 0
	return others, true
}

// expelled are the clients that a loop closes after a gap: slowly, for all of
// them come back at once.
type expelled struct {
	rooms map[string]struct{} // whose gaps the other loops do not know of yet
	queue []*Session
	last  int64 // when some were closed
}

func (x *expelled) note(room string) {
	if x.rooms == nil {
		x.rooms = make(map[string]struct{})
	}
	x.rooms[room] = struct{}{}
}

// next returns how long to wait before the next are closed; negative: for ever.
func (x *expelled) next(l *loop) time.Duration {
	if len(x.queue) == 0 {
		return -1
	}
	return max(gapCloseInterval-time.Duration(l.engine.clock()-x.last), 0)
}

// expel queues the loop's clients that hear one of the rooms: by name, or by a
// pattern of that room.
func (y *relay) expel(rooms map[string]struct{}) {
	l := y.loop
	for room := range rooms {
		for _, ch := range l.engine.directory.channelsOf(room) {
			if a := l.audienceOf(ch); a != nil {
				y.expelAll(a)
			}
		}
	}
	for name, a := range l.patterns {
		if _, gap := rooms[string(PatternRoom([]byte(name)))]; gap {
			y.expelAll(a)
		}
	}
}

func (y *relay) expelAll(a *audience) {
	for list := listRESP2; list <= listMany; list++ {
		for _, m := range *a.list(list) {
			if s := m.session; !s.has(expelling) {
				s.flags |= expelling
				y.expelled.queue = append(y.expelled.queue, s)
			}
		}
	}
}

// expelDue tells all loops of gaps, and closes the clients whose turn it is once
// they have what was published before.
func (y *relay) expelDue() {
	x, l := &y.expelled, y.loop
	if x.rooms != nil {
		rooms := x.rooms
		x.rooms = nil
		for _, other := range l.engine.loops {
			other.post(func() { other.relay.expel(rooms) })
		}
	}
	if len(x.queue) == 0 || l.now-x.last < int64(gapCloseInterval) {
		return
	}
	x.last = l.now
	turn := x.queue[:min(len(x.queue), max(gapClosesMax/len(l.engine.loops), 1))]
	for i, s := range turn {
		turn[i] = nil
		if !s.ended() && !s.has(lastAnswer) {
			s.Settle()
			s.reason = closedByGap
			s.Finish()
		}
	}
	if x.queue = x.queue[len(turn):]; len(x.queue) == 0 {
		x.queue = nil
	}
}
