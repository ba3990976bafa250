package control

import (
	"context"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"hubsub/cluster/placement"
	"hubsub/cluster/port"
)

// Config is what a Control needs. Its functions must not call Close, nor wait
// for somebody who does.
type Config struct {
	Port *port.Port
	Log  *slog.Logger

	// Receive gets the messages of other nodes, from several goroutines, but those
	// of one peer one after the other.
	Receive func(from placement.Name, m placement.Message)

	// Dead hears that a peer is proved dead, once for each proof. It may still be
	// sent to and watched until it is forgotten.
	Dead func(name placement.Name)
}

// Control sends and receives the messages of a node.
type Control struct {
	config Config
	ctx    context.Context // ends with Close
	cancel context.CancelFunc

	running sync.WaitGroup // peers' writers, and Receive's threads

	sent, sentBytes         atomic.Int64
	received, receivedBytes atomic.Int64
	unknown, malformed      atomic.Int64
	dead                    atomic.Int64
	connected               atomic.Int64
	dropped                 [dropReasons]atomic.Int64

	mu       sync.Mutex
	closed   bool
	peers    map[placement.Name]*peer
	incoming map[placement.Name]*incoming

	warning sync.Mutex
	warned  time.Time // when a line was logged
	others  int64     // that were not since then
}

// New takes the port's control connections.
func New(config Config) *Control {
	c := &Control{
		config:   config,
		peers:    make(map[placement.Name]*peer),
		incoming: make(map[placement.Name]*incoming),
	}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	config.Port.Handle(port.Control, c.receive)
	return c
}

// Send sends a message to a peer, in order with the others to it. It never waits
// and keeps nothing of the message.
func (c *Control) Send(to placement.Name, address string, m placement.Message) {
	if p := c.peer(to, address); p != nil {
		p.send(m)
	} else {
		c.drop(dropForgotten, 1)
	}
}

// Watch keeps a connection to a peer open until it is forgotten, so that its
// death is noticed.
func (c *Control) Watch(to placement.Name, address string) {
	if p := c.peer(to, address); p != nil {
		p.watch()
	}
}

// Forget closes the connection to a peer as soon as what was sent before is
// written, if that is soon.
func (c *Control) Forget(name placement.Name) {
	c.mu.Lock()
	p := c.peers[name]
	delete(c.peers, name)
	c.mu.Unlock()
	if p != nil {
		p.cancel()
	}
}

// Close forgets all peers, as Forget does, and ends the connections of those who
// send. Only then another Control may take the port.
func (c *Control) Close() {
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return
	}
	c.closed = true
	for _, in := range c.incoming {
		in.conn.Close()
	}
	c.mu.Unlock()
	c.config.Port.Handle(port.Control, nil)
	c.cancel()
	c.running.Wait()
}

// peer returns what belongs to a peer, nil after Close.
func (c *Control) peer(name placement.Name, address string) *peer {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil
	}
	p := c.peers[name]
	if p == nil {
		p = newPeer(c, name)
		c.peers[name] = p
		c.running.Go(p.run)
	}
	p.at(address)
	return p
}

// incoming is a connection that messages of a peer come over.
type incoming struct {
	conn net.Conn
	done chan struct{} // closed when the last of them is received
}

// receive is the port's handler.
func (c *Control) receive(conn net.Conn, peer port.Greeting) {
	defer conn.Close()
	in := &incoming{conn: conn, done: make(chan struct{})}
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return
	}
	before := c.incoming[peer.Name]
	c.incoming[peer.Name] = in
	c.running.Add(1)
	c.mu.Unlock()
	defer c.running.Done()
	defer func() {
		c.mu.Lock()
		if c.incoming[peer.Name] == in {
			delete(c.incoming, peer.Name)
		}
		c.mu.Unlock()
		close(in.done)
	}()
	if before != nil { // the peer has given that up; its messages come first
		before.conn.Close()
		<-before.done
	}
	if err := c.read(conn, peer.Name); err == errMalformed {
		c.malformed.Add(1)
		c.warn("closed a control connection", "from", conn.RemoteAddr().String(), "name", peer.Name, "error", err)
	}
}

// read receives a connection's messages until it ends.
func (c *Control) read(conn net.Conn, from placement.Name) error {
	r := newReader(conn)
	for {
		frame, err := r.next()
		if err != nil {
			return err
		}
		m, err := decode(frame)
		if err == errMalformed {
			return err
		}
		c.receivedBytes.Add(int64(headerBytes + len(frame)))
		if err == errUnknownTag {
			c.unknown.Add(1)
			continue
		}
		c.received.Add(1)
		c.config.Receive(from, m)
	}
}

// warn logs one line a second, and how many are missing before it.
func (c *Control) warn(message string, args ...any) {
	c.warning.Lock()
	now := time.Now()
	if now.Sub(c.warned) < warnInterval {
		c.others++
		c.warning.Unlock()
		return
	}
	others := c.others
	c.warned, c.others = now, 0
	c.warning.Unlock()
	c.config.Log.Warn(message, append(args, "others before", others)...)
}
