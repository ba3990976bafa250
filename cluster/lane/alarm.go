package lane

import (
	"container/heap"
	"time"
)

// alarms say when to look at which room. A room has one that counts, that of
// room.due; what is left of earlier ones is skipped.
type alarms struct{ heap alarmHeap }

type alarm struct {
	at   time.Duration
	room *room
}

func (a *alarms) add(r *room, at time.Duration) { heap.Push(&a.heap, alarm{at, r}) }

// next returns the time of the first.
func (a *alarms) next() time.Duration {
	if len(a.heap) == 0 {
		return never
	}
	return a.heap[0].at
}

// due takes the first room to look at by now, nil if there is none.
func (a *alarms) due(now time.Duration) *room {
	for len(a.heap) > 0 && a.heap[0].at <= now {
		first := heap.Pop(&a.heap).(alarm)
		if first.room.due == first.at {
			first.room.due = 0
			return first.room
		}
	}
	return nil
}

// alarmHeap has the earliest on top.
type alarmHeap []alarm

func (h alarmHeap) Len() int           { return len(h) }
func (h alarmHeap) Less(i, j int) bool { return h[i].at < h[j].at }
func (h alarmHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *alarmHeap) Push(x any)        { *h = append(*h, x.(alarm)) }

func (h *alarmHeap) Pop() any {
	last := len(*h) - 1
	a := (*h)[last]
	(*h)[last] = alarm{}
	*h = (*h)[:last]
	return a
}
