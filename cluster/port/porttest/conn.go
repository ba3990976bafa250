package porttest

import (
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// conn is one end of a connection.
type conn struct {
	network *Network
	way     way // from this end to the other
	in, out *stream
}

// stream is one direction of a connection. All is guarded by the network's lock.
type stream struct {
	data    []byte
	written bool // the writing end is closed
	unread  bool // the reading end is closed
	broken  bool // the way was cut for too long
	moved   *sync.Cond

	readBy, writeBy deadline
}

// connect makes the two ends of a connection.
func (n *Network) connect(w way) (near, far *conn) {
	there := &stream{moved: sync.NewCond(&n.mu)}
	back := &stream{moved: sync.NewCond(&n.mu)}
	near = &conn{network: n, way: w, in: back, out: there}
	far = &conn{network: n, way: w.back(), in: there, out: back}
	n.conns[near], n.conns[far] = struct{}{}, struct{}{}
	return near, far
}

func (c *conn) Read(b []byte) (int, error) {
	c.network.mu.Lock()
	defer c.network.mu.Unlock()
	s := c.in
	for {
		switch {
		case s.unread:
			return 0, c.error("read", net.ErrClosed)
		case s.readBy.passed():
			return 0, c.error("read", os.ErrDeadlineExceeded)
		case s.broken:
			return 0, c.error("read", syscall.ETIMEDOUT)
		case len(b) == 0:
			return 0, nil
		case c.network.isCut(c.way.back()):
		case len(s.data) > 0:
			n := copy(b, s.data)
			s.data = s.data[n:]
			s.moved.Broadcast()
			return n, nil
		case s.written:
			return 0, io.EOF
		}
		s.moved.Wait()
	}
}

func (c *conn) Write(b []byte) (n int, err error) {
	c.network.mu.Lock()
	defer c.network.mu.Unlock()
	s := c.out
	for {
		switch {
		case s.written:
			return n, c.error("write", net.ErrClosed)
		case s.writeBy.passed():
			return n, c.error("write", os.ErrDeadlineExceeded)
		case s.broken:
			return n, c.error("write", syscall.ETIMEDOUT)
		case s.unread && !c.network.isCut(c.way.back()): // who is cut off hears of no end
			return n, c.error("write", syscall.EPIPE)
		}
		if part := min(len(b)-n, bufferBytes-len(s.data)); part > 0 {
			s.data = append(s.data, b[n:n+part]...)
			s.moved.Broadcast()
			n += part
		}
		if n == len(b) {
			return n, nil
		}
		s.moved.Wait()
	}
}

func (c *conn) Close() error {
	c.network.mu.Lock()
	defer c.network.mu.Unlock()
	if c.in.unread {
		return c.error("close", net.ErrClosed)
	}
	c.close()
	return nil
}

func (c *conn) close() {
	c.in.unread, c.out.written = true, true
	c.in.readBy.stop()
	c.out.writeBy.stop()
	delete(c.network.conns, c)
	c.wake()
}

// wake makes whoever waits on either side look again.
func (c *conn) wake() {
	c.in.moved.Broadcast()
	c.out.moved.Broadcast()
}

func (c *conn) LocalAddr() net.Addr  { return Address(c.way.from) }
func (c *conn) RemoteAddr() net.Addr { return Address(c.way.to) }

func (c *conn) SetDeadline(t time.Time) error {
	return c.setDeadline(t, true, true)
}
func (c *conn) SetReadDeadline(t time.Time) error {
	return c.setDeadline(t, true, false)
}
func (c *conn) SetWriteDeadline(t time.Time) error {
	return c.setDeadline(t, false, true)
}

func (c *conn) setDeadline(t time.Time, read, write bool) error {
	c.network.mu.Lock()
	defer c.network.mu.Unlock()
	if c.in.unread {
		return c.error("set", net.ErrClosed)
	}
	wake := func() {
		c.network.mu.Lock()
		defer c.network.mu.Unlock()
		c.wake()
	}
	if read {
		c.in.readBy.set(t, wake)
	}
	if write {
		c.out.writeBy.set(t, wake)
	}
	c.wake()
	return nil
}

func (c *conn) error(op string, err error) error {
	return opError(op, c.way.to, err)
}

// deadline is when reads or writes give up.
type deadline struct {
	at    time.Time
	timer *time.Timer
}

func (d *deadline) set(t time.Time, wake func()) {
	d.stop()
	d.at = t
	if !t.IsZero() {
		d.timer = time.AfterFunc(time.Until(t), wake)
	}
}

func (d *deadline) stop() {
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
}

func (d *deadline) passed() bool {
	return !d.at.IsZero() && !time.Now().Before(d.at)
}
