package e2e

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"time"
)

// An attack is made on the port of node i, again and again.
type attack func(r *rand.Rand, i int, address string)

// arsenal is all that is short.
func (s *siege) arsenal() map[string]attack {
	all := map[string]attack{
		"noise": func(r *rand.Rand, _ int, address string) { throw(address, noise(r, 1+r.IntN(8<<10))) },
		"kind and noise": func(r *rand.Rand, _ int, address string) {
			throw(address, append([]byte{anyOf(r, []byte("HGSRCDXK")...)}, noise(r, 1+r.IntN(512))...))
		},
		"opening of noise": func(r *rand.Rand, _ int, address string) {
			throw(address, withLength([]byte{anyOf(r, []byte("HGSRC")...)}, noise(r, r.IntN(4<<10))))
		},
		"long": func(r *rand.Rand, _ int, address string) {
			length := anyOf(r, 4<<10+1, 64<<10, 1<<24, 1<<31-1, 1<<31, 1<<32-1)
			throw(address, binary.BigEndian.AppendUint32([]byte{'C'}, uint32(length)))
			n := newStranger('C', s.cluster, s.secret)
			throw(address, binary.BigEndian.AppendUint32(withLength([]byte{'C'}, n.opening()), uint32(max(length, 64<<10+1))))
		},
		"damaged": func(r *rand.Rand, _ int, address string) {
			b := newStranger(anyOf(r, []byte("HGSRC")...), s.cluster, s.secret).whole()
			for range 1 + r.IntN(3) {
				b[r.IntN(len(b))] = byte(r.Uint32())
			}
			throw(address, b)
		},
		"wrong": s.greetWrongly,
	}
	if s.secret == "" {
		all["no orders"], all["no frames"] = s.giveNoOrders, s.sendNoFrames
	}
	return all
}

// greetWrongly greets as a node does, with one thing wrong, and is told so.
func (s *siege) greetWrongly(r *rand.Rand, i int, address string) {
	n := newStranger(anyOf(r, []byte("GSRCD")...), s.cluster, s.secret)
	want := ""
	kinds := 6
	if s.secret == "" {
		kinds = 5
	}
	switch r.IntN(kinds) {
	case 0:
		want, n.says["cluster"] = "wrong cluster", anyOf(r, "0123456789abcdef-1800000000", "", "x", s.cluster+"0", s.cluster[:len(s.cluster)-1])
	case 1:
		want, n.to = "wrong name", s.names[(i+1)%3]
	case 2:
		want, n.kind = "wrong kind", 'X'
	case 3: // the port says what it speaks, and nothing to who does not speak it
		n.min, n.max = 98, 99
	case 4: // nor to who has no secret where there is one, or the other way
		n.claims = s.secret == ""
	case 5:
		want, n.secret = "wrong secret", "Correct horse battery staple"
		if r.IntN(2) == 0 {
			n.proof = noise(r, 32)
		}
	}
	conn, said, err := n.greet(address)
	if err != nil {
		return // it was one too many, or was told nothing
	}
	defer conn.Close()
	if said.Refused != want {
		s.t.Errorf("the port says %q to a %+v, not %q", said.Refused, n, want)
	}
	if want == "wrong secret" && said.Greeting.Name != "" {
		s.t.Errorf("who does not know the secret is told %+v", said.Greeting)
	}
	awaitEnd(conn)
}

// giveNoOrders is a process of the cluster that gives orders of past leaders, of past placements, and such as nobody
// understands.
func (s *siege) giveNoOrders(r *rand.Rand, _ int, address string) {
	conn, said, err := newStranger('C', s.cluster, "").greet(address)
	if err != nil {
		return
	}
	defer conn.Close()
	if said.Refused != "" {
		s.t.Errorf("a stranger of a cluster without a secret is refused: %s", said.Refused)
	}
	term, late := map[string]any{"g": 1, "n": 1 << 40}, map[string]any{"g": 1<<32 - 1, "i": 1 << 60}
	old := map[string]any{"g": 1, "i": 1 << 40}
	attempt := map[string]any{"term": term, "n": 1}
	hosts := []string{s.names[0], "stranger/00000000000000aa"}
	var all []byte
	order := func(tag string, fields map[string]any) {
		all = withLength(all, encoded(map[string]any{"t": tag, "m": fields}))
	}
	for range 1 + r.IntN(5) {
		order("activate", map[string]any{"term": term, "room": "everywhere", "epoch": late, "hosts": hosts})
		order("drop", map[string]any{"term": term, "room": "everywhere", "epoch": late})
		order("reserve", map[string]any{"attempt": attempt, "room": "everywhere"})
		order("release", map[string]any{"attempt": attempt, "room": "everywhere"})
		order("mayclose", map[string]any{"attempt": attempt, "room": "everywhere", "epoch": late})
		order("reopen", map[string]any{"term": term, "attempt": attempt, "room": "everywhere"})
		order("list", map[string]any{"term": term, "shards": []int{-1, 0, 1 << 40}})
		order("roster", map[string]any{"term": term, "epoch": old, "cluster": "x", "members": []any{}})
		order("idle", map[string]any{"room": "everywhere", "epoch": old})
		order("vote", map[string]any{"attempt": attempt, "room": "everywhere", "epoch": old, "yes": true})
		order("reserved", map[string]any{"attempt": attempt, "room": "everywhere", "yes": true})
		order("activated", map[string]any{"room": "everywhere", "epoch": old})
		order("told", map[string]any{"tag": r.Uint64() | 1<<63, "room": "everywhere", "epoch": old})
		order("obey", map[string]any{"term": late})
	}
	conn.SetDeadline(time.Now().Add(strangerLimit))
	if _, err := conn.Write(all); err != nil {
		return // the next stranger of this name has taken its place
	}
	conn.(*net.TCPConn).CloseWrite()
	awaitEnd(conn)
}

// sendNoFrames is a process of the cluster that is taken in, and then says what no node says.
func (s *siege) sendNoFrames(r *rand.Rand, _ int, address string) {
	kind := anyOf(r, []byte("CCCGSRD")...)
	n := newStranger(kind, s.cluster, "")
	n.says["name"] = fmt.Sprintf("stranger/%016x", r.Uint64())
	conn, _, err := n.greet(address)
	if err != nil {
		return
	}
	defer conn.Close()
	var b []byte
	switch r.IntN(7) {
	case 0:
		b = noise(r, 1+r.IntN(64<<10))
	case 1:
		b = withLength(nil, noise(r, 1+r.IntN(8<<10)))
	case 2:
		b = binary.BigEndian.AppendUint32(nil, uint32(anyOf(r, 8<<20+1, 1<<31, 1<<32-1)))
	case 3: // as long as it may be, and not there
		b = append(binary.BigEndian.AppendUint32(nil, 8<<20), noise(r, 1<<10)...)
	case 4:
		b = withLength(nil, bytes.Repeat([]byte(anyOf(r, "[", `{"m":`, "\"")), 1<<20))
	case 5:
		b = withLength(nil, []byte(anyOf(r, `{}`, `{"t":1}`, `{"t":"drop","m":[]}`, `{"t":"roster","m":{"members":{}}}`, `{"t":"ask","m":"`, `{"t":"drop"}`, "")))
	case 6:
		b = append([]byte{anyOf(r, []byte("LQZ")...)}, noise(r, 1+r.IntN(1<<10))...)
	}
	conn.SetDeadline(time.Now().Add(strangerLimit))
	if _, err := conn.Write(b); err != nil {
		return
	}
	conn.(*net.TCPConn).CloseWrite()
	awaitEnd(conn)
}

// holdCut connects as often as a greeting has bytes, sends one byte more each time, and waits to be sent away.
func (s *siege) holdCut(address string) {
	whole := newStranger('C', s.cluster, s.secret).whole()
	step := len(whole)/100 + 1 // a hundred at a time find room
	for from := 0; from < step && s.goesOn(); from++ {
		var held sync.WaitGroup
		for n := from; n < len(whole); n += step {
			held.Go(func() { hold(address, whole[:n]) })
		}
		held.Wait()
	}
}

// crowd takes all room at the port.
func (s *siege) crowd(address string) {
	<-s.crowded
	var held sync.WaitGroup
	for range siegeIdle {
		held.Go(func() {
			for s.goesOn() {
				hold(address, nil)
				time.Sleep(500 * time.Millisecond)
			}
		})
	}
	held.Wait()
}

// throw sends b and waits for a while to be sent away.
func throw(address string, b []byte) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(strangerLimit))
	if _, err := conn.Write(b); err == nil {
		conn.(*net.TCPConn).CloseWrite()
		awaitEnd(conn)
	}
}

// hold sends b and waits for the other side to end it, however long that takes.
func hold(address string, b []byte) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return
	}
	defer conn.Close()
	if _, err := conn.Write(b); err == nil {
		awaitEnd(conn)
	}
}

// awaitEnd waits until the other side ends the connection; if it does not, that shows in what it has open.
func awaitEnd(conn net.Conn) {
	conn.SetReadDeadline(time.Now().Add(2 * strangerLimit))
	io.Copy(io.Discard, conn)
}

func noise(r *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

func anyOf[T any](r *rand.Rand, of ...T) T { return of[r.IntN(len(of))] }
