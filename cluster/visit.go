package cluster

import (
	"context"

	"hubsub/cluster/port"
)

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
	ctx, cancel := context.WithTimeout(context.Background(), helloTimeMax)
	defer cancel()
	there, err := l.node.port.Hello(ctx, peer.Address)
	select {
	case <-l.ended:
		return
	default:
	}
	if err == nil && there.Name == peer.Name {
		l.met(there)
	}
}
