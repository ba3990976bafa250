package porttest

import (
	"context"
	"errors"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// Network is all nodes and what connects them.
type Network struct {
	mu      sync.Mutex
	hosts   map[string]*Host
	conns   map[*conn]struct{} // open ends
	cuts    map[way]*cut
	changed chan struct{} // closed when a way has healed: dials wait for it
}

// way is a direction between two addresses.
type way struct{ from, to string }

func (w way) back() way { return way{w.to, w.from} }

type cut struct{ timer *time.Timer }

// New returns a network without nodes.
func New() *Network {
	return &Network{
		hosts:   make(map[string]*Host),
		conns:   make(map[*conn]struct{}),
		cuts:    make(map[way]*cut),
		changed: make(chan struct{}),
	}
}

// Host is the network as the process at one address sees it. It is a
// port.Network.
type Host struct {
	network  *Network
	address  string
	dead     bool // guarded by the network's lock, as is the listener
	listener *listener
}

// At returns the network as seen from an address: that of the process which is
// there, or of a new one if that was killed.
func (n *Network) At(address string) *Host {
	n.mu.Lock()
	defer n.mu.Unlock()
	h := n.hosts[address]
	if h == nil {
		h = &Host{network: n, address: address}
		n.hosts[address] = h
	}
	return h
}

// Listen listens at the host's own address.
func (h *Host) Listen(address string) (net.Listener, error) {
	h.network.mu.Lock()
	defer h.network.mu.Unlock()
	switch {
	case h.dead:
		return nil, opError("listen", address, syscall.ENETDOWN)
	case address != h.address:
		return nil, opError("listen", address, syscall.EADDRNOTAVAIL)
	case h.listener != nil:
		return nil, opError("listen", address, syscall.EADDRINUSE)
	}
	h.listener = &listener{host: h, ready: sync.NewCond(&h.network.mu)}
	return h.listener, nil
}

// Dial connects the host to an address.
func (h *Host) Dial(ctx context.Context, address string) (net.Conn, error) {
	patience := time.NewTimer(BrokenAfter)
	defer patience.Stop()
	for {
		conn, changed, err := h.dial(ctx, address)
		if conn != nil {
			return conn, nil
		}
		if err != nil {
			return nil, opError("dial", address, err)
		}
		select {
		case <-changed:
		case <-ctx.Done():
		case <-patience.C:
			return nil, opError("dial", address, syscall.ETIMEDOUT)
		}
	}
}

// dial returns what a dial has come to, or what to wait for.
func (h *Host) dial(ctx context.Context, address string) (net.Conn, <-chan struct{}, error) {
	n := h.network
	n.mu.Lock()
	defer n.mu.Unlock()
	there := way{h.address, address}
	if err := ctx.Err(); err != nil {
		if errors.Is(err, context.DeadlineExceeded) {
			err = os.ErrDeadlineExceeded // as package net has it
		}
		return nil, nil, err
	}
	if h.dead {
		return nil, nil, syscall.ENETDOWN
	}
	if n.isCut(there) || n.isCut(there.back()) {
		return nil, n.changed, nil
	}
	peer := n.hosts[address]
	if peer == nil || peer.listener == nil {
		return nil, nil, syscall.ECONNREFUSED
	}
	near, far := n.connect(there)
	peer.listener.backlog = append(peer.listener.backlog, far)
	peer.listener.ready.Signal()
	return near, nil, nil
}

// Cut loses everything between two addresses, in both directions.
func (n *Network) Cut(a, b string) {
	n.CutOneWay(a, b)
	n.CutOneWay(b, a)
}

// CutOneWay loses everything that is sent from one address to another.
func (n *Network) CutOneWay(from, to string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	w := way{from, to}
	if n.isCut(w) {
		return
	}
	c := new(cut)
	c.timer = time.AfterFunc(BrokenAfter, func() {
		n.mu.Lock()
		defer n.mu.Unlock()
		if n.cuts[w] == c {
			n.breakAll(w)
		}
	})
	n.cuts[w] = c
}

// Heal undoes Cut and CutOneWay.
func (n *Network) Heal(a, b string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, w := range []way{{a, b}, {b, a}} {
		if c := n.cuts[w]; c != nil {
			c.timer.Stop()
			delete(n.cuts, w)
		}
	}
	close(n.changed)
	n.changed = make(chan struct{})
	for c := range n.conns {
		c.wake()
	}
}

// Kill ends the process at an address: its listener and its connections close,
// as the kernel closes them, and it can do nothing more. At gives the address to
// another one.
func (n *Network) Kill(address string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	h := n.hosts[address]
	if h == nil {
		return
	}
	h.dead = true
	delete(n.hosts, address)
	if h.listener != nil {
		h.listener.close()
	}
	for c := range n.conns {
		if c.way.from == address {
			c.close()
		}
	}
}

func (n *Network) isCut(w way) bool { return n.cuts[w] != nil }

// breakAll ends all connections that use a way, at both ends.
func (n *Network) breakAll(w way) {
	for c := range n.conns {
		if c.way == w || c.way == w.back() {
			c.in.broken, c.out.broken = true, true
			c.wake()
		}
	}
}

// listener accepts what has been dialed.
type listener struct {
	host *Host

	// Guarded by the network's lock.
	backlog []*conn
	closed  bool
	ready   *sync.Cond
}

func (l *listener) Accept() (net.Conn, error) {
	l.host.network.mu.Lock()
	defer l.host.network.mu.Unlock()
	for len(l.backlog) == 0 && !l.closed {
		l.ready.Wait()
	}
	if l.closed {
		return nil, opError("accept", l.host.address, net.ErrClosed)
	}
	c := l.backlog[0]
	l.backlog = l.backlog[1:]
	return c, nil
}

func (l *listener) Close() error {
	l.host.network.mu.Lock()
	defer l.host.network.mu.Unlock()
	if l.closed {
		return opError("close", l.host.address, net.ErrClosed)
	}
	l.close()
	return nil
}

func (l *listener) Addr() net.Addr { return Address(l.host.address) }

func (l *listener) close() {
	l.closed = true
	l.host.listener = nil
	for _, c := range l.backlog {
		c.close()
	}
	l.ready.Broadcast()
}

// Address is an address of a network in memory.
type Address string

func (a Address) Network() string { return "tcp" }
func (a Address) String() string  { return string(a) }

func opError(op, address string, err error) error {
	return &net.OpError{Op: op, Net: "tcp", Addr: Address(address), Err: err}
}
