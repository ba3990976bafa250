package engine

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"hubsub/resp"
)

// says is what a suspended command is answered with.
func says(word string) func(*resp.Writer) {
	return func(w *resp.Writer) { w.Simple(word) }
}

func closeWrite(t *testing.T, p *peer) {
	t.Helper()
	if err := p.Conn.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
		t.Fatal(err)
	}
}

// Every answer is in its place, and nobody else waits.
func TestLaterAnswerKeepsItsPlace(t *testing.T) {
	h := newHub(t, 1, nil)
	p, other := h.dial(), h.dial()
	p.write([]byte(strings.Join([]string{
		string(encode("A")), string(encode("LATER")), string(encode("B")), string(encode("LATER")), string(encode("LATER")), string(encode("C")),
	}, "")))
	p.want("A")
	first := <-h.later
	for range 100 {
		other.ask("PING", "PING")
	}
	if len(h.later) > 0 {
		t.Fatal("a command was executed before the answer of the one before it")
	}
	first(says("first"))
	p.want("first")
	p.want("B")
	(<-h.later)(says("second"))
	(<-h.later)(says("third"))
	p.want("second")
	p.want("third")
	p.want("C")
	p.quiet()
}

// What was sent meanwhile is executed after the answer, and is bounded: a
// client that sends on and on is not read.
func TestSuspendedClientIsNotRead(t *testing.T) {
	h := newHub(t, 1, nil)
	p, other := h.dial(), h.dial()
	p.send("LATER")
	answer := <-h.later
	const commands = 20_000
	word := strings.Repeat("X", 1000)
	written := make(chan error, 1)
	go func() {
		_, err := p.Write([]byte(strings.Repeat(string(encode(word)), commands)))
		written <- err
	}()
	for range 1000 {
		other.ask("PING", "PING")
	}
	h.Sessions(func(s *Session) {
		if n := s.Buffered(); n > readBufferBytes {
			t.Errorf("%d bytes were read of a client whose answer is to come", n)
		}
	})
	select {
	case err := <-written:
		t.Fatalf("all was read (%v): the test tests nothing", err)
	default:
	}
	answer(says("now"))
	p.want("now")
	for range commands {
		p.want(word)
	}
	if err := <-written; err != nil {
		t.Error(err)
	}
}

// Messages do not wait.
func TestSuspendedClientHears(t *testing.T) {
	h := newHub(t, 1, nil)
	s, p := h.dial(), h.dial()
	s.ask("HELLO", "HELLO", "3")
	s.ask("SUBSCRIBED", "SUBSCRIBE", "news")
	s.send("LATER")
	answer := <-h.later
	p.ask("1", "PUBLISH", "news", "hello")
	s.want("message news hello")
	answer(func(w *resp.Writer) {
		if !w.V3 {
			t.Error("the answer is in RESP2")
		}
		w.Simple("now")
	})
	s.want("now")
	p.ask("1", "PUBLISH", "news", "again")
	s.want("message news again")
}

// An answer goes nowhere if its command's would have gone nowhere; later ones
// come.
func TestMutedLaterAnswer(t *testing.T) {
	h := newHub(t, 1, nil)
	p := h.dial()
	p.write(append(encode("MUTE"), encode("PING")...))
	(<-h.later)(says("nothing to hear"))
	p.want("PING")
	p.quiet()
}

// A client that shuts down its sending side gets the answer, those behind it,
// and the end.
func TestHalfClosedClientGetsLaterAnswer(t *testing.T) {
	h := newHub(t, 1, nil)
	other := h.dial()
	for _, early := range []bool{true, false} {
		p := h.dial()
		p.write(append(encode("LATER"), encode("PING")...))
		answer := <-h.later
		if early {
			closeWrite(t, p)
			other.quiet() // the loop has had its chance to see the end
		}
		answer(says("now"))
		p.want("now")
		p.want("PING")
		if !early {
			closeWrite(t, p)
		}
		if _, err := p.next(); err != io.EOF {
			t.Errorf("after the last answer: %v, want the end", err)
		}
	}
	other.Close()
	eventually(t, "nobody connected", func() bool { return h.connections.Load() == 0 && h.clientMemory.Load() == 0 })
}

// Who is gone gets no answer, and costs nothing any more before it comes.
func TestLaterAnswerForNobody(t *testing.T) {
	h := newHub(t, 1, nil)
	var answers []func(func(*resp.Writer))
	suspend := func() *peer {
		p := h.dial()
		p.write(append(encode("LATER"), encode("PING")...))
		answers = append(answers, <-h.later)
		return p
	}
	suspend().Close()
	killed := suspend()
	var sessions []*Session
	h.Sessions(func(s *Session) { sessions = append(sessions, s) })
	for _, s := range sessions {
		h.Kill(s)
	}
	killed.wantClosed()
	eventually(t, "nobody connected", func() bool { return h.connections.Load() == 0 && h.clientMemory.Load() == 0 })

	next := h.dial() // has the number of a file that was closed
	next.ask("PING", "PING")
	for _, answer := range answers {
		answer(func(*resp.Writer) { t.Error("an answer was written for nobody") })
	}
	next.quiet()
}

// The end of the engine does not wait for the answer, which may come at any
// time.
func TestShutdownDoesNotWaitForLaterAnswers(t *testing.T) {
	t.Parallel()
	h := newHub(t, 2, nil)
	var answers []func(func(*resp.Writer))
	var peers []*peer
	for range 4 {
		p := h.dial()
		p.ask("PING", "PING")
		p.write(append(encode("LATER"), encode("PING")...))
		answers = append(answers, <-h.later)
		peers = append(peers, p)
	}
	var answering sync.WaitGroup
	for _, answer := range answers[2:] { // some come while the engine ends
		answering.Go(func() { answer(says("perhaps")) })
	}
	begin := time.Now()
	if err := h.Shutdown(); err != nil {
		t.Error(err)
	}
	if took := time.Since(begin); took >= shutdownTimeMax {
		t.Errorf("the end took %v", took)
	}
	answering.Wait()
	for _, answer := range answers[:2] {
		answer(func(*resp.Writer) { t.Error("an answer was written after the end") })
	}
	for _, p := range peers[:2] {
		p.wantClosed()
	}
}

// Who waits for us is not silent.
func TestTimeoutSparesWhoWaits(t *testing.T) {
	t.Parallel()
	h := newHub(t, 1, func(s *Settings) { s.Timeout = time.Second })
	p, silent := h.dial(), h.dial()
	silent.ask("PING", "PING")
	p.send("LATER")
	answer := <-h.later
	silent.wantClosed()
	time.Sleep(2 * time.Second) // longer than the timeout and the look for it
	answer(says("now"))
	p.want("now")
	p.quiet()
}

// Many clients, answered by many goroutines in any order.
func TestLaterAnswersFromEverywhere(t *testing.T) {
	h := newHub(t, 2, nil)
	const clients, commands = 20, 50
	done := make(chan struct{})
	var answering, asking sync.WaitGroup
	for range 4 {
		answering.Go(func() {
			for {
				select {
				case answer := <-h.later:
					go answer(says("now"))
				case <-done:
					return
				}
			}
		})
	}
	for i := range clients {
		p := h.dial()
		asking.Go(func() {
			var pipeline []byte
			for n := range commands {
				pipeline = append(pipeline, encode("LATER")...)
				pipeline = append(pipeline, encode(fmt.Sprintf("P%d-%d", i, n))...)
			}
			if _, err := p.Write(pipeline); err != nil {
				t.Error(err)
				return
			}
			for n := range commands {
				for _, want := range []string{"now", fmt.Sprintf("P%d-%d", i, n)} {
					_ = p.SetReadDeadline(time.Now().Add(20 * time.Second))
					if got, err := p.next(); got != want {
						t.Errorf("got %q (%v), want %q", got, err, want)
						return
					}
				}
			}
		})
	}
	asking.Wait()
	close(done)
	answering.Wait()
}
