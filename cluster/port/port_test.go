package port

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"hubsub/cluster/bubble"
	"hubsub/cluster/placement"
	"hubsub/cluster/port/porttest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const addressA, addressB = "10.0.0.1:7000", "10.0.0.2:7000"

// node is a port whose greeting a test may change.
type node struct {
	*Port
	log log

	mu       sync.Mutex
	greeting Greeting
}

func (n *node) says(change func(g *Greeting)) {
	n.mu.Lock()
	defer n.mu.Unlock()
	change(&n.greeting)
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

// start opens a port of a node named as its address, which echoes on Control.
func start(t testing.TB, network Network, address, secret string) *node {
	t.Helper()
	n := &node{greeting: Greeting{Cluster: "c1", Generation: 7, Name: placement.Name(address + "/1"), ID: address, Address: address, LeaderAddress: address}}
	p, err := Listen(Config{
		Address: address, Network: network, Secret: secret,
		Log: slog.New(slog.NewTextHandler(&n.log, nil)),
		Greeting: func() Greeting {
			n.mu.Lock()
			defer n.mu.Unlock()
			return n.greeting
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	n.Port = p
	t.Cleanup(func() { p.Close() })
	p.Handle(Control, echo)
	return n
}

func echo(conn net.Conn, _ Greeting) {
	defer conn.Close()
	io.Copy(conn, conn)
}

// pair starts two nodes on a network in memory.
func pair(t testing.TB, secretA, secretB string) (network *porttest.Network, a, b *node) {
	network = porttest.New()
	return network, start(t, network.At(addressA), addressA, secretA), start(t, network.At(addressB), addressB, secretB)
}

// inBubble runs a test in virtual time.
func inBubble(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	bubble.Test(t, f)
}

// talks finds that a connection echoes.
func talks(t testing.TB, conn net.Conn) {
	t.Helper()
	if _, err := io.WriteString(conn, "ping"); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, 4)
	if _, err := io.ReadFull(conn, got); err != nil || string(got) != "ping" {
		t.Fatalf("heard %q, %v", got, err)
	}
}

// refused finds that an error is a refusal for a reason.
func refused(t testing.TB, err error, reason Reason) *Refused {
	t.Helper()
	var r *Refused
	if !errors.As(err, &r) || r.Reason != reason {
		t.Fatalf("got %v, want %s", err, reason)
	}
	return r
}

// counted finds how often a node has refused, and for what alone.
func counted(t testing.TB, n *node, reason Reason, want int64) {
	t.Helper()
	synctest.Wait()
	for r, got := range n.Stats().Refused {
		if r == reason && got != want || r != reason && got != 0 {
			t.Errorf("refused %d times for %q, want %d for %q", got, r, want, reason)
		}
	}
}

func TestDialTCP(t *testing.T) {
	for _, secret := range []string{"", "s3cret"} {
		a, b := start(t, nil, "127.0.0.1:0", secret), start(t, nil, "127.0.0.1:0", secret)
		b.says(func(g *Greeting) { g.Name, g.Members = "b/1", 3 })
		conn, peer, err := a.Dial(t.Context(), Control, b.Address(), "b/1")
		if err != nil {
			t.Fatal(err)
		}
		if peer.Name != "b/1" || peer.Members != 3 || peer.Generation != 7 || peer.Min != versionMin || peer.Max != versionMax || peer.LeaderAddress == "" {
			t.Fatalf("heard %+v", peer)
		}
		talks(t, conn)
		if a.Stats().Dialed != 1 || b.Stats().Accepted != 1 || a.Stats().Open != 1 || b.Stats().Open != 1 {
			t.Fatalf("counted %+v, %+v", a.Stats(), b.Stats())
		}
		conn.Close()
		if a.Stats().Open != 0 {
			t.Fatal("a closed connection counts as open")
		}
		b.Close()
		_, err = a.Hello(t.Context(), b.Address())
		if !errors.Is(err, syscall.ECONNREFUSED) {
			t.Fatalf("a closed port answers %v", err)
		}
	}
}

func TestDeadPeersBreakConnections(t *testing.T) {
	a, b := start(t, nil, "127.0.0.1:0", ""), start(t, nil, "127.0.0.1:0", "")
	b.says(func(g *Greeting) { g.Name = "b/1" })
	accepted := make(chan net.Conn, 1)
	b.Handle(Raft, func(conn net.Conn, _ Greeting) { accepted <- conn })
	dialed, _, err := a.Dial(t.Context(), Raft, b.Address(), "b/1")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []net.Conn{dialed, <-accepted} {
		raw, err := c.(*conn).Conn.(*net.TCPConn).SyscallConn()
		if err != nil {
			t.Fatal(err)
		}
		raw.Control(func(fd uintptr) {
			for option, want := range map[int]int{unix.TCP_USER_TIMEOUT: 6000, unix.TCP_KEEPIDLE: 3, unix.TCP_KEEPINTVL: 1, unix.TCP_KEEPCNT: 3} {
				if got, err := unix.GetsockoptInt(int(fd), unix.IPPROTO_TCP, option); err != nil || got != want {
					t.Errorf("option %d is %d, %v; want %d", option, got, err, want)
				}
			}
		})
	}
}

func TestHello(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		_, a, b := pair(t, "s", "s")
		b.says(func(g *Greeting) { g.Cluster, g.Rooms = "", 5 }) // Hello is for those in no cluster, too
		for address, want := range map[string]placement.Name{addressA: addressA + "/1", addressB: addressB + "/1"} {
			peer, err := a.Hello(t.Context(), address)
			if err != nil || peer.Name != want || (peer.Rooms == 5) != (address == addressB) {
				t.Errorf("%s: %+v, %v", address, peer, err)
			}
		}
		counted(t, b, "", 0)
		if open := a.Stats().Open + b.Stats().Open; open != 0 {
			t.Errorf("%d connections are open after Hello", open)
		}
	})
}

func TestRefusals(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		f := func(change func(g *Greeting), k Kind, to placement.Name, reason Reason) {
			t.Helper()
			_, a, b := pair(t, "s", "s")
			b.says(change)
			_, _, err := a.Dial(t.Context(), k, addressB, to)
			if r := refused(t, err, reason); r.Peer.Address != addressB {
				t.Errorf("%s: the refusal is by %+v", reason, r.Peer)
			}
			counted(t, b, reason, 1)
			if !strings.Contains(b.log.String(), string(reason)) || !strings.Contains(b.log.String(), addressA+"/1") {
				t.Errorf("logged %q", b.log.String())
			}
			a.Close()
			b.Close()
		}
		const name = addressB + "/1"
		f(func(g *Greeting) { g.Cluster = "c2" }, Control, name, WrongCluster)
		f(func(g *Greeting) { g.Cluster = "" }, Control, name, WrongCluster)
		f(func(g *Greeting) { g.Name = addressB + "/2" }, Control, name, WrongName)
		f(func(g *Greeting) { g.Cluster, g.Name = "c2", addressB+"/2" }, Raft, name, WrongName) // above all else
		f(func(g *Greeting) {}, Raft, name, WrongKind)
		f(func(g *Greeting) {}, 'x', "", WrongKind)
	})
}

func TestNobodyMeetsOutsideOfClusters(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		_, a, b := pair(t, "", "")
		a.says(func(g *Greeting) { g.Cluster = "" })
		b.says(func(g *Greeting) { g.Cluster = "" })
		_, _, err := a.Dial(t.Context(), Control, addressB, "")
		refused(t, err, WrongCluster)
	})
}

func TestSecrets(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		f := func(secretA, secretB, why string) {
			t.Helper()
			_, a, b := pair(t, secretA, secretB)
			for _, k := range []Kind{Hello, Control} {
				_, _, err := a.dial(t.Context(), k, addressB, "")
				r := refused(t, err, WrongSecret)
				if !strings.Contains(r.Error(), why) {
					t.Errorf("%q does not say that %s", r, why)
				}
				if r.Peer.Name != "" || r.Peer.Cluster != "" || r.Peer.LeaderAddress != "" {
					t.Errorf("a stranger learned %+v", r.Peer)
				}
			}
			counted(t, b, WrongSecret, 2)
			if !strings.Contains(b.log.String(), string(WrongSecret)) {
				t.Errorf("logged %q", b.log.String())
			}
			a.Close()
			b.Close()
		}
		f("one", "two", "differ")
		f("", "two", "the other node has a cluster secret, this one has none")
		f("one", "", "this node has a cluster secret, the other one has none")
	})
}

func TestVersions(t *testing.T) {
	f := func(aMin, aMax, bMin, bMax, want int) {
		t.Helper()
		if got := speaks(aMin, aMax, bMin, bMax); got != want {
			t.Errorf("%d-%d and %d-%d speak %d, want %d", aMin, aMax, bMin, bMax, got, want)
		}
	}
	f(1, 1, 1, 1, 1)
	f(1, 2, 1, 1, 1)
	f(1, 2, 2, 3, 2)
	f(2, 3, 1, 5, 3)
	f(1, 1, 2, 3, 0)
	f(2, 3, 1, 1, 0)
}

// A node of a later version greets with more than this one knows.
func TestLaterVersions(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		network, _, b := pair(t, "", "")
		f := func(opening, hello string, want string) {
			t.Helper()
			raw, err := network.At(addressA).Dial(t.Context(), addressB)
			if err != nil {
				t.Fatal(err)
			}
			defer raw.Close()
			raw.Write(appendFrame([]byte("C"), []byte(opening)))
			if _, err := readFrame(raw, openingBytesMax); err != nil {
				t.Fatal(err)
			}
			raw.Write(appendFrame(nil, []byte(hello)))
			got, err := readFrame(raw, greetingBytesMax)
			if err != nil && want != "" || !strings.Contains(string(got), want) {
				t.Errorf("answered %q, %v; want %q", got, err, want)
			}
			if err == nil && !strings.Contains(want, "refused") {
				talks(t, raw)
			}
		}
		nonce := `"nonce":"` + strings.Repeat("A", 43) + `="`
		f(`{"min":1,"max":2,`+nonce+`,"new":{"a":[1]}}`, `{"greeting":{"cluster":"c1","name":"n/1","new":true},"new":1}`, `"name":"`+addressB+`/1"`)
		f(`{"min":1,"max":2,`+nonce+`}`, `{"greeting":{"cluster":"c2","name":"n/1"}}`, `"refused":"wrong cluster"`)
		f(`{"min":2,"max":2,`+nonce+`}`, `{"greeting":{"cluster":"c1","name":"n/1"}}`, ``)
		synctest.Wait()
		if s := b.Stats(); s.Accepted != 1 || s.Refused[WrongVersion] != 1 || s.Refused[WrongCluster] != 1 {
			t.Errorf("counted %+v", s)
		}
	})
}

func TestHandlersChange(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		_, a, b := pair(t, "", "")
		const first, second = addressB + "/1", addressB + "/2"
		old, _, err := a.Dial(t.Context(), Control, addressB, first)
		if err != nil {
			t.Fatal(err)
		}
		b.Handle(Control, nil)
		_, _, err = a.Dial(t.Context(), Control, addressB, first)
		refused(t, err, WrongKind)
		b.says(func(g *Greeting) { g.Name = second })
		var met atomic.Bool
		b.Handle(Control, func(conn net.Conn, peer Greeting) {
			met.Store(peer.Name == addressA+"/1")
			echo(conn, peer)
		})
		conn, _, err := a.Dial(t.Context(), Control, addressB, second)
		if err != nil {
			t.Fatal(err)
		}
		talks(t, conn)
		talks(t, old) // it is its handler's to close
		_, _, err = a.Dial(t.Context(), Control, addressB, first)
		refused(t, err, WrongName)
		if !met.Load() {
			t.Error("the new handler was not called")
		}
	})
}

func TestSilentPeers(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		network, a, b := pair(t, "", "")
		raw, err := network.At(addressA).Dial(t.Context(), addressB)
		if err != nil {
			t.Fatal(err)
		}
		raw.Write([]byte("C"))
		began := time.Now()
		if _, err := raw.Read(make([]byte, 1)); err != io.EOF || time.Since(began) != greetingTimeout {
			t.Errorf("got %v after %v", err, time.Since(began))
		}
		counted(t, b, TooSlow, 1)

		const silent = "10.0.0.3:7000"
		ln, err := network.At(silent).Listen(silent)
		if err != nil {
			t.Fatal(err)
		}
		began = time.Now()
		_, err = a.Hello(t.Context(), silent)
		if !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(began) != greetingTimeout {
			t.Errorf("got %v after %v", err, time.Since(began))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err = a.Hello(ctx, silent)
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		ln.Close()

		network.Cut(addressA, addressB)
		began = time.Now()
		_, err = a.Hello(t.Context(), addressB)
		if !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(began) != connectTimeout {
			t.Errorf("got %v after %v", err, time.Since(began))
		}
		if a.Stats().Open != 0 {
			t.Error("failed dials are open")
		}
	})
}

// Crowds that connect and say nothing keep no node out.
func TestCrowd(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		network, a, b := pair(t, "", "")
		for range greetingsMax + 10 {
			raw, err := network.At(addressA).Dial(t.Context(), addressB)
			if err != nil {
				t.Fatal(err)
			}
			defer raw.Close()
		}
		counted(t, b, TooMany, 10)
		began := time.Now()
		conn, _, err := a.Dial(t.Context(), Control, addressB, "")
		if err != nil {
			t.Fatal(err)
		}
		talks(t, conn)
		if time.Since(began) != 0 {
			t.Errorf("it took %v", time.Since(began))
		}
		if lines := strings.Count(b.log.String(), "\n"); lines != 1 {
			t.Errorf("%d refusals were logged in no time", lines)
		}
		time.Sleep(greetingTimeout)
		synctest.Wait()
		if !strings.Contains(b.log.String(), `others before"=10`) { // nine of the crowd, and one for the good one
			t.Errorf("logged %q", b.log.String())
		}
		if b.Stats().Open != 1 {
			t.Errorf("%d connections are open", b.Stats().Open)
		}
	})
}

func TestClose(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		network, a, b := pair(t, "", "")
		conn, _, err := a.Dial(t.Context(), Control, addressB, "")
		if err != nil {
			t.Fatal(err)
		}
		greeting, err := network.At(addressA).Dial(t.Context(), addressB)
		if err != nil {
			t.Fatal(err)
		}
		network.Cut(addressA, addressB)
		dialing := make(chan error)
		go func() { _, err := b.Hello(t.Context(), addressA); dialing <- err }()
		synctest.Wait()
		b.Close()
		if err := <-dialing; err == nil {
			t.Error("a dial outlived Close")
		}
		if _, err := b.Hello(t.Context(), addressB); err == nil {
			t.Error("a closed port dials")
		}
		network.Heal(addressA, addressB)
		for _, c := range []net.Conn{conn, greeting} {
			if _, err := c.Read(make([]byte, 1)); err != io.EOF {
				t.Errorf("got %v", err)
			}
		}
		if s := b.Stats(); s.Open != 0 || s.Refused[Aborted] != 0 {
			t.Errorf("counted %+v", s)
		}
	})
}

// flaky fails to accept as often as it is told.
type flaky struct {
	net.Listener
	failures atomic.Int32
}

func (f *flaky) Accept() (net.Conn, error) {
	if f.failures.Add(-1) >= 0 {
		return nil, &net.OpError{Op: "accept", Net: "tcp", Err: syscall.EMFILE}
	}
	return f.Listener.Accept()
}

type flakyNetwork struct{ *porttest.Host }

func (n flakyNetwork) Listen(address string) (net.Listener, error) {
	ln, err := n.Host.Listen(address)
	f := &flaky{Listener: ln}
	f.failures.Store(12)
	return f, err
}

func TestAcceptFails(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		network := porttest.New()
		a := start(t, network.At(addressA), addressA, "")
		b := start(t, flakyNetwork{network.At(addressB)}, addressB, "")
		time.Sleep(3 * time.Second)
		if _, err := a.Hello(t.Context(), addressB); err != nil {
			t.Error(err)
		}
		if !strings.Contains(b.log.String(), "too many open files") {
			t.Errorf("logged %q", b.log.String())
		}
	})
}

func TestListenFails(t *testing.T) {
	a := start(t, nil, "127.0.0.1:0", "")
	if _, err := Listen(Config{Address: a.Address()}); !errors.Is(err, syscall.EADDRINUSE) || !strings.Contains(err.Error(), a.Address()) {
		t.Error(err)
	}
}
