package link

import "time"

// Whoever has set writing has the right to make batches and to write, and is the
// only one, until it calls release. The functions here are called with the lock.

// open reports whether there may be more under way: not on one that is so slow that
// it would take too long to arrive.
func (p *peer) open() bool {
	r := &p.session.ring
	return r.bytes < ringBytesMax && (r.bytes < underwayBytesMin || time.Since(r.oldest()) < underwayTime)
}

// idle reports whether a batch that is made now can be written now. There is a
// connection.
func (p *peer) idle() bool {
	return !p.conn.failed && len(p.out) == 0 && p.session.written == p.session.number && p.queue.len() == 0 && p.open()
}

// waits reports whether there is something to write.
func (p *peer) waits() bool {
	return p.conn != nil && !p.conn.failed && (len(p.out) > 0 || p.session.written < p.session.number || p.ackDue ||
		(p.queue.len() > 0 && p.open()))
}

// flush writes all that waits. Only run calls it: it may block.
func (p *peer) flush() {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := p.conn
	if c == nil || p.writing || !p.waits() {
		return
	}
	p.writing = true
	rate := &p.queue.rate
	if p.queue.len() > 0 {
		rate.begin(time.Now())
	}
	for p.pick(c) {
		b := p.out
		p.mu.Unlock()
		_, err := c.Write(b)
		now := time.Now()
		p.mu.Lock()
		if err != nil {
			c.fail()
			break
		}
		p.wrote(len(b))
		rate.sample(now)
	}
	if p.queue.len() == 0 {
		rate.end()
	}
	p.release()
}

// writeNow writes what the socket takes at once: a batch of some records if the
// link is idle, or what waits. What is left is for run.
func (p *peer) writeNow(c *conn, records []byte, n int) {
	p.writing = true
	if n > 0 {
		p.makeBatch(c, records, n, time.Time{})
	}
	if p.pick(c) {
		b := p.out
		p.mu.Unlock()
		n, err := c.try(b)
		p.mu.Lock()
		if err != nil {
			c.fail()
		} else {
			p.wrote(n)
		}
	}
	p.release()
	if p.waits() {
		p.notify()
	}
}

func (p *peer) release() {
	p.writing = false
	p.released.Broadcast()
}

// pick makes out what is to be written next, if there is something.
func (p *peer) pick(c *conn) bool {
	s := &p.session
	if len(p.out) > 0 {
		return true
	}
	if s.written == s.number && p.queue.len() > 0 && p.open() {
		since := p.queue.oldest()
		records, n := p.queue.next()
		p.behind -= min(len(records), p.behind)
		p.makeBatch(c, records, n, since)
		p.queue.made()
	}
	switch {
	case s.written < s.number:
		s.written++
		p.out = s.ring.newest(int(s.number - s.written))
	case p.ackDue:
		h := header{ack: s.received}
		h.seal(p.ackBatch[:])
		p.out = p.ackBatch[:]
		p.unacked, p.ackDue = 0, false
	}
	return len(p.out) > 0
}

// wrote takes note that so much of out is written.
func (p *peer) wrote(n int) {
	p.out = p.out[n:]
	if len(p.out) == 0 {
		p.out = nil
		p.trim()
	}
}

// trim drops what is acknowledged from the ring, but not what is being written:
// the peer may have it before the system call has returned.
func (p *peer) trim() {
	s := &p.session
	last := s.acked
	if len(p.out) > 0 {
		last = min(last, s.written-1)
	}
	if first := s.number - uint64(s.ring.len()); last > first {
		s.ring.pop(int(last - first))
	}
}

// makeBatch makes the next batch, of records that have waited since a time; zero:
// they came just now. It works without the lock: what it takes from the ring belongs
// to who writes.
func (p *peer) makeBatch(c *conn, records []byte, n int, since time.Time) {
	s := &p.session
	h := header{raw: len(records), number: s.number + 1, ack: s.received}
	p.unacked, p.ackDue = 0, false
	now := time.Now()
	if since.IsZero() {
		since = now
	}
	if s.ring.len() == 0 {
		s.progress = now
	}
	batch := s.ring.reserve(headerBytes + len(records))
	p.mu.Unlock()

	body, compressed := records, false
	if c.s2 && !p.links.config.NoCompression {
		body, compressed = p.compressor.encode(records)
	}
	if compressed {
		h.flags = flagS2
	}
	h.coded = copy(batch[headerBytes:], body)
	batch = batch[:headerBytes+h.coded]
	h.seal(batch)

	p.mu.Lock()
	s.ring.commit(len(batch), n, since)
	s.number++
	p.counts.sent.count(n, h.raw, len(batch))
	p.queue.rate.bytes += h.raw // if it is measured
	p.watch()
}

// watch sees to it that a connection that acknowledges nothing is given up.
func (p *peer) watch() {
	if !p.stallArmed && p.session.ring.len() > 0 {
		p.stallArmed = true
		p.stallTimer.Reset(stallTimeout)
	}
}

// aged reports whether something waits for so long that nobody may hear it any
// more.
func (p *peer) aged(now time.Time) bool {
	switch {
	case p.session.ring.len() > 0:
		return now.Sub(p.session.ring.oldest()) >= ageMax
	case p.queue.len() > 0:
		return now.Sub(p.queue.oldest()) >= ageMax
	default:
		return false
	}
}

// stall closes a connection whose peer has acknowledged nothing for too long, or so
// little that what waits is too old: the next one begins with another session.
func (p *peer) stall() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stallArmed = false
	c := p.conn
	if c == nil || p.session.ring.len() == 0 || p.closed {
		return // armed again when there is a reason
	}
	now := time.Now()
	if rest := stallTimeout - now.Sub(p.session.progress); rest > 0 {
		if p.aged(now) {
			c.Close()
			return
		}
		p.stallArmed = true
		p.stallTimer.Reset(rest)
		return
	}
	if !c.stalled {
		c.stalled = true
		p.counts.stalled++
		c.Close()
	}
}

// ackLate makes an acknowledgement go that has found no batch.
func (p *peer) ackLate() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ackArmed = false
	if p.unacked > 0 {
		p.ackNow()
	}
}

// ackNow makes an acknowledgement go, at once if nothing else is being written.
func (p *peer) ackNow() {
	c := p.conn
	if c == nil {
		return
	}
	p.ackDue = true
	switch {
	case p.writing: // who writes looks for it
	case c.raw != nil && p.idle():
		p.writeNow(c, nil, 0)
	default:
		p.notify()
	}
}
