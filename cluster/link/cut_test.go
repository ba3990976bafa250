package link

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"hubsub/cluster/port"
	"hubsub/cluster/port/porttest"
)

// cutting is a network whose dialed connections end in the middle of something,
// after some bytes in both directions together.
type cutting struct {
	port.Network

	mu     sync.Mutex
	after  func() int // 0: never
	cuts   int
	dialed int
}

func (c *cutting) Dial(ctx context.Context, address string) (net.Conn, error) {
	nc, err := c.Network.Dial(ctx, address)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.dialed++
	if budget := c.after(); budget > 0 {
		return &cutConn{Conn: nc, network: c, budget: budget}, nil
	}
	return nc, nil
}

type cutConn struct {
	net.Conn
	network *cutting
	budget  int // guarded by the network's lock
}

// spend returns how many of some bytes may pass.
func (c *cutConn) spend(n int) int {
	c.network.mu.Lock()
	defer c.network.mu.Unlock()
	if c.budget > 0 && n >= c.budget {
		c.network.cuts++
	}
	n = min(n, c.budget)
	c.budget -= n
	return n
}

func (c *cutConn) Write(b []byte) (int, error) {
	n := c.spend(len(b))
	n, err := c.Conn.Write(b[:n])
	if err == nil && n < len(b) {
		c.Conn.Close()
		err = io.ErrClosedPipe
	}
	return n, err
}

func (c *cutConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if passed := c.spend(n); err == nil && passed < n {
		c.Conn.Close()
		return passed, io.ErrClosedPipe
	}
	return n, err
}

// Connections end in the middle of greetings, answers and batches, again and
// again, while both send. Nothing is lost, repeated or out of order.
func TestCutAgainAndAgain(t *testing.T) {
	for seed := range uint64(20) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			inBubble(t, func(t *testing.T, network *porttest.Network) {
				random := rand.New(rand.NewPCG(seed, 1))
				most := 1000 << random.IntN(11)
				over := false
				after := func() int {
					if over {
						return 0
					}
					return 600 + random.IntN(1400+most)
				}
				networkA := &cutting{Network: network.At(addressA), after: after}
				networkB := &cutting{Network: network.At(addressB), after: after}
				// The two share what is random.
				a, b := start(t, networkA, addressA, "1"), start(t, lockedWith(networkB, networkA), addressB, "1")
				const each = 3000
				var running sync.WaitGroup
				send := func(from, to *node, random *rand.Rand) {
					for i := 0; i < each; {
						var records []byte
						n := 0
						for range 1 + random.IntN(10) {
							if i+n < each {
								records = noise(records, uint64(i+n), 8+random.IntN(300))
								n++
							}
						}
						if from.Send(to.name, to.address, records, n) {
							i += n
						}
						time.Sleep(time.Duration(random.IntN(20)) * time.Millisecond)
					}
				}
				running.Go(func() { send(a, b, rand.New(rand.NewPCG(seed, 2))) })
				running.Go(func() { send(b, a, rand.New(rand.NewPCG(seed, 3))) })
				running.Wait()
				networkA.mu.Lock()
				over = true
				networkA.mu.Unlock()
				time.Sleep(time.Minute)
				if sa, sb := a.Stats(), b.Stats(); sa.Broken+sb.Broken == 0 {
					a.inOrder(t, b, each, 0)
					b.inOrder(t, a, each, 0)
				} else if most > 2*batchBytesMax {
					t.Errorf("lost: %+v, %+v", sa, sb)
				} else { // what has come together meanwhile may be too long for such connections
					a.mu.Lock()
					b.mu.Lock()
					defer a.mu.Unlock()
					defer b.mu.Unlock()
					ha, hb := a.peerHeard(b.name), b.peerHeard(a.name)
					if ha.wrong != "" || hb.wrong != "" || len(ha.broken) != len(hb.broken) {
						t.Errorf("%s, %s, lost %v and %v", ha.wrong, hb.wrong, ha.broken, hb.broken)
					}
				}
				t.Logf("%d cuts of %d connections of up to %d bytes, %d batches again, %d losses", networkA.cuts+networkB.cuts,
					networkA.dialed+networkB.dialed, most, a.Stats().Resent+b.Stats().Resent, a.Stats().Broken)
			})
		})
	}
}

// lockedWith gives a network's random numbers the lock of another one's.
func lockedWith(c, other *cutting) *cutting {
	after := c.after
	c.after = func() int {
		other.mu.Lock()
		defer other.mu.Unlock()
		return after()
	}
	return c
}

func TestShortCutLosesNothing(t *testing.T) {
	inBubble(t, func(t *testing.T, network *porttest.Network) {
		a, b := pair(t, network)
		a.must(t, b, 0)
		b.must(t, a, 0)
		synctest.Wait()
		for i := range 10 {
			network.Cut(addressA, addressB)
			a.must(t, b, 1+i)
			b.must(t, a, 1+i)
			time.Sleep(sessionTimeout * 3 / 4) // the connections are given up meanwhile
			network.Heal(addressA, addressB)
			time.Sleep(time.Second)
		}
		a.inOrder(t, b, 11, 0)
		b.inOrder(t, a, 11, 0)
		if s := a.Stats(); s.Stalled == 0 || s.Resent == 0 || s.Connections < 5 {
			t.Errorf("counted %+v", s)
		}
	})
}

func TestLongCutIsALoss(t *testing.T) {
	inBubble(t, func(t *testing.T, network *porttest.Network) {
		a, b := pair(t, network)
		number := 0
		say := func() {
			a.must(t, b, number)
			b.must(t, a, number)
			number++
		}
		say()
		synctest.Wait()
		for i := range 5 {
			network.Cut(addressA, addressB)
			say()
			time.Sleep(sessionTimeout + 10*time.Millisecond)
			if _, broken := a.count(b); broken != i+1 {
				t.Fatalf("lost %d times", broken)
			}
			if a.say(b, 1000) || b.say(a, 1000) {
				t.Fatal("taken, and nobody is there")
			}
			time.Sleep(time.Duration(i) * 5 * time.Second)
			if a.say(b, 1000) || b.say(a, 1000) {
				t.Fatal("taken, and nobody is there")
			}
			network.Heal(addressA, addressB)
			time.Sleep(2 * redialDownMax)
			say()
			synctest.Wait()
			a.inOrder(t, b, 2+i, 1+i)
			b.inOrder(t, a, 2+i, 1+i)
		}
		s := a.Stats()
		if d := s.Dropped["broken"]; d < 5 || d > 10 || s.Untaken["unreachable"] != 10 || s.Queues[b.name] != 0 {
			t.Errorf("counted %+v", s)
		}
	})
}

// Nobody sends when the way is cut, but something may have been lost.
func TestLossWithoutTraffic(t *testing.T) {
	inBubble(t, func(t *testing.T, network *porttest.Network) {
		a, b := pair(t, network)
		a.must(t, b, 0)
		time.Sleep(time.Second)
		network.Cut(addressA, addressB)
		time.Sleep(porttest.BrokenAfter + sessionTimeout + time.Second)
		a.inOrder(t, b, 0, 1)
		b.inOrder(t, a, 1, 1)
		dialed := a.port.Stats().Dialed
		network.Heal(addressA, addressB)
		time.Sleep(time.Minute)
		if s := a.port.Stats(); s.Dialed != dialed {
			t.Error("it dials, and nobody wants it")
		}
		if a.say(b, 1) {
			t.Error("taken before there is a connection")
		}
		time.Sleep(redialDownMax)
		a.must(t, b, 2)
		synctest.Wait()
		b.inOrder(t, a, 2, 1)
		a.inOrder(t, b, 0, 1)
	})
}

// It is there later than the first record, by less or more than a session has.
func TestLatePeer(t *testing.T) {
	inBubble(t, func(t *testing.T, network *porttest.Network) {
		a := start(t, network.At(addressA), addressA, "1")
		b := &node{name: addressB + "/1", address: addressB}
		a.must(t, b, 0)
		time.Sleep(sessionTimeout / 2)
		b = start(t, network.At(addressB), addressB, "1")
		time.Sleep(redialMax)
		b.inOrder(t, a, 1, 0)

		c := &node{name: addressC + "/1", address: addressC}
		a.must(t, c, 0)
		time.Sleep(sessionTimeout + redialMax)
		a.inOrder(t, c, 0, 1)
		if a.say(c, 1) {
			t.Error("taken")
		}
		c = start(t, network.At(addressC), addressC, "1")
		time.Sleep(redialDownMax)
		a.say(c, 2)
		time.Sleep(redialDownMax)
		a.must(t, c, 3)
		synctest.Wait()
		c.mu.Lock()
		defer c.mu.Unlock()
		if h := c.peerHeard(a.name); h.numbers[len(h.numbers)-1] != 3 || len(h.broken) != 0 {
			t.Errorf("heard %v, lost %v", h.numbers, h.broken)
		}
	})
}

// Another process comes to a peer's address.
func TestRestart(t *testing.T) {
	inBubble(t, func(t *testing.T, network *porttest.Network) {
		a, b := pair(t, network)
		a.must(t, b, 0)
		b.must(t, a, 0)
		synctest.Wait()
		network.Kill(addressB)
		next := start(t, network.At(addressB), addressB, "2")
		a.must(t, next, 0)
		time.Sleep(redialMax)
		a.inOrder(t, b, 1, 1)
		next.inOrder(t, a, 1, 0)
		if a.say(b, 1) {
			t.Error("taken for a process that is no more")
		}
		time.Sleep(time.Minute)
		a.inOrder(t, b, 1, 1)
		a.Forget(b.name)

		network.Kill(addressB) // and nobody comes
		time.Sleep(redialMax)
		a.inOrder(t, next, 0, 1)
	})
}
