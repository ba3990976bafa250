package engine

import (
	"sync/atomic"
	"time"
)

// tally counts what one tick of a loop did.
type tally struct {
	commands, published, delivered, sends, inputBytes, outputBytes int64
}

// loopStats are a loop's counts since the last reset. The loop adds once a tick,
// and what lingers when it is over; anybody reads.
type loopStats struct {
	commands, published, delivered, sends, inputBytes, outputBytes atomic.Int64
	closes                                                         [closeReasons]atomic.Int64
	dropped                                                        [closeReasons]atomic.Int64 // bytes
}

// add moves a tick's counts here.
func (s *loopStats) add(t *tally) {
	if *t == (tally{}) {
		return
	}
	s.commands.Add(t.commands)
	s.published.Add(t.published)
	s.delivered.Add(t.delivered)
	s.sends.Add(t.sends)
	s.inputBytes.Add(t.inputBytes)
	s.outputBytes.Add(t.outputBytes)
	*t = tally{}
}

// Stats are the engine's counts since the start or the last ResetStats;
// Connections, Subscribers, Rooms, Channels, ShardChannels, Patterns, Backlog
// and ClientMemory are as of now.
type Stats struct {
	Connections         int64
	ConnectionsReceived int64
	ConnectionsRejected int64
	Subscribers         int64 // connections with a subscription
	Rooms               int64
	Channels            int64
	ShardChannels       int64
	Patterns            int64
	Backlog             int64 // bytes that sockets did not take, over all clients
	ClientMemory        int64 // bytes that all clients take, see Session.Memory

	Commands, Published, Delivered int64
	Sends                          int64 // system calls that sent
	InputBytes, OutputBytes        int64
	DroppedBytes                   int64 // owed to clients when they were closed
	Rates                          Rates
	Gaps, LostMessages             int64 // see Engine.Gaps

	// Connections that the engine closed, by reason; Endings has them all.
	ProtocolErrorCloses int64
	OutputLimitCloses   int64
	EvictedClients      int64
	QueryBufferCloses   int64
	TimeoutCloses       int64
	KilledClients       int64
}

// Rates are counts per second, over the last second or so.
type Rates struct {
	Commands, Published, Delivered, InputBytes, OutputBytes float64
}

// sample takes the rates since the sample before, once an interval.
func (e *Engine) sample(before Stats, elapsed time.Duration) (now Stats) {
	now = e.Stats()
	rate := func(now, before int64) float64 { return float64(max(now-before, 0)) / elapsed.Seconds() } // less: ResetStats
	e.rates.Store(&Rates{
		Commands:    rate(now.Commands, before.Commands),
		Published:   rate(now.Published, before.Published),
		Delivered:   rate(now.Delivered, before.Delivered),
		InputBytes:  rate(now.InputBytes, before.InputBytes),
		OutputBytes: rate(now.OutputBytes, before.OutputBytes),
	})
	return now
}

// Stats returns the counts. Any goroutine.
func (e *Engine) Stats() Stats {
	st := Stats{
		Connections:         e.connections.Load(),
		ConnectionsReceived: e.received.Load(),
		Subscribers:         e.subscribers.Load(),
		Rooms:               e.directory.rooms.Load(),
		Channels:            e.directory.channels[Channel].Load(),
		ShardChannels:       e.directory.channels[Shard].Load(),
		Patterns:            e.Patterns(),
		Backlog:             e.backlog.Load(),
		ClientMemory:        e.clientMemory.Load(),
		Rates:               *e.rates.Load(),
	}
	for why := range e.gaps {
		st.Gaps += e.gaps[why].gaps.Load()
		st.LostMessages += e.gaps[why].lost.Load()
	}
	for i := range e.rejected {
		st.ConnectionsRejected += e.rejected[i].Load()
	}
	for _, l := range e.loops {
		st.Commands += l.stats.commands.Load()
		st.Published += l.stats.published.Load()
		st.Delivered += l.stats.delivered.Load()
		st.Sends += l.stats.sends.Load()
		st.InputBytes += l.stats.inputBytes.Load()
		st.OutputBytes += l.stats.outputBytes.Load()
		st.ProtocolErrorCloses += l.stats.closes[closedByProtocolError].Load()
		st.OutputLimitCloses += l.stats.closes[closedByOutputLimit].Load()
		st.EvictedClients += l.stats.closes[closedByMemoryLimit].Load()
		st.QueryBufferCloses += l.stats.closes[closedByQueryBuffer].Load()
		st.TimeoutCloses += l.stats.closes[closedByTimeout].Load()
		st.KilledClients += l.stats.closes[closedByKill].Load()
		for reason := range l.stats.dropped {
			st.DroppedBytes += l.stats.dropped[reason].Load()
		}
	}
	return st
}

// LoopCounts are one loop's part of Stats: Connections as of now, the others
// since the last ResetStats.
type LoopCounts struct {
	Connections      int64
	Delivered, Sends int64
}

// LoopCounts returns the counts of every loop, in their order. Any goroutine.
func (e *Engine) LoopCounts() []LoopCounts {
	counts := make([]LoopCounts, len(e.loops))
	for i, l := range e.loops {
		counts[i] = LoopCounts{l.load.Load(), l.stats.delivered.Load(), l.stats.sends.Load()}
	}
	return counts
}

// Ending counts the connections that ended for one reason.
type Ending struct {
	Reason       string // as in "output buffer limit"; "peer" is the client itself
	Connections  int64
	DroppedBytes int64 // that these connections were not sent any more
}

// Endings returns the counts since the start or the last ResetStats for every
// reason there is, in a fixed order. Any goroutine.
func (e *Engine) Endings() []Ending {
	endings := make([]Ending, closeReasons)
	for reason := range closeReasons {
		ending := &endings[reason]
		ending.Reason = reason.String()
		for _, l := range e.loops {
			ending.Connections += l.stats.closes[reason].Load()
			ending.DroppedBytes += l.stats.dropped[reason].Load()
		}
	}
	return endings
}

// Rejections returns how many connections were not served since the start or
// the last ResetStats, for every reason there is, in a fixed order. Any
// goroutine.
func (e *Engine) Rejections() []Ending {
	rejections := make([]Ending, rejectReasons)
	for reason := range rejectReasons {
		rejections[reason] = Ending{Reason: reason.String(), Connections: e.rejected[reason].Load()}
	}
	return rejections
}

// ResetStats sets the counts back to zero. Any goroutine.
func (e *Engine) ResetStats() {
	e.received.Store(0)
	for why := range e.gaps {
		e.gaps[why].gaps.Store(0)
		e.gaps[why].lost.Store(0)
	}
	for i := range e.rejected {
		e.rejected[i].Store(0)
	}
	for _, l := range e.loops {
		for _, c := range []*atomic.Int64{
			&l.stats.commands, &l.stats.published, &l.stats.delivered,
			&l.stats.sends, &l.stats.inputBytes, &l.stats.outputBytes,
		} {
			c.Store(0)
		}
		for i := range l.stats.closes {
			l.stats.closes[i].Store(0)
			l.stats.dropped[i].Store(0)
		}
	}
}
