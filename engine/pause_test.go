package engine

import (
	"io"
	"strings"
	"testing"
	"time"
)

const blobBytes = 100_000

var blob = strings.Repeat("b", blobBytes)

// blobs is a pipeline of n commands with long answers.
func blobs(n int) []byte { return []byte(strings.Repeat(string(encode("BLOB", "100000")), n)) }

// eventually waits for what no event tells the test.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not seen: %s", what)
		}
	}
}

// A client that sends and does not read costs a bounded memory, costs the others
// nothing, and finds every answer in its place when it reads.
func TestClientThatDoesNotReadIsNotRead(t *testing.T) {
	h := newHub(t, 1, nil)
	mute, other := h.dial(), h.dial()
	const commands = 3000 // 300 MB of answers
	written := make(chan error, 1)
	go func() {
		_, err := mute.Write(blobs(commands))
		written <- err
	}()
	most := int64(unreadBytesMax + answersBytesMax + blobBytes + 100)
	eventually(t, "a full backlog", func() bool { return h.Stats().Backlog >= unreadBytesMax })
	for range 1000 {
		other.ask("PING", "PING")
		if n := h.Stats().Backlog; n > most {
			t.Fatalf("%d bytes of backlog, want at most %d", n, most)
		}
	}
	for i := range commands {
		if got := mute.read(); got != blob {
			t.Fatalf("answer %d: %d bytes, %.20q", i, len(got), got)
		}
	}
	mute.ask("PING", "PING")
	if err := <-written; err != nil {
		t.Error(err)
	}
	if n := h.Stats().Backlog; n != 0 {
		t.Errorf("%d bytes of backlog after all was read", n)
	}
}

// Answers that are no longer than their commands pile up as far and no further,
// and while they do, the loop sleeps.
func TestBacklogOfShortAnswers(t *testing.T) {
	h := newHub(t, 1, nil)
	p, other := h.dial(), h.dial()
	word := strings.Repeat("X", 1000)
	go func() { _, _ = p.Write([]byte(strings.Repeat(string(encode(word)), 64_000))) }() // until the test ends
	eventually(t, "a full backlog", func() bool { return h.Stats().Backlog >= unreadBytesMax })
	for range 1000 {
		other.ask("PING", "PING")
	}
	if n := h.Stats().Backlog; n > unreadBytesMax+(2+gatherRoundsMax)*readBufferBytes {
		t.Errorf("%d bytes of backlog", n)
	}
	posted := make(chan int)
	h.loops[0].post(func() { posted <- len(h.loops[0].posted) })
	if n := <-posted; n != 0 {
		t.Errorf("%d posts wait: the loop has no sleep", n)
	}
}

// One read of short commands with long answers does not fill the memory before
// the first is sent.
func TestLongAnswersTakeTurns(t *testing.T) {
	h := newHub(t, 1, nil)
	p := h.dial()
	if _, err := p.Write(blobs(2000)); err != nil { // 60 KB: one read of the loop
		t.Fatal(err)
	}
	for range 2000 {
		if got := p.read(); got != blob {
			t.Fatalf("%d bytes, %.20q", len(got), got)
		}
		if n := h.Stats().Backlog; n > unreadBytesMax+answersBytesMax+blobBytes+100 {
			t.Fatalf("%d bytes of backlog", n)
		}
	}
	p.quiet()
}

// Who reads slowly for longer than the timeout is not silent.
func TestTimeoutSparesSlowReaders(t *testing.T) {
	t.Parallel()
	h := newHub(t, 1, func(s *Settings) { s.Timeout = time.Second })
	p := h.dial()
	go func() { _, _ = p.Write(blobs(800)) }()
	eventually(t, "a full backlog", func() bool { return h.Stats().Backlog >= unreadBytesMax })
	for i := range 800 {
		if got := p.read(); got != blob {
			t.Fatalf("answer %d: %d bytes", i, len(got))
		}
		time.Sleep(4 * time.Millisecond) // it is slow: 3 s for all
	}
	p.quiet()
}

// A subscriber's commands do not wait for what it has not read: one may be
// UNSUBSCRIBE.
func TestSlowSubscriberMayLeave(t *testing.T) {
	h := newHub(t, 1, func(s *Settings) { s.OutputPubSub = OutputLimit{} })
	stalled, p := h.dial(), h.dial()
	stalled.ask("SUBSCRIBED", "SUBSCRIBE", "news")
	message := strings.Repeat("x", 1<<20)
	for h.Stats().Backlog < 2*unreadBytesMax {
		p.ask("1", "PUBLISH", "news", message)
	}
	stalled.send("UNSUBSCRIBE", "news")
	eventually(t, "nobody hears", func() bool {
		p.send("PUBLISH", "news", "x")
		return p.read() == "0"
	})
}

// An operator's limit goes before the pause.
func TestOutputLimitOfNormalClients(t *testing.T) {
	h := newHub(t, 1, func(s *Settings) { s.OutputNormal = OutputLimit{HardBytes: 64 << 20} })
	p := h.dial()
	go func() { _, _ = p.Write(blobs(3000)) }() // until it is closed
	eventually(t, "a close", func() bool { return h.Stats().OutputLimitCloses == 1 })
	p.wantClosed()
}

// Who has not authenticated owes next to nothing.
func TestStrangersOutputLimit(t *testing.T) {
	h := newHub(t, 1, nil)
	p := h.dial()
	p.ask("STRANGER", "STRANGER")
	go func() { _, _ = p.Write(blobs(3000)) }() // until it is closed
	eventually(t, "a close", func() bool { return h.Stats().OutputLimitCloses == 1 })
	p.wantClosed()
}

// A client that shuts down its sending side gets all its answers, however
// slowly it reads them, and then the end.
func TestHalfClosedClientGetsLongAnswers(t *testing.T) {
	h := newHub(t, 1, nil)
	for _, answers := range []int{1, 50, 1000} {
		p := h.dial()
		if _, err := p.Write(blobs(answers)); err != nil {
			t.Fatal(err)
		}
		if err := p.Conn.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
			t.Fatal(err)
		}
		for i := range answers {
			if got := p.read(); got != blob {
				t.Fatalf("answer %d of %d: %d bytes, %.20q", i, answers, len(got), got)
			}
		}
		if _, err := p.next(); err != io.EOF {
			t.Errorf("after the last answer: %v, want the end", err)
		}
	}
	eventually(t, "nobody connected, nothing owed", func() bool {
		return h.connections.Load() == 0 && h.backlog.Load() == 0 && h.clientMemory.Load() == 0
	})
}

// One that never reads after that is closed in time; meanwhile it counts.
func TestHalfClosedClientThatGoes(t *testing.T) {
	h := newHub(t, 1, nil)
	p := h.dial()
	if _, err := p.Write(blobs(100)); err != nil {
		t.Fatal(err)
	}
	eventually(t, "backlog", func() bool { return h.Stats().Backlog > 0 })
	if err := p.Conn.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	sessions := func() (n int) {
		h.Sessions(func(*Session) { n++ })
		return n
	}
	eventually(t, "no session", func() bool { return sessions() == 0 })
	if n := h.connections.Load(); n != 1 {
		t.Errorf("%d connections count while it lingers, want 1", n)
	}
	p.Close()
	eventually(t, "nobody connected, nothing owed", func() bool {
		return h.connections.Load() == 0 && h.backlog.Load() == 0 && h.clientMemory.Load() == 0
	})
	if st := h.Stats(); st.DroppedBytes == 0 {
		t.Error("what it did not read is not counted as dropped")
	}
}
