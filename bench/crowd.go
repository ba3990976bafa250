package bench

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// newGenerator connects and subscribes everything that the shape needs.
func newGenerator(t target, o *options) (*generator, error) {
	dial, err := newDialer(t.addresses)
	if err != nil {
		return nil, err
	}
	speak, err := o.protocols(dial)
	if err != nil {
		return nil, err
	}
	s := o.shape.over(len(t.addresses))
	l := layoutOf(&s, len(t.addresses), speak)
	poll, err := newPoller()
	if err != nil {
		return nil, err
	}
	poll.spin = o.spin
	g := &generator{
		audience: l.audience, pace: o.paceOver(len(t.addresses)), processes: t.processes, patience: o.patience,
		overTCP: dial.overTCP(), nodes: len(t.addresses), protocols: speak,
		poll: poll, ledger: newLedger(s.rooms, s.publishers, l.pairs(), len(t.addresses)), guests: newGuests(l), zero: time.Now(),
		progress: o.progress,
	}
	if s.totalOrder {
		g.order = newOrder(l.audience, l.pairs())
	}
	if s.idleCPU {
		g.idleCPU = idleCPUSpan
	}
	if g.pace.rate > 0 {
		g.latency = newLatency(g.pace)
	}
	if err := g.connect(dial, &s, l, o.size); err != nil {
		g.close()
		return nil, err
	}
	return g, nil
}

// connect opens the shape's connections: patterns, subscribers, wanderers, publishers.
func (g *generator) connect(dial *dialer, s *shape, l *layout, size int) error {
	formats := make(map[protocol]*format)
	for _, p := range g.protocols {
		if formats[p] == nil {
			formats[p] = newFormat(p, s.rooms, size)
			g.buffer = make([]byte, max(readBufferBytes, 2*formats[p].frameLen))
		}
	}
	for i := range s.patternConnections {
		if err := g.connectPatterns(dial, i, s); err != nil {
			return fmt.Errorf("patterns: %w", err)
		}
	}
	every := make([]string, s.rooms)
	for room := range every {
		every[room] = channel(room)
	}
	pairs := 0
	for i, seat := range append(l.seats, l.guests...) {
		if err := g.connectSink(dial, i, seat, formats[seat.protocol], every, pairs); err != nil {
			return fmt.Errorf("subscriber %d: %w", i, err)
		}
		pairs += seat.rooms
	}
	for i, post := range l.posts {
		fd, err := dial.open(post.node, post.protocol)
		if err != nil {
			return fmt.Errorf("publisher %d: %w", i, err)
		}
		// Publishers begin at different rooms, so that they do not march through them together.
		p := newPublisher(fd, i, formats[post.protocol], post, i*post.rooms/len(l.posts), s.pipeline)
		g.publishers = append(g.publishers, p)
		if p.rest, err = dial.unread(); err != nil {
			return fmt.Errorf("publisher %d: %w", i, err)
		}
		if err := g.poll.add(fd, len(g.sinks)+i, unix.EPOLLIN|unix.EPOLLOUT|unix.EPOLLET); err != nil {
			return err
		}
	}
	for i := range l.guests {
		if err := g.enter(&g.sinks[len(l.seats)+i], i); err != nil {
			return fmt.Errorf("wanderer %d: %w", i, err)
		}
	}
	return nil
}

// connectPatterns opens the i-th connection that holds patterns. A NATS server checks now and then that its clients
// live; these do not answer, which it takes some minutes to mind.
func (g *generator) connectPatterns(dial *dialer, i int, s *shape) error {
	p := g.protocols[i%2]
	fd, err := dial.open(i%g.nodes, p)
	if err != nil {
		return err
	}
	g.quiet = append(g.quiet, fd)
	var patterns []string
	for n := i; n < s.patterns; n += s.patternConnections {
		patterns = append(patterns, p.pattern(n))
	}
	return dial.subscribe("PSUBSCRIBE", patterns)
}

// connectSink opens a subscriber and subscribes it to the rooms of its seat.
func (g *generator) connectSink(dial *dialer, i int, at seat, f *format, every []string, pairs int) error {
	fd, err := dial.open(at.node, at.protocol)
	if err != nil {
		return err
	}
	g.sinks = append(g.sinks, newSink(fd, i, f, at, pairs))
	err = dial.subscribe("SUBSCRIBE", every[at.first:at.first+at.rooms])
	if err == nil {
		g.sinks[i].rest, err = dial.unread()
	}
	if err == nil {
		err = g.poll.add(fd, i, unix.EPOLLIN|unix.EPOLLRDHUP|unix.EPOLLET)
	}
	return err
}
