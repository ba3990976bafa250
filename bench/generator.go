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
	audience  []int32 // deliveries per publish of a room
	pace      pace
	processes processes // of the server, none if unknown
	patience  time.Duration
	overTCP   bool
	nodes     int
	protocols protocols
	idleCPU   time.Duration // for how long to measure the idle server; 0: not
	zero      time.Time
	progress  *progress // nil without a terminal

	poll       *poller
	sinks      []sink // wanderers last
	publishers []*publisher
	quiet      []int // connections that only hold patterns
	buffer     []byte
	ledger     *ledger
	order      *order   // nil if it is not checked
	guests     *guests  // nil if nobody wanders
	latency    *latency // nil in a closed loop

	// Totals since the run began.
	published  int64
	answers    int64
	deliveries int64

	lastArrival time.Duration
	due         time.Duration // open loop: the next intended time
	draining    bool          // wanderers stay where they are
	closing     bool          // PING went out, PONG finishes a sink
	unfinished  int           // sinks without their PONG
}

// pace is when a run measures and how often it publishes.
type pace struct {
	warmup   time.Duration
	duration time.Duration
	rate     float64 // publishes per second over all publishers; 0 is a closed loop
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

	if m.idle, err = g.measureIdleCPU(ctx); err != nil {
		return m, err
	}
	g.zero, g.lastArrival = time.Now(), 0
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
		g.verdict,
		func() error { return g.fence(ctx) },
		g.verdict,
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return m, err
		}
	}
	m.published, m.delivered, m.latency, m.overTCP = g.published, g.deliveries, g.latency, g.overTCP
	m.partCount, m.ordered, m.guests = g.ledger.partCount, g.order != nil, g.guests
	return m, nil
}

// publishUntil runs the loop until the given time and, in an open loop, until what was due by then has been published;
// or until something is wrong, which ends the publishing early.
func (g *generator) publishUntil(ctx context.Context, end time.Duration) error {
	return g.publishWhile(ctx, func() bool { return g.now() < end || g.pace.rate > 0 && g.due < end })
}

// publishWhile runs the loop while more reports true and nothing is wrong. A wait is never longer than interruptPoll.
func (g *generator) publishWhile(ctx context.Context, more func() bool) error {
	for more() && !g.broken() && !g.stalled() {
		wait := interruptPoll
		now := g.now()
		g.progress.show(now, g.deliveries)
		if g.pace.rate == 0 {
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

// drain waits until nothing is in flight, or until it can be taken for lost. Wanderers stay where they are.
func (g *generator) drain(ctx context.Context) error {
	g.draining = true
	for g.inFlight()+g.guests.unsettled(g.ledger) > 0 && g.now()-g.lastArrival <= g.patience {
		if err := g.turn(ctx, interruptPoll); err != nil {
			return err
		}
	}
	return nil
}

// broken reports whether anything was wrong so far.
func (g *generator) broken() bool {
	return g.ledger.broken() || g.order != nil && g.order.violated > 0
}

// verdict returns a *deliveryError if anything was wrong. To be called when nothing is in flight any more.
func (g *generator) verdict() error {
	g.guests.verdict(g.ledger)
	err := g.ledger.verdict(g.sinks)
	if g.order == nil || g.order.violated == 0 {
		return err
	}
	failure, ok := err.(*deliveryError)
	if !ok {
		failure = &deliveryError{first: g.order.first}
	}
	failure.disordered = g.order.violated
	return failure
}

// completed returns how many publishes were answered, or in NATS, which has no answers, delivered to everybody.
func (g *generator) completed() int64 {
	if g.protocols[0] == nats {
		return g.published - int64(g.inFlight())
	}
	return g.answers
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

// fence sends PING on every subscriber and reads until every PONG, and for afterwards longer: what comes is still checked.
func (g *generator) fence(ctx context.Context) error {
	g.closing, g.unfinished, g.lastArrival = true, len(g.sinks), g.now()
	for i := range g.sinks {
		if err := sendWhole(g.sinks[i].fd, g.sinks[i].format.ping); err != nil {
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
	return g.listen(ctx, afterwards)
}

// listen takes what comes for so long.
func (g *generator) listen(ctx context.Context, span time.Duration) error {
	for end := g.now() + span; g.now() < end; {
		if err := g.turn(ctx, min(interruptPoll, end-g.now())); err != nil {
			return err
		}
	}
	return nil
}
