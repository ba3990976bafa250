package link

import (
	"os"
	"testing"
	"time"
)

// The socket takes a part of what a caller writes: the writer goes on with it.
func TestPartialWrites(t *testing.T) {
	a, b := start(t, nil, "127.0.0.1:0", "1"), start(t, nil, "127.0.0.1:0", "2")
	a.must(t, b, 0)
	b.arrives(t, a, 1)
	for range 3 {
		hang := make(chan struct{})
		b.blocks(hang)
		n, _ := b.count(a)
		sent := 0
		for a.Send(b.name, b.address, noise(nil, uint64(n+sent), 15_000), 1) {
			sent++
		}
		close(hang)
		b.blocks(nil)
		b.arrives(t, a, n+sent)
		if sent*15_000 < ringBytesMax {
			t.Errorf("only %d were taken", sent)
		}
	}
	if s := a.Stats(); s.Untaken["full"] != 3 || s.Connections != 1+s.Stalled { // a machine that stands still stalls it
		t.Errorf("counted %+v", s)
	}
}

// Connections that end, peers that are forgotten and links that close leave no
// descriptor behind; goroutines are looked for when all tests have ended.
func TestNoDescriptorsLeft(t *testing.T) {
	open := func() int {
		files, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Skip(err)
		}
		return len(files)
	}
	a := start(t, nil, "127.0.0.1:0", "1")
	before := open()
	for i := range 20 {
		b := start(t, nil, "127.0.0.1:0", "2")
		for !a.say(b, i) {
			time.Sleep(time.Millisecond)
		}
		if i%2 == 0 {
			b.say(a, i)
		}
		eventually(t, func() bool { n, _ := b.count(a); return n == 1 })
		if i%3 == 0 {
			a.Forget(b.name)
		}
		b.end()
		a.Forget(b.name)
		a.mu.Lock()
		clear(a.from)
		a.mu.Unlock()
	}
	eventually(t, func() bool { return open() <= before })
	if s := a.Stats(); s.Peers != 0 || s.Connected != 0 || s.Sent.Records != 20 {
		t.Errorf("counted %+v", s)
	}
}
