package engine

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"time"
)

// The end waits for a subscriber that reads slowly: it gets all it was promised.
func TestShutdownSendsTheRest(t *testing.T) {
	h := newHub(t, 2, nil)
	slow, p := h.dial(), h.dial()
	slow.ask("SUBSCRIBED", "SUBSCRIBE", "news")
	filler := strings.Repeat("x", 100_000)
	const messages = 200
	for i := range messages {
		p.ask("1", "PUBLISH", "news", fmt.Sprint(i, filler))
	}
	if h.Stats().Backlog == 0 {
		t.Fatal("the socket took everything: the test tests nothing")
	}
	down := make(chan error)
	go func() { down <- h.Shutdown() }()
	for i := range messages {
		slow.want(fmt.Sprint("message news ", i, filler))
	}
	if _, err := slow.next(); err != io.EOF {
		t.Errorf("after the last message: %v, want the end", err)
	}
	if err := <-down; err != nil {
		t.Error(err)
	}
}

// What a publisher was promised reaches subscribers of another loop, though the
// end begins between the count and the sending.
func TestShutdownKeepsPromises(t *testing.T) {
	h := newHub(t, 2, nil)
	p, subscriber := h.dial(), h.dial()
	for h.loopOf(subscriber) == h.loopOf(p) {
		subscriber = h.dial()
	}
	other := h.loopOf(subscriber)
	subscriber.ask("SUBSCRIBED", "SUBSCRIBE", "news")
	if _, err := p.Write(append(encode("PUBLISH", "news", "promised"), encode("PASS")...)); err != nil {
		t.Fatal(err)
	}
	<-h.gate // the publisher's loop has counted, and sent nothing
	down := make(chan error)
	go func() { down <- h.Shutdown() }()
	eventually(t, "the subscriber's loop hears of the end", func() bool {
		deaf := make(chan bool)
		other.post(func() { deaf <- other.deaf })
		return <-deaf
	})
	h.gate <- struct{}{}
	p.want("1")
	p.want("PASS")
	subscriber.want("message news promised")
	if err := <-down; err != nil {
		t.Error(err)
	}
}

// It does not wait for ever.
func TestShutdownLeavesWhoDoesNotRead(t *testing.T) {
	t.Parallel()
	h := newHub(t, 2, nil)
	stalled, p := h.dial(), h.dial()
	stalled.ask("SUBSCRIBED", "SUBSCRIBE", "news")
	message := strings.Repeat("x", 100_000)
	for h.Stats().Backlog == 0 {
		p.ask("1", "PUBLISH", "news", message)
	}
	begin := time.Now()
	if err := h.Shutdown(); err != nil {
		t.Error(err)
	}
	if took := time.Since(begin); took < shutdownTimeMax {
		t.Errorf("gave up after %v, before %v", took, shutdownTimeMax)
	}
	stalled.wantClosed()
}
