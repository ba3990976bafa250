package link

import (
	"errors"
	"net"
	"sync"
	"time"
)

// read receives a connection's batches until it ends.
func (p *peer) read(c *conn) {
	r := &reader{from: c, buffer: make([]byte, readBufferBytes)}
	receive := p.receive
	if c.socket != nil {
		receive = p.receiveWatched
	}
	err := errAgain
	for err == errAgain {
		err = receive(c, r)
		for err == errFull {
			if err = p.hold(c, r.full); err == nil {
				err = p.receive(c, r) // also what is in the buffer, of which nobody who watches is told
			}
		}
	}
	p.links.refuse(p.name, c, err)
	p.disconnect(c)
	if c.socket != nil {
		c.Close()
		c.socket.free()
	}
}

// errFull is for a receiver that takes nothing more for a while.
var errFull = errors.New("the receiver has enough")

// hold waits until the receiver takes more. What a connection holds that ends
// before is not read: the peer sends it again on the next one.
func (p *peer) hold(c *conn, full func() bool) error {
	p.mu.Lock()
	p.counts.paused++
	p.mu.Unlock()
	again := time.NewTicker(pauseTime)
	defer again.Stop()
	for full() {
		select {
		case <-again.C:
		case <-p.links.ctx.Done():
			return nil // there is little more
		}
		if c.ended() {
			return net.ErrClosed
		}
	}
	return nil
}

// receiveWatched has batches received by whoever watches the socket, and waits
// for the end.
func (p *peer) receiveWatched(c *conn, r *reader) error {
	over := make(chan error, 1)
	var mu sync.Mutex
	ended := false
	stop := p.links.config.Watch(p.name, c.socket.fd, func() {
		mu.Lock()
		defer mu.Unlock()
		if ended {
			return
		}
		if err := p.receive(c, r); err != errAgain {
			ended = true
			over <- err
		}
	})
	defer stop()
	select {
	case err := <-over:
		return err
	case <-p.links.ctx.Done():
	}
	// Whoever watches may have ended before.
	select {
	case err := <-over:
		return err
	case <-time.After(2 * closeTimeout):
	}
	mu.Lock()
	defer mu.Unlock()
	ended = true
	return net.ErrClosed
}

// receive returns when the connection has ended, when the receiver has enough
// (errFull), or, if the socket is watched, when all is received that has come
// (errAgain).
func (p *peer) receive(c *conn, r *reader) error {
	for {
		h, body, err := r.next()
		if err != nil {
			return err
		}
		if err := p.acknowledged(c, h); err != nil {
			return err
		}
		if h.number == 0 {
			continue
		}
		records, err := r.expand(h, body)
		if err != nil {
			return err
		}
		n, whole := countRecords(records)
		if !whole {
			return refuseRecords
		}
		r.full = p.links.config.Receive(p.name, records)
		p.received(c, h, n)
		if r.full != nil {
			return errFull
		}
	}
}

// acknowledged takes a batch's acknowledgement, and checks its number.
func (p *peer) acknowledged(c *conn, h header) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := &p.session
	switch {
	case p.forgotten:
		return net.ErrClosed
	case h.ack > s.written:
		return refuseAck
	case h.number != 0 && h.number != s.received+1:
		return refuseOrder
	}
	c.fruitful = true
	if h.ack <= s.acked {
		return nil
	}
	s.acked = h.ack
	s.progress = time.Now()
	c.acknowledged = true
	p.trim()
	if (!p.writing && p.waits()) || (p.closed && s.ring.len() == 0) {
		p.notify()
	}
	return nil
}

// received takes note that a batch is received, and sees to its acknowledgement.
func (p *peer) received(c *conn, h header, records int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.session.received = h.number
	p.counts.received.count(records, h.raw, headerBytes+h.coded)
	p.unacked += headerBytes + h.coded
	switch {
	case p.unacked >= ackBytes:
		p.ackNow()
	case !p.ackArmed:
		p.ackArmed = true
		p.ackTimer.Reset(ackDelay)
	}
}

// disconnect ends a connection when its reader has.
func (p *peer) disconnect(c *conn) {
	c.Close()
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.writing {
		p.released.Wait()
	}
	p.conn, p.out = nil, nil
	p.trim()
	s := &p.session
	now := time.Now()
	s.since = now
	if c.stalled {
		s.since = s.progress
	}
	switch {
	case c.acknowledged:
		s.fruitless = 0
	case s.ring.len() > 0:
		if s.fruitless++; s.fruitless == 1 {
			s.stuck = now
		}
	}
	if c.fruitful {
		p.pause = 0
	}
	p.rest()
	if !c.dialed {
		p.dialAt = p.dialAt.Add(redialGrace)
	}
	close(c.done)
	p.notify()
}

// reader takes batches off a connection.
type reader struct {
	from       net.Conn
	buffer     []byte
	start, end int    // of what is in it
	plain      []byte // what the last batch was expanded into
	full       func() bool
}

// next returns a batch that is as it was sealed. The body stays until next is
// called again.
func (r *reader) next() (header, []byte, error) {
	if err := r.fill(headerBytes); err != nil {
		return header{}, nil, err
	}
	h, err := parseHeader(r.buffer[r.start:])
	if err != nil {
		return header{}, nil, err
	}
	size := headerBytes + h.coded
	if err := r.fill(size); err != nil {
		return header{}, nil, err
	}
	batch := r.buffer[r.start : r.start+size]
	if !h.intact(batch) {
		return header{}, nil, refuseChecksum
	}
	r.start += size
	return h, batch[headerBytes:], nil
}

// fill reads until there are so many bytes. A long batch gets memory as it comes,
// not as it is announced.
func (r *reader) fill(bytes int) error {
	for r.end-r.start < bytes {
		if r.start == r.end {
			r.start, r.end = 0, 0
			if len(r.buffer) > spareBytesMax {
				r.buffer = make([]byte, readBufferBytes)
			}
		}
		if r.end == len(r.buffer) || (r.start > 0 && r.start+bytes > len(r.buffer)) {
			r.makeRoom()
		}
		n, err := r.from.Read(r.buffer[r.end:])
		if err != nil {
			return err
		}
		r.end += n
	}
	return nil
}

// makeRoom moves what is there to the front, of a buffer twice as long if it is
// more than half.
func (r *reader) makeRoom() {
	to := r.buffer
	if r.end-r.start > len(r.buffer)/2 {
		to = make([]byte, 2*len(r.buffer))
	}
	r.end = copy(to, r.buffer[r.start:r.end])
	r.start = 0
	r.buffer = to
}

// expand returns the records of a batch, which stay until it or next is called
// again.
func (r *reader) expand(h header, body []byte) ([]byte, error) {
	records, err := expand(r.plain, h, body)
	if h.flags&flagS2 != 0 && err == nil && cap(records) <= spareBytesMax {
		r.plain = records
	}
	return records, err
}
