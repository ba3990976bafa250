package link

import (
	"bytes"
	"encoding/binary"
	"io"
	"log/slog"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/klauspost/compress/s2"

	"hubsub/cluster/port"
	"hubsub/cluster/port/porttest"
)

// stranger is a port that speaks for itself, without Links.
func stranger(t testing.TB, network port.Network, address string) *port.Port {
	t.Helper()
	p, err := port.Listen(port.Config{
		Address: address, Network: network, Secret: "s3cret", Log: slog.New(slog.DiscardHandler),
		Greeting: func() port.Greeting {
			return port.Greeting{Cluster: "c", Name: "stranger/1", ID: "stranger", Address: address}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

// greet dials a node and has its hello answered.
func greet(t testing.TB, from *port.Port, to *node) (net.Conn, answer) {
	t.Helper()
	conn, _, err := from.Dial(t.Context(), port.Link, to.address, to.name)
	if err != nil {
		t.Fatal(err)
	}
	a, err := offer(conn, hello{Min: 1, Max: 1, Own: newID(), Next: newID(), Attempt: attempts.Add(1), Codings: codings})
	if err != nil {
		t.Fatal(err)
	}
	return conn, a
}

// ends reports whether a connection is closed by the other side.
func ends(conn net.Conn) bool {
	conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	_, err := io.Copy(io.Discard, conn)
	return err == nil
}

func TestBadBatches(t *testing.T) {
	inBubble(t, func(t *testing.T, network *porttest.Network) {
		a, b := pair(t, network)
		from := stranger(t, network.At(addressC), addressC)
		a.must(t, b, 0)
		synctest.Wait()
		number, want := 1, make(map[string]int64)
		f := func(why refusal, batches ...[]byte) {
			t.Helper()
			conn, _ := greet(t, from, b)
			defer conn.Close()
			conn.Write(bytes.Join(batches, nil))
			if !ends(conn) {
				t.Errorf("%v: not closed", why)
			}
			want[why.Error()]++
			a.must(t, b, number) // who behaves does not notice
			number++
			synctest.Wait()
			b.inOrder(t, a, number, 0)
		}
		records := record(nil, 1<<50, 1000)
		good := plain(1, 0, records)
		change := func(b []byte, at int, bits byte) []byte {
			b = bytes.Clone(b)
			b[at] ^= bits
			return b
		}
		f(refuseMagic, []byte("GET / HTTP/1.1\r\nHost: a-long-one-here\r\n\r\n"))
		f(refuseVersion, change(good, 2, 3))
		f(refuseFlags, change(good, 3, 0x80))
		f(refuseLength, change(good, 4, 0x80))
		f(refuseLength, change(good, 8, 0x80))
		f(refuseChecksum, change(good, 500, 1))
		f(refuseChecksum, change(good, 30, 1))
		f(refuseOrder, plain(2, 0, records))
		f(refuseOrder, plain(1, 0, record(nil, 1<<50, 10)), plain(1, 0, record(nil, 1<<50+1, 10)))
		f(refuseAck, plain(1, 1, records))
		f(refuseAck, plain(0, 1, nil))
		f(refuseRecords, plain(1, 0, records[:500]))
		f(refuseRecords, plain(1, 0, binary.AppendUvarint(nil, 1<<62)))
		coded := s2.Encode(nil, records)
		f(refuseCode, sealed(header{flags: flagS2, raw: len(records) - 1, number: 1}, coded))
		f(refuseCode, sealed(header{flags: flagS2, raw: rawBytesMax, number: 1}, coded)) // a bomb
		f(refuseCode, sealed(header{flags: flagS2, raw: 100, number: 1}, []byte{100, 0xff, 0xff}))

		s := b.Stats()
		for why, n := range s.Refused {
			if n != want[why] {
				t.Errorf("%s: counted %d, want %d", why, n, want[why])
			}
		}
		if lines := strings.Count(b.log.String(), "closed a link"); lines == 0 || lines > 16 {
			t.Errorf("%d lines: %s", lines, b.log.String())
		}
	})
}

func TestBadHellos(t *testing.T) {
	inBubble(t, func(t *testing.T, network *porttest.Network) {
		_, b := pair(t, network)
		from := stranger(t, network.At(addressC), addressC)
		f := func(sent string, want string) {
			t.Helper()
			conn, _, err := from.Dial(t.Context(), port.Link, addressB, b.name)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			io.WriteString(conn, sent)
			conn.SetReadDeadline(time.Now().Add(10 * time.Second))
			got, err := io.ReadAll(conn)
			if err != nil || !strings.Contains(string(got), want) || (want == "" && len(got) > 0) {
				t.Errorf("%q: answered %q, %v", sent, got, err)
			}
		}
		frame := func(s string) string { return "\x00\x00\x00" + string(rune(len(s))) + s }
		f("\xff\xff\xff\xff", "")
		f("\x00\x00\x10\x01"+strings.Repeat(" ", 4097), "")
		f(frame("{}"), "")
		f(frame("{]"), "")
		f(frame(`{"min":2,"max":1,"own":1,"next":2,"attempt":1}`), "")
		f(frame(`{"min":1,"max":1,"own":-1,"next":2,"attempt":1}`), "")
		f("", "") // nothing, for too long
		f(frame(`{"min":2,"max":9,"own":1,"next":2,"attempt":1}`), `"refused":"version"`)
		if s := b.Stats(); s.Refused["malformed hello"] != 6 || s.Connected != 0 {
			t.Errorf("counted %+v", s)
		}

		// A later version that still speaks this one, and says more.
		conn, _, err := from.Dial(t.Context(), port.Link, addressB, b.name)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		io.WriteString(conn, frame(`{"min":1,"max":7,"own":1,"next":2,"attempt":9,"codings":["zstd"],"new":{}}`))
		answered, err := hear(conn)
		if err != nil {
			t.Fatal(err)
		}
		if a, err := parseAnswer(answered); err != nil || a.Refused != "" || a.Own == 0 {
			t.Fatalf("answered %+v, %v", a, err)
		}
		// It cannot read s2, so it gets none.
		if !b.Send("stranger/1", addressC, record(nil, 1, 5000), 1) {
			t.Fatal("not taken")
		}
		batch := make([]byte, headerBytes)
		if _, err := io.ReadFull(conn, batch); err != nil {
			t.Fatal(err)
		}
		if h, err := parseHeader(batch); err != nil || h.flags != 0 || h.coded != h.raw {
			t.Errorf("sent %+v, %v", h, err)
		}
	})
}

// A dialer whose hello is refused, or answered with nonsense, goes on trying for
// a while.
func TestBadAnswers(t *testing.T) {
	inBubble(t, func(t *testing.T, network *porttest.Network) {
		a := start(t, network.At(addressA), addressA, "1")
		to := stranger(t, network.At(addressC), addressC)
		var answers = []string{
			`{}`, `{]`, `{"min":2,"max":2,"own":1}`, `{"min":1,"max":1,"own":1,"lost":true,"received":7}`,
			`{"min":1,"max":1,"own":1,"received":7}`, `{"refused":"` + strings.Repeat("x", 3000) + `"}`,
		}
		asked := 0
		to.Handle(port.Link, func(conn net.Conn, _ port.Greeting) {
			defer conn.Close()
			if _, err := await(conn); err != nil {
				t.Error(err)
			}
			s := answers[asked%len(answers)]
			asked++
			conn.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(s))), s...))
		})
		peer := &node{name: "stranger/1", address: addressC}
		a.must(t, peer, 0)
		time.Sleep(time.Minute)
		if s := a.Stats(); s.Broken == 0 || s.Refused["malformed hello"] < 4 || s.Connected != 0 || asked > 100 {
			t.Errorf("asked %d times, counted %+v", asked, s)
		}
		if n := len(a.log.String()); n > 10_000 {
			t.Errorf("logged %d bytes", n)
		}
	})
}

// A batch that a peer refuses is not sent for ever.
func TestPoison(t *testing.T) {
	inBubble(t, func(t *testing.T, network *porttest.Network) {
		a, b := pair(t, network)
		a.must(t, b, 0)
		synctest.Wait()
		a.Send(b.name, addressB, []byte{100, 'x'}, 1) // not whole: a fault of the caller
		time.Sleep(2 * sessionTimeout)
		a.must(t, b, 1)
		time.Sleep(time.Second)
		b.inOrder(t, a, 2, 1)
		a.inOrder(t, b, 0, 1)
		if s := b.Stats(); s.Refused["malformed records"] < fruitlessMax {
			t.Errorf("counted %+v", s)
		}
	})
}
