package gossip

import (
	"context"
	"net"
	"time"

	"hubsub/cluster/port"
)

// peer is what packets to one address wait in, and their connection. Only this
// side writes to it; the peer answers over one of its own.
type peer struct {
	// Set once.
	transport *transport
	address   string
	queued    chan struct{} // has an element if there are frames that send may not know of

	// Guarded by transport.mu.
	frames [][]byte
	bytes  int
}

// push queues a frame, and drops the oldest ones if there are too many. It
// returns how many. The caller holds transport.mu.
func (p *peer) push(frame []byte) (dropped int) {
	p.frames = append(p.frames, frame)
	p.bytes += len(frame)
	for dropped = 0; len(p.frames)-dropped > queueFramesMax || p.bytes > queueBytesMax; dropped++ {
		p.bytes -= len(p.frames[dropped])
	}
	if dropped > 0 {
		p.frames = append(p.frames[:0], p.frames[dropped:]...)
	}
	select {
	case p.queued <- struct{}{}:
	default:
	}
	return dropped
}

// take returns all frames, in one piece.
func (p *peer) take() (joined []byte, frames int) {
	p.transport.mu.Lock()
	defer p.transport.mu.Unlock()
	frames = len(p.frames)
	if frames == 1 {
		joined = p.frames[0]
	} else if frames > 1 {
		joined = make([]byte, 0, p.bytes)
		for _, f := range p.frames {
			joined = append(joined, f...)
		}
	}
	clear(p.frames)
	p.frames, p.bytes = p.frames[:0], 0
	return joined, frames
}

// retire forgets a peer that gets no packets any more.
func (p *peer) retire() bool {
	t := p.transport
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(p.frames) > 0 {
		return false
	}
	delete(t.peers, p.address)
	return true
}

// link is a connection for packets.
type link struct {
	net.Conn
	ended    chan struct{} // closed when the peer has ended it, or this side
	deadline time.Time     // of writes
}

// send is the peer's goroutine: it dials when there is something to send, and
// writes it. What cannot be sent at once is dropped, for memberlist sends what
// matters again.
func (p *peer) send() {
	t := p.transport
	idle := time.NewTimer(peerIdleMax)
	defer idle.Stop()
	var l *link
	defer func() { p.hangUp(l) }()
	pause := redialMin
	for {
		var ended <-chan struct{}
		if l != nil {
			ended = l.ended
		}
		idle.Reset(peerIdleMax)
		select {
		case <-p.queued:
		case <-ended:
			p.hangUp(l)
			l = nil
			continue
		case <-idle.C:
			if p.retire() {
				return
			}
			continue
		case <-t.ctx.Done():
			return
		}
		if l != nil && !l.alive() {
			p.hangUp(l)
			l = nil
		}
		if l == nil {
			if l = p.dial(); l == nil {
				_, frames := p.take()
				t.counters.packetsUnsent.Add(uint64(frames))
				if !p.rest(pause) {
					return
				}
				pause = min(2*pause, redialMax)
				continue
			}
			pause = redialMin
		}
		if !p.write(l) {
			p.hangUp(l)
			l = nil
		}
	}
}

// dial connects to the peer.
func (p *peer) dial() *link {
	t := p.transport
	ctx, cancel := context.WithTimeout(t.ctx, dialTimeMax)
	defer cancel()
	conn, _, err := t.port.Dial(ctx, port.Packets, p.address, "")
	if err != nil {
		return nil // memberlist tells of those who do not answer
	}
	if !t.enter(conn) {
		return nil
	}
	l := &link{Conn: conn, ended: make(chan struct{})}
	go func() {
		defer t.running.Done()
		defer close(l.ended)
		var b [1]byte
		_, _ = conn.Read(b[:]) // the peer sends nothing: whatever comes is the end
	}()
	return l
}

// write sends what is queued.
func (p *peer) write(l *link) bool {
	c := p.transport.counters
	joined, frames := p.take()
	if frames == 0 {
		return true
	}
	var err error
	if now := time.Now(); l.deadline.Sub(now) < writeTimeMin {
		l.deadline = now.Add(writeTimeMax)
		err = l.SetWriteDeadline(l.deadline)
	}
	if err == nil {
		_, err = l.Write(joined)
	}
	if err != nil {
		c.packetsUnsent.Add(uint64(frames))
		return false
	}
	c.packetsSent.Add(uint64(frames))
	c.bytesSent.Add(uint64(len(joined)))
	return true
}

// alive reports whether the peer has not ended the connection, as far as is
// known.
func (l *link) alive() bool {
	select {
	case <-l.ended:
		return false
	default:
		return true
	}
}

// hangUp ends a connection, if there is one.
func (p *peer) hangUp(l *link) {
	if l != nil {
		_ = p.transport.drop(l.Conn) // it has failed already, or is of no more use
	}
}

// rest waits; false means that the transport ends.
func (p *peer) rest(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-p.transport.ctx.Done():
		return false
	}
}
