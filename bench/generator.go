package bench

import (
	"context"
	"fmt"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// generator is one run against one server. One goroutine, locked to its thread, does everything, so nothing here is
// shared. Descriptors in the poller are numbered: sinks first, then publishers.
type generator struct {
	// Set once.
	shape    shape
	format   *format
	audience int32 // deliveries per publish
	pace     pace
	pid      int // the server, 0 if unknown
	patience time.Duration
	pong     []byte
	zero     time.Time

	poll       *poller
	sinks      []sink
	publishers []*publisher
	quiet      []int // connections that only hold patterns
	buffer     []byte
	ledger     *ledger
	latency    *latency // nil in a closed loop

	// Totals since the run began.
	published  int64
	answers    int64
	deliveries int64

	lastArrival time.Duration
	due         time.Duration // open loop: the next intended time
	closing     bool          // PING went out, PONG finishes a sink
	unfinished  int           // sinks without their PONG
}

// pace is when a run measures and how often it publishes.
type pace struct {
	warmup   time.Duration
	duration time.Duration
	rate     float64 // publishes per second over all publishers; 0 is a closed loop
}

// newGenerator connects and subscribes everything that the shape needs.
func newGenerator(t target, o *options) (*generator, error) {
	dial, err := newDialer(t.address, o.resp3)
	if err != nil {
		return nil, err
	}
	poll, err := newPoller()
	if err != nil {
		return nil, err
	}
	g := &generator{
		shape: o.shape, format: newFormat(o.shape.rooms, o.size, o.resp3), audience: int32(o.shape.subscribers),
		pace: o.pace, pid: t.pid, patience: o.patience, pong: pongPush,
		poll: poll, ledger: newLedger(&o.shape), zero: time.Now(),
	}
	if o.resp3 {
		g.pong = pongPlain
	}
	g.buffer = make([]byte, max(readBufferBytes, 2*g.format.frameLen))
	if g.pace.rate > 0 {
		g.latency = newLatency(g.pace)
	}
	if err := g.connect(dial); err != nil {
		g.close()
		return nil, err
	}
	return g, nil
}

// connect opens the shape's connections: patterns, subscribers, publishers.
func (g *generator) connect(dial *dialer) error {
	s := &g.shape
	for i := range s.patternConnections {
		fd, err := dial.open()
		if err != nil {
			return err
		}
		g.quiet = append(g.quiet, fd)
		var patterns []string
		for n := i; n < s.patterns; n += s.patternConnections {
			patterns = append(patterns, fmt.Sprintf("idle:%06d:*", n))
		}
		if err := dial.subscribe("PSUBSCRIBE", patterns); err != nil {
			return err
		}
	}
	every := make([]string, s.rooms)
	for room := range every {
		every[room] = channel(room)
	}
	for i := range s.subscriptions() {
		fd, err := dial.open()
		if err != nil {
			return fmt.Errorf("subscriber %d: %w", i, err)
		}
		to, names, lanes := allRooms, every, s.rooms*s.publishers
		if !s.everyRoom {
			to, lanes = s.room(i), s.publishers
			names = every[to : to+1]
		}
		g.sinks = append(g.sinks, sink{fd: fd, index: i, room: to, lanes: i * lanes})
		err = dial.subscribe("SUBSCRIBE", names)
		if err == nil {
			err = dial.unread()
		}
		if err == nil {
			err = g.poll.add(fd, i, unix.EPOLLIN|unix.EPOLLRDHUP|unix.EPOLLET)
		}
		if err != nil {
			return fmt.Errorf("subscriber %d: %w", i, err)
		}
	}
	for i := range s.publishers {
		fd, err := dial.open()
		if err != nil {
			return fmt.Errorf("publisher %d: %w", i, err)
		}
		g.publishers = append(g.publishers, newPublisher(fd, i, s, s.pipeline))
		if err := g.poll.add(fd, len(g.sinks)+i, unix.EPOLLIN|unix.EPOLLOUT|unix.EPOLLET); err != nil {
			return err
		}
	}
	return nil
}

func (g *generator) close() {
	for _, fd := range g.quiet {
		unix.Close(fd)
	}
	for i := range g.sinks {
		unix.Close(g.sinks[i].fd)
	}
	for _, p := range g.publishers {
		unix.Close(p.fd)
	}
	g.poll.close()
}

// now is the time since the run began.
func (g *generator) now() time.Duration { return time.Since(g.zero) }

// run publishes through warm-up and measurement, waits for what is in flight, and checks that nothing else comes. Its
// error is a *deliveryError if the server was wrong.
func (g *generator) run(ctx context.Context) (m measurement, err error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	// Waits as short as the schedule asks for; 0 restores the thread's default on return.
	unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0)
	defer unix.Prctl(unix.PR_SET_TIMERSLACK, 0, 0, 0, 0)

	g.zero = time.Now()
	steps := []func() error{
		func() error { return g.publishUntil(ctx, g.pace.warmup/2) },
		func() error { return m.surveys[0].read(g) },
		func() error { return g.publishUntil(ctx, g.pace.warmup) },
		func() error { return m.samples[0].read(g) },
		func() error { return g.publishUntil(ctx, g.pace.warmup+g.pace.duration) },
		// A slow server gets the time to deliver something, so that there is something to divide by.
		func() error {
			return g.publishWhile(ctx, func() bool { return g.deliveries == m.samples[0].deliveries })
		},
		func() error { return m.samples[1].read(g) },
		func() error { return g.drain(ctx) },
		func() error { return m.surveys[1].read(g) },
		func() error { return g.ledger.verdict(g.sinks, g.shape.rooms) },
		func() error { return g.fence(ctx) },
		func() error { return g.ledger.verdict(g.sinks, g.shape.rooms) },
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return m, err
		}
	}
	m.published, m.delivered, m.latency = g.published, g.deliveries, g.latency
	return m, nil
}

// publishUntil runs the loop until the given time and, in an open loop, until what was due by then has been published;
// or until something is wrong, which ends the publishing early.
func (g *generator) publishUntil(ctx context.Context, end time.Duration) error {
	return g.publishWhile(ctx, func() bool { return g.now() < end || g.pace.rate > 0 && g.due < end })
}

// publishWhile runs the loop while more reports true and nothing is wrong. A wait is never longer than interruptPoll.
func (g *generator) publishWhile(ctx context.Context, more func() bool) error {
	for more() && !g.ledger.broken() && !g.stalled() {
		wait := interruptPoll
		if now := g.now(); g.pace.rate == 0 {
			g.publishFree(now)
		} else {
			if err := g.publishDue(now); err != nil {
				return err
			}
			wait = min(wait, g.due-now)
		}
		if err := g.turn(ctx, wait); err != nil {
			return err
		}
	}
	return nil
}

// publishFree is the closed loop: every free slot is filled.
func (g *generator) publishFree(now time.Duration) {
	for _, p := range g.publishers {
		for len(p.free) > 0 {
			g.publish(p, int64(now))
		}
	}
}

// publishDue is the open loop: every message whose intended time has come goes out, whatever the server does.
func (g *generator) publishDue(now time.Duration) error {
	for g.due <= now {
		p := g.publishers[g.published%int64(len(g.publishers))]
		if g.inFlight() == 0 {
			g.lastArrival = now // from here on something is waited for
		}
		if len(p.free) == 0 {
			if len(p.slots) >= maxInFlight {
				return fmt.Errorf("cannot keep the rate: %d publishes of one publisher in flight", len(p.slots))
			}
			p.grow(len(p.slots))
		}
		g.publish(p, int64(g.due))
		g.latency.sent(g.due, now)
		g.due = time.Duration(float64(g.published) / g.pace.rate * float64(time.Second))
	}
	return nil
}

// turn sends what is queued, waits at most the given time for events and handles them.
func (g *generator) turn(ctx context.Context, wait time.Duration) error {
	for _, p := range g.publishers {
		if err := p.flush(); err != nil {
			return err
		}
	}
	ready, err := g.poll.wait(wait)
	if err != nil {
		return err
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if len(ready) > 0 {
		g.lastArrival = g.now()
	}
	for i := range ready {
		id := int(ready[i].Fd)
		if id < len(g.sinks) {
			err = g.readSink(&g.sinks[id], ready[i].Events)
		} else {
			err = g.readPublisher(g.publishers[id-len(g.sinks)], ready[i].Events)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// drain waits until nothing is in flight, or until it can be taken for lost.
func (g *generator) drain(ctx context.Context) error {
	for g.inFlight() > 0 && !g.stalled() {
		if err := g.turn(ctx, interruptPoll); err != nil {
			return err
		}
	}
	return nil
}

func (g *generator) inFlight() (n int) {
	for _, p := range g.publishers {
		n += p.inFlight()
	}
	return n
}

// stalled reports whether something is in flight and nothing has come for longer than patience.
func (g *generator) stalled() bool {
	return g.now()-g.lastArrival > g.patience && g.inFlight() > 0
}

// fence sends PING on every subscriber and reads until every PONG: what comes before it is still checked.
func (g *generator) fence(ctx context.Context) error {
	g.closing, g.unfinished, g.lastArrival = true, len(g.sinks), g.now()
	for i := range g.sinks {
		if n, err := send(g.sinks[i].fd, pingCommand); err != nil || n < len(pingCommand) {
			return fmt.Errorf("subscriber %d: cannot send the closing PING: %w", i, err)
		}
	}
	for g.unfinished > 0 {
		if g.now()-g.lastArrival > g.patience {
			return errOverdue
		}
		if err := g.turn(ctx, interruptPoll); err != nil {
			return err
		}
	}
	return nil
}
