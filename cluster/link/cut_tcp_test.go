package link

import (
	"math/rand/v2"
	"net"
	"sync"
	"testing"
	"time"
)

// proxy is a way to an address over which connections end after some bytes.
type proxy struct {
	net.Listener
	to    string
	after func() int

	mu    sync.Mutex
	cuts  int
	calm  bool
	conns map[net.Conn]bool
}

func startProxy(t *testing.T, to string, after func() int) *proxy {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{Listener: ln, to: to, after: after, conns: make(map[net.Conn]bool)}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			near, err := ln.Accept()
			if err != nil {
				return
			}
			running.Go(func() { p.serve(near) })
		}
	})
	t.Cleanup(func() {
		ln.Close()
		p.mu.Lock()
		for c := range p.conns {
			c.Close()
		}
		p.conns = nil
		p.mu.Unlock()
		running.Wait()
	})
	return p
}

// count returns how many connections were cut.
func (p *proxy) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.cuts
}

func (p *proxy) serve(near net.Conn) {
	far, err := net.Dial("tcp", p.to)
	if err != nil {
		near.Close()
		return
	}
	p.mu.Lock()
	budget := p.after()
	if p.calm {
		budget = 1 << 60
	}
	over := p.conns == nil
	if !over {
		p.conns[near], p.conns[far] = true, true
	}
	p.mu.Unlock()
	if over {
		near.Close()
		far.Close()
		return
	}
	var running sync.WaitGroup
	pump := func(to, from net.Conn) {
		b := make([]byte, 32<<10)
		for {
			n, err := from.Read(b)
			p.mu.Lock()
			passed := min(n, budget)
			budget -= passed
			if passed < n {
				p.cuts++
			}
			p.mu.Unlock()
			if _, err2 := to.Write(b[:passed]); err != nil || err2 != nil || passed < n {
				break
			}
		}
		to.Close()
		from.Close()
	}
	running.Go(func() { pump(near, far) })
	pump(far, near)
	running.Wait()
	p.mu.Lock()
	delete(p.conns, near)
	delete(p.conns, far)
	p.mu.Unlock()
}

// The same over real sockets.
func TestCutOverTCP(t *testing.T) {
	a, b := start(t, nil, "127.0.0.1:0", "1"), start(t, nil, "127.0.0.1:0", "2")
	after := func() int { return 1 + rand.IntN(1_000_000) }
	toA, toB := startProxy(t, a.port.Address(), after), startProxy(t, b.port.Address(), after)
	a.address, b.address = toA.Addr().String(), toB.Addr().String()
	const each = 20_000
	var running sync.WaitGroup
	send := func(from, to *node) {
		for i := 0; i < each; {
			var records []byte
			n := 0
			for ; n < 1+i%5 && i+n < each; n++ {
				records = noise(records, uint64(i+n), 100+i%1000)
			}
			if from.Send(to.name, to.address, records, n) {
				i += n
			} else {
				time.Sleep(time.Millisecond)
			}
			if i%64 == 0 {
				time.Sleep(4 * time.Millisecond) // else all that waits goes into sockets that are cut at once
			}
		}
	}
	running.Go(func() { send(a, b) })
	running.Go(func() { send(b, a) })
	running.Wait()
	for _, p := range []*proxy{toA, toB} {
		p.mu.Lock()
		p.calm = true
		p.mu.Unlock()
	}
	eventually(t, func() bool {
		m, lostA := a.count(b)
		n, lostB := b.count(a)
		return (m == each && n == each) || lostA+lostB > 0
	})
	s := a.Stats()
	t.Logf("%d cuts, %d connections, %d batches again, %d of %d bytes", toA.count()+toB.count(), s.Connections, s.Resent, s.Sent.CodedBytes, s.Sent.RawBytes)
	if s.Broken+b.Stats().Broken > 0 { // a machine that stands still for two seconds: then only the order counts
		t.Logf("lost %d times: %s%s", s.Broken, a.log.String(), b.log.String())
		for _, n := range []*node{a, b} {
			n.mu.Lock()
			for _, h := range n.from {
				if h.wrong != "" {
					t.Error(h.wrong)
				}
			}
			n.mu.Unlock()
		}
		return
	}
	a.inOrder(t, b, each, 0)
	b.inOrder(t, a, each, 0)
}
