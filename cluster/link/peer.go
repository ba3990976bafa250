package link

import (
	"context"
	"errors"
	"strings"
	"sync"
	"syscall"
	"time"

	"hubsub/cluster/placement"
	"hubsub/cluster/port"
)

// peer is another process and all that goes to it and comes from it.
type peer struct {
	// Set once.
	links  *Links
	name   placement.Name
	ctx    context.Context // ends when it is forgotten
	cancel context.CancelFunc
	wake   chan struct{} // holds one: there is something for run
	turn   chan struct{} // holds one while a connection or a loss is being agreed on

	// Owned by who writes.
	compressor compressor

	mu sync.Mutex // guards all that follows

	session session
	queue   queue
	counts  counts
	closed  bool // it takes nothing more

	// Its connection. It is there until nobody reads or writes it any more.
	conn       *conn
	behind     int       // bytes of the queue that came while there was none
	writing    bool      // somebody writes to it, or makes a batch for it
	released   sync.Cond // writing has become false
	out        []byte    // of a batch or an acknowledgement: what is still to be written
	ackDue     bool      // an acknowledgement shall not wait any longer
	unacked    int       // bytes received that were not acknowledged
	ackBatch   [headerBytes]byte
	ackTimer   *time.Timer
	ackArmed   bool
	stallTimer *time.Timer
	stallArmed bool

	// How it is reached.
	address   string
	forgotten bool
	met       string // the address where it has answered, empty: it has not
	heard     uint64 // its last attempt that was accepted
	offering  bool   // a hello waits for its answer
	abort     func() // ends the dial that runs
	down      bool   // it could not be reached, and its session is lost
	wanted    bool   // somebody has sent to it since
	failing   bool   // the last dial did, and a line was logged
	pause     time.Duration
	dialAt    time.Time
}

func newPeer(l *Links, name placement.Name, address string) *peer {
	p := &peer{
		links: l, name: name, address: address, session: newSession(), abort: func() {},
		wake: make(chan struct{}, 1), turn: make(chan struct{}, 1),
	}
	p.ctx, p.cancel = context.WithCancel(l.ctx)
	p.released.L = &p.mu
	p.ackTimer = time.AfterFunc(time.Hour, p.ackLate)
	p.ackTimer.Stop()
	p.stallTimer = time.AfterFunc(time.Hour, p.stall)
	p.stallTimer.Stop()
	return p
}

func (p *peer) notify() {
	select {
	case p.wake <- struct{}{}:
	default: // it is awake
	}
}

// send puts records into the queue, or right on the connection if it is idle.
func (p *peer) send(address string, records []byte, n int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.address = address
	if reason, ok := p.takes(records); !ok {
		p.counts.untaken[reason]++
		return false
	}
	c := p.conn
	switch {
	case len(records) == 0:
	case c != nil && c.raw != nil && !p.writing && len(records) <= inlineBytesMax && p.idle():
		p.writeNow(c, records, n)
	default:
		p.queue.add(records, n)
		if c == nil {
			if !p.session.used {
				p.session.used, p.session.since = true, time.Now()
			}
			p.notify()
		} else if !p.writing {
			p.notify() // else who writes looks for more
		}
	}
	return true
}

// takes reports whether records can be taken, or why not. A queue that is empty
// takes any; the last record of another one may pass its bound, for the longest is
// longer than the least bound.
func (p *peer) takes(records []byte) (dropReason, bool) {
	switch waiting := p.queue.len(); {
	case p.closed:
		return dropForgotten, false
	case p.down:
		if !p.wanted {
			p.wanted = true
			p.notify()
		}
		return dropUnreachable, false
	case len(records) > RecordBytesMax && tooLong(records):
		return dropTooLong, false
	case waiting > 0 && (waiting >= p.bound() || waiting+len(records) > p.bound()+RecordBytesMax):
		return dropFull, false
	}
	return 0, true
}

// bound returns how many bytes may wait in the queue. While there is no connection,
// and until what is sent again and what came meanwhile is written, they are as many
// as a ring holds: so much a break may cost and lose nothing.
func (p *peer) bound() int {
	if p.conn == nil || p.behind > 0 || p.session.written < p.session.number {
		return ringBytesMax
	}
	return p.queue.rate.bound()
}

// tooLong reports whether there is one among some records that no batch may
// hold.
func tooLong(records []byte) bool {
	_, whole := countRecords(records)
	return !whole
}

// run writes while there is a connection, and looks for one while there is a
// reason to.
func (p *peer) run() {
	defer p.end()
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for p.ctx.Err() == nil {
		wait, ever := p.step()
		if ever {
			timer.Reset(wait)
		} else {
			timer.Stop()
		}
		select {
		case <-p.wake:
		case <-timer.C:
		case <-p.ctx.Done():
		}
	}
}

// step does what is to be done now, and returns how long until there may be more
// that nobody tells of.
func (p *peer) step() (wait time.Duration, ever bool) {
	p.flush()
	p.mu.Lock()
	now := time.Now()
	s := &p.session
	switch {
	case p.conn != nil || (!s.used && !p.wanted):
		p.mu.Unlock()
		return 0, false
	case s.lapsed(now):
		p.mu.Unlock()
		p.lose(nil)
		return 0, true
	}
	wait = p.dialAt.Sub(now)
	if wait > 0 && s.used {
		wait = min(wait, s.since.Add(sessionTimeout).Sub(now))
	}
	p.mu.Unlock()
	if wait <= 0 {
		p.connect()
	}
	return wait, true
}

// takeTurn waits until nothing is being agreed on, and reports whether that was
// soon.
func (p *peer) takeTurn() bool {
	timer := time.NewTimer(handshakeTimeout)
	defer timer.Stop()
	select {
	case p.turn <- struct{}{}:
		return true
	case <-timer.C:
	case <-p.ctx.Done():
	}
	return false
}

func (p *peer) giveTurn() { <-p.turn }

// lose gives the session up if it has lapsed, or if something proves that the
// peer's process is no more. What is sent then is not taken until there is a
// connection again.
func (p *peer) lose(proof error) {
	if !p.takeTurn() {
		return
	}
	defer p.giveTurn()
	p.mu.Lock()
	if p.conn != nil || (proof == nil && !p.session.lapsed(time.Now())) {
		p.mu.Unlock()
		return
	}
	why := "the node cannot be reached"
	switch {
	case proof != nil:
		why = proof.Error()
		p.down = true
	case p.session.nowhere(time.Now()):
		why = "the node acknowledges nothing"
	default:
		p.down = true
	}
	p.wanted = false
	used := p.renew()
	p.mu.Unlock()
	if used {
		p.broken(why)
	}
}

// renew begins a new half of a session with an empty queue, and reports whether
// there was something to lose. There is no connection.
func (p *peer) renew() (used bool) {
	lost, used := p.session.renew()
	p.counts.dropped[dropBroken] += int64(lost + p.queue.records())
	p.queue.drop()
	if used {
		p.counts.broken++
	}
	return used
}

// broken tells of a loss. The caller has the turn.
func (p *peer) broken(why string) {
	if p.ctx.Err() != nil {
		return
	}
	p.links.warning.warn("lost records on a link", "name", p.name, "why", why)
	p.links.config.Broken(p.name)
}

// connect dials the peer and offers to go on with the session, or to begin one.
func (p *peer) connect() {
	ctx, cancel := context.WithCancel(p.ctx)
	defer cancel()
	p.mu.Lock()
	if p.conn != nil {
		p.mu.Unlock()
		return
	}
	p.abort = cancel
	address := p.address
	if p.session.used {
		rest := time.Until(p.session.since.Add(sessionTimeout))
		defer time.AfterFunc(rest, cancel).Stop()
	}
	p.mu.Unlock()
	nc, _, err := p.links.config.Port.Dial(ctx, port.Link, address, p.name)
	if err == nil {
		stop := context.AfterFunc(ctx, func() { nc.Close() })
		err = p.offer(nc, address, stop)
	}
	if err != nil && p.ctx.Err() == nil {
		p.failed(address, err, ctx.Err() != nil)
	}
}

// failed finds out what it means that the peer cannot be reached.
func (p *peer) failed(address string, err error, aborted bool) {
	p.mu.Lock()
	if p.conn != nil {
		p.mu.Unlock()
		return
	}
	if err == crossed || err == outdated {
		p.dialAt = time.Now().Add(redialGrace) // it comes to us
		p.mu.Unlock()
		return
	}
	p.rest()
	p.wanted = false
	proved := p.proves(address, err)
	first := !aborted && !p.failing
	p.failing = p.failing || first
	p.mu.Unlock()
	if first {
		p.links.warning.warn("cannot connect to a node for its rooms", "name", p.name, "error", err)
	}
	if proved {
		p.lose(err)
	}
}

// rest makes the next dial wait longer than the last one did.
func (p *peer) rest() {
	most := redialMax
	if p.down {
		most = redialDownMax
	}
	p.pause = min(max(2*p.pause, redialMin), most)
	p.dialAt = time.Now().Add(p.pause)
}

// proves reports whether a failed dial shows that the peer's process is no more.
// If another one answers it must be the peer's node or have its address: who leads
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

// forget ends the peer at once.
func (p *peer) forget() {
	p.mu.Lock()
	p.forgotten, p.closed = true, true
	if p.conn != nil {
		p.conn.Close()
	}
	p.mu.Unlock()
	p.cancel()
}

// end writes the rest, unless the peer is forgotten, and drops what nobody will
// write.
func (p *peer) end() {
	p.mu.Lock()
	p.closed = true
	forgotten := p.forgotten
	p.mu.Unlock()
	if !forgotten {
		p.finish()
	}
	p.mu.Lock()
	p.ackTimer.Stop()
	p.stallTimer.Stop()
	if p.conn != nil {
		p.conn.Close()
	}
	p.counts.dropped[dropForgotten] += int64(p.session.ring.records + p.queue.records())
	p.queue.drop()
	p.mu.Unlock()
	p.links.left(p)
}

// finish writes what waits and lets the peer acknowledge it, if that is soon.
func (p *peer) finish() {
	timer := time.NewTimer(closeTimeout)
	defer timer.Stop()
	p.mu.Lock()
	c := p.conn
	p.mu.Unlock()
	if c == nil {
		return
	}
	c.SetWriteDeadline(time.Now().Add(closeTimeout))
	for {
		p.flush()
		p.mu.Lock()
		over := p.conn != c || (p.session.ring.len() == 0 && p.queue.len() == 0)
		p.mu.Unlock()
		if over {
			return
		}
		select {
		case <-p.wake:
		case <-c.done:
			return
		case <-timer.C:
			return
		}
	}
}
