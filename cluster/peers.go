package cluster

import (
	"sync"

	"hubsub/cluster/lane"
	"hubsub/cluster/placement"
)

// peers are the processes of the cluster as the lanes number them. A number is
// never given to another process, so that a late record or death is nobody
// else's. Any goroutine.
type peers struct {
	mu     sync.RWMutex
	self   placement.Name
	number map[placement.Name]lane.Peer
	all    []peer // by number; [lane.Self] is this process
}

// peer is one process. Its address is empty while nobody has told it.
type peer struct {
	name    placement.Name
	address string
}

func newPeers() *peers {
	return &peers{number: make(map[placement.Name]lane.Peer), all: make([]peer, 1)}
}

// begin gives this process a name; what it was called before is another
// process's from then on, which is dead.
func (p *peers) begin(self placement.Name) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.number, p.self)
	p.self = self
	p.number[self] = lane.Self
	p.all[lane.Self].name = self
}

// of returns the number of a process, a new one if it has none.
func (p *peers) of(name placement.Name) lane.Peer {
	p.mu.RLock()
	n, known := p.number[name]
	p.mu.RUnlock()
	if known {
		return n
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if n, known = p.number[name]; known {
		return n
	}
	n = lane.Peer(len(p.all))
	p.number[name] = n
	p.all = append(p.all, peer{name: name})
	return n
}

// numbers returns those of several processes, in their order.
func (p *peers) numbers(names []placement.Name) []lane.Peer {
	all := make([]lane.Peer, len(names))
	for i, name := range names {
		all[i] = p.of(name)
	}
	return all
}

// at says where a process is.
func (p *peers) at(name placement.Name, address string) {
	n := p.of(name)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.all[n].address = address
}

// get returns the process with a number.
func (p *peers) get(n lane.Peer) peer {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.all[n]
}
