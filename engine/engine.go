package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"hubsub/engine/glob"
	"hubsub/resp"
	"hubsub/ring"
)

// Handler executes what clients send. Its methods run on the session's loop;
// package command is one.
type Handler interface {
	// Open is called when a connection begins, before its first command. It
	// decides whether the client is authenticated.
	Open(s *Session)
	// Execute runs one command. cmd has at least one argument and is valid
	// during the call only.
	Execute(s *Session, cmd *resp.Command)
	// Close is called when a connection has ended.
	Close(s *Session)
	// Fault returns the error for a publish that a lane did not take, its code
	// before it.
	Fault(code Code) string
}

// Config is what an engine needs to start.
type Config struct {
	Loops    int // 1 to LoopsMax
	Listen   Listen
	Settings Settings
	IOUring  bool // send to many with one system call, where the kernel allows it
	Handler  Handler
	Log      *slog.Logger

	// Lanes makes a loop's lane, in Start, before any loop runs. Nil: there is no
	// cluster.
	Lanes func(loop, loops int, s Sink) Lane
	// MessageBytesMax is the longest message with its channel that lanes take; 0:
	// any.
	MessageBytesMax int
}

// Engine is all loops of one process and what they share.
type Engine struct {
	// Set once.
	handler   Handler
	lanes     func(loop, loops int, s Sink) Lane
	largest   int // bytes of a message for lanes
	log       *slog.Logger
	start     time.Time
	unixPath  string // of the Unix socket, "" for none
	ioUring   bool
	directory *directory
	patterns  patterns
	loops     []*loop
	inboxes   []*ring.Inbox[*run] // loops[i].inbox is inboxes[i]
	listeners []*listener
	quit      chan struct{} // closed by Shutdown
	places    chan struct{} // of connections on their way to a loop
	running   sync.WaitGroup

	// Any goroutine, atomic.
	settings     atomic.Pointer[liveSettings]
	connections  atomic.Int64
	received     atomic.Int64
	rejected     [rejectReasons]atomic.Int64
	gaps         [whys]gapCounts
	backlog      atomic.Int64
	clientMemory atomic.Int64 // see Session.Memory
	subscribers  atomic.Int64 // sessions with a subscription
	lastID       atomic.Uint64
	warned       atomic.Int64 // when a warning about one client was last logged
	untold       atomic.Int64 // such warnings since
	rates        atomic.Pointer[Rates]
	lingering    sync.WaitGroup
	lingerers    sync.Map // of net.Conn: those who linger

	late sync.RWMutex
	over bool // nothing may be posted by other goroutines any more; guarded by late

	evicting sync.Mutex
	evicted  int64 // when clients were last evicted, by the clock; guarded by evicting
}

// liveSettings are the settings and what follows from them.
type liveSettings struct {
	Settings
	limits, strictLimits resp.Limits // for clients that have authenticated, and not yet
}

// New returns an engine that listens but does not yet accept.
func New(c Config) (*Engine, error) {
	if c.Loops < 1 || c.Loops > LoopsMax {
		return nil, fmt.Errorf("cannot run %d loops: 1 to %d are possible", c.Loops, LoopsMax)
	}
	e := &Engine{
		handler:   c.Handler,
		lanes:     c.Lanes,
		largest:   c.MessageBytesMax,
		log:       c.Log,
		start:     time.Now(),
		unixPath:  c.Listen.UnixSocket,
		ioUring:   c.IOUring,
		directory: newDirectory(c.Loops),
		quit:      make(chan struct{}),
		places:    make(chan struct{}, enrollsMax),
	}
	e.SetSettings(c.Settings)
	e.rates.Store(&Rates{})
	var err error
	if e.listeners, err = c.Listen.open(listenerFloor(c.Loops, c.Settings.MaxClients)); err != nil {
		return nil, err
	}
	for i := range c.Loops {
		e.inboxes = append(e.inboxes, ring.NewInbox[*run](i))
	}
	for i := range c.Loops {
		e.loops = append(e.loops, newLoop(e, i))
	}
	return e, nil
}

// Start runs the loops and begins to accept.
func (e *Engine) Start() error {
	for _, l := range e.loops {
		if err := l.prepare(); err != nil {
			return errors.Join(err, e.Shutdown())
		}
	}
	for _, l := range e.loops {
		if e.lanes != nil {
			l.relay = newRelay(l, e.largest)
		}
	}
	for _, l := range e.loops {
		if e.lanes != nil {
			l.relay.lane = e.lanes(l.id, len(e.loops), sink{l.relay})
		}
	}
	for _, l := range e.loops {
		l.start()
	}
	for _, ln := range e.listeners {
		e.running.Go(func() { e.accept(ln) })
	}
	e.running.Go(e.keepHouse)
	return nil
}

// clock returns nanoseconds since the engine was made.
func (e *Engine) clock() int64 { return int64(time.Since(e.start)) }

// Settings returns the settings in force; the caller must not change them. Any
// goroutine.
func (e *Engine) Settings() Settings { return e.settings.Load().Settings }

// SetSettings puts settings in force for everything that happens from now on.
// Any goroutine, one at a time.
func (e *Engine) SetSettings(s Settings) {
	live := &liveSettings{Settings: s, limits: resp.DefaultLimits()}
	live.limits.BulkMaxBytes = s.MaxBulkBytes
	live.strictLimits = live.limits.BeforeAuth()
	e.settings.Store(live)
}

// Channels calls yield for each channel of the kind that has subscribers. Any
// goroutine; yield must not call the engine.
func (e *Engine) Channels(kind Kind, yield func(name string, subscribers int64)) {
	if kind == Pattern {
		e.patterns.each(yield)
		return
	}
	e.directory.each(kind, yield)
}

// Names returns the channels of the kind, or the patterns, that have subscribers:
// those that the pattern matches, or all if it is nil. Any goroutine.
func (e *Engine) Names(kind Kind, pattern []byte) (names []string) {
	e.Channels(kind, func(name string, _ int64) {
		if pattern == nil || glob.Match(pattern, []byte(name)) {
			names = append(names, name)
		}
	})
	return names
}

// Subscribers returns how many clients are subscribed to a channel by name. Any
// goroutine.
func (e *Engine) Subscribers(kind Kind, name []byte) int64 {
	if ch := e.directory.lookup(kind, name); ch != nil {
		return ch.subscribers.Load()
	}
	return 0
}

// InCluster reports whether there are lanes. Any goroutine.
func (e *Engine) InCluster() bool { return e.lanes != nil }

// Patterns returns how many different patterns clients are subscribed to. Any
// goroutine.
func (e *Engine) Patterns() int64 { return e.patterns.count.Load() }

// closed counts a session that has ended.
func (e *Engine) closed(s *Session) {
	if !s.has(lingering) {
		e.connections.Add(-1)
	}
	s.loop.stats.closes[s.reason].Add(1)
	switch s.reason {
	case closedByOutputLimit, closedByMemoryLimit, closedByQueryBuffer:
		if others, ok := e.mayWarn(); ok {
			e.log.Warn("closed a client over its limit", "id", s.id, "addr", s.RemoteAddr(), "reason", s.reason.String(),
				"others before", others)
		}
	default:
		e.tell("client disconnected", s, "reason", s.reason.String())
	}
}

// mayWarn reports whether a warning about one client may be logged: one a second
// tells an operator, the counters tell how many. others are those that were not
// logged since the last.
func (e *Engine) mayWarn() (others int64, ok bool) {
	now, last := e.clock(), e.warned.Load()
	if last != 0 && now-last < int64(warningInterval) || !e.warned.CompareAndSwap(last, now) {
		e.untold.Add(1)
		return 0, false
	}
	return e.untold.Swap(0), true
}

// tell logs what happens to one client, for those who ask for such lines.
func (e *Engine) tell(event string, s *Session, more ...any) {
	if e.log.Enabled(context.Background(), slog.LevelDebug) {
		e.log.Debug(event, append([]any{"id", s.id, "addr", s.RemoteAddr()}, more...)...)
	}
}

// keepHouse has the loops look at their clients once an interval. One that has
// nothing to look at is not woken: when it sleeps again, the runtime's monitor
// looks every 20 µs for a while, some fifty times, which was a third of what an
// idle process cost.
func (e *Engine) keepHouse() {
	ticker := time.NewTicker(housekeepingInterval)
	defer ticker.Stop()
	var tidied churn
	var sampled Stats
	last, settled := e.clock(), e.settings.Load()
	for {
		select {
		case <-e.quit:
			return
		case <-ticker.C:
			settings := e.settings.Load()
			most := settings.clientMemoryMax()
			all := settings != settled || settings.Timeout > 0 && e.connections.Load() > 0 || most > 0 && e.clientMemory.Load() > most
			settled = settings
			for _, l := range e.loops {
				if all || !l.resting.Load() {
					l.post(l.housekeep)
				}
			}
			tidied = e.tidy(tidied)
			now := e.clock()
			sampled, last = e.sample(sampled, time.Duration(now-last)), now
		}
	}
}

// churn is how many connections had come when they were last looked at, and
// when the heap was last tidied.
type churn struct{ seen, tidied int64 }

// tidy gives back what a wave of new connections has left behind, once the wave
// is over: a heap of idle clients has no other reason to be collected.
func (e *Engine) tidy(c churn) churn {
	if now := int64(e.lastID.Load()); now != c.seen {
		c.seen = now
	} else if now-c.tidied >= tidyConnectionsMin {
		debug.FreeOSMemory()
		c.tidied = now
	}
	return c
}

// prepare opens the loop's poller, and its io_uring if there is one to have.
func (l *loop) prepare() error {
	if err := l.poller.open(); err != nil {
		return fmt.Errorf("cannot start loop %d: %w", l.id, err)
	}
	if l.engine.ioUring {
		var err error
		if l.uring, err = newUring(); err != nil {
			l.engine.log.Info("sending without io_uring", "loop", l.id, "reason", err)
		}
	}
	return nil
}

// start runs the loop.
func (l *loop) start() {
	l.started = true
	l.running.Go(l.run)
}
