package e2e

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

const (
	// floodSubscribers is how many each node has: enough to make a channel crowded.
	floodSubscribers = 20
	floodPayload     = 100

	// floodTick is how often a publisher sends what is due, in one write.
	floodTick = 2 * time.Millisecond

	// floodBehind is how many seconds' messages may be without an answer before a publisher waits: what is more only
	// measures a queue.
	floodBehind = 0.25

	// floodFirst is the pace that a search begins with, in messages a second.
	floodFirst = 3000

	// coreBusyMax is how busy a core may be on average over coreWindow, this benchmark and whatever else there is.
	coreBusyMax = 0.8
	coreWindow  = time.Second

	// afterFlood is how long nothing comes when all has come.
	afterFlood = 2 * time.Second
)

// A flood is a room with subscribers and a publisher on each node, which publish at a pace together. It counts what comes
// and looks at none of it, so as to cost little.
type flood struct {
	publishers []*floodPublisher
	frame      int           // bytes of a message as it comes
	came       atomic.Int64  // bytes
	pace       atomic.Int64  // messages a second
	stop       chan struct{} // closed: no more are sent
}

type floodPublisher struct {
	c              *client
	sent, answered atomic.Int64 // messages
	refused        atomic.Int64 // of the answered
	reached        atomic.Int64 // subscribers, by the answers
}

// newFlood connects and subscribes; it publishes nothing before it has a pace.
func newFlood(b *testing.B, room string, nodes []*node) *flood {
	b.Helper()
	payload := strings.Repeat("x", floodPayload)
	f := &flood{stop: make(chan struct{}), frame: len(appendCommand(nil, "message", room, payload))}
	for _, n := range nodes {
		for range floodSubscribers {
			c := dial(b, n.server)
			must(b, c.expect("[subscribe "+room+" 1]", "SUBSCRIBE", room), c.conn.SetDeadline(time.Time{}))
			go func() {
				chunk := make([]byte, 64<<10)
				for {
					n, err := c.conn.Read(chunk)
					f.came.Add(int64(n))
					if err != nil {
						return
					}
				}
			}()
		}
	}
	command := appendCommand(nil, "PUBLISH", room, payload)
	for _, n := range nodes {
		p := &floodPublisher{c: dial(b, n.server)}
		must(b, p.c.conn.SetDeadline(time.Time{}))
		f.publishers = append(f.publishers, p)
		go p.listen()
		go p.publish(f, command)
	}
	return f
}

// publish sends this publisher's part of the pace.
func (p *floodPublisher) publish(f *flood, command []byte) {
	tick := time.NewTicker(floodTick)
	defer tick.Stop()
	due, last := 0.0, time.Now()
	for {
		select {
		case <-f.stop:
			return
		case <-tick.C:
		}
		now, pace := time.Now(), float64(f.pace.Load())/float64(len(f.publishers))
		due += pace * now.Sub(last).Seconds()
		last = now
		if float64(p.sent.Load()-p.answered.Load()) > pace*floodBehind {
			due = 0
			continue
		}
		n := int(due)
		due -= float64(n)
		p.sent.Add(int64(n))
		if _, err := p.c.conn.Write(bytes.Repeat(command, n)); err != nil {
			return
		}
	}
}

// listen reads the answers.
func (p *floodPublisher) listen() {
	for r := bufio.NewReaderSize(p.c.conn, 64<<10); ; {
		said, err := readReply(r)
		if err != nil {
			return
		}
		if said.kind != ':' {
			p.refused.Add(1)
		}
		p.reached.Add(said.n)
		p.answered.Add(1)
	}
}

// delivered returns how many messages have come, over all subscribers.
func (f *flood) delivered() int64 { return f.came.Load() / int64(f.frame) }

// unanswered returns how many messages wait for answers.
func (f *flood) unanswered() (n int64) {
	for _, p := range f.publishers {
		n += p.sent.Load() - p.answered.Load()
	}
	return n
}

// find looks for the fastest pace that the machine can hold, in large steps and then in small ones.
func (f *flood) find(b *testing.B) {
	pace := float64(floodFirst)
	for _, step := range []float64{1.5, 1.1} {
		for {
			f.pace.Store(int64(pace * step))
			time.Sleep(coreWindow / 2)
			if f.over(b, coreWindow) && f.over(b, coreWindow) { // others may have been busy for a moment
				break
			}
			pace *= step
		}
	}
	f.pace.Store(int64(pace))
	time.Sleep(coreWindow)
}

// hold keeps the pace for so long, and slows down when it is too much for two windows together. It returns which part of
// the windows were too much.
func (f *flood) hold(b *testing.B, during time.Duration) (over float64) {
	windows, row := 0, 0
	for end := time.Now().Add(during); time.Now().Before(end); windows++ {
		if !f.over(b, min(coreWindow, time.Until(end))) {
			row = 0
			continue
		}
		over++
		if row++; row == 2 {
			f.pace.Store(f.pace.Load() * 95 / 100)
			row = 0
		}
	}
	return over / float64(max(windows, 1))
}

// over reports whether the pace is more than the machine should carry, or than the cluster can.
func (f *flood) over(b *testing.B, window time.Duration) bool {
	before := readCores(b)
	time.Sleep(window)
	_, most := readCores(b).since(before)
	behind := float64(f.unanswered()) / float64(f.pace.Load())
	if testing.Verbose() {
		fmt.Fprintf(os.Stderr, "%d messages/s: busiest core %.0f %%, %.0f ms behind\n", f.pace.Load(), 100*most, 1000*behind)
	}
	return most > coreBusyMax || behind > floodBehind/2
}

// end stops publishing, and returns how many messages were refused, and how many subscribers that a message has reached,
// as its publisher was told, have not got it when nothing more comes.
func (f *flood) end(b *testing.B) (refused, missing int64) {
	close(f.stop)
	for giveUp := time.Now().Add(settleLimit); f.unanswered() > 0; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(giveUp) {
			b.Fatalf("%d messages are not answered", f.unanswered())
		}
	}
	want := int64(0)
	for _, p := range f.publishers {
		refused += p.refused.Load()
		want += p.reached.Load()
	}
	for last, giveUp := int64(-1), time.Now(); f.delivered() < want && time.Now().Before(giveUp); time.Sleep(10 * time.Millisecond) {
		if got := f.delivered(); got != last {
			last, giveUp = got, time.Now().Add(afterFlood)
		}
	}
	return refused, want - f.delivered()
}
