package engine

import (
	"fmt"
	"strings"
	"testing"
)

// What a client takes is counted when it comes and given back when it goes:
// connection, subscriptions, an unfinished command, what the handler keeps.
func TestClientMemory(t *testing.T) {
	h := newHub(t, 2, nil)
	memory := func() int64 { return h.clientMemory.Load() }
	f := func(what string, want int64) {
		t.Helper()
		eventually(t, fmt.Sprintf("%s: %d bytes", what, want), func() bool { return memory() == want })
		var sum int64
		h.Sessions(func(s *Session) { sum += s.Memory() })
		if sum != want {
			t.Errorf("%s: the sessions take %d bytes together, want %d", what, sum, want)
		}
	}
	f("nobody", 0)
	p := h.dial()
	p.quiet()
	f("a connection", sessionBytes)
	p.ask("SUBSCRIBED", "SUBSCRIBE", "a", "b")
	p.ask("SUBSCRIBED", "PSUBSCRIBE", "a")
	f("three subscriptions", sessionBytes+3*subscriptionBytes)
	p.ask("UNSUBSCRIBED", "UNSUBSCRIBE", "a", "c")
	f("two", sessionBytes+2*subscriptionBytes)
	p.ask("KEPT", "KEEP", "1000")
	f("something kept", sessionBytes+2*subscriptionBytes+1000)
	p.ask("KEPT", "KEEP", "-300")
	f("less of it", sessionBytes+2*subscriptionBytes+700)
	half := "*2\r\n$4\r\nECHO\r\n$9\r\nhal"
	if _, err := p.Write([]byte(half)); err != nil {
		t.Fatal(err)
	}
	f("half a command", sessionBytes+2*subscriptionBytes+700+int64(len(half)))
	if _, err := p.Write([]byte("fofit!\r\n")); err != nil {
		t.Fatal(err)
	}
	p.want("ECHO")
	f("the whole command", sessionBytes+2*subscriptionBytes+700)
	if _, err := p.Write([]byte(half)); err != nil {
		t.Fatal(err)
	}
	f("half a command again", sessionBytes+2*subscriptionBytes+700+int64(len(half)))
	p.Close()
	f("nobody again", 0)
}

// What counts against --maxmemory-clients is all that clients take, and those
// who take most go, but for those who are to last.
func TestEviction(t *testing.T) {
	const most = 4 << 20
	f := func(name string, grow func(p *peer)) {
		t.Run(name, func(t *testing.T) {
			h := newHub(t, 2, func(s *Settings) { s.MaxMemoryClients, s.OutputPubSub = most, OutputLimit{} })
			small, large, lasting := h.dial(), h.dial(), h.dial()
			lasting.ask("LASTING", "LASTING")
			lasting.ask("KEPT", "KEEP", fmt.Sprint(most/2))
			small.ask("KEPT", "KEEP", "100000")
			grow(large)
			eventually(t, "an eviction", func() bool { return h.Stats().EvictedClients == 1 })
			large.wantClosed()
			small.quiet()
			lasting.quiet()
		})
	}
	f("unfinished command", func(p *peer) {
		_, _ = p.Write([]byte("*1\r\n$8000000\r\n" + strings.Repeat("x", 3_000_000))) // until it is closed
	})
	f("kept", func(p *peer) { p.send("KEEP", "3000000") })
	f("subscriptions", func(p *peer) {
		names := []string{"SUBSCRIBE"}
		for i := range 3_000_000 / subscriptionBytes {
			names = append(names, channelNumber(i))
		}
		p.send(names...)
	})
	f("answers", func(p *peer) { go func() { _, _ = p.Write(blobs(100)) }() }) // until it is closed
}

// Nobody is left to evict: the engine serves on.
func TestEvictionOfNobody(t *testing.T) {
	h := newHub(t, 1, func(s *Settings) { s.MaxMemoryClients = 1 << 20 })
	p := h.dial()
	p.ask("LASTING", "LASTING")
	p.ask("KEPT", "KEEP", "2000000")
	for range 100 {
		p.ask("PING", "PING")
	}
	if n := h.Stats().EvictedClients; n != 0 {
		t.Errorf("%d evicted", n)
	}
}

// Who only lingers counts too, and is let go first.
func TestEvictionOfLingerers(t *testing.T) {
	h := newHub(t, 1, func(s *Settings) { s.MaxMemoryClients = 4 << 20 })
	resident := h.dial()
	for range 10 {
		p := h.dial()
		if _, err := p.Write(blobs(30)); err != nil { // 3 MB of answers
			t.Fatal(err)
		}
		if err := p.Conn.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "little memory", func() bool {
		resident.quiet() // a tick
		return h.Stats().ConnectionsReceived == 11 && h.clientMemory.Load() <= 4<<20
	})
}

func TestKeepLimit(t *testing.T) {
	h := newHub(t, 1, func(s *Settings) { s.QueryBufferBytes = 1 << 20 })
	p := h.dial()
	p.ask("KEPT", "KEEP", "1000000")
	p.send("KEEP", "1000000")
	p.wantClosed()
	if n := h.Stats().QueryBufferCloses; n != 1 {
		t.Errorf("%d closed by the query buffer's limit, want 1", n)
	}
}
