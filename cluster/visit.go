package cluster

import "hubsub/cluster/port"

// greeting is what this process says of itself to whoever connects.
func (l *life) greeting() port.Greeting {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.introduce()
}

// introduce makes a greeting. The caller holds mu.
func (l *life) introduce() port.Greeting {
	g := port.Greeting{
		Cluster: l.cluster, Generation: l.generation, Name: l.self.Name, ID: l.self.ID, Address: l.self.Cluster,
		Members: l.members(), Rooms: max(l.table.Rooms(), l.host.Rooms()), Table: l.table.Generation() > 0,
	}
	if l.led.by != "" {
		g.Leader, g.LeaderAddress = l.led.by, l.addressOf(l.led.by)
	}
	return g
}

// visited takes note of a process that has greeted this one. Where there is no
// secret anybody can say that it is of the next generation of the cluster. So
// before a node leaves its cluster for a visitor it asks itself where that one
// says that it is, one at a time; who is right is met again.
func (l *life) visited(peer port.Greeting) {
	if meet(l.greeting(), peer) != yields {
		l.met(peer)
		return
	}
	if !l.visiting.CompareAndSwap(false, true) {
		return
	}
	defer l.visiting.Store(false)
	there, err := l.greet(peer.Address)
	select {
	case <-l.ended:
		return
	default:
	}
	if err == nil && there.Name == peer.Name {
		l.met(there)
	}
}

// met decides what follows when a process of another cluster greets. Who is
// still joining has nothing to say yet, but that its generation is over.
func (l *life) met(peer port.Greeting) {
	l.mu.Lock()
	defer l.mu.Unlock()
	mine := l.introduce()
	myID, _ := splitCluster(mine.Cluster)
	if id, _ := splitCluster(peer.Cluster); !l.member() && (id != myID || peer.Leader == "") {
		return
	}
	switch meet(mine, peer) {
	case yields:
		l.log.Warn("leaves its cluster for another, which is right or in use", "cluster", mine.Cluster, "joins", peer.Cluster, "at", peer.Address)
		l.giveUp(true, peer.Address)
	case conflict:
		if l.reunion.tells.pass(l.now(), conflictInterval) {
			l.log.Error("another cluster answers where this one looks for its members: two clusters that have rooms or members never become one; "+
				"end the processes of one of them and start them with --join", "cluster", mine.Cluster, "other", peer.Cluster, "at", peer.Address)
		}
	}
}
