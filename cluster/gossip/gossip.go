package gossip

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"sync"
	"time"

	"github.com/hashicorp/memberlist"

	"hubsub/cluster/placement"
	"hubsub/cluster/port"
)

// Config is what gossip needs. Its functions are called from goroutines of
// gossip's own, without any lock held, and not after Close.
type Config struct {
	Self  placement.Member
	Port  *port.Port // gossip takes its kinds Packets and Stream
	Label string     // of the cluster: what has another one is not heard
	Log   *slog.Logger

	Report   func() placement.Report // once a second; of two the later has the higher Seq
	Heard    func(placement.Report)  // one of another node, or the own one
	Leader   func() placement.Name   // who gets each report; empty: not known
	Lost     func(placement.Name)    // seems to be dead, or has left
	Contacts func() []string         // host:port where members may be that are not known
}

// Gossip is this node's part in the cluster's gossip. Any goroutine.
type Gossip struct {
	// Set once.
	config    Config
	log       *slog.Logger
	transport *transport
	view      *view
	list      *memberlist.Memberlist
	ctx       context.Context // ends when this node leaves or closes
	cancel    context.CancelFunc
	closing   chan struct{}
	passing   sync.Mutex // held while something is delivered, so that it comes in order
	running   sync.WaitGroup
	counters  counters

	mu     sync.Mutex // memberlist forbids Leave after Shutdown
	closed bool
}

// Start begins to gossip, alone until somebody joins or is joined.
func Start(config Config) (*Gossip, error) {
	meta, err := encodeMeta(config.Self)
	if err != nil {
		return nil, err
	}
	if config.Label == "" || len(config.Label) > memberlist.LabelMaxSize {
		return nil, fmt.Errorf("the cluster's name must have 1 to %d bytes, not %d", memberlist.LabelMaxSize, len(config.Label))
	}
	addresses, err := resolve(context.Background(), config.Self.Cluster)
	if err != nil {
		return nil, err
	}
	g := &Gossip{config: config, log: config.Log, closing: make(chan struct{})}
	g.view = newView(config.Self.Name, meta, &g.counters)
	g.transport = newTransport(config.Port, addresses[0], config.Log, &g.counters, g.hear)
	if g.list, err = memberlist.Create(g.settings()); err != nil {
		_ = g.transport.Shutdown() // has no errors
		return nil, fmt.Errorf("cannot gossip: %w", err)
	}
	g.ctx, g.cancel = context.WithCancel(context.Background())
	g.running.Go(g.deliver)
	g.running.Go(g.report)
	g.running.Go(g.rejoin)
	return g, nil
}

// settings returns memberlist's configuration.
func (g *Gossip) settings() *memberlist.Config {
	c := memberlist.DefaultLANConfig()
	c.Name = string(g.config.Self.Name) // of a process: nobody takes it over
	c.RequireNodeNames = true
	c.Label = g.config.Label
	c.Transport = g.transport
	c.Delegate, c.Events, c.Alive = g.view, g.view, g.view
	c.Logger = newLogger(g.log, &g.counters)

	c.ProbeInterval, c.ProbeTimeout = probeInterval, probeTimeout
	c.IndirectChecks = indirectChecks
	c.DisableTcpPings = true // the others go by TCP already
	c.SuspicionMult, c.SuspicionMaxTimeoutMult = suspicionMult, suspicionMaxMult
	c.AwarenessMaxMultiplier = awarenessMax
	c.GossipInterval, c.GossipNodes = gossipInterval, gossipNodes
	c.GossipToTheDeadTime = deadFor
	c.PushPullInterval = pushPullInterval
	c.TCPTimeout = streamTimeMax
	c.UDPBufferSize = packetBytesMax
	c.HandoffQueueDepth = handoffMax
	c.EnableCompression = false // what is sent is small
	return c
}

// Join meets the members at some addresses, host:port, and so all that they
// know. It fails if none of them could be met; it is tried again with what
// Config.Contacts says, but that takes a while.
func (g *Gossip) Join(addresses []string) error {
	var targets []netip.AddrPort
	var errs []error
	for _, a := range addresses {
		found, err := resolve(g.ctx, a)
		if err != nil {
			errs = append(errs, err)
		}
		for _, t := range found {
			if t != g.transport.self {
				targets = append(targets, t)
			}
		}
	}
	if len(targets) == 0 {
		return fmt.Errorf("cannot join: none of the %d addresses is another node's: %w", len(addresses), errors.Join(errs...))
	}
	return g.join(targets)
}

// join meets the members at addresses. Their names are not known, and not
// needed: memberlist only insists that there is one.
func (g *Gossip) join(targets []netip.AddrPort) error {
	names := make([]string, len(targets))
	for i, t := range targets {
		names[i] = "contact/" + t.String()
	}
	_, err := g.list.Join(names)
	return err
}

// Alive reports whether a process seems to live and takes part.
func (g *Gossip) Alive(name placement.Name) bool { return g.view.alive(name) }

// Members returns those that seem to live, this node too, as they describe
// themselves, in the order of their names.
func (g *Gossip) Members() []placement.Member { return g.view.list() }

// Leave tells the others that this node goes, and waits until some have been
// told, or for so long.
func (g *Gossip) Leave(timeout time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return
	}
	g.cancel()
	if err := g.list.Leave(timeout); err != nil {
		g.log.Info("leaves without having told the other nodes", "error", err)
	}
}

// Close ends the gossip at once; without Leave the others take this node for
// dead in a few seconds. When it returns nothing is called any more. Goroutines
// of memberlist's own end within a second.
func (g *Gossip) Close() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return nil
	}
	g.closed = true
	g.cancel()
	close(g.closing)
	err := g.list.Shutdown()
	g.running.Wait()
	return err
}

// deliver hands on what memberlist has told.
func (g *Gossip) deliver() {
	for {
		select {
		case <-g.view.news:
		case <-g.closing:
			return
		}
		g.pass()
	}
}

// pass calls Lost and Heard with what there is.
func (g *Gossip) pass() {
	g.passing.Lock()
	defer g.passing.Unlock()
	lost, reports := g.view.take()
	for _, name := range lost {
		g.config.Lost(name)
	}
	for _, r := range reports {
		g.config.Heard(r)
	}
}
