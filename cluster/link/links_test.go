package link

import (
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"hubsub/cluster/placement"
	"hubsub/cluster/port/porttest"
)

func TestInOrderBothWays(t *testing.T) {
	inBubble(t, func(t *testing.T, network *porttest.Network) {
		a, b := pair(t, network)
		for i := range 1000 {
			a.must(t, b, i)
			b.must(t, a, i)
			if i%100 == 0 {
				synctest.Wait()
			}
		}
		synctest.Wait()
		a.inOrder(t, b, 1000, 0)
		b.inOrder(t, a, 1000, 0)
		time.Sleep(time.Minute)
		s, r := a.Stats(), b.Stats()
		if s.Sent.Records != 1000 || s.Sent != r.Received || r.Sent != s.Received || s.Sent.RawBytes != 101_000 || s.Connected != 1 || s.Connections != 1 || s.Queues[b.name] != 0 || s.Broken != 0 {
			t.Errorf("counted %+v and %+v", s, r)
		}
		if ring := a.peers[b.name].session.ring; ring.len() != 0 || ring.bytes != 0 || ring.records != 0 {
			t.Errorf("the ring still has %d batches, %d bytes", ring.len(), ring.bytes)
		}
	})
}

func TestInOrderOverTCP(t *testing.T) {
	a, b := start(t, nil, "127.0.0.1:0", "1"), start(t, nil, "127.0.0.1:0", "2")
	const each = 5000
	var running sync.WaitGroup
	send := func(from, to *node) {
		for i := 0; i < each; {
			var records []byte
			n := 0
			for ; n < 1+i%7 && i+n < each; n++ {
				records = record(records, uint64(i+n), 8+i%3000)
			}
			for !from.Send(to.name, to.address, records, n) {
				time.Sleep(time.Millisecond)
			}
			i += n
		}
	}
	running.Go(func() { send(a, b) })
	running.Go(func() { send(b, a) })
	running.Wait()
	a.arrives(t, b, each)
	b.arrives(t, a, each)
}

// Several loops send to one peer: what each sends stays together and in order.
func TestManySenders(t *testing.T) {
	a := startWith(t, nil, "127.0.0.1:0", "a/1", func(*Config) {})
	var mu sync.Mutex
	last := make(map[byte]uint64)
	total := 0
	wrong := ""
	b := startWith(t, nil, "127.0.0.1:0", "b/1", func(c *Config) {
		c.Receive = func(_ placement.Name, records []byte) func() bool {
			mu.Lock()
			defer mu.Unlock()
			for len(records) > 0 {
				r := records[1 : 1+records[0]]
				records = records[1+records[0]:]
				number := uint64(r[1])<<24 | uint64(r[2])<<16 | uint64(r[3])<<8 | uint64(r[4])
				if number != last[r[0]]+1 {
					wrong = "out of order"
				}
				last[r[0]] = number
				total++
			}
			return nil
		}
	})
	const senders, each = 4, 20000
	var running sync.WaitGroup
	for s := range senders {
		running.Go(func() {
			for i := 1; i <= each; i++ {
				r := []byte{5, byte(s), byte(i >> 24), byte(i >> 16), byte(i >> 8), byte(i)}
				for !a.Send(b.name, b.address, r, 1) {
					time.Sleep(time.Millisecond)
				}
			}
		})
	}
	running.Wait()
	eventually(t, func() bool {
		mu.Lock()
		defer mu.Unlock()
		return total >= senders*each || a.Stats().Broken > 0
	})
	if a.Stats().Broken > 0 {
		t.Skip("this machine stands still for too long")
	}
	mu.Lock()
	defer mu.Unlock()
	if wrong != "" || total != senders*each {
		t.Fatalf("%d records, %s", total, wrong)
	}
}

func TestLongRecords(t *testing.T) {
	inBubble(t, func(t *testing.T, network *porttest.Network) {
		a, b := pair(t, network)
		longest := noise(nil, 0, RecordBytesMax)
		if !a.Send(b.name, addressB, longest, 1) {
			t.Fatal("the longest is refused")
		}
		synctest.Wait()
		b.inOrder(t, a, 1, 0)
		if a.Send(b.name, addressB, record(nil, 1, RecordBytesMax+1), 1) {
			t.Fatal("a longer one is taken")
		}
		// Many of them in one call are not one of them.
		var records []byte
		for i := range 30 {
			records = record(records, uint64(1+i), 100_000)
		}
		if !a.Send(b.name, addressB, records, 30) {
			t.Fatal("many are refused")
		}
		time.Sleep(time.Second)
		b.inOrder(t, a, 31, 0)
		if s := a.Stats(); s.Untaken["too long"] != 1 || s.Sent.Batches < 20 || s.Sent.Records != 31 {
			t.Errorf("counted %+v", s)
		}
	})
}

// One takes nothing: its queue is full, and nobody else notices.
func TestSlowPeer(t *testing.T) {
	inBubble(t, func(t *testing.T, network *porttest.Network) {
		a, b := pair(t, network)
		c := start(t, network.At(addressC), addressC, "1")
		hang := make(chan struct{})
		b.blocks(hang)
		taken := 0
		for i := range 10_000 {
			r := noise(nil, uint64(i), 1000)
			if !a.Send(b.name, addressB, r, 1) {
				break
			}
			taken++
			if i%100 == 0 {
				synctest.Wait()
			}
		}
		if taken == 10_000 {
			t.Fatal("all is taken")
		}
		a.must(t, c, 0)
		synctest.Wait()
		c.inOrder(t, a, 1, 0)
		s := a.Stats()
		bytes, most := a.Queue(b.name)
		if s.Untaken["full"] != 1 || bytes < most || bytes > most+2000 || s.Queues[b.name] != int64(bytes) {
			t.Errorf("%d of %d wait, counted %+v", bytes, most, s)
		}
		// It was only slow: all arrives.
		time.Sleep(stallTimeout / 2)
		close(hang)
		b.blocks(nil)
		time.Sleep(time.Second)
		b.inOrder(t, a, taken, 0)
		if !a.say(b, taken) {
			t.Error("it takes nothing more")
		}
		synctest.Wait()
		b.inOrder(t, a, taken+1, 0)
	})
}

// One hangs for longer than the ring covers.
func TestHungPeer(t *testing.T) {
	inBubble(t, func(t *testing.T, network *porttest.Network) {
		a, b := pair(t, network)
		a.must(t, b, 0)
		b.must(t, a, 0)
		synctest.Wait()
		hang := make(chan struct{})
		b.blocks(hang)
		a.must(t, b, 1) // the one that it has when it hangs
		time.Sleep(10 * time.Millisecond)
		a.must(t, b, 2)
		time.Sleep(sessionTimeout + ackDelay + 100*time.Millisecond)
		if _, broken := a.count(b); broken != 1 {
			t.Fatalf("lost %d times", broken)
		}
		if a.say(b, 3) {
			t.Error("taken, and the peer hangs")
		}
		if s := a.Stats(); s.Stalled != 1 || s.Dropped["broken"] != 2 || s.Untaken["unreachable"] != 1 {
			t.Errorf("counted %+v", s)
		}
		time.Sleep(10 * time.Second)
		close(hang)
		b.blocks(nil)
		time.Sleep(2 * time.Second) // it finds out by itself
		a.must(t, b, 4)
		b.must(t, a, 1)
		synctest.Wait()
		a.inOrder(t, b, 2, 1)
		b.mu.Lock()
		defer b.mu.Unlock()
		h := b.peerHeard(a.name)
		last := len(h.numbers) - 1
		if h.numbers[last] != 4 || len(h.broken) != 1 {
			t.Errorf("heard %v, lost %v", h.numbers, h.broken)
		}
	})
}

func TestForgetAndClose(t *testing.T) {
	inBubble(t, func(t *testing.T, network *porttest.Network) {
		a, b := pair(t, network)
		c := start(t, network.At(addressC), addressC, "1")
		a.must(t, b, 0)
		a.must(t, c, 0)
		synctest.Wait()
		a.Forget(b.name)
		a.Forget(b.name)
		synctest.Wait()
		if s := a.Stats(); s.Peers != 1 || s.Connected != 1 || s.Sent.Records != 2 {
			t.Errorf("forgotten: %+v", s)
		}
		a.must(t, b, 1) // b has lost its half
		time.Sleep(time.Second)
		b.inOrder(t, a, 2, 1)
		a.inOrder(t, b, 0, 0)

		// What is sent before it closes arrives.
		for i := range 100 {
			a.must(t, c, 1+i)
		}
		began := time.Now()
		a.Close()
		if took := time.Since(began); took >= closeTimeout {
			t.Errorf("it took %v", took)
		}
		c.inOrder(t, a, 101, 0)
		if s := a.Stats(); a.say(c, 101) || a.Stats().Untaken["forgotten"] != 1 || s.Dropped["forgotten"] != 1 { // which b had not acknowledged
			t.Errorf("taken after the end: %+v", a.Stats())
		}
		a.Forget(c.name)
	})
}

func TestCloseDoesNotWaitForHungPeers(t *testing.T) {
	inBubble(t, func(t *testing.T, network *porttest.Network) {
		a, b := pair(t, network)
		hang := make(chan struct{})
		b.blocks(hang)
		for i := range 1000 {
			a.must(t, b, i)
		}
		synctest.Wait()
		began := time.Now()
		a.Close()
		if took := time.Since(began); took != closeTimeout {
			t.Errorf("it took %v", took)
		}
		close(hang)
	})
}

func TestNothingForItself(t *testing.T) {
	inBubble(t, func(t *testing.T, network *porttest.Network) {
		a, _ := pair(t, network)
		if a.say(a, 0) {
			t.Error("taken")
		}
		if s := a.Stats(); s.Untaken["forgotten"] != 1 || s.Peers != 0 {
			t.Errorf("counted %+v", s)
		}
		if strings.Contains(a.log.String(), "level=") {
			t.Error(a.log.String())
		}
	})
}
