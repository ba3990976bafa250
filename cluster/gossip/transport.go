package gossip

import (
	"bufio"
	"context"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/hashicorp/memberlist"

	"hubsub/cluster/port"
)

// transport is memberlist's network: packets and streams over the cluster port.
// Reports take the packets' way, but memberlist never sees them: it would hand
// each from goroutine to goroutine to goroutine.
type transport struct {
	port     *port.Port
	self     netip.AddrPort // as the other nodes reach it
	log      *slog.Logger
	counters *counters
	heard    func(report []byte)
	packets  chan *memberlist.Packet
	streams  chan net.Conn
	ctx      context.Context // ends with the transport
	cancel   context.CancelFunc
	running  sync.WaitGroup
	refusals pace

	mu     sync.Mutex
	closed bool
	open   map[net.Conn]struct{} // all connections
	peers  map[string]*peer      // that packets go to, by address
}

func newTransport(p *port.Port, self netip.AddrPort, log *slog.Logger, c *counters, heard func(report []byte)) *transport {
	t := &transport{
		port: p, self: self, log: log, counters: c, heard: heard,
		packets: make(chan *memberlist.Packet),
		streams: make(chan net.Conn),
		open:    make(map[net.Conn]struct{}),
		peers:   make(map[string]*peer),
	}
	t.ctx, t.cancel = context.WithCancel(context.Background())
	p.Handle(port.Packets, t.receive)
	p.Handle(port.Stream, t.accept)
	return t
}

// FinalAdvertiseAddr returns the address that members have each other by.
// memberlist's own choice fails on machines without a private address.
func (t *transport) FinalAdvertiseAddr(string, int) (net.IP, int, error) {
	return t.self.Addr().AsSlice(), int(t.self.Port()), nil
}

func (t *transport) PacketCh() <-chan *memberlist.Packet { return t.packets }
func (t *transport) StreamCh() <-chan net.Conn           { return t.streams }

// WriteTo queues a packet. It neither waits nor fails, as a datagram does not:
// one goroutine of memberlist sends all gossip, one all probes, and a dead peer
// must not stop them.
func (t *transport) WriteTo(packet []byte, address string) (time.Time, error) {
	now := time.Now()
	if len(packet) == 0 || len(packet) > frameBytesMax {
		t.counters.packetsCrowded.Add(1)
		return now, nil
	}
	t.queue(appendFrame(make([]byte, 0, frameHeaderBytes+len(packet)), packet), address)
	return now, nil
}

// report queues a report in the same way.
func (t *transport) report(report []byte, address string) {
	t.queue(appendReport(make([]byte, 0, frameHeaderBytes+len(report)), report), address)
}

func (t *transport) queue(frame []byte, address string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return
	}
	p := t.peers[address]
	if p == nil {
		if len(t.peers) >= peersMax {
			t.counters.packetsCrowded.Add(1)
			return
		}
		p = &peer{transport: t, address: address, queued: make(chan struct{}, 1)}
		t.peers[address] = p
		t.running.Go(p.send)
	}
	t.counters.packetsCrowded.Add(uint64(p.push(frame)))
}

// DialTimeout opens a stream. memberlist knows who it wants there by the address
// only: another process that has taken its place says so in the exchange, and the
// port refuses those of other clusters.
func (t *transport) DialTimeout(address string, timeout time.Duration) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(t.ctx, timeout)
	defer cancel()
	conn, _, err := t.port.Dial(ctx, port.Stream, address, "")
	if err != nil {
		return nil, err
	}
	if !t.track(conn) {
		return nil, net.ErrClosed
	}
	t.counters.streams.Add(1)
	s := &stream{Conn: conn, transport: t}
	if err := s.SetDeadline(time.Now().Add(timeout)); err != nil { // memberlist writes before it sets one
		s.Close()
		return nil, err
	}
	return s, nil
}

// accept hands a stream to memberlist.
func (t *transport) accept(conn net.Conn, _ port.Greeting) {
	if !t.track(conn) {
		return
	}
	s := &stream{Conn: conn, transport: t}
	select {
	case t.streams <- s:
		t.counters.streams.Add(1)
	case <-t.ctx.Done():
		s.Close()
	}
}

// receive hands a peer's packets to memberlist until the connection ends.
func (t *transport) receive(conn net.Conn, peer port.Greeting) {
	if !t.enter(conn) {
		return
	}
	defer t.running.Done()
	defer t.drop(conn)
	from := address(peer.Address)
	r := bufio.NewReaderSize(conn, readBufferBytes)
	for {
		packet, report, err := readFrame(r)
		if bad := (frameError{}); errors.As(err, &bad) {
			t.counters.peersRefused.Add(1)
			if others, ok := t.refusals.pass(); ok {
				t.log.Warn("ends a connection for gossip", "from", peer.Name, "error", bad, "others before", others)
			}
		}
		if err != nil {
			return
		}
		t.counters.packetsReceived.Add(1)
		t.counters.bytesReceived.Add(uint64(frameHeaderBytes + len(packet)))
		if report {
			t.heard(packet)
			continue
		}
		select {
		case t.packets <- &memberlist.Packet{Buf: packet, From: from, Timestamp: time.Now()}:
		case <-t.ctx.Done():
			return
		}
	}
}

// Shutdown ends all connections and goroutines. The port keeps the handlers, for
// they may be another transport's by now; they take nothing more.
func (t *transport) Shutdown() error {
	t.mu.Lock()
	t.closed = true
	for conn := range t.open {
		conn.Close() // its user finds out what that meant
	}
	t.mu.Unlock()
	t.cancel()
	t.running.Wait()
	return nil
}

// track takes responsibility for a connection until drop. It closes one that
// comes too late.
func (t *transport) track(conn net.Conn) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.trackLocked(conn)
}

func (t *transport) trackLocked(conn net.Conn) bool {
	if t.closed {
		conn.Close()
		return false
	}
	t.open[conn] = struct{}{}
	return true
}

// enter does the same for a goroutine that is the connection's and that Shutdown
// shall wait for: it ends with running.Done.
func (t *transport) enter(conn net.Conn) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.trackLocked(conn) {
		return false
	}
	t.running.Add(1)
	return true
}

// drop closes a connection.
func (t *transport) drop(conn net.Conn) error {
	t.mu.Lock()
	delete(t.open, conn)
	t.mu.Unlock()
	return conn.Close()
}

// stream is a connection that memberlist closes.
type stream struct {
	net.Conn
	transport *transport
}

func (s *stream) Close() error { return s.transport.drop(s.Conn) }

// address is a node's, as it says itself: the connection's would have another
// port.
type address string

func (a address) Network() string { return "tcp" }
func (a address) String() string  { return string(a) }
