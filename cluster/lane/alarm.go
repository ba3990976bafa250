package lane

import (
	"container/heap"
	"time"
)

// alarms are the rooms to look at, each at room.due, the earliest on top. A room
// knows its place, so that it can be moved and removed: who publishes to a million
// rooms that do not exist leaves none of them here.
type alarms []*room

// set has a room looked at by then.
func (a *alarms) set(r *room, at time.Duration) {
	switch {
	case r.due == 0:
		r.due = at
		heap.Push(a, r)
	case at < r.due:
		r.due = at
		heap.Fix(a, r.alarm)
	}
}

func (a *alarms) clear(r *room) {
	if r.due != 0 {
		heap.Remove(a, r.alarm)
		r.due = 0
	}
}

// next returns the time of the first.
func (a alarms) next() time.Duration {
	if len(a) == 0 {
		return never
	}
	return a[0].due
}

// due takes the first room to look at by now, nil if there is none.
func (a *alarms) due(now time.Duration) *room {
	if a.next() > now {
		return nil
	}
	r := heap.Pop(a).(*room)
	r.due = 0
	return r
}

// These are for package heap.
func (a alarms) Len() int           { return len(a) }
func (a alarms) Less(i, j int) bool { return a[i].due < a[j].due }

func (a alarms) Swap(i, j int) {
	a[i], a[j] = a[j], a[i]
	a[i].alarm, a[j].alarm = i, j
}

func (a *alarms) Push(x any) {
	r := x.(*room)
	r.alarm = len(*a)
	*a = append(*a, r)
}

func (a *alarms) Pop() any {
	last := len(*a) - 1
	r := (*a)[last]
	(*a)[last] = nil
	*a = (*a)[:last]
	return r
}
