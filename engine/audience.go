package engine

import "math"

// audience is one loop's subscribers of one channel or pattern: dense arrays,
// because a walk over them is most of what a loop does. All of it is owned by
// the loop.
type audience struct {
	// Set once. One of them is nil.
	channel *channel
	pattern *pattern

	// alone are the sessions that have this one subscription, in RESP2 and in
	// RESP3: the walk sends them the shared bytes. many are those with others
	// besides, whose messages are copied in the order of the log.
	alone [2][]member
	many  []member

	// What alone was not sent yet, and when it was last walked (ns).
	pending []parcel
	walked  int64
	heap    int32 // when held: place in loop.held
	queue   queueState
	awaited bool // in newcomers.coming: sessions are about to join
}

type queueState uint8

const (
	unqueued queueState = iota
	toWalk              // in loop.walks
	held                // in loop.held
)

// member is a session in an audience; sub is the subscription's number in the
// session, and that subscription points back. fd is the session's.
type member struct {
	session *Session
	sub     int32
	fd      int32
}

// listIndex names one of an audience's arrays.
type listIndex uint8

const (
	listRESP2 listIndex = iota
	listRESP3
	listMany
)

// never is a walk so long ago that no hold reaches to it.
const never = math.MinInt64 / 2

func (a *audience) kind() Kind {
	if a.pattern != nil {
		return Pattern
	}
	return a.channel.kind
}

func (a *audience) name() string {
	if a.pattern != nil {
		return a.pattern.name
	}
	return a.channel.name
}

func (a *audience) list(i listIndex) *[]member {
	if i == listMany {
		return &a.many
	}
	return &a.alone[i]
}

func (a *audience) aloneCount() int { return len(a.alone[listRESP2]) + len(a.alone[listRESP3]) }

func (a *audience) empty() bool { return a.aloneCount() == 0 && len(a.many) == 0 && !a.awaited }

// enter puts the session's subscription number sub into the array in which the
// session belongs now.
func (a *audience) enter(s *Session, sub int) {
	list := listMany
	if s.subs.count() == 1 && !s.has(arriving) {
		list = listRESP2
		if s.out.V3 {
			list = listRESP3
		}
	}
	members := a.list(list)
	tie := s.subs.at(sub)
	tie.list, tie.place = list, int32(len(*members))
	*members = append(*members, member{s, int32(sub), s.fd})
}

// exit takes it out again; the last member fills the gap.
func (a *audience) exit(s *Session, sub int) {
	at := s.subs.at(sub)
	members := a.list(at.list)
	last := len(*members) - 1
	moved := (*members)[last]
	(*members)[at.place] = moved
	moved.session.subs.at(int(moved.sub)).place = at.place
	(*members)[last] = member{}
	*members = (*members)[:last]
	if cap(*members) > 16 && last < cap(*members)/4 {
		*members = append(make([]member, 0, cap(*members)/2), *members...)
	}
}
