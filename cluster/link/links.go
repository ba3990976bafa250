package link

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

// Config is what Links need. Receive and Broken may call all methods but Close,
// and must not wait for somebody who does.
type Config struct {
	Port *port.Port
	Name placement.Name // of this process
	Log  *slog.Logger

	// Receive gets whole records of a peer, each behind its length (an unsigned
	// varint), in the order in which they were sent and exactly once. It is called
	// for one batch of a peer at a time, for several peers at once. The bytes are
	// good during the call. Nothing is acknowledged meanwhile, so it must not take
	// long: after a second the peer looks for a better connection.
	//
	// If it returns a function, whoever receives has enough: nothing more is read of
	// the peer until that is false. So what the peer sends waits in its own queue,
	// which gets full. Any goroutine calls it, again and again.
	Receive func(from placement.Name, records []byte) (full func() bool)

	// Broken hears of a loss. What Send has taken for the peer may have arrived or
	// not, and is not sent again; what its sockets hold it may still receive, before
	// it hears of the loss itself. What the peer has sent may be lost as well. What is
	// sent and received later is in order again. Each side hears of each loss once,
	// and never while Receive has a batch of that peer. A Send at the same time may
	// count as before or after.
	Broken func(peer placement.Name)

	// Watch calls ready whenever a peer's socket can be read, from one goroutine at a
	// time, until stop is called; Receive is called from there, but for what has come
	// while the receiver had enough. It may be called again for a socket after stop.
	// Nil: each connection has a goroutine that waits. What is in memory has one in
	// any case.
	Watch func(peer placement.Name, fd int, ready func()) (stop func())

	// NoCompression makes this side send its records as they are. It reads what the
	// other one has compressed.
	NoCompression bool
}

// Links are the connections of a process to the other nodes.
type Links struct {
	config Config
	ctx    context.Context // ends with Close
	cancel context.CancelFunc

	running sync.WaitGroup // peers, readers, and handlers of the port

	refused [refusals]atomic.Int64
	warning warning

	mu     sync.RWMutex
	closed bool
	peers  map[placement.Name]*peer
	ending map[*peer]struct{} // forgotten, and not at their end yet
	past   counts             // of those that are
}

// attempts counts the dials of this process.
var attempts atomic.Uint64

// New takes the port's link connections.
func New(config Config) *Links {
	l := &Links{config: config, peers: make(map[placement.Name]*peer), ending: make(map[*peer]struct{}), warning: warning{log: config.Log}}
	l.ctx, l.cancel = context.WithCancel(context.Background())
	config.Port.Handle(port.Link, l.accept)
	return l
}

// Send sends n records, whole ones, each behind its length, to a peer at an
// address. They are copied and stay together in order. If it is true they arrive,
// exactly once and after all that was sent before, unless Broken is called for the
// peer later. If it is false nothing was taken: the queue is full, or the peer
// cannot be reached, or a record is longer than RecordBytesMax. It never blocks
// and may be called by several goroutines.
func (l *Links) Send(to placement.Name, address string, records []byte, n int) bool {
	p := l.peer(to, address)
	if p == nil {
		l.turnDown()
		return false
	}
	return p.send(address, records, n)
}

// Queue returns how many bytes wait for a peer and are on no connection yet, and
// how many may.
func (l *Links) Queue(name placement.Name) (bytes, bytesMax int) {
	l.mu.RLock()
	p := l.peers[name]
	l.mu.RUnlock()
	if p == nil {
		return 0, queueBytesMin
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.queue.len(), p.bound()
}

// Forget ends the link to a peer that is dead, with what waits for it, and does
// not wait for a Receive that has a batch of it. Broken is not called for it.
func (l *Links) Forget(name placement.Name) {
	l.mu.Lock()
	p := l.peers[name]
	delete(l.peers, name)
	if p != nil {
		l.ending[p] = struct{}{}
	}
	l.mu.Unlock()
	if p != nil {
		p.forget()
	}
}

// left takes note that a peer has come to its end.
func (l *Links) left(p *peer) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, forgotten := l.ending[p]; forgotten {
		delete(l.ending, p)
		p.mu.Lock()
		l.past.add(p.counts)
		p.mu.Unlock()
	}
}

// Close ends all links, as soon as the peers have acknowledged what was sent, if
// that is soon. Afterwards nothing is called. Only then others may take the port.
func (l *Links) Close() {
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return
	}
	l.closed = true
	l.mu.Unlock()
	l.config.Port.Handle(port.Link, nil)
	l.cancel()
	l.running.Wait()
}

// peer returns what belongs to a peer, nil after Close.
func (l *Links) peer(name placement.Name, address string) *peer {
	l.mu.RLock()
	p, closed := l.peers[name], l.closed
	l.mu.RUnlock()
	if closed {
		return nil
	}
	if p != nil {
		return p
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed || name == l.config.Name {
		return nil
	}
	if p = l.peers[name]; p == nil {
		p = newPeer(l, name, address)
		l.peers[name] = p
		l.running.Go(p.run)
	}
	return p
}

// accept is the port's handler.
func (l *Links) accept(nc net.Conn, greeting port.Greeting) {
	defer nc.Close()
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return
	}
	l.running.Add(1)
	l.mu.Unlock()
	defer l.running.Done()
	defer context.AfterFunc(l.ctx, func() { time.AfterFunc(closeTimeout, func() { nc.Close() }) })()

	h, err := await(nc)
	if err != nil {
		l.refuse(greeting.Name, nc, err)
		return
	}
	p := l.peer(greeting.Name, greeting.Address)
	if p == nil {
		say(nc, answer{Min: version, Max: version, Refused: forgotten})
		return
	}
	if c := p.welcome(nc, h); c != nil {
		p.read(c)
	}
}

// refuse counts and logs that a connection was closed for what came over it, if
// that is why.
func (l *Links) refuse(from placement.Name, nc net.Conn, err error) {
	reason, ok := err.(refusal)
	if !ok {
		return
	}
	l.refused[reason].Add(1)
	l.warning.warn("closed a link", "from", nc.RemoteAddr().String(), "name", from, "why", err)
}

// warning logs one line in an interval, and how many are missing before it.
type warning struct {
	log *slog.Logger

	mu     sync.Mutex
	last   time.Time
	others int64
}

func (w *warning) warn(message string, args ...any) {
	w.mu.Lock()
	now := time.Now()
	if now.Sub(w.last) < warnInterval {
		w.others++
		w.mu.Unlock()
		return
	}
	others := w.others
	w.last, w.others = now, 0
	w.mu.Unlock()
	w.log.Warn(message, append(args, "others before", others)...)
}

// short is s, or as much of it as a line may have of what a peer says.
func short(s string) string { return s[:min(len(s), 100)] }
