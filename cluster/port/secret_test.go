package port

import (
	"bytes"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"hubsub/cluster/port/porttest"
)

// middle sits between a dialer and b: it passes on what each says, through
// change, and remembers it.
type middle struct {
	change      func(by side, b []byte)
	there, back bytes.Buffer
}

const addressMiddle = "10.0.0.9:7000"

// serve passes one connection on.
func (m *middle) serve(t *testing.T, network *porttest.Network) {
	ln, err := network.At(addressMiddle).Listen(addressMiddle)
	if err != nil {
		t.Fatal(err)
	}
	near, err := ln.Accept()
	ln.Close()
	if err != nil {
		t.Error(err)
		return
	}
	far, err := network.At(addressMiddle).Dial(t.Context(), addressB)
	if err != nil {
		t.Error(err)
		return
	}
	done := make(chan bool)
	pass := func(by side, from, to net.Conn, said *bytes.Buffer) {
		b := make([]byte, 64<<10)
		for {
			n, err := from.Read(b)
			if err != nil {
				break
			}
			at := said.Len()
			said.Write(b[:n])
			all := bytes.Clone(said.Bytes())
			m.change(by, all)
			to.Write(all[at:])
		}
		to.Close()
		from.Close()
		done <- true
	}
	go pass(dialer, near, far, &m.there)
	go pass(acceptor, far, near, &m.back)
	<-done
	<-done
}

// dialThrough has a dial b through a middle and returns what came of it, and
// whether b took it for a.
func dialThrough(t *testing.T, change func(by side, b []byte)) (m *middle, err error, taken bool) {
	network, a, b := pair(t, "s3cret", "s3cret")
	b.Handle(Control, func(conn net.Conn, peer Greeting) {
		taken = true
		conn.Close()
	})
	m = &middle{change: change}
	done := make(chan bool)
	go func() { m.serve(t, network); close(done) }()
	synctest.Wait()
	conn, _, err := a.Dial(t.Context(), Control, addressMiddle, addressB+"/1")
	if err == nil {
		conn.Close()
	}
	a.Close()
	b.Close()
	<-done
	synctest.Wait()
	return m, err, taken
}

// Whoever changes one bit of what either side says is found out by the other.
func TestAltered(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		m, err, taken := dialThrough(t, func(side, []byte) {})
		if err != nil || !taken {
			t.Fatalf("what is passed on unchanged comes to %v, %v", err, taken)
		}
		for _, said := range []struct {
			by side
			n  int
		}{{dialer, m.there.Len()}, {acceptor, m.back.Len()}} {
			for i := range said.n {
				_, err, taken := dialThrough(t, func(by side, b []byte) {
					if by == said.by && i < len(b) {
						b[i] ^= 1
					}
				})
				if err == nil || said.by == dialer && taken {
					t.Fatalf("side %c, byte %d of %d: changed, and nobody knew (%v, %v)", said.by, i, said.n, err, taken)
				}
			}
		}
	})
}

func TestReplayed(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		m, _, _ := dialThrough(t, func(side, []byte) {})
		network, a, b := pair(t, "s3cret", "s3cret")

		// To the acceptor, what a dialer once said.
		raw, err := network.At(addressMiddle).Dial(t.Context(), addressB)
		if err != nil {
			t.Fatal(err)
		}
		raw.Write(m.there.Bytes())
		counted(t, b, WrongSecret, 1)

		// To the dialer, what an acceptor once said.
		ln, err := network.At(addressMiddle).Listen(addressMiddle)
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			conn, err := ln.Accept()
			if err == nil {
				conn.Write(m.back.Bytes())
			}
		}()
		_, _, err = a.Dial(t.Context(), Control, addressMiddle, addressB+"/1")
		refused(t, err, WrongSecret)
	})
}

// A mirror shows a dialer its own words and proof.
func TestReflected(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		network, a, _ := pair(t, "s3cret", "s3cret")
		ln, err := network.At(addressMiddle).Listen(addressMiddle)
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			io.ReadFull(conn, make([]byte, 1)) // the kind
			opening, _ := readFrame(conn, openingBytesMax)
			conn.Write(appendFrame(nil, opening))
			hello, _ := readFrame(conn, greetingBytesMax)
			proof := make([]byte, proofBytes)
			io.ReadFull(conn, proof)
			conn.Write(append(appendFrame(nil, hello), proof...))
		}()
		_, _, err = a.Dial(t.Context(), Control, addressMiddle, "")
		refused(t, err, WrongSecret)
	})
}

// What a stranger hears of a node with a secret, whatever it tries.
func TestStrangersLearnNothing(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		network, _, b := pair(t, "", "s3cret")
		b.says(func(g *Greeting) { g.Cluster, g.ID = "a-cluster", "an-id" })
		raw, err := network.At(addressA).Dial(t.Context(), addressB)
		if err != nil {
			t.Fatal(err)
		}
		o := encode(opening{Min: 1, Max: 1, Nonce: make([]byte, nonceBytes), Secret: true})
		h := encode(hello{Greeting: Greeting{Cluster: "a-cluster", Name: "n/1"}})
		raw.Write(appendFrame([]byte{byte(Hello)}, o))
		raw.Write(append(appendFrame(nil, h), make([]byte, proofBytes)...))
		raw.SetReadDeadline(time.Now().Add(time.Minute))
		heard, err := io.ReadAll(raw)
		if err != nil || !bytes.Contains(heard, []byte(WrongSecret)) {
			t.Errorf("heard %q, %v", heard, err)
		}
		for _, private := range []string{"a-cluster", "an-id", addressB} {
			if bytes.Contains(heard, []byte(private)) {
				t.Errorf("a stranger heard %q in %q", private, heard)
			}
		}
		counted(t, b, WrongSecret, 1)
	})
}
