package gossip

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"hubsub/cluster/port"
)

// transport starts the transport of a node, without memberlist.
func (n *node) transport() *transport {
	return newTransport(n.port, netip.MustParseAddrPort(n.address), n.config().Log, new(counters), func([]byte) {})
}

// inTransports runs a test with the transports of two nodes.
func inTransports(t *testing.T, test func(w *world, a, b *transport)) {
	inWorld(t, func(w *world) {
		a, b := w.open(0, 1).transport(), w.open(1, 1).transport()
		defer a.Shutdown()
		defer b.Shutdown()
		test(w, a, b)
	})
}

func (t *transport) peerCount() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.peers)
}

func (t *transport) openCount() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.open)
}

// Packets arrive in their order, from the address that the sender gives itself,
// over one connection.
func TestPackets(t *testing.T) {
	inTransports(t, func(w *world, a, b *transport) {
		for i := range 50 {
			if _, err := a.WriteTo(fmt.Append(nil, i), addressAt(1)); err != nil {
				t.Fatal(err)
			}
		}
		for i := range 50 {
			p := <-b.PacketCh()
			if string(p.Buf) != fmt.Sprint(i) || p.From.String() != addressAt(0) || p.From.Network() != "tcp" || !p.Timestamp.Equal(time.Now()) {
				t.Errorf("packet %d is %q from %v at %v", i, p.Buf, p.From, p.Timestamp)
			}
		}
		if a.openCount() != 1 || b.openCount() != 1 || a.counters.packetsSent.Load() != 50 || b.counters.packetsReceived.Load() != 50 {
			t.Errorf("%d connections, %d packets", a.openCount(), a.counters.packetsSent.Load())
		}
		ip, number, err := a.FinalAdvertiseAddr("", 0)
		if err != nil || net.JoinHostPort(ip.String(), fmt.Sprint(number)) != addressAt(0) {
			t.Errorf("it is at %v:%d, %v", ip, number, err)
		}
	})
}

// WriteTo returns at once, whatever the peer does: reads nothing, is cut off, is
// not there, or refuses. What waits is bounded, and the newest is kept.
func TestWriteToNeverBlocks(t *testing.T) {
	f := func(name string, prepare func(w *world)) {
		t.Run(name, func(t *testing.T) {
			inTransports(t, func(w *world, a, _ *transport) {
				prepare(w)
				began := time.Now()
				packet := make([]byte, 10<<10)
				for range 1000 {
					if _, err := a.WriteTo(packet, addressAt(1)); err != nil {
						t.Fatal(err)
					}
				}
				for range 1000 {
					time.Sleep(time.Millisecond)
					if _, err := a.WriteTo(packet[:10], addressAt(1)); err != nil {
						t.Fatal(err)
					}
				}
				if took := time.Since(began); took != time.Second {
					t.Errorf("it took %v", took)
				}
				p := a.peers[addressAt(1)]
				a.mu.Lock()
				if p.bytes > queueBytesMax || len(p.frames) > queueFramesMax {
					t.Errorf("%d packets wait, %d bytes", len(p.frames), p.bytes)
				}
				a.mu.Unlock()
				time.Sleep(time.Minute)
				c := a.counters
				if got := c.packetsCrowded.Load() + c.packetsUnsent.Load() + c.packetsSent.Load(); got != 2000 || c.packetsCrowded.Load() == 0 {
					t.Errorf("%d crowded, %d unsent, %d sent", c.packetsCrowded.Load(), c.packetsUnsent.Load(), c.packetsSent.Load())
				}
			})
		})
	}
	f("reads nothing", func(*world) {})
	f("is cut off", func(w *world) { w.network.Cut(addressAt(0), addressAt(1)) })
	f("is cut off later", func(w *world) {
		time.AfterFunc(500*time.Millisecond, func() { w.network.Cut(addressAt(0), addressAt(1)) })
	})
	f("is not there", func(w *world) { w.nodes[1].kill() })
	f("refuses", func(w *world) { w.nodes[1].port.Handle(port.Packets, nil) })
}

func TestQueue(t *testing.T) {
	f := func(frames []int, dropped, left int) {
		t.Helper()
		p := &peer{transport: &transport{}, queued: make(chan struct{}, 1)}
		got := 0
		for i, n := range frames {
			frame := make([]byte, n)
			frame[0] = byte(i)
			got += p.push(frame)
		}
		if got != dropped || len(p.frames) != left || left > 0 && p.frames[left-1][0] != byte(len(frames)-1) {
			t.Errorf("%d frames: %d dropped, %d left; want %d, %d", len(frames), got, len(p.frames), dropped, left)
		}
		bytes := p.bytes
		joined, n := p.take()
		if n != left || len(joined) != bytes || p.bytes != 0 || len(p.frames) != 0 {
			t.Errorf("%d frames: %d taken, %d bytes of %d", len(frames), n, len(joined), bytes)
		}
	}
	many := func(n, bytes int) (frames []int) {
		for range n {
			frames = append(frames, bytes)
		}
		return frames
	}
	f(nil, 0, 0)
	f([]int{5}, 0, 1)
	f([]int{5, 7}, 0, 2)
	f(many(queueFramesMax, 5), 0, queueFramesMax)
	f(many(queueFramesMax+3, 5), 3, queueFramesMax)
	f(many(5, queueBytesMax/4), 1, 4)
	f(append(many(9, 5), queueBytesMax), 9, 1)
}

// A peer that comes back, or another process at its address, gets packets again
// within about a second; the connection of who is gone is noticed at once.
func TestRedial(t *testing.T) {
	inTransports(t, func(w *world, a, b *transport) {
		a.WriteTo([]byte("1"), addressAt(1))
		<-b.PacketCh()
		w.nodes[1].kill()
		b.Shutdown()
		synctest.Wait()
		if a.openCount() != 0 {
			t.Errorf("%d connections are open", a.openCount())
		}
		for range 20 {
			a.WriteTo([]byte("lost"), addressAt(1))
			time.Sleep(time.Second)
		}
		if got := a.counters.packetsUnsent.Load(); got < 18 {
			t.Errorf("%d packets were not sent", got)
		}
		c := w.open(1, 2).transport()
		defer c.Shutdown()
		time.Sleep(redialMax)
		a.WriteTo([]byte("2"), addressAt(1))
		for p := range c.PacketCh() {
			if string(p.Buf) == "2" {
				break
			}
		}
	})
}

// Peers that get no packets any more cost nothing.
func TestPeersRetire(t *testing.T) {
	inTransports(t, func(w *world, a, b *transport) {
		a.WriteTo([]byte("1"), addressAt(1))
		<-b.PacketCh()
		a.WriteTo([]byte("1"), addressAt(7))
		time.Sleep(peerIdleMax - time.Second)
		if a.peerCount() != 2 || a.openCount() != 1 {
			t.Errorf("%d peers, %d connections", a.peerCount(), a.openCount())
		}
		a.WriteTo([]byte("2"), addressAt(1))
		<-b.PacketCh()
		time.Sleep(10 * time.Second)
		if a.peerCount() != 1 || a.openCount() != 1 {
			t.Errorf("%d peers, %d connections", a.peerCount(), a.openCount())
		}
		time.Sleep(peerIdleMax)
		if a.peerCount() != 0 || a.openCount() != 0 || b.openCount() != 0 {
			t.Errorf("%d peers, %d and %d connections", a.peerCount(), a.openCount(), b.openCount())
		}
		a.WriteTo([]byte("3"), addressAt(1))
		if p := <-b.PacketCh(); string(p.Buf) != "3" {
			t.Errorf("%q", p.Buf)
		}
	})
}

// Packets may name any address to answer to, but not any number of them.
func TestPeersMax(t *testing.T) {
	inTransports(t, func(w *world, a, _ *transport) {
		for i := range peersMax + 7 {
			a.WriteTo([]byte("1"), fmt.Sprintf("10.1.%d.%d:1", i/200, i%200))
		}
		if a.peerCount() != peersMax || a.counters.packetsCrowded.Load() != 7 {
			t.Errorf("%d peers, %d packets dropped", a.peerCount(), a.counters.packetsCrowded.Load())
		}
	})
}

// Who does not send frames is cut off, and nobody else is.
func TestNonsense(t *testing.T) {
	inTransports(t, func(w *world, a, b *transport) {
		conn, _, err := w.nodes[0].port.Dial(context.Background(), port.Packets, addressAt(1), "")
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if _, err := conn.Write([]byte("GET / HTTP/1.1\r\n\r\n")); err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
			t.Errorf("the connection is open: %v", err)
		}
		if b.counters.peersRefused.Load() != 1 {
			t.Errorf("%d refused", b.counters.peersRefused.Load())
		}
		a.WriteTo([]byte("1"), addressAt(1))
		<-b.PacketCh()
	})
}

// Streams reach the other side, and end with either transport; one that shut
// down takes nothing and dials nothing.
func TestStreams(t *testing.T) {
	inTransports(t, func(w *world, a, b *transport) {
		near, err := a.DialTimeout(addressAt(1), time.Second)
		if err != nil {
			t.Fatal(err)
		}
		far := <-b.StreamCh()
		if _, err := near.Write([]byte("x")); err != nil {
			t.Fatal(err)
		}
		var x [1]byte
		if _, err := far.Read(x[:]); err != nil || x[0] != 'x' {
			t.Errorf("%q, %v", x, err)
		}
		a.Shutdown()
		if _, err := far.Read(x[:]); err == nil {
			t.Error("the stream is open")
		}
		far.Close()
		if b.openCount() != 0 {
			t.Errorf("%d connections are open", b.openCount())
		}
		if _, err := a.DialTimeout(addressAt(1), time.Second); err == nil {
			t.Error("it dials after its end")
		}
		if _, err := a.WriteTo([]byte("1"), addressAt(1)); err != nil || a.peerCount() > 1 {
			t.Errorf("%v, %d peers", err, a.peerCount())
		}
		conn, err := b.DialTimeout(addressAt(0), time.Second) // the port does not know that it has ended
		if err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Read(x[:]); err == nil || errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("it takes streams after its end: %v", err)
		}
		conn.Close()
	})
}

func TestResolve(t *testing.T) {
	f := func(address string, want ...string) {
		t.Helper()
		got, err := resolve(context.Background(), address)
		if (err != nil) != (len(want) == 0) {
			t.Errorf("%q: %v, %v", address, got, err)
		}
		for _, w := range want {
			if !strings.Contains(fmt.Sprint(got), w) {
				t.Errorf("%q: %v, want %s", address, got, w)
			}
		}
	}
	f("10.0.0.1:7000", "10.0.0.1:7000")
	f("[::1]:7000", "[::1]:7000")
	f("[::ffff:10.0.0.1]:7000", "10.0.0.1:7000")
	f("[fe80::1%eth0]:7000", "[fe80::1]:7000")
	f("localhost:7000", ":7000")
	f("10.0.0.1")
	f("10.0.0.1:0")
	f("10.0.0.1:http")
	f("10.0.0.1:99999")
	f("")
}
