package cluster

import (
	"encoding/binary"
	"math"
	"sync/atomic"
	"time"

	"hubsub/cluster/lane"
	"hubsub/cluster/link"
	"hubsub/cluster/placement"
)

// LanesConfig is what lanes need of the process.
type LanesConfig struct {
	Loops int                              // one lane for each
	Of    func(room []byte, loops int) int // which of them has a room's
	Match func(pattern, name []byte) bool  // a Redis glob
	Index lane.Index                       // of globs, empty
}

// Lanes bring the messages of rooms to other nodes and from there: one lane per
// event loop of the process. They outlive the node's lives; what a new one calls
// itself, and whom it knows, they are told.
type Lanes struct {
	// Set once.
	config LanesConfig
	began  time.Time
	all    []*Lane
	peers  *peers

	// Any goroutine, atomic. Nil before the node has begun, and without a cluster.
	life  atomic.Pointer[life]
	links atomic.Pointer[link.Links]

	foreign

	// Any goroutine, atomic: records of links that were none, and those that no link
	// took before their node was lost.
	malformed, unknown, discarded atomic.Int64
}

// NewLanes returns the lanes of a process, which begin to work when their loops
// have attached them, and a node uses them.
func NewLanes(c LanesConfig) *Lanes {
	s := &Lanes{config: c, began: time.Now(), peers: newPeers()}
	for i := range c.Loops {
		s.all = append(s.all, &Lane{lanes: s, loop: i})
	}
	s.foreign.lanes = s
	s.foreign.next.Store(int64(never))
	s.patterns = lane.NewPatterns(s, c.Index, func(tag uint64, code lane.Code) { s.all[0].outlet.Answer(tag, code, 0) })
	return s
}

// now is the time of the lanes, to whom 0 is never.
func (s *Lanes) now() time.Duration { return time.Since(s.began) + 1 }

// of returns the lane of a room.
func (s *Lanes) of(room []byte) *Lane { return s.all[s.config.Of(room, len(s.all))] }

// each puts something down for all lanes.
func (s *Lanes) each(do func(*Lane)) {
	for _, l := range s.all {
		l.post(letter{do: do})
	}
}

// tell puts something down for the lane of a room.
func (s *Lanes) tell(room string, do func(*lane.Lane)) {
	s.of([]byte(room)).post(letter{do: func(l *Lane) { do(l.core) }})
}

// begin tells that a life begins, in which this process has another name.
func (s *Lanes) begin(l *life) {
	s.life.Store(l)
	s.peers.begin(l.self.Name)
	start := l.start
	s.each(func(l *Lane) {
		if l.loop == 0 {
			s.change(func(p *lane.Patterns) {
				p.Begin(start)
				p.Restart()
			})
		}
		l.core.Isolated(false)
		l.core.Restart(start)
	})
}

// link begins to connect this process, under the name of a life, with others.
func (s *Lanes) link(c link.Config) *link.Links {
	c.Receive, c.Broken, c.Watch = s.receive, s.broken, s.watch
	links := link.New(c)
	s.links.Store(links)
	return links
}

// opened, shut, placed and unplaced tell where a room lives.
func (s *Lanes) opened(room string, epoch placement.Epoch, hosts []placement.Name) {
	numbers := s.peers.numbers(hosts)
	s.tell(room, func(l *lane.Lane) { l.Opened(room, epoch, numbers) })
}

func (s *Lanes) shut(room string) {
	s.tell(room, func(l *lane.Lane) { l.Shut(room) })
}

func (s *Lanes) told(t placement.Told) {
	switch code, refused := codes[t.Error]; {
	case t.Error != "" && !refused:
		s.tell(t.Room, func(l *lane.Lane) { l.Unplaced(t.Room, lane.TryAgain) })
	case t.Error != "":
		s.tell(t.Room, func(l *lane.Lane) { l.Unplaced(t.Room, code) })
	case t.Epoch.IsZero():
		s.tell(t.Room, func(l *lane.Lane) { l.Unplaced(t.Room, lane.Done) })
	default:
		for _, m := range t.Hosts {
			s.peers.at(m.Name, m.Cluster)
		}
		numbers := s.peers.numbers(t.Names)
		s.tell(t.Room, func(l *lane.Lane) { l.Placed(t.Room, t.Epoch, numbers) })
	}
}

// codes are what the lanes make of a refusal.
var codes = map[placement.Refusal]lane.Code{
	placement.NoLeader: lane.Down,
	placement.TryAgain: lane.TryAgain,
	placement.TooMany:  lane.TooMany,
	placement.BadRoom:  lane.Failed,
	placement.NoNode:   lane.TryAgain,
}

// dead and alive tell of a process what is certain.
func (s *Lanes) dead(name placement.Name) {
	p := s.peers.of(name)
	s.each(func(l *Lane) {
		l.discard(p)
		l.core.Dead(p)
	})
	if links := s.links.Load(); links != nil {
		links.Forget(name) // should it live, it finds that nothing it says is taken any more
	}
}

func (s *Lanes) alive(name placement.Name) {
	p := s.peers.of(name)
	s.each(func(l *Lane) { l.core.Alive(p) })
}

// isolated tells whether this node may have been cut off, and shall lead nothing.
func (s *Lanes) isolated(yes bool) {
	s.each(func(l *Lane) { l.core.Isolated(yes) })
}

// members tells who serves, with their addresses. One that was dead and serves is
// back under its name, with all that its data directory holds, unless it is proved
// since that it is gone again.
func (s *Lanes) members(all []placement.Standing, proved func(placement.Name) bool) {
	var others, living []lane.Peer
	for _, m := range all {
		switch p := s.peers.of(m.Member.Name); {
		case !m.State.Serves():
			s.dead(m.Member.Name)
		case p != lane.Self:
			s.peers.at(m.Member.Name, m.Member.Cluster)
			others = append(others, p)
			if !proved(m.Member.Name) {
				living = append(living, p)
			}
		}
	}
	s.each(func(l *Lane) {
		for _, p := range living {
			l.core.Alive(p)
		}
	})
	s.all[0].post(letter{do: func(l *Lane) { s.change(func(p *lane.Patterns) { p.Members(others) }) }})
}

// Receive takes records that a link has brought. If a lane has enough that they are
// for, the link reads nothing more of that node until it has not.
func (s *Lanes) receive(from placement.Name, records []byte) (full func() bool) {
	p := s.peers.of(from)
	if len(s.all) == 1 {
		return s.all[0].bring(p, append([]byte(nil), records...))
	}
	parts := make([][]byte, len(s.all))
	for rest := records; len(rest) > 0; {
		size, n := binary.Uvarint(rest) // checked by the link
		record := rest[:n+int(size)]
		rest = rest[len(record):]
		room, err := lane.RoomOf(record[n:])
		if err != nil {
			s.malformed.Add(1)
			continue
		}
		at := s.config.Of(room, len(s.all))
		parts[at] = append(parts[at], record...)
	}
	for i, part := range parts {
		if part == nil {
			continue
		}
		if f := s.all[i].bring(p, part); f != nil {
			full = f
		}
	}
	return full
}

// broken tells that a link has lost what was on it.
func (s *Lanes) broken(name placement.Name) {
	p := s.peers.of(name)
	s.each(func(l *Lane) {
		l.discard(p)
		if l.loop == 0 {
			s.change(func(patterns *lane.Patterns) { patterns.Broken(p) })
		}
		l.core.Broken(p)
	})
}

// stats returns the counts.
func (s *Lanes) stats() (sum LaneStats) {
	for _, l := range s.all {
		l.mu.Lock()
		sum.Add(l.shown)
		l.mu.Unlock()
	}
	sum.Unknown, sum.Malformed, sum.Discarded = s.unknown.Load(), s.malformed.Load(), s.discarded.Load()
	return sum
}

const never = time.Duration(math.MaxInt64)
