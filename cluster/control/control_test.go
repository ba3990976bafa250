package control

import (
	"bytes"
	"io"
	"log/slog"
	"net"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"hubsub/cluster/bubble"
	"hubsub/cluster/placement"
	"hubsub/cluster/port"
	"hubsub/cluster/port/porttest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const addressA, addressB, addressC = "10.0.0.1:7000", "10.0.0.2:7000", "10.0.0.3:7000"

// node is a Control and its port, with what it has heard.
type node struct {
	*Control
	port *port.Port
	name placement.Name
	log  log

	mu    sync.Mutex
	heard []heard
	dead  []placement.Name
	block chan struct{} // if there is one, Receive waits for its end
}

type heard struct {
	from placement.Name
	m    placement.Message
}

// log is what a node has logged.
type log struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *log) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// start starts the process of a node's boot; its id is its address.
func start(t testing.TB, network port.Network, address, boot string) *node {
	t.Helper()
	return startAs(t, network, address, address, boot)
}

func startAs(t testing.TB, network port.Network, address, id, boot string) *node {
	t.Helper()
	n := &node{}
	logger := slog.New(slog.NewTextHandler(&n.log, nil))
	n.name = placement.Name(id + "/" + boot)
	p, err := port.Listen(port.Config{
		Address: address, Network: network, Secret: "s3cret", Log: logger,
		Greeting: func() port.Greeting {
			return port.Greeting{Cluster: "c", Name: n.name, ID: id, Address: address}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	n.port = p
	n.Control = New(Config{
		Port: p, Log: logger,
		Receive: func(from placement.Name, m placement.Message) {
			n.mu.Lock()
			n.heard = append(n.heard, heard{from, m})
			block := n.block
			n.mu.Unlock()
			if block != nil {
				<-block
			}
		},
		Dead: func(name placement.Name) {
			n.mu.Lock()
			defer n.mu.Unlock()
			n.dead = append(n.dead, name)
		},
	})
	t.Cleanup(n.end)
	return n
}

func (n *node) end() {
	n.port.Close()
	n.Control.Close()
}

func (n *node) messages() []heard {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.heard
}

func (n *node) deaths() []placement.Name {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.dead
}

func (n *node) blocks(c chan struct{}) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.block = c
}

func release(i int) placement.Release {
	return placement.Release{Attempt: placement.Attempt{Number: uint64(i)}, Room: "room " + strconv.Itoa(i)}
}

// heardInOrder finds that a node has heard the n messages from first on, and no
// others after skip.
func heardInOrder(t *testing.T, n *node, from placement.Name, skip, first, count int) {
	t.Helper()
	got := n.messages()[min(skip, len(n.messages())):]
	if len(got) != count {
		t.Fatalf("heard %d messages, want %d", len(got), count)
	}
	for i, h := range got {
		if h.from != from || h.m != release(first+i) {
			t.Fatalf("message %d is %+v", i, h)
		}
	}
}

// inBubble runs a test in virtual time.
func inBubble(t *testing.T, f func(t *testing.T, network *porttest.Network)) {
	t.Helper()
	bubble.Test(t, func(t *testing.T) { f(t, porttest.New()) })
}

func TestInOrder(t *testing.T) {
	inBubble(t, func(t *testing.T, network *porttest.Network) {
		a, b := start(t, network.At(addressA), addressA, "1"), start(t, network.At(addressB), addressB, "1")
		for i := range 1000 {
			a.Send(b.name, addressB, release(i))
			if i%100 == 0 {
				synctest.Wait()
			}
		}
		a.Send(a.name, addressA, release(0)) // to itself
		synctest.Wait()
		heardInOrder(t, b, a.name, 0, 0, 1000)
		heardInOrder(t, a, a.name, 0, 0, 1)
		s, r := a.Stats(), b.Stats()
		if s.Sent != 1001 || r.Received != 1000 || s.SentBytes != r.ReceivedBytes+s.ReceivedBytes || s.Peers != 2 || s.Connected != 2 || s.Outbox != 0 {
			t.Errorf("counted %+v and %+v", s, r)
		}
	})
}

func TestAllMessagesOverTCP(t *testing.T) {
	a, b := start(t, nil, "127.0.0.1:0", "1"), start(t, nil, "127.0.0.1:0", "1")
	b.name = "b/1"
	var want []placement.Message
	for _, k := range messages {
		full, empty := both(k)
		want = append(want, full, empty)
	}
	for range 50 {
		for _, m := range want {
			a.Send("b/1", b.port.Address(), m)
		}
	}
	all := 50 * len(want)
	eventually(t, func() bool { return len(b.messages()) >= all })
	for i, h := range b.messages() {
		if !reflect.DeepEqual(h.m, want[i%len(want)]) {
			t.Fatalf("message %d is %#v, want %#v", i, h.m, want[i%len(want)])
		}
	}

	// Its port closes, as the kernel closes a dead process's.
	b.end()
	eventually(t, func() bool { return len(a.deaths()) == 1 })
}

// eventually waits for what real sockets bring.
func eventually(t testing.TB, is func() bool) {
	t.Helper()
	for range 3000 {
		if is() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal("it did not come true")
}

func TestDeadWhenRefused(t *testing.T) {
	inBubble(t, func(t *testing.T, network *porttest.Network) {
		a, b := start(t, network.At(addressA), addressA, "1"), start(t, network.At(addressB), addressB, "1")
		a.Watch(b.name, addressB)
		time.Sleep(time.Minute)
		if s := a.Stats(); s.Connected != 1 {
			t.Fatalf("watching: %+v", s)
		}
		network.Kill(addressB)
		synctest.Wait()
		if d := a.deaths(); !reflect.DeepEqual(d, []placement.Name{b.name}) {
			t.Fatalf("dead: %v, and no time has passed", d)
		}
		a.Send(b.name, addressB, release(1))
		time.Sleep(time.Minute)
		if d := a.deaths(); len(d) != 1 {
			t.Errorf("dead %d times", len(d))
		}
		if s := a.Stats(); s.Dropped["unreachable"] != 1 || s.Outbox != 0 || s.Dead != 1 {
			t.Errorf("counted %+v", s)
		}

		// It was not, after all. So it can die again.
		again := start(t, network.At(addressB), addressB, "1")
		time.Sleep(2 * redialMax)
		a.Send(b.name, addressB, release(2))
		synctest.Wait()
		heardInOrder(t, again, a.name, 0, 2, 1)
		network.Kill(addressB)
		time.Sleep(2 * redialMax)
		if d := a.deaths(); len(d) != 2 {
			t.Errorf("dead %d times", len(d))
		}
		a.Forget(b.name)
		if s := a.Stats(); s.Peers != 0 {
			t.Errorf("forgotten: %+v", s)
		}
	})
}

// Who is only sent to is not watched, but the end of its connection is noticed.
func TestDeadWithoutWatch(t *testing.T) {
	inBubble(t, func(t *testing.T, network *porttest.Network) {
		a, b := start(t, network.At(addressA), addressA, "1"), start(t, network.At(addressB), addressB, "1")
		a.Send(b.name, addressB, release(1))
		synctest.Wait()
		network.Kill(addressB)
		time.Sleep(time.Second)
		if d := a.deaths(); len(d) != 1 {
			t.Fatalf("dead: %v", d)
		}
	})
}

func TestDeadWhenAnotherBootAnswers(t *testing.T) {
	inBubble(t, func(t *testing.T, network *porttest.Network) {
		a := start(t, network.At(addressA), addressA, "1")
		start(t, network.At(addressB), addressB, "2")
		a.Watch(addressB+"/1", addressB) // which a has never met
		synctest.Wait()
		if d := a.deaths(); !reflect.DeepEqual(d, []placement.Name{addressB + "/1"}) {
			t.Fatalf("dead: %v", d)
		}
		if !strings.Contains(a.log.String(), addressB+"/2 is there") {
			t.Errorf("logged %q", a.log.String())
		}
	})
}

// A node restarts between two dials.
func TestDeadWhenRestarted(t *testing.T) {
	inBubble(t, func(t *testing.T, network *porttest.Network) {
		a, b := start(t, network.At(addressA), addressA, "1"), start(t, network.At(addressB), addressB, "1")
		a.Send(b.name, addressB, release(1))
		synctest.Wait()
		network.Cut(addressA, addressB)
		network.Kill(addressB)
		next := start(t, network.At(addressB), addressB, "2")
		time.Sleep(time.Minute)
		if d := a.deaths(); len(d) != 0 {
			t.Fatalf("dead, and nobody can know: %v", d)
		}
		network.Heal(addressA, addressB)
		time.Sleep(2 * redialMax)
		if d := a.deaths(); !reflect.DeepEqual(d, []placement.Name{b.name}) {
			t.Fatalf("dead: %v", d)
		}
		if m := next.messages(); len(m) != 0 {
			t.Errorf("the next boot heard %v", m)
		}
	})
}

// What a dial that fails does not prove.
func TestNotDead(t *testing.T) {
	inBubble(t, func(t *testing.T, network *porttest.Network) {
		a := start(t, network.At(addressA), addressA, "1")
		other := startAs(t, network.At(addressC), addressC, "other", "1")

		// It starts late.
		const late placement.Name = addressB + "/1"
		a.Watch(late, addressB)
		a.Send(late, addressB, release(1))
		time.Sleep(2 * time.Second)
		b := start(t, network.At(addressB), addressB, "1")
		time.Sleep(2 * redialMax)
		heardInOrder(t, b, a.name, 0, 1, 1)

		// Somebody leads its connections to another node, or another address has
		// never been its own.
		a.Send("b/1", "10.0.0.8:7000", release(1))
		ln, err := network.At("10.0.0.8:7000").Listen("10.0.0.8:7000")
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			for {
				near, err := ln.Accept()
				if err != nil {
					return
				}
				far, err := network.At("10.0.0.8:7000").Dial(t.Context(), addressC)
				if err != nil {
					return
				}
				go func() { io.Copy(far, near); far.Close() }()
				go func() { io.Copy(near, far); near.Close() }()
			}
		}()
		a.Send(other.name, addressC, release(1))
		synctest.Wait()
		network.Cut(addressA, addressC)
		time.Sleep(2 * porttest.BrokenAfter)
		a.Send(other.name, "10.0.0.7:7000", release(2))
		time.Sleep(time.Minute)

		// It is cut off.
		network.Cut(addressA, addressB)
		a.Send(late, addressB, release(2))
		time.Sleep(time.Minute)
		if d := a.deaths(); len(d) != 0 {
			t.Fatalf("dead: %v", d)
		}
		if s := a.Stats(); s.Outbox != 0 || s.Dropped["unreachable"] != 2 {
			t.Errorf("counted %+v", s)
		}
		network.Heal(addressA, addressB)
		a.Send(late, addressB, release(3))
		time.Sleep(5 * time.Second)
		got := b.messages()
		if len(got) == 0 || got[len(got)-1].m != release(3) {
			t.Errorf("after the cut it heard %v", got)
		}
		ln.Close()
	})
}

// A peer that hangs: it takes nothing off its connections.
func TestHungPeer(t *testing.T) {
	inBubble(t, func(t *testing.T, network *porttest.Network) {
		a, b, c := start(t, network.At(addressA), addressA, "1"), start(t, network.At(addressB), addressB, "1"), start(t, network.At(addressC), addressC, "1")
		hang := make(chan struct{})
		b.blocks(hang)
		long := placement.Reserve{Room: strings.Repeat("r", 100_000)}
		for range 200 {
			a.Send(b.name, addressB, long)
		}
		a.Send(c.name, addressC, release(1))
		synctest.Wait()
		heardInOrder(t, c, a.name, 0, 1, 1)
		s := a.Stats()
		if s.Outbox < outboxBytesMax-200_000 || s.Outbox > outboxBytesMax || s.Dropped["full"] == 0 {
			t.Errorf("the outbox holds %d, %+v", s.Outbox, s)
		}
		time.Sleep(writeTimeout + outboxWait + 5*time.Second)
		if s := a.Stats(); s.Outbox != 0 || s.Dropped["lost"] == 0 {
			t.Errorf("the outbox holds %d, %+v", s.Outbox, s)
		}
		close(hang)
		b.blocks(nil)
		synctest.Wait()
		before := len(b.messages())
		a.Send(b.name, addressB, release(7))
		time.Sleep(2 * redialMax)
		heardInOrder(t, b, a.name, before, 7, 1)
		if d := a.deaths(); len(d) != 0 {
			t.Errorf("dead: %v", d)
		}
	})
}

func TestTooLong(t *testing.T) {
	inBubble(t, func(t *testing.T, network *porttest.Network) {
		a, b := start(t, network.At(addressA), addressA, "1"), start(t, network.At(addressB), addressB, "1")
		longest := strings.Repeat("r", frameBytesMax-200)
		a.Send(b.name, addressB, placement.Reserve{Room: longest})
		synctest.Wait()
		a.Send(b.name, addressB, placement.Reserve{Room: longest + longest})
		a.Send(b.name, addressB, release(1))
		synctest.Wait()
		heardInOrder(t, b, a.name, 1, 1, 1)
		if s := a.Stats(); s.Dropped["too long"] != 1 || s.Sent != 2 {
			t.Errorf("counted %+v", s)
		}
	})
}

// A peer that dials again is the same peer: its messages stay in order.
func TestOrderOverConnections(t *testing.T) {
	inBubble(t, func(t *testing.T, network *porttest.Network) {
		a, b := start(t, network.At(addressA), addressA, "1"), start(t, network.At(addressB), addressB, "1")
		hang := make(chan struct{})
		b.blocks(hang)
		a.Send(b.name, addressB, release(0))
		synctest.Wait()
		a.Forget(b.name)
		synctest.Wait()
		a.Send(b.name, addressB, release(1))
		synctest.Wait()
		heardInOrder(t, b, a.name, 0, 0, 1) // the second connection waits for the first
		close(hang)
		synctest.Wait()
		heardInOrder(t, b, a.name, 0, 0, 2)
	})
}

// What was sent before a peer is forgotten reaches it.
func TestForgetWritesTheRest(t *testing.T) {
	inBubble(t, func(t *testing.T, network *porttest.Network) {
		a, b, c := start(t, network.At(addressA), addressA, "1"), start(t, network.At(addressB), addressB, "1"), start(t, network.At(addressC), addressC, "1")
		a.Send(b.name, addressB, release(0))
		a.Send(c.name, addressC, release(0))
		synctest.Wait()
		a.Send(b.name, addressB, release(1))
		a.Forget(b.name)
		a.Send(c.name, addressC, release(1))
		a.Close()
		synctest.Wait()
		heardInOrder(t, b, a.name, 0, 0, 2)
		heardInOrder(t, c, a.name, 0, 0, 2)
		a.Send(b.name, addressB, release(2))
		a.Watch(b.name, addressB)
		if s := a.Stats(); s.Dropped["forgotten"] != 1 || s.Connected != 0 {
			t.Errorf("counted %+v", s)
		}
	})
}

// Who takes nothing does not hold up who closes.
func TestCloseDoesNotWaitForHungPeers(t *testing.T) {
	inBubble(t, func(t *testing.T, network *porttest.Network) {
		a, b := start(t, network.At(addressA), addressA, "1"), start(t, network.At(addressB), addressB, "1")
		hang := make(chan struct{})
		b.blocks(hang)
		for range 20 {
			a.Send(b.name, addressB, placement.Reserve{Room: strings.Repeat("r", 100_000)})
		}
		synctest.Wait()
		began := time.Now()
		a.Close()
		if took := time.Since(began); took != flushTimeout {
			t.Errorf("it took %v", took)
		}
		if s := a.Stats(); s.Dropped["lost"]+s.Dropped["forgotten"] == 0 || s.Connected != 0 {
			t.Errorf("counted %+v", s)
		}
		close(hang)
	})
}

// After Close another Control takes the port, as when a node starts a new life.
func TestAnotherControlOnThePort(t *testing.T) {
	inBubble(t, func(t *testing.T, network *porttest.Network) {
		a, b := start(t, network.At(addressA), addressA, "1"), start(t, network.At(addressB), addressB, "1")
		a.Send(b.name, addressB, release(0))
		synctest.Wait()
		b.Close()
		var second []placement.Message
		c := New(Config{Port: b.port, Log: slog.New(slog.NewTextHandler(&b.log, nil)),
			Receive: func(_ placement.Name, m placement.Message) { second = append(second, m) },
			Dead:    func(placement.Name) {}})
		defer c.Close()
		time.Sleep(2 * redialMax)
		a.Send(b.name, addressB, release(1))
		synctest.Wait()
		heardInOrder(t, b, a.name, 0, 0, 1)
		if len(second) != 1 || second[0] != release(1) {
			t.Errorf("the second heard %v", second)
		}
		if d := a.deaths(); len(d) != 0 {
			t.Errorf("dead: %v", d)
		}
	})
}

func TestBadFrames(t *testing.T) {
	inBubble(t, func(t *testing.T, network *porttest.Network) {
		a, b, c := start(t, network.At(addressA), addressA, "1"), start(t, network.At(addressB), addressB, "1"), start(t, network.At(addressC), addressC, "1")
		c.Send(b.name, addressB, release(1))
		synctest.Wait()
		f := func(frame string, closed bool) {
			t.Helper()
			conn, _, err := a.port.Dial(t.Context(), port.Control, addressB, b.name)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			io.WriteString(conn, frame)
			conn.SetReadDeadline(time.Now().Add(time.Minute))
			if _, err := conn.Read(make([]byte, 1)); (err == io.EOF) != closed {
				t.Errorf("%q: %v", frame, err)
			}
		}
		f("\xff\xff\xff\xff{}", true)
		f("\x00\x80\x00\x01{}", true) // one byte more than the longest
		f("\x00\x00\x00\x02{]", true)
		f("\x00\x00\x00\x00", true)
		f("\x00\x00\x00\x11"+`{"t":"of later"} `, false)
		s := b.Stats()
		if s.Malformed != 4 || s.Unknown != 1 || s.Received != 1 {
			t.Errorf("counted %+v", s)
		}
		if lines := strings.Count(b.log.String(), "malformed frame"); lines != 1 {
			t.Errorf("%d lines: %q", lines, b.log.String())
		}
		c.Send(b.name, addressB, release(2))
		synctest.Wait()
		heardInOrder(t, b, c.name, 0, 1, 2)
	})
}

// A peer that accepts and ends connections at once is not dialed without rest.
func TestRestsBetweenDials(t *testing.T) {
	inBubble(t, func(t *testing.T, network *porttest.Network) {
		a, b := start(t, network.At(addressA), addressA, "1"), start(t, network.At(addressB), addressB, "1")
		b.port.Handle(port.Control, func(conn net.Conn, _ port.Greeting) { conn.Close() })
		a.Watch(b.name, addressB)
		time.Sleep(10 * time.Second)
		if n := a.port.Stats().Dialed; n < 10 || n > 40 {
			t.Errorf("dialed %d times in ten seconds", n)
		}
	})
}
