package engine

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"hubsub/resp"
	"hubsub/ring"
)

// loop is one event loop: its sessions, its tables, its part of every fan-out.
// Where it sleeps and reads is in poll.go; what a tick does is here.
type loop struct {
	// Set once.
	engine  *Engine
	id      int
	started bool
	inbox   *ring.Inbox[*run]
	relay   *relay         // nil: no cluster
	running sync.WaitGroup // one: the loop's goroutine

	// Owned by the loop: who hears what.
	audiences map[*channel]*audience // of channels with another home
	patterns  map[string]*audience

	// Owned by the loop: the tick's work.
	outbound    []outbound
	unpublished map[*room]int // place in outbound
	passing     *channel      // the last one published to that only patterns hear
	walks       []*audience
	walked      []walked // begun and not ended
	gathered    []send   // sendsMax at the most
	held        heldAudiences
	dirty       []*Session
	doomed      []*Session
	tally       tally         // of this tick
	deaf        bool          // the engine ends: no command is executed any more
	deserted    chan struct{} // closed when no session is left; nil unless the engine ends
	now         int64         // ns, as of the tick's beginning
	yielded     int64         // when the scheduler last had its turn
	quiet       int           // ticks in a row that read one socket at the most
	ticks       int           // so far
	tended      int           // the one of the last look after the house
	ended       bool          // the goroutine is to end
	watches     map[int32]*watch
	looked      bool // at one of them, and the lane has not been drained since

	// Owned by the loop: buffers and blocked sessions.
	poller     poller
	uring      *uring // nil: the kernel allows none, or nobody wants it
	readBuffer []byte
	parser     resp.Parser
	command    resp.Command
	rest       []byte       // what the session sent behind that command
	limits     *resp.Limits // for it
	mute       resp.Writer
	joined     []byte
	hearing    []*audience // of the run that is delivered: patterns that hear it
	outputs    buffers     // for what sessions are sent
	frames     buffers     // for runs and what is made of them; apart, as they are smaller
	spareRuns  []*run
	asides     map[*Session]*aside   // by whom they are for
	blocked    map[*Session]struct{} // with a backlog that waits for its socket
	occupied   fdSet                 // of sessions that a walk cannot just send to: dirty, doomed, or with a backlog

	// Any goroutine.
	load     atomic.Int64
	resting  atomic.Bool // housekeep would find nothing to do; the loop changes it
	stats    loopStats
	mu       sync.RWMutex
	sessions map[int32]*Session // by fd; guarded by mu; changed by the loop only
	posted   []func()           // guarded by mu
}

func newLoop(e *Engine, id int) *loop {
	l := &loop{
		poller:      poller{fd: -1, poke: -1},
		readBuffer:  make([]byte, readBufferBytes),
		engine:      e,
		id:          id,
		inbox:       e.inboxes[id],
		audiences:   make(map[*channel]*audience),
		patterns:    make(map[string]*audience),
		unpublished: make(map[*room]int),
		asides:      make(map[*Session]*aside),
		blocked:     make(map[*Session]struct{}),
		sessions:    make(map[int32]*Session),
	}
	return l
}

// run is the loop's goroutine.
func (l *loop) run() {
	for !l.ended {
		l.tick(l.poller.wait(l.untilDue()))
	}
	for _, s := range l.sessions {
		l.close(s)
	}
}

// tick does what there is to do, and brings it out.
func (l *loop) tick(events []unix.EpollEvent) {
	l.poller.awake(events)
	l.now = l.engine.clock()
	l.ticks++
	if l.resting.Load() {
		l.resting.Store(false)
	}
	if l.relay != nil {
		l.relay.begin()
	}
	for _, f := range l.takePosted() {
		f()
	}
	read := l.serve(events)
	// What came meanwhile goes out in the same batch.
	for round := 0; read > 0 && round < gatherRoundsMax && !l.isQuiet(); round++ {
		more := l.serve(l.poller.poll())
		if read += more; more == 0 {
			break
		}
	}
	if l.looked {
		l.looked = false
		l.relay.lane.Drain()
	}
	if read <= 1 {
		l.quiet++
	} else {
		l.quiet = 0
	}
	l.flush()
	if l.now-l.yielded > int64(yieldInterval) {
		l.yielded = l.now
		runtime.Gosched()
	}
}

// isQuiet guesses that no more than one connection is readable, because it was
// so for many ticks: then looking for more is not worth a system call. Every
// eighth tick looks.
func (l *loop) isQuiet() bool {
	return l.quiet > quietTicksMin && l.quiet%quietSample != 0
}

// flush brings out what the tick's commands have done.
func (l *loop) flush() {
	if l.relay != nil {
		l.relay.advance()
	}
	l.catchUp()
	if l.relay != nil {
		l.relay.end()
	}
	l.walkDue()
	for len(l.dirty) > 0 || len(l.doomed) > 0 {
		l.answer()
		l.sweep()
	}
	if l.relay != nil {
		l.relay.endSweep()
	}
	l.checkMemory()
	l.stats.add(&l.tally)
	l.frames.endTick()
	if cap(l.mute.Buf) > spareBufferBytesMax {
		l.mute.Buf = nil
	}
}

// post has f run on the loop, at the beginning of a tick. Any goroutine.
func (l *loop) post(f func()) {
	l.mu.Lock()
	l.posted = append(l.posted, f)
	l.mu.Unlock()
	l.poller.wake()
}

func (l *loop) takePosted() []func() {
	l.mu.RLock()
	none := len(l.posted) == 0
	l.mu.RUnlock()
	if none {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	fs := l.posted
	l.posted = nil
	return fs
}

// open begins a session, unless its socket cannot be polled.
func (l *loop) open(s *Session) error {
	if err := l.poller.control(unix.EPOLL_CTL_ADD, int(s.fd), eventsRead); err != nil {
		return err
	}
	s.active.Store(l.engine.clock())
	l.mu.Lock()
	l.sessions[s.fd] = s
	l.mu.Unlock()
	l.engine.clientMemory.Add(sessionBytes)
	l.engine.handler.Open(s)
	l.engine.tell("client connected", s)
	return nil
}

// hangUp ends a session that sends no more. The client may have shut down only
// its sending side: it gets its answers and messages first.
func (l *loop) hangUp(s *Session) {
	if !s.has(doomed) {
		s.Settle()
		l.flush() // which may close it
		l.linger(s)
	}
	if !s.ended() {
		l.close(s)
	}
}

// close ends a session. A lingering copy of its fd would keep it in the poller.
func (l *loop) close(s *Session) {
	l.forget(s)
	_ = l.poller.control(unix.EPOLL_CTL_DEL, int(s.fd), 0)
	l.occupied.remove(s.fd)   // after the last doom or touch: the next client may get the number
	_ = unix.Close(int(s.fd)) // closed even if it fails
	s.fd = -1
}

// forget removes a session from all that knows it.
func (l *loop) forget(s *Session) {
	s.flags |= doomed | lastAnswer // the rest of this tick passes it over
	s.forgive()
	s.dropPending()
	l.stats.dropped[s.reason].Add(int64(len(s.out.Buf)))
	s.leaveAll()
	delete(l.blocked, s)
	delete(l.asides, s)
	l.outputs.give(s.out.Buf)
	s.out.Buf = nil
	s.release()

	l.mu.Lock()
	delete(l.sessions, s.fd)
	l.mu.Unlock()

	l.load.Add(-1)
	l.engine.closed(s)
	l.engine.handler.Close(s)
	if len(l.sessions) == 0 {
		l.desert()
	}
}

// audience returns this loop's subscribers of a name, or nil.
func (l *loop) audience(kind Kind, name []byte) *audience {
	if kind == Pattern {
		return l.patterns[string(name)]
	}
	if ch := l.engine.directory.lookup(kind, name); ch != nil {
		return l.audienceOf(ch)
	}
	return nil
}

// audienceOf returns this loop's subscribers of a channel, or nil. Those of the
// loop that subscribed first are in the channel, which saves most messages a
// look into a map.
func (l *loop) audienceOf(ch *channel) *audience {
	if ch.home == int32(l.id) {
		return ch.audience
	}
	return l.audiences[ch]
}

// setAudience replaces them; nil is for none.
func (l *loop) setAudience(ch *channel, a *audience) {
	switch {
	case ch.home == int32(l.id):
		ch.audience = a
	case a == nil:
		delete(l.audiences, ch)
	default:
		l.audiences[ch] = a
	}
}

// left takes note that a session has left an audience.
func (l *loop) left(a *audience) {
	if a.pattern != nil {
		if a.empty() {
			delete(l.patterns, a.pattern.name)
		}
		l.engine.patterns.unsubscribe(a.pattern, l.id, a.empty())
		return
	}
	l.engine.directory.unsubscribe(a.channel)
	if a.empty() {
		l.setAudience(a.channel, nil)
		reader := a.channel.room.log.Reader(l.inbox)
		if reader.Interest--; reader.Interest == 0 {
			l.leaveRoom(a.channel.room, reader)
		}
	}
}

// leaveRoom ends this loop's part in a room. If something is unread, the
// reader is in the inbox, and the drain leaves.
func (l *loop) leaveRoom(r *room, reader *ring.Reader[*run]) {
	if r.log.Leave(reader) {
		l.engine.directory.release(r)
	}
}

// housekeep looks at what no event tells of: idle clients, soft limits, buffers
// that are not needed any more.
func (l *loop) housekeep() {
	settings := l.engine.settings.Load()
	l.outputs.trim()
	l.frames.trim()
	for s := range l.blocked {
		l.checkOutput(s)
	}
	if settings.Timeout > 0 {
		for _, s := range l.sessions {
			if s.subs.count() == 0 && !s.has(suspended|stalled|expecting) && time.Duration(l.now-s.active.Load()) > settings.Timeout {
				l.doom(s, closedByTimeout)
			}
		}
	}
	// Who has slept since the last look has trimmed all now.
	l.resting.Store(l.ticks == l.tended+1 && len(l.blocked) == 0)
	l.tended = l.ticks
}
