package cluster

import (
	"hubsub/cluster/placement"
)

// This file is where lanes and the director meet. A lane asks, on its loop, under
// mu for a moment; what it is told goes into its box.

// lanes are the process's.
func (l *life) lanes() *Lanes { return l.node.config.Lanes }

// askFor asks where a room lives, for a lane.
func (l *life) askFor(room string, create bool) {
	l.mu.Lock()
	defer l.wake()
	defer l.mu.Unlock()
	if l.closed {
		return // the next life makes the lane ask again
	}
	tag := l.questions.begin()
	l.questions.lanes[tag] = true
	l.front.Ask(l.now(), tag, placement.Ask{Room: room, Create: create})
}

// suspect has a process asked whether it lives.
func (l *life) suspect(name placement.Name) {
	l.mu.Lock()
	l.inquire(name)
	l.mu.Unlock()
}

// occupy takes note that somebody uses a room that this node hosts, unless it may
// be about to be closed.
func (l *life) occupy(room string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, _, open, ok := l.host.Hosts(room)
	if ok && open {
		l.used[room] = true
	}
	return ok && open
}

// vacate takes note that nobody does any more.
func (l *life) vacate(room string) {
	l.mu.Lock()
	delete(l.used, room)
	l.mu.Unlock()
}

// inUse reports whether clients use a room that this node hosts. The caller holds
// mu.
func (l *life) inUse(room string) bool {
	return l.used[room]
}
