package link

import (
	"net"
	"time"
)

// offer is the dialer's side of an agreement on a connection. stop ends what
// closes it when the dial is aborted.
func (p *peer) offer(nc net.Conn, address string, stop func() bool) error {
	h, ok := p.beginOffer()
	if !ok {
		nc.Close()
		return nil
	}
	a, err := offer(nc, h)
	if err == nil && !stop() {
		err = net.ErrClosed
	}
	c, err := p.endOffer(nc, address, h, a, err)
	if c == nil {
		nc.Close()
		return err
	}
	p.links.running.Go(func() { p.read(c) })
	return nil
}

// beginOffer returns what to say, unless there is a connection already.
func (p *peer) beginOffer() (hello, bool) {
	if !p.takeTurn() {
		return hello{}, false
	}
	defer p.giveTurn()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.conn != nil || p.closed {
		return hello{}, false
	}
	p.age()
	if p.closed {
		return hello{}, false
	}
	p.offering = true
	s := &p.session
	return hello{
		Min: version, Max: version,
		Own: s.own, Next: s.next, Peer: s.peer, Received: s.received,
		Attempt: attempts.Add(1), Heard: p.heard,
		Codings: codings,
	}, true
}

// endOffer does what an answer says. It returns no connection if there is
// another one now, or if something speaks against it.
func (p *peer) endOffer(nc net.Conn, address string, h hello, a answer, err error) (*conn, error) {
	turn := p.takeTurn()
	if turn {
		defer p.giveTurn()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.offering = false
	if !turn || p.conn != nil || p.closed {
		return nil, nil
	}
	if err != nil {
		if _, bad := err.(refusal); bad {
			p.links.refuse(p.name, nc, err)
		}
		return nil, err
	}
	s := &p.session
	if s.own != h.Own { // lost since then
		return nil, busy
	}
	agreed := a.Lost || s.agrees(a)
	if !agreed || a.Lost {
		why := "the node has lost the other half of the session"
		if !agreed {
			why = "the node does not have the other half of the session"
		}
		if p.renew() {
			p.mu.Unlock()
			p.broken(why)
			p.mu.Lock()
		}
		if !agreed {
			return nil, busy // the other side finds out with the next dial
		}
	}
	s.meet(a.Own, time.Now())
	p.met = address
	c := newConn(nc, true, h.Attempt, readsS2(a.Codings), p.links.config.Watch != nil)
	p.establish(c, a.Received)
	return c, nil
}

// welcome is the acceptor's side of an agreement. It returns no connection if
// something speaks against it.
func (p *peer) welcome(nc net.Conn, h hello) *conn {
	no := func(why verdict) *conn {
		say(nc, answer{Min: version, Max: version, Refused: why})
		return nil
	}
	if !speaks(h.Min, h.Max) {
		p.links.warning.warn("a node speaks other versions of links", "name", p.name, "min", h.Min, "max", h.Max)
		return no(wrongSpeech)
	}
	if why := p.objects(h); why != "" {
		return no(why)
	}
	if !p.takeTurn() {
		return no(busy)
	}
	defer p.giveTurn()
	if why := p.objects(h); why != "" { // since then
		return no(why)
	}
	if !p.replace() {
		return no(busy)
	}
	a, received, ok := p.consent(h)
	if !ok {
		return no(forgotten)
	}
	if say(nc, a) != nil || nc.SetDeadline(time.Time{}) != nil {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil
	}
	c := newConn(nc, false, h.Attempt, readsS2(h.Codings), p.links.config.Watch != nil)
	p.establish(c, received)
	p.abort() // a dial of this side
	return c
}

// objects returns why a dialer's connection is not wanted.
//
// If both sides dial at the same time, the connection of the one with the lower
// name is the one to live: that one accepts none while its own hello waits for its
// answer, and the other one gives its own up when it accepts. A hello may come
// late, when both have agreed: the dialer had not heard of that when it said it.
func (p *peer) objects(h hello) verdict {
	p.mu.Lock()
	defer p.mu.Unlock()
	c, s := p.conn, &p.session
	switch {
	case p.closed:
		return forgotten
	case h.Attempt <= p.heard:
		return outdated
	case p.offering && p.links.config.Name < p.name:
		return crossed
	case c != nil && c.dialed && h.Heard < c.attempt && (s.peer == h.Own || s.peer == h.Next):
		return crossed
	}
	return ""
}

// replace ends the connection that there was: the dialer has given it up. What
// has come over it before is received; the dialer need not send it again. It
// reports whether that is done.
func (p *peer) replace() bool {
	p.mu.Lock()
	old := p.conn
	p.mu.Unlock()
	if old == nil {
		return true
	}
	old.SetReadDeadline(time.Now().Add(drainTimeout))
	timer := time.NewTimer(handshakeTimeout)
	defer timer.Stop()
	select {
	case <-old.done:
		return true
	case <-timer.C:
	case <-p.ctx.Done():
	}
	return false
}

// consent says what the session comes to, and how much of it the dialer has.
func (p *peer) consent(h hello) (a answer, received uint64, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || p.conn != nil {
		return answer{}, 0, false
	}
	p.heard = h.Attempt
	p.age()
	s := &p.session
	met := h.Peer == s.own
	own, theirs := s.judge(h)
	if own && p.renew() {
		p.mu.Unlock()
		p.broken("the node has lost the other half of the session")
		p.mu.Lock()
	}
	if theirs {
		s.meet(h.Next, time.Now())
	} else {
		s.meet(h.Own, time.Now())
	}
	if met && !own && !theirs {
		received = h.Received
	}
	p.dialAt = time.Now().Add(redialGrace) // if the answer does not arrive
	a = answer{Min: version, Max: version, Own: s.own, Lost: theirs, Received: s.received, Codings: codings}
	return a, received, true
}

// age gives a session up in which something waits that is too old, before it goes on
// with another connection. The caller has the turn and the lock.
func (p *peer) age() {
	if p.aged(time.Now()) && p.renew() {
		p.mu.Unlock()
		p.broken("what waits is too old")
		p.mu.Lock()
	}
}

// establish makes a connection the peer's, whose other side has received the
// batches up to a number. There is none yet.
func (p *peer) establish(c *conn, received uint64) {
	s := &p.session
	p.conn, p.behind = c, p.queue.len()
	p.down, p.wanted, p.failing = false, false, false
	p.counts.connections++
	p.unacked, p.ackDue = 0, false // the greeting has told
	if received > s.acked {
		s.acked = received
		s.fruitless = 0
	}
	p.counts.resent += int64(s.written - min(s.written, received))
	s.written = received
	p.trim()
	s.progress = time.Now()
	p.watch()
	p.notify()
}
