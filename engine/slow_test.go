package engine

import (
	"errors"
	"fmt"
	"io"
	"math/bits"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// One subscriber does not read while another does. The one that reads misses
// nothing meanwhile, and the other finds everything in its order when it reads
// on: alone on its channel, with other subscriptions, and in RESP3.
func TestStalledSubscriber(t *testing.T) {
	f := func(loops int, name string, prepare func(*peer)) {
		t.Run(fmt.Sprint(name, ", loops ", loops), func(t *testing.T) {
			h := newHub(t, loops, nil)
			stalled, reader, p := h.dial(), h.dial(), h.dial()
			prepare(stalled)
			stalled.ask("SUBSCRIBED", "SUBSCRIBE", "news")
			reader.ask("SUBSCRIBED", "SUBSCRIBE", "news")
			const messages = 3000
			filler := strings.Repeat("x", 3000)
			for i := range messages {
				p.ask("2", "PUBLISH", "news", fmt.Sprint(i, filler))
				reader.want(fmt.Sprint("message news ", i, filler))
			}
			if h.Stats().Backlog == 0 {
				t.Fatal("the socket took everything: the test tests nothing")
			}
			stalled.send("LAST")
			for i := range messages {
				stalled.want(fmt.Sprint("message news ", i, filler))
			}
			stalled.want("LAST")
			p.quiet()
			if n := h.Stats().Backlog; n != 0 {
				t.Errorf("%d bytes of backlog after all was read", n)
			}
		})
	}
	for _, loops := range []int{1, 2} {
		f(loops, "alone", func(*peer) {})
		f(loops, "many", func(s *peer) { s.ask("SUBSCRIBED", "SUBSCRIBE", "other") })
		f(loops, "RESP3", func(s *peer) { s.ask("HELLO", "HELLO", "3") })
		f(loops, "pattern", func(s *peer) { s.ask("SUBSCRIBED", "PSUBSCRIBE", "other*") })
	}
}

// The same when one tick brings many messages of several channels, some of
// which are held, and the stalled subscribers' runs are many.
func TestStalledSubscribersOfPipelines(t *testing.T) {
	f := func(loops int, name string, v3 bool, channels ...string) {
		t.Run(fmt.Sprint(name, ", loops ", loops), func(t *testing.T) {
			h := newHub(t, loops, func(s *Settings) { s.CoalesceMax = 2 * time.Millisecond })
			h.crowd(holdAudienceMin, "crowded")
			stalled, p := h.dial(), h.dial()
			if v3 {
				stalled.ask("HELLO", "HELLO", "3")
			}
			stalled.ask("SUBSCRIBED", append([]string{"SUBSCRIBE"}, channels...)...)
			var want []string
			for i := 0; i < 60 || h.Stats().Backlog < 1<<20; i++ {
				var pipeline []byte
				for j := range 40 {
					message := fmt.Sprint(i, ".", j, strings.Repeat("x", 37*j%997))
					for _, channel := range channels {
						pipeline = append(pipeline, encode("PUBLISH", channel, message)...)
						want = append(want, "message "+channel+" "+message)
					}
				}
				p.write(pipeline)
				for range 40 * len(channels) {
					p.read()
				}
			}
			stalled.send("QUIT")              // brings out what is held
			seen := make(map[string][]string) // by channel: order across rooms is not promised
			for range want {
				m := stalled.read()
				channel := strings.Fields(m)[1]
				seen[channel] = append(seen[channel], m)
			}
			for _, m := range want {
				channel := strings.Fields(m)[1]
				if got := seen[channel][0]; got != m {
					t.Fatalf("got %.60q, want %.60q", got, m)
				}
				seen[channel] = seen[channel][1:]
			}
			stalled.want("OK")
		})
	}
	for _, loops := range []int{1, 2} {
		f(loops, "alone", false, "news")
		f(loops, "held", false, "crowded")
		f(loops, "held, RESP3", true, "crowded")
		f(loops, "many", false, "news", "crowded", "{news}2", "more")
		f(loops, "many, RESP3", true, "news", "crowded", "{news}2", "more")
	}
}

// A message larger than what is copied, larger than the socket takes at once,
// comes whole to sessions of every kind.
func TestLargeMessages(t *testing.T) {
	h := newHub(t, 2, nil)
	alone, many, p := h.dial(), h.dial(), h.dial()
	alone.ask("SUBSCRIBED", "SUBSCRIBE", "news")
	many.ask("SUBSCRIBED", "SUBSCRIBE", "news", "other")
	for _, size := range []int{copyBytesMax - 100, copyBytesMax, copyBytesMax + 1, runBytesMax, 1 << 20, 8 << 20} {
		small, large := "s", strings.Repeat("l", size)
		for _, m := range []string{small, large, small} {
			p.ask("2", "PUBLISH", "news", m)
		}
		for _, s := range []*peer{alone, many} {
			for _, m := range []string{small, large, small} {
				if got := s.read(); got != "message news "+m {
					t.Fatalf("size %d: got %d bytes, %.40q", size, len(got), got)
				}
			}
		}
	}
}

func (p *peer) wantClosed() {
	p.t.Helper()
	_ = p.SetReadDeadline(time.Now().Add(20 * time.Second))
	for {
		if _, err := p.next(); err != nil {
			var timeout interface{ Timeout() bool }
			if errors.As(err, &timeout) && timeout.Timeout() {
				p.t.Fatal("still connected")
			}
			return
		}
	}
}

func TestOutputLimitClosesSlowSubscriber(t *testing.T) {
	f := func(name string, change func(*Settings), count func(Stats) int64) {
		t.Run(name, func(t *testing.T) {
			h := newHub(t, 1, change)
			stalled, reader, p := h.dial(), h.dial(), h.dial()
			stalled.ask("SUBSCRIBED", "SUBSCRIBE", "news")
			reader.ask("SUBSCRIBED", "SUBSCRIBE", "news")
			message := strings.Repeat("x", 100_000)
			n := 0
			for count(h.Stats()) == 0 {
				if n++; n > 1000 {
					t.Fatal("100 MB of backlog and not closed")
				}
				p.send("PUBLISH", "news", message)
				p.read()
				reader.want("message news " + message)
			}
			stalled.wantClosed()
			p.ask("1", "PUBLISH", "news", "after")
			reader.want("message news after")
			if st := h.Stats(); st.Backlog != 0 || st.Connections != 2 {
				t.Errorf("after the close: %+v", st)
			}
		})
	}
	f("hard", func(s *Settings) { s.OutputPubSub = OutputLimit{HardBytes: 1 << 20} },
		func(st Stats) int64 { return st.OutputLimitCloses })
	f("soft", func(s *Settings) { s.OutputPubSub = OutputLimit{SoftBytes: 1 << 10, SoftTime: time.Nanosecond} },
		func(st Stats) int64 { return st.OutputLimitCloses })
	f("all clients", func(s *Settings) { s.OutputPubSub, s.MaxMemoryClients = OutputLimit{}, 2<<20 },
		func(st Stats) int64 { return st.EvictedClients })
}

func TestExceeded(t *testing.T) {
	f := func(o OutputLimit, n, since, now int64, wantOver bool, wantSince int64) {
		t.Helper()
		if over, next := o.exceeded(n, since, now); over != wantOver || next != wantSince {
			t.Errorf("%+v.exceeded(%d, %d, %d) = %v, %d; want %v, %d", o, n, since, now, over, next, wantOver, wantSince)
		}
	}
	hard := OutputLimit{HardBytes: 10}
	f(hard, 9, 0, 5, false, 0)
	f(hard, 10, 0, 5, true, 0)
	soft := OutputLimit{SoftBytes: 10, SoftTime: 3}
	f(soft, 9, 2, 5, false, 0) // under it again: the time begins anew
	f(soft, 10, 0, 5, false, 5)
	f(soft, 10, 5, 8, false, 5)
	f(soft, 10, 5, 9, true, 5)
	f(OutputLimit{}, 1<<60, 0, 5, false, 0)
}

func TestQueryBufferLimit(t *testing.T) {
	h := newHub(t, 1, func(s *Settings) { s.QueryBufferBytes = 1 << 20 })
	p := h.dial()
	if _, err := io.WriteString(p, "*2\r\n$4\r\nECHO\r\n$100000000\r\n"); err != nil {
		t.Fatal(err)
	}
	for piece := make([]byte, 64<<10); ; {
		if _, err := p.Write(piece); err != nil {
			break // closed by the server
		}
	}
	if n := h.Stats().QueryBufferCloses; n != 1 {
		t.Errorf("%d closed, want 1", n)
	}
}

// The limit on all clients together closes the one that owes most, whatever
// loop notices.
func TestEvictionFindsTheCulprit(t *testing.T) {
	h := newHub(t, 2, func(s *Settings) { s.OutputPubSub, s.MaxMemoryClients = OutputLimit{}, 8<<20 })
	culprit, p := h.dial(), h.dial()
	innocent := h.dial()
	for h.loopOf(innocent) == h.loopOf(culprit) {
		innocent = h.dial()
	}
	culprit.ask("SUBSCRIBED", "SUBSCRIBE", "much")
	innocent.ask("SUBSCRIBED", "SUBSCRIBE", "little")
	message := strings.Repeat("x", 100_000)
	for h.Stats().Backlog < 6<<20 {
		p.ask("1", "PUBLISH", "much", message)
	}
	n := 0
	for h.Stats().EvictedClients == 0 { // now the other loop notices
		if n++; n > 1000 {
			t.Fatal("nobody was closed")
		}
		p.ask("1", "PUBLISH", "little", message)
	}
	culprit.wantClosed()
	for range n {
		innocent.want("message little " + message)
	}
	if got := h.Stats().EvictedClients; got != 1 {
		t.Errorf("%d clients closed, want 1", got)
	}
}

// Large commands and answers leave no large buffers behind.
func TestLargeCommandsLeaveNoBuffers(t *testing.T) {
	h := newHub(t, 1, nil)
	p := h.dial()
	if _, err := p.Write(append(encode("a", strings.Repeat("x", 32<<20)), '*')); err != nil { // and the next begins
		t.Fatal(err)
	}
	p.want("A")
	done := make(chan int)
	h.loops[0].post(func() {
		l, kept := h.loops[0], 0
		for _, s := range l.sessions {
			kept += cap(s.partial.Load().buf) + cap(s.out.Buf)
		}
		for _, a := range l.command.Args[:cap(l.command.Args)] {
			kept += cap(a)
		}
		done <- kept + cap(l.rest)
	})
	if kept := <-done; kept > readBufferBytes {
		t.Errorf("%d bytes are kept for one that has come", kept)
	}
}

// Who is killed and finished on the loop, so that it hears nothing any more, was
// killed.
func TestFinishOfKilled(t *testing.T) {
	h := newHub(t, 1, nil)
	p := h.dial()
	p.ask("SUBSCRIBED", "SUBSCRIBE", "news")
	var session *Session
	h.Sessions(func(s *Session) { session = s })
	h.Do(session, func() {
		h.Kill(session)
		session.Finish()
	})
	p.wantClosed()
	eventually(t, "one killed", func() bool { return h.Stats().KilledClients == 1 })
}

// QUIT frees a client that does not read from no limit.
func TestQuitKeepsTheLimit(t *testing.T) {
	h := newHub(t, 1, func(s *Settings) { s.OutputPubSub = OutputLimit{SoftBytes: 1 << 20, SoftTime: time.Second} })
	stalled, p := h.dial(), h.dial()
	stalled.ask("SUBSCRIBED", "SUBSCRIBE", "news")
	message := strings.Repeat("x", 100_000)
	for h.Stats().Backlog < 2<<20 {
		p.ask("1", "PUBLISH", "news", message)
	}
	stalled.send("QUIT")
	for deadline := time.Now().Add(20 * time.Second); h.Stats().OutputLimitCloses == 0; {
		if time.Now().After(deadline) {
			t.Fatal("it is still there")
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// A client that never subscribed has the limit of such clients until its last
// answer, however long its answers are.
func TestQuitWaitsForLongAnswers(t *testing.T) {
	h := newHub(t, 1, func(s *Settings) { s.OutputPubSub = OutputLimit{HardBytes: 1 << 20} })
	p := h.dial()
	long := strings.Repeat("X", 16<<20)
	if _, err := p.Write(append(encode(long), encode("QUIT")...)); err != nil {
		t.Fatal(err)
	}
	p.want(long)
	p.want("OK")
}

// The same for those who hear by patterns, whose frames the loop makes itself:
// alone, with another pattern, and by name besides.
func TestStalledSubscribersOfPatterns(t *testing.T) {
	f := func(loops int, v3 bool, names, patterns []string, want ...string) {
		t.Run(fmt.Sprint(names, patterns, " RESP3 ", v3, " loops ", loops), func(t *testing.T) {
			h := newHub(t, loops, nil)
			stalled, p := h.dial(), h.dial()
			if v3 {
				stalled.ask("HELLO", "HELLO", "3")
			}
			if len(names) > 0 {
				stalled.ask("SUBSCRIBED", append([]string{"SUBSCRIBE"}, names...)...)
			}
			stalled.ask("SUBSCRIBED", append([]string{"PSUBSCRIBE"}, patterns...)...)
			n := 0
			for ; n < 300 || h.Stats().Backlog < 1<<20; n += 3 {
				var pipeline []byte
				for i := range 3 {
					pipeline = append(pipeline, encode("PUBLISH", "news", fmt.Sprint(n+i, strings.Repeat("x", 37*n%2000)))...)
				}
				p.write(pipeline)
				for range 3 {
					p.want(fmt.Sprint(len(want)))
				}
			}
			stalled.send("QUIT") // an answer that waits for what was published
			for i := range n {
				for _, w := range want {
					stalled.want(w + " " + fmt.Sprint(i, strings.Repeat("x", 37*(i-i%3)%2000)))
				}
			}
			stalled.want("OK")
		})
	}
	for _, loops := range []int{1, 2} {
		for _, v3 := range []bool{false, true} {
			f(loops, v3, nil, []string{"n*"}, "pmessage n* news")
			f(loops, v3, []string{"other"}, []string{"n*"}, "pmessage n* news")
			f(loops, v3, []string{"news"}, []string{"n*"}, "message news", "pmessage n* news")
		}
	}
}

// A session that was slow, or is gone, leaves no mark: walks send to it, and to
// who gets its number, without a look, and the poller is not asked whether a
// socket takes more that has taken all.
func TestNobodyStaysOccupied(t *testing.T) {
	h := newHub(t, 1, nil)
	slow, leaver, killed, p := h.dial(), h.dial(), h.dial(), h.dial()
	for _, s := range []*peer{slow, leaver, killed} {
		s.ask("SUBSCRIBED", "SUBSCRIBE", "news")
	}
	killed.send("ID")
	id := killed.read()
	message := strings.Repeat("x", 100_000)
	n := 0
	for ; h.Stats().Backlog < 3<<20; n++ {
		p.ask("3", "PUBLISH", "news", message)
	}
	var session *Session
	h.Sessions(func(s *Session) {
		if fmt.Sprint(s.ID()) == id {
			session = s
		}
	})
	h.Kill(session)
	leaver.Close()
	for range n {
		slow.want("message news " + message)
	}
	slow.quiet()
	eventually(t, "two are gone", func() bool { return h.Stats().Connections == 2 })
	marked := make(chan int)
	h.loops[0].post(func() {
		n := 0
		for _, word := range h.loops[0].occupied {
			n += bits.OnesCount64(word)
		}
		marked <- n
	})
	if n := <-marked; n != 0 {
		t.Errorf("%d sessions are marked, none has anything to be sent", n)
	}
	var events [8]unix.EpollEvent
	ready, err := unix.EpollWait(h.loops[0].poller.fd, events[:], 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, ev := range events[:ready] {
		if ev.Events&eventsWrite != 0 {
			t.Errorf("the poller reports that %d takes more: the loop never sleeps", ev.Fd)
		}
	}
}
