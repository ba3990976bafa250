package cluster

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"hubsub/cluster/port"
)

// Node is this process's part in the cluster. Its methods may be called from
// any goroutine.
//
// A process can have several lives: given up by the others, or alone beside a
// cluster that it shall join, it begins anew under another name.
type Node struct {
	// Set once.
	config  Config
	address string // for the other nodes
	port    *port.Port
	log     *slog.Logger
	quit    chan struct{} // closed by Close
	running sync.WaitGroup

	// Any goroutine, atomic.
	life    atomic.Pointer[life]
	leaving atomic.Bool

	// See Stats.
	counting sync.Mutex
	lives    int64
	past     Counts // of lives that have ended
}

// Start opens the cluster port and begins to found a cluster or to join one; it
// does not wait for that. Errors say what to change.
func Start(c Config) (*Node, error) {
	n := &Node{config: c, log: c.Log, quit: make(chan struct{}), lives: 1}
	var err error
	n.port, err = port.Listen(port.Config{Address: c.Listen, Network: c.Network, Secret: c.Secret, Log: c.Log, Greeting: n.greeting})
	if err != nil {
		return nil, err
	}
	if err := n.begin(); err != nil {
		n.port.Close()
		return nil, err
	}
	n.port.Handle(queryKind, n.serveQuery)
	n.running.Go(n.run)
	return n, nil
}

// begin completes the configuration by the port that is open.
func (n *Node) begin() (err error) {
	if n.address, err = n.config.advertise(n.port.Address()); err != nil {
		return err
	}
	n.config.completeClients(n.address)
	if err := n.config.check(n.address); err != nil {
		return err
	}
	if n.config.ID == "" {
		n.config.ID = n.address
	}
	first, err := newLife(n, bequest{}, 0)
	n.life.Store(first)
	return err
}

// greeting is what this process says of itself. Nobody is there yet while the
// port opens.
func (n *Node) greeting() port.Greeting {
	if l := n.life.Load(); l != nil {
		return l.greeting()
	}
	return port.Greeting{}
}

// run lives one life after the other.
func (n *Node) run() {
	for {
		l := n.life.Load()
		left := l.live()
		l.close()
		if n.ended() {
			return
		}
		after := l.newestBoot()
		next, err := newLife(n, left, after)
		for err != nil {
			n.log.Error("cannot begin anew, trying again", "error", err)
			if !n.pause(time.Second) {
				return
			}
			next, err = newLife(n, left, after)
		}
		n.succeed(l, next)
	}
}

func (n *Node) ended() bool {
	select {
	case <-n.quit:
		return true
	default:
		return false
	}
}

// pause waits, and reports whether the node is still to run.
func (n *Node) pause(d time.Duration) bool {
	select {
	case <-n.quit:
		return false
	case <-time.After(d):
		return true
	}
}

// Address returns where the other nodes reach this one.
func (n *Node) Address() string { return n.address }

// Ready returns nil if this node can tell clients where rooms live, else why
// not.
func (n *Node) Ready() error {
	if n.leaving.Load() {
		return errLeaving
	}
	return n.life.Load().ready()
}

// Nodes returns the members of the cluster as this node knows them.
func (n *Node) Nodes() []NodeStatus { return n.life.Load().nodes() }

// Leave tells the others that this node ends, and waits a moment for them to
// know. It is not Ready from now on. Close follows.
func (n *Node) Leave() {
	if n.leaving.CompareAndSwap(false, true) {
		ctx, cancel := context.WithTimeout(context.Background(), leaveTimeMax)
		defer cancel()
		n.life.Load().leave(ctx)
	}
}

// Close ends it, as a crash would for the others unless Leave came before.
func (n *Node) Close() error {
	close(n.quit)
	n.running.Wait()
	return n.port.Close()
}
