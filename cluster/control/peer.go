package control

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"syscall"
	"time"

	"hubsub/cluster/placement"
	"hubsub/cluster/port"
)

// peer is another node as the one who sends to it sees it.
type peer struct {
	// Set once.
	control *Control
	name    placement.Name
	ctx     context.Context // ends when it is forgotten
	cancel  context.CancelFunc
	wake    chan struct{} // something has been sent, or it is watched

	// Owned by run.
	met     string // the address where it has answered, empty: it has not
	doubted bool   // its connection has ended, and it was not found dead since
	dead    bool   // and Dead has heard it
	failing bool   // the last dial did, and a line was logged
	spare   frames // a buffer that is empty

	mu      sync.Mutex
	address string
	watched bool
	queue   frames    // that wait
	count   int       // of them
	since   time.Time // when the first of them was sent
	writing int       // bytes
	closed  bool
}

func newPeer(c *Control, name placement.Name) *peer {
	p := &peer{control: c, name: name, wake: make(chan struct{}, 1)}
	p.ctx, p.cancel = context.WithCancel(c.ctx)
	return p
}

// at says where the peer is, for the next dial.
func (p *peer) at(address string) {
	p.mu.Lock()
	p.address = address
	p.mu.Unlock()
}

func (p *peer) watch() {
	p.mu.Lock()
	p.watched = true
	p.mu.Unlock()
	p.notify()
}

// send encodes a message here, not in the writer: the sender may change what it
// refers to, and how many bytes wait is known.
func (p *peer) send(m placement.Message) {
	if reason, ok := p.put(m); !ok {
		p.control.drop(reason, 1)
		return
	}
	p.notify()
}

func (p *peer) put(m placement.Message) (dropReason, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	before := len(p.queue)
	switch {
	case p.closed:
		return dropForgotten, false
	case before+p.writing >= outboxBytesMax:
		return dropFull, false
	}
	if err := p.queue.add(m); err != nil {
		return dropTooLong, false
	}
	if before+p.writing > 0 && len(p.queue)+p.writing > outboxBytesMax {
		p.queue = p.queue[:before]
		return dropFull, false
	}
	if p.count == 0 {
		p.since = time.Now()
	}
	p.count++
	return 0, true
}

func (p *peer) notify() {
	select {
	case p.wake <- struct{}{}:
	default: // it is awake
	}
}

func (p *peer) outbox() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return int64(len(p.queue) + p.writing)
}

// run connects to the peer while there is a reason to.
func (p *peer) run() {
	defer p.end()
	var pause time.Duration
	for p.wanted() {
		conn, address, err := p.dial()
		if err != nil {
			p.failed(address, err)
		} else {
			p.met, p.dead, p.failing = address, false, false
			steady := p.serve(conn)
			p.doubted = true
			if steady {
				pause = 0
				continue
			}
		}
		pause = min(max(2*pause, redialMin), redialMax)
		select {
		case <-p.ctx.Done():
		case <-time.After(pause/2 + rand.N(pause/2)):
		}
	}
}

// wanted waits until there is a reason to connect. It is false when the peer is
// forgotten.
func (p *peer) wanted() bool {
	for p.ctx.Err() == nil {
		if p.doubted {
			return true
		}
		p.mu.Lock()
		wanted := p.watched || p.count > 0
		p.mu.Unlock()
		if wanted {
			return true
		}
		select {
		case <-p.wake:
		case <-p.ctx.Done():
		}
	}
	return false
}

func (p *peer) dial() (conn net.Conn, address string, err error) {
	p.mu.Lock()
	address = p.address
	p.mu.Unlock()
	conn, _, err = p.control.config.Port.Dial(p.ctx, port.Control, address, p.name)
	return conn, address, err
}

// failed finds out what it means that the peer cannot be dialed.
func (p *peer) failed(address string, err error) {
	if p.ctx.Err() != nil {
		return
	}
	if !p.proves(address, err) {
		if !p.failing {
			p.failing = true
			p.control.warn("cannot connect to a node", "name", p.name, "error", err)
		}
		p.discard(outboxWait)
		return
	}
	p.doubted = false
	p.discard(0)
	if !p.dead {
		p.dead = true
		p.control.dead.Add(1)
		p.control.config.Log.Info("a node is dead", "name", p.name, "error", err)
		p.control.config.Dead(p.name)
	}
}

// proves reports whether a failed dial shows that the peer is dead. If another
// process answers it must be the peer's node or have its address: who leads
// connections astray can show any node of the cluster.
func (p *peer) proves(address string, err error) bool {
	var refused *port.Refused
	if errors.As(err, &refused) {
		there := refused.Peer
		id := string(p.name[:max(strings.LastIndexByte(string(p.name), '/'), 0)])
		return refused.Reason == port.WrongName && there.Name != "" && (there.Address == address || there.ID == id)
	}
	return p.met == address && errors.Is(err, syscall.ECONNREFUSED)
}

// discard drops what has waited for at least so long.
func (p *peer) discard(wait time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.count > 0 && time.Since(p.since) >= wait {
		p.control.drop(dropUnreachable, p.count)
		p.queue, p.count = nil, 0
	}
}

// serve writes to a connection until it ends, and reports whether that was after
// a while.
func (p *peer) serve(conn net.Conn) (steady bool) {
	began := time.Now()
	p.control.connected.Add(1)
	defer p.control.connected.Add(-1)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		awaitEnd(conn)
	}()
	stop := context.AfterFunc(p.ctx, func() { time.AfterFunc(flushTimeout, func() { conn.Close() }) })
	p.write(conn, ended)
	stop()
	conn.Close()
	<-ended
	return time.Since(began) >= steadyAfter
}

// awaitEnd returns when a connection has ended. A later version may say something
// on it.
func awaitEnd(conn net.Conn) {
	var b [64]byte
	for {
		if _, err := conn.Read(b[:]); err != nil {
			return
		}
	}
}

// write writes what is sent to the peer until the connection has ended, or the
// peer is forgotten and has got the rest.
func (p *peer) write(conn net.Conn, ended <-chan struct{}) {
	for {
		last := p.ctx.Err() != nil
		if !p.writeQueue(conn) || last {
			return
		}
		select {
		case <-p.wake:
		case <-p.ctx.Done():
		case <-ended:
			return
		}
	}
}

// writeQueue writes all that waits, and reports whether that went well. What a
// failing write held may have arrived or not: it is lost.
func (p *peer) writeQueue(conn net.Conn) bool {
	for {
		batch, count := p.take()
		if count == 0 {
			return true
		}
		err := writeAll(conn, batch)
		p.written(batch)
		if err != nil {
			p.control.drop(dropLost, count)
			return false
		}
		p.control.sent.Add(int64(count))
		p.control.sentBytes.Add(int64(len(batch)))
	}
}

// writeAll gives each part of a long batch its own time: a slow peer is not a
// hung one.
func writeAll(conn net.Conn, b []byte) error {
	for len(b) > 0 {
		part := b[:min(len(b), writeBytesMax)]
		if err := conn.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
			return err
		}
		if _, err := conn.Write(part); err != nil {
			return err
		}
		b = b[len(part):]
	}
	return nil
}

// take takes what waits and leaves an empty buffer.
func (p *peer) take() (batch frames, count int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.count == 0 {
		return nil, 0
	}
	batch, count = p.queue, p.count
	p.writing = len(batch)
	p.queue, p.count = p.spare, 0
	p.spare = nil
	return batch, count
}

func (p *peer) written(batch frames) {
	p.mu.Lock()
	p.writing = 0
	p.mu.Unlock()
	if cap(batch) <= spareBytesMax {
		p.spare = batch[:0]
	}
}

// end drops what nobody will write.
func (p *peer) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	p.control.drop(dropForgotten, p.count)
	p.queue, p.count = nil, 0
}
