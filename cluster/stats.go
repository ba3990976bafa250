package cluster

import (
	"fmt"
	"reflect"
	"time"

	"hubsub/cluster/consensus"
	"hubsub/cluster/control"
	"hubsub/cluster/gossip"
	"hubsub/cluster/lane"
	"hubsub/cluster/link"
	"hubsub/cluster/placement"
	"hubsub/cluster/port"
)

// Stats is how a node is now, and what it has counted since Start.
type Stats struct {
	Members     map[placement.State]int // as this node knows them
	Member      bool                    // it is one that serves
	Leads       bool                    // the cluster
	KnowsLeader bool                    // who may be itself
	Voter       bool                    // in consensus
	Hosted      int                     // rooms here, those that are just being made too
	Rooms       int                     // in its table; 0: it has none
	Generation  uint32                  // of the cluster; 0: it has none yet
	Waiting     int                     // clients' questions to the leader
	LinkBytes   int64                   // of rooms' records that wait for links

	Lives int64 // that it has begun
	Port  port.Stats
	Lanes LaneStats
	Counts
}

// Counts are those of a life's parts, and of all lives that have ended. Peers,
// Connected and Outbox are as of now.
type Counts struct {
	Control   control.Stats
	Gossip    gossip.Stats
	Consensus consensus.Stats
	Links     link.Stats
	Orders    OrderStats
}

// LaneStats are the counts of all lanes, as of a moment ago.
type LaneStats struct {
	lane.Stats
	Unknown, Malformed int64 // records of links
	Discarded          int64 // records that no link took before their node was lost, or for seconds
}

// OrderStats counts messages about rooms and members of which nothing came.
type OrderStats struct {
	OldTerms         int64 // refused: of a leader that is none any more
	OldEpochs        int64 // refused: it has changed since
	NoAddress        int64 // not sent: nobody knows where the receiver is
	LaterGenerations int64 // refused: of a cluster that this node is not of
}

// Stats returns the counts. Any goroutine.
func (n *Node) Stats() Stats {
	n.counting.Lock()
	defer n.counting.Unlock()
	s := n.life.Load().stats()
	s.Counts.add(n.past)
	s.Lives, s.Port, s.Lanes = n.lives, n.port.Stats(), n.config.Lanes.stats()
	return s
}

// succeed makes next the node's life, and keeps what the last one has counted.
func (n *Node) succeed(last, next *life) {
	n.counting.Lock()
	defer n.counting.Unlock()
	n.past.add(last.stats().Counts)
	n.lives++
	n.life.Store(next)
}

// counted is what a life counts itself. The guard is life.mu.
type counted struct {
	former          Counts // of parts that others have replaced
	unaddressed     int64  // messages to nobody knows where
	laterGeneration int64  // orders of it
	tells           pace   // of orders that were refused
}

func (l *life) stats() Stats {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := Stats{
		Members: make(map[placement.State]int), Member: l.member(),
		Leads: l.led.by == l.self.Name, KnowsLeader: l.led.by != "",
		Hosted: l.host.Rooms(), Rooms: l.table.Rooms(), Generation: l.generation,
		Waiting: l.questions.waiting(), Counts: l.counts(),
	}
	for _, one := range l.standing() {
		s.Members[l.stateOf(one)]++
	}
	if l.parts.links != nil {
		for _, n := range l.parts.links.Stats().Queues {
			s.LinkBytes += n
		}
	}
	s.Voter = l.parts.consensus != nil && l.votes(l.self.Name)
	return s
}

// counts returns what this life has counted. The caller holds mu.
func (l *life) counts() (c Counts) {
	p := l.parts
	if p.control == nil {
		p.control = new(control.Control) // which has all reasons
	}
	c.Control = p.control.Stats()
	if p.links == nil {
		p.links = new(link.Links) // likewise
	}
	c.Links = p.links.Stats()
	c.Links.Queues = nil // see Stats.LinkBytes
	if p.gossip != nil {
		c.Gossip = p.gossip.Stats()
	}
	if p.consensus != nil {
		c.Consensus = p.consensus.Stats()
	}
	late := l.host.Outdated()
	c.Orders = OrderStats{OldTerms: late.Terms, OldEpochs: late.Epochs, NoAddress: l.counted.unaddressed, LaterGenerations: l.counted.laterGeneration}
	c.add(l.counted.former)
	return c
}

// retire keeps what a gossip has counted that another one replaces. The caller
// holds mu.
func (l *life) retire(old *gossip.Gossip) { l.counted.former.add(Counts{Gossip: old.Stats()}) }

// add adds what was counted by parts that have ended. It goes by the types, so
// that no counter is forgotten.
func (c *Counts) add(ended Counts) {
	ended.Control.Peers, ended.Control.Connected, ended.Control.Outbox = 0, 0, 0
	ended.Links.Peers, ended.Links.Connected = 0, 0
	sum(reflect.ValueOf(c).Elem(), reflect.ValueOf(ended))
}

// sum adds the numbers in b, a struct or a map of them, to those in a.
func sum(a, b reflect.Value) {
	switch a.Kind() {
	case reflect.Struct:
		for i := range a.NumField() {
			sum(a.Field(i), b.Field(i))
		}
	case reflect.Map:
		if a.IsNil() && !b.IsNil() {
			a.Set(reflect.MakeMap(a.Type()))
		}
		for of, n := range b.Seq2() {
			total := reflect.New(a.Type().Elem()).Elem()
			if before := a.MapIndex(of); before.IsValid() {
				total.Set(before)
			}
			sum(total, n)
			a.SetMapIndex(of, total)
		}
	case reflect.Int64:
		a.SetInt(a.Int() + b.Int())
	case reflect.Uint64:
		a.SetUint(a.Uint() + b.Uint())
	default:
		panic(fmt.Sprintf("cluster: %s is no counter", a.Type()))
	}
}

// order hands an order to the host, and logs those that it refuses. One of a later
// generation is none: who is of it says so when the two greet, and is asked again
// where it lives (visit.go). The caller holds mu.
func (l *life) order(now time.Duration, from placement.Name, m placement.Message) {
	before := l.host.Outdated()
	strange := termOf(m).Generation > l.generation
	if strange {
		l.counted.laterGeneration++
	} else {
		l.host.Receive(now, from, m)
	}
	if !strange && l.host.Outdated() == before || !l.counted.tells.pass(now, refusedInterval) {
		return
	}
	l.log.Info("refuses a message of a leader that is none any more, or of what has changed since", "from", from, "message", fmt.Sprintf("%T", m))
}

// termOf returns the term in which a leader has sent an order, zero if it is none.
func termOf(m placement.Message) placement.Term {
	switch m := m.(type) {
	case placement.Reserve:
		return m.Attempt.Term
	case placement.Release:
		return m.Attempt.Term
	case placement.Activate:
		return m.Term
	case placement.Drop:
		return m.Term
	case placement.MayClose:
		return m.Attempt.Term
	case placement.Reopen:
		return m.Term
	case placement.List:
		return m.Attempt.Term
	case placement.Gone:
		return m.Term
	case placement.Roster:
		return m.Term
	default:
		return placement.Term{}
	}
}
