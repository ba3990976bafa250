package cluster

import (
	"maps"
	"time"

	"hubsub/cluster/placement"
)

// whereabouts are the addresses of processes: those that the last roster has,
// and those that no roster has yet, as they, or others, have said since. The
// guard is life.mu.
type whereabouts struct {
	members map[placement.Name]string
	others  map[placement.Name]hearsay
}

// hearsay is an address and when it was said.
type hearsay struct {
	address string
	at      time.Duration
}

func newWhereabouts() whereabouts {
	return whereabouts{members: make(map[placement.Name]string), others: make(map[placement.Name]hearsay)}
}

// hear takes note of where a process says that it is, or a leader is said to be.
func (w *whereabouts) hear(now time.Duration, name placement.Name, address string) {
	w.others[name] = hearsay{address, now}
}

// of returns the address of a process, empty if nobody has said it.
func (w *whereabouts) of(name placement.Name) string {
	if other, ok := w.others[name]; ok {
		return other.address
	}
	return w.members[name]
}

// learn takes the addresses of a roster. What was said before is forgotten, but
// for what was said since then by newcomers: who leads knows them earlier than
// any roster. One that is still outside says where it is again.
func (w *whereabouts) learn(members map[placement.Name]string, since time.Duration) {
	w.members = members
	maps.DeleteFunc(w.others, func(name placement.Name, h hearsay) bool {
		return members[name] != "" || h.at <= since
	})
}
