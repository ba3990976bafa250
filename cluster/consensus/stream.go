package consensus

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/bytedance/sonic"
	"github.com/hashicorp/raft"

	"hubsub/cluster/placement"
	"hubsub/cluster/port"
)

// The first byte of a connection says what it is for.
const (
	forLog     = 'L' // raft's own messages follow
	forInquiry = 'Q' // the answer is a standing, as JSON, and the end
)

// addressOf makes raft's address of a process. It names the process, so that a
// leader never talks to another one that has come to the same host and port, and
// two servers never have one address.
func addressOf(address string, name placement.Name) raft.ServerAddress {
	return raft.ServerAddress(address + "|" + string(name))
}

// splitAddress is the opposite of addressOf.
func splitAddress(a raft.ServerAddress) (address string, name placement.Name) {
	address, after, _ := strings.Cut(string(a), "|")
	return address, placement.Name(after)
}

// layer is raft's way to the port: a raft.StreamLayer. It ends with the raft
// that uses it, and all its connections with it.
type layer struct {
	port *port.Port
	own  raft.ServerAddress

	arrived chan net.Conn
	ctx     context.Context // ends with Close
	cancel  context.CancelFunc

	mu    sync.Mutex
	conns map[*stream]struct{} // nil: closed
}

func newLayer(p *port.Port, own raft.ServerAddress) *layer {
	l := &layer{port: p, own: own, arrived: make(chan net.Conn), conns: make(map[*stream]struct{})}
	l.ctx, l.cancel = context.WithCancel(context.Background())
	return l
}

// stream is a connection that Close knows.
type stream struct {
	net.Conn
	layer *layer
}

func (s *stream) Close() error {
	s.layer.mu.Lock()
	delete(s.layer.conns, s)
	s.layer.mu.Unlock()
	return s.Conn.Close()
}

// track makes a connection known to Close. It closes it if it is too late.
func (l *layer) track(conn net.Conn) (*stream, error) {
	s := &stream{conn, l}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.conns == nil {
		conn.Close()
		return nil, net.ErrClosed
	}
	l.conns[s] = struct{}{}
	return s, nil
}

// take gives a connection that has come from outside to raft.
func (l *layer) take(conn net.Conn) {
	s, err := l.track(conn)
	if err != nil {
		return
	}
	select {
	case l.arrived <- s:
	case <-l.ctx.Done():
		s.Close()
	}
}

func (l *layer) Accept() (net.Conn, error) {
	select {
	case conn := <-l.arrived:
		return conn, nil
	case <-l.ctx.Done():
		return nil, net.ErrClosed
	}
}

func (l *layer) Dial(to raft.ServerAddress, timeout time.Duration) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(l.ctx, timeout)
	defer cancel()
	address, name := splitAddress(to)
	conn, err := dial(ctx, l.port, address, name, forLog)
	if err != nil {
		return nil, err
	}
	return l.track(conn)
}

func (l *layer) Close() error {
	l.cancel()
	l.mu.Lock()
	conns := l.conns
	l.conns = nil
	l.mu.Unlock()
	for s := range conns {
		s.Conn.Close()
	}
	return nil
}

func (l *layer) Addr() net.Addr { return layerAddress(l.own) }

type layerAddress raft.ServerAddress

func (a layerAddress) Network() string { return "raft" }
func (a layerAddress) String() string  { return string(a) }

// dial connects to a process and no other, and says what for.
func dial(ctx context.Context, p *port.Port, address string, name placement.Name, purpose byte) (net.Conn, error) {
	if name == "" {
		return nil, fmt.Errorf("the address %q names no process", address)
	}
	conn, _, err := p.Dial(ctx, port.Raft, address, name)
	if err != nil {
		return nil, err
	}
	conn.SetDeadline(time.Now().Add(purposeTimeout))
	if _, err := conn.Write([]byte{purpose}); err != nil {
		conn.Close()
		return nil, err
	}
	conn.SetDeadline(time.Time{})
	return conn, nil
}

// standing says how far a process has come.
type standing struct {
	Applied uint64 `json:"applied"` // the last entry
}

// inquire asks a process for its standing. That it answers shows too that it can
// be reached where it says it is.
func inquire(ctx context.Context, p *port.Port, address string, name placement.Name) (s standing, err error) {
	conn, err := dial(ctx, p, address, name, forInquiry)
	if err != nil {
		return s, err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	text, err := io.ReadAll(io.LimitReader(conn, inquiryBytesMax))
	if err != nil {
		return s, err
	}
	return s, sonic.ConfigStd.Unmarshal(text, &s)
}

var errPurpose = errors.New("a connection for no known purpose")

// accept takes a connection from the port.
func (c *Consensus) accept(conn net.Conn, peer port.Greeting) {
	conn.SetDeadline(time.Now().Add(purposeTimeout))
	var purpose [1]byte
	if _, err := io.ReadFull(conn, purpose[:]); err != nil {
		conn.Close()
		return
	}
	r := c.running()
	switch {
	case r == nil:
		conn.Close()
	case purpose[0] == forLog:
		conn.SetDeadline(time.Time{})
		r.layer.take(conn)
	case purpose[0] == forInquiry:
		text, _ := sonic.ConfigStd.Marshal(standing{Applied: r.raft.AppliedIndex()}) // a number
		_, _ = conn.Write(text)                                                      // to a leader that asks again
		conn.Close()
	default:
		conn.Close()
		c.counters.refused.Add(1)
		c.log.warn("consensus refuses a connection", "from", peer.Name, "error", errPurpose)
	}
}
