package cluster

import (
	"maps"

	"hubsub/cluster/placement"
)

// loads are how busy the nodes are, this one too, as they have last reported. The
// guard is life.mu.
type loads struct {
	serial uint64                              // of the last own report; those of earlier processes of this name are lower
	own    placement.Report                    // the last, which the gossip may not have taken yet
	of     map[placement.Name]placement.Report // what the gossip has brought
}

func newLoads(after uint64) loads {
	return loads{serial: after, of: make(map[placement.Name]placement.Report)}
}

// tell makes a report the last of this node.
func (r *loads) tell(own placement.Report) placement.Report {
	r.serial++
	own.Seq = r.serial
	r.own = own
	return own
}

// keep forgets the nodes that are no members, and are not becoming any: the gossip
// may bring a report of one that has ended later than the roster tells of its end.
func (r *loads) keep(may func(name placement.Name) bool) {
	maps.DeleteFunc(r.of, func(name placement.Name, _ placement.Report) bool { return !may(name) })
}

// report is what this node reports, for the gossip. Any goroutine.
func (l *life) report() placement.Report {
	r := l.node.config.Load()
	r.Node = l.self.Name
	r.Draining = l.node.leaving.Load()
	l.mu.Lock()
	defer l.mu.Unlock()
	r.Rooms = l.host.Rooms()
	return l.loads.tell(r)
}

// heard takes a report from the gossip, which brings this node's own, too. Any
// goroutine.
func (l *life) heard(r placement.Report) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.loads.of[r.Node] = r
	l.decider.Load(l.now(), r)
}

// full reports whether this node takes no more rooms. The caller holds mu.
func (l *life) full() bool { return l.loads.own.Busy() >= 1 || l.node.leaving.Load() }
