package consensus

import (
	"cmp"
	"slices"
	"time"

	"hubsub/cluster/placement"
)

// Candidate is a member as the leader knows it, fit for a voter or not.
type Candidate struct {
	Name      placement.Name
	ID        string // of the node
	Address   string // host:port
	Zone      string
	Alive     bool
	Reachable bool      // from the leader
	Draining  bool      // shall not be a voter much longer
	Since     time.Time // when it was first seen alive; zero: when Balance was first told
}

// change is one step towards the voters that there shall be.
type change struct {
	kind    changeKind
	name    placement.Name
	address string
}

type changeKind uint8

const (
	rest     changeKind = iota // all is as it shall be, or cannot be better now
	add                        // as a standby, or as what it is but at another address
	promote                    // to a voter, or at another address
	demote                     // a living voter to a standby: it hears of it, and stands for no election
	remove                     // a standby, or a dead voter
	transfer                   // leadership
)

func (k changeKind) String() string {
	return [...]string{"rest", "add", "promote", "demote", "remove", "transfer"}[k]
}

// council is what the leader decides by.
type council struct {
	self    placement.Name
	servers []Server
	members []Candidate
	fit     func(Candidate) bool // of a process that is alive: nothing speaks against it
}

// next returns the next change, the most urgent first. Done one after the other
// they lead to rest.
//
// A change of one server keeps a majority of the old voters in every majority of
// the new ones, so each is safe. What must be right is where they rest: never
// with two voters, who both must live; never with fewer living voters than it
// takes to make the next change.
func (c *council) next() change {
	self, known := c.member(c.self)
	if !known {
		return change{} // the table is not as far as to have the leader in it
	}
	voters, standbys := c.split()
	live := 0
	for _, v := range voters {
		if c.alive(v.Name) {
			live++
		}
	}
	target := c.target()
	switch {
	case live < len(voters)/2+1 && len(voters) != 2:
		return change{} // nothing would be committed
	case self.Draining && self.Alive:
		if step := c.abdicate(voters, standbys); step.kind != rest {
			return step
		}
	}
	if step := c.dismiss(voters, standbys, target); step.kind != rest {
		return step
	}
	if step := c.resize(voters, standbys, target); step.kind != rest {
		return step
	}
	return c.prepare(voters, standbys)
}

// target counts nodes, not processes, and dead ones too: a majority of the nodes
// that there are must agree, not of those that are in reach.
func (c *council) target() int {
	nodes := make(map[string]bool)
	for _, m := range c.members {
		if !m.Draining || !m.Alive {
			nodes[m.ID] = true
		}
	}
	if len(nodes) < nodesForMany {
		return votersFew
	}
	return votersMany
}

// abdicate hands over for a leader that leaves.
func (c *council) abdicate(voters, standbys []Server) change {
	if heir, ok := c.best(voters, voters); ok {
		return change{transfer, heir.Name, heir.Address}
	}
	if heir, ok := c.best(standbys, nil); ok && len(voters) == 1 {
		return change{promote, heir.Name, heir.Address}
	}
	return change{}
}

// dismiss sends voters away that are dead or leave.
func (c *council) dismiss(voters, standbys []Server, target int) change {
	heir, replaceable := c.best(standbys, voters)
	for _, v := range voters {
		// A dead one goes first and is replaced then: with one more voter the
		// majority would be one more, too.
		if !c.alive(v.Name) && (replaceable || len(voters) > target || len(voters) == 2) {
			return change{remove, v.Name, v.Address}
		}
	}
	for _, v := range voters {
		switch m, _ := c.member(v.Name); {
		case v.Name == c.self || !m.Draining || !m.Alive:
		case len(voters) > target:
			return change{demote, v.Name, v.Address}
		case replaceable:
			return change{promote, heir.Name, heir.Address}
		}
	}
	return change{}
}

// resize brings the voters to their number.
func (c *council) resize(voters, standbys []Server, target int) change {
	heir, ok := c.best(standbys, voters)
	switch n := len(voters); {
	case n == 1 && target == votersMany && c.count(standbys) >= 2, n == 2 && target == votersMany && ok:
		return change{promote, heir.Name, heir.Address}
	case n > target, n == 2:
		spare := c.worst(voters)
		return change{demote, spare.Name, spare.Address}
	}
	for _, v := range voters {
		if m, _ := c.member(v.Name); m.Alive && m.Address != v.Address {
			return change{promote, m.Name, m.Address}
		}
	}
	return change{}
}

// prepare keeps standbys, so that there is somebody to promote and that the
// second of two nodes has the table.
func (c *council) prepare(voters, standbys []Server) change {
	wanted := standbysOfFew
	if len(voters) >= votersMany {
		wanted = standbysOfMany
	}
	for _, s := range standbys {
		switch m, _ := c.member(s.Name); {
		case !m.Alive || m.Draining:
			return change{remove, s.Name, s.Address}
		case m.Address != s.Address:
			return change{add, m.Name, m.Address}
		}
	}
	if len(standbys) > wanted {
		spare := c.worst(standbys)
		return change{remove, spare.Name, spare.Address}
	}
	if len(standbys) < wanted {
		var others []Server
		for _, m := range c.members {
			if !slices.ContainsFunc(c.servers, func(s Server) bool { return s.Name == m.Name }) {
				others = append(others, Server{Name: m.Name, Address: m.Address})
			}
		}
		if one, ok := c.best(others, c.servers); ok {
			return change{add, one.Name, one.Address}
		}
	}
	return change{}
}

func (c *council) split() (voters, standbys []Server) {
	for _, s := range c.servers {
		if s.Voter {
			voters = append(voters, s)
		} else {
			standbys = append(standbys, s)
		}
	}
	return voters, standbys
}

func (c *council) member(name placement.Name) (Candidate, bool) {
	for _, m := range c.members {
		if m.Name == name {
			return m, true
		}
	}
	return Candidate{}, false // forgotten
}

func (c *council) alive(name placement.Name) bool {
	m, _ := c.member(name)
	return name == c.self || m.Alive
}

// ready reports whether a server can take more upon it.
func (c *council) ready(s Server) bool {
	m, _ := c.member(s.Name)
	return s.Name != c.self && m.Alive && m.Reachable && !m.Draining && m.Address == s.Address && c.fit(m)
}

func (c *council) count(of []Server) (n int) {
	for _, s := range of {
		if c.ready(s) {
			n++
		}
	}
	return n
}

// best returns the ready one in a zone that the others are not in, if there is
// one, and of these the oldest.
func (c *council) best(of, others []Server) (one Server, ok bool) {
	for _, s := range of {
		if c.ready(s) && (!ok || c.compare(s, one, others) < 0) {
			one, ok = s, true
		}
	}
	return one, ok
}

// worst returns the one without which the rest does best: never the leader.
func (c *council) worst(of []Server) (one Server) {
	found := false
	for _, s := range of {
		if s.Name != c.self && (!found || c.compare(s, one, of) > 0) {
			one, found = s, true
		}
	}
	return one
}

// compare is negative if a is better than b, beside the others.
func (c *council) compare(a, b Server, others []Server) int {
	m, _ := c.member(a.Name)
	n, _ := c.member(b.Name)
	return cmp.Or(
		cmp.Compare(c.neighbours(m, others), c.neighbours(n, others)),
		m.Since.Compare(n.Since),
		cmp.Compare(a.Name, b.Name),
	)
}

// neighbours counts those of its zone.
func (c *council) neighbours(m Candidate, others []Server) (n int) {
	for _, s := range others {
		if other, ok := c.member(s.Name); ok && s.Name != m.Name && other.Zone == m.Zone {
			n++
		}
	}
	return n
}
