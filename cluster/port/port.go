package port

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"syscall"

	"golang.org/x/sys/unix"
)

// Kind is what a connection is for.
type Kind byte

const (
	Hello   Kind = 'H' // greetings only
	Packets Kind = 'G' // of gossip
	Stream  Kind = 'S' // of gossip: two nodes tell each other all they know
	Raft    Kind = 'R'
	Control Kind = 'C'
	Link    Kind = 'D' // frames of rooms
)

func (k Kind) String() string { return fmt.Sprintf("%q", byte(k)) }

// Config is what a port needs.
type Config struct {
	Address  string          // to listen on
	Network  Network         // nil: TCP
	Greeting func() Greeting // of this node, as of now; from any goroutine
	Secret   string          // of the cluster; empty: none
	Log      *slog.Logger
}

// Handler takes a connection, which is then its own, and what the peer has said
// of itself. It runs in the connection's goroutine.
type Handler func(conn net.Conn, peer Greeting)

// Port is the cluster port of a process.
type Port struct {
	// Set once.
	config   Config
	key      []byte // of the secret; nil: none
	network  Network
	listener net.Listener
	refusals *refusals
	ctx      context.Context // ends with Close
	cancel   context.CancelFunc

	accepted, dialed atomic.Int64

	// The goroutines that accept and greet. Those of handlers are theirs.
	running sync.WaitGroup

	mu       sync.Mutex
	handlers map[Kind]Handler
	conns    map[*conn]struct{} // open ones
	greeting []*conn            // accepted, the oldest first
}

// Listen opens a port. Until kinds are handled it answers Hello and refuses the
// rest.
func Listen(config Config) (*Port, error) {
	p := &Port{
		config:   config,
		key:      deriveKey(config.Secret),
		network:  config.Network,
		refusals: newRefusals(config.Log),
		handlers: make(map[Kind]Handler),
		conns:    make(map[*conn]struct{}),
	}
	if p.network == nil {
		p.network = tcp{}
	}
	listener, err := p.network.Listen(config.Address)
	if err != nil {
		return nil, fmt.Errorf("cannot listen for the cluster on %s: %w", config.Address, err)
	}
	p.listener = listener
	p.ctx, p.cancel = context.WithCancel(context.Background())
	p.running.Go(p.accept)
	return p, nil
}

// Address is where the port listens: host:port.
func (p *Port) Address() string { return p.listener.Addr().String() }

// Handle gives connections of a kind to h from now on; nil refuses them. Those
// that a former handler has got stay its own.
func (p *Port) Handle(k Kind, h Handler) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.handlers[k] = h
}

func (p *Port) handler(k Kind) Handler {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.handlers[k]
}

// Close closes the listener and every connection that was dialed or accepted
// here. Handlers find their connections closed; it does not wait for them.
func (p *Port) Close() error {
	p.cancel()
	err := p.listener.Close()
	p.mu.Lock()
	for c := range p.conns {
		c.Conn.Close()
	}
	p.conns = nil
	p.mu.Unlock()
	p.running.Wait()
	return err
}

// conn is a connection that Close knows.
type conn struct {
	net.Conn
	port    *Port
	crowded bool // ended, for too many were greeting; guarded by the port's lock
}

func (c *conn) Close() error {
	c.port.mu.Lock()
	delete(c.port.conns, c)
	inner := c.Conn
	c.port.mu.Unlock()
	return inner.Close()
}

// SyscallConn gives access to the descriptor, if the network has such.
func (c *conn) SyscallConn() (syscall.RawConn, error) {
	if s, ok := c.Conn.(syscall.Conn); ok {
		return s.SyscallConn()
	}
	return nil, errors.ErrUnsupported
}

// Detach takes the socket away from the runtime, which waits for it no more, and
// has what wrap makes of it be the connection. It fails if the network has no
// sockets.
func (c *conn) Detach(wrap func(fd int) net.Conn) error {
	raw, err := c.SyscallConn()
	if err != nil {
		return err
	}
	fd := -1
	var failed error
	if err := raw.Control(func(old uintptr) { fd, failed = unix.FcntlInt(old, unix.F_DUPFD_CLOEXEC, 0) }); err != nil {
		return err
	}
	if failed != nil {
		return failed
	}
	c.port.mu.Lock()
	defer c.port.mu.Unlock()
	old := c.Conn
	c.Conn = wrap(fd)
	if c.port.conns == nil { // closed meanwhile
		c.Conn.Close()
	}
	return old.Close() // the socket lives on in its duplicate
}

// track makes a connection known to Close.
func (p *Port) track(raw net.Conn) (*conn, error) {
	prepare(raw)
	c := &conn{Conn: raw, port: p}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.conns == nil {
		raw.Close()
		return nil, net.ErrClosed
	}
	p.conns[c] = struct{}{}
	return c, nil
}

// own returns what this node says of itself.
func (p *Port) own() Greeting {
	g := p.config.Greeting()
	g.Min, g.Max = versionMin, versionMax
	return g
}

// Stats are a port's counts since it was opened; Open is as of now.
type Stats struct {
	Open     int64
	Accepted int64            // connections and Hellos that were not refused
	Dialed   int64            // the same of this side
	Refused  map[Reason]int64 // by this side as acceptor
}

// Stats returns the counts.
func (p *Port) Stats() Stats {
	s := Stats{Accepted: p.accepted.Load(), Dialed: p.dialed.Load(), Refused: make(map[Reason]int64, len(reasons))}
	for reason, n := range p.refusals.counts {
		s.Refused[reason] = n.Load()
	}
	p.mu.Lock()
	s.Open = int64(len(p.conns))
	p.mu.Unlock()
	return s
}
