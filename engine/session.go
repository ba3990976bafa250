package engine

import (
	"sync/atomic"
	"time"

	"hubsub/engine/acl"
	"hubsub/resp"
)

// Session is one client's connection, from accept to close. Its methods are
// for the Handler and run on the session's loop, unless they say otherwise.
type Session struct {
	// Set once.
	loop    *loop
	id      uint64
	created int64 // Unix ns
	remote  address

	// Owned by the loop. The fields that a walk looks at stand together, flags to
	// backlog.
	flags   sessionFlags
	reason  closeReason
	fd      int32       // -1 once the session has ended
	out     resp.Writer // this tick's answers and copied messages
	backlog *backlog    // what the socket did not take; nil if it took all
	subs    subscriptions
	pending *pending // answers to publishes that come later; nil: none

	// Any goroutine, atomic: what CLIENT LIST shows.
	killed      atomic.Bool
	protocol    atomic.Int32
	counts      [kinds]atomic.Int32
	active      atomic.Int64 // by the engine's clock
	backlogged  atomic.Int64
	kept        atomic.Int64                // by the Handler, see Keep
	partial     atomic.Pointer[partial]     // an unfinished command; changed by the loop only
	User        atomic.Pointer[acl.Account] // nil: not authenticated; set by the Handler
	Identity    atomic.Pointer[Identity]    // replaced, never changed
	LastCommand atomic.Pointer[string]

	// Owned by the Handler, on the loop: what it keeps for this client.
	Context any
}

// Identity is what a client says of itself. A nil one says nothing.
type Identity struct {
	Name, LibName, LibVersion string
	Database                  int
	Flags                     string // CLIENT LIST's letters that the Handler knows of
	Lasting                   bool   // --maxmemory-clients does not close it
	Queued                    int    // commands in MULTI, -1 outside
}

type sessionFlags uint16

const (
	dirty         sessionFlags = 1 << iota // in loop.dirty
	doomed                                 // in loop.doomed: to be closed by the sweep
	lastAnswer                             // execute no more; close once all is sent
	muted                                  // CLIENT REPLY OFF
	authenticated                          // full limits apply
	subscribed                             // was, when it quit: its limit stays
	paused                                 // its commands wait until it reads its answers
	blocked                                // in loop.blocked: the poller tells when its socket takes more
	lingering                              // gone but for what it still reads
	suspended                              // its commands wait for an answer that comes from elsewhere
	expecting                              // pending has slots: what is written stands behind them
	stalled                                // its commands wait until pending has fewer slots, or none
	answered                               // in relay.answered: slots were filled
	expelling                              // in relay.expelled: to be closed after a gap
	arriving                               // a newcomer that waits, or one with Withhold: see stepAside
)

// waiting is what keeps a session's commands from being executed for a while.
const waiting = paused | suspended | stalled

func (s *Session) has(f sessionFlags) bool { return s.flags&f != 0 }

func (s *Session) set(f sessionFlags, on bool) {
	if on {
		s.flags |= f
	} else {
		s.flags &^= f
	}
}

// partial is a command of which not all bytes have come. It exists only that
// long, so a quiet connection owns no buffer.
type partial struct {
	// Owned by the loop.
	parser resp.Parser
	buf    []byte // from the command's first byte on

	// Any goroutine, atomic: the length of buf.
	bytes atomic.Int64
}

func (s *Session) ended() bool { return s.fd < 0 }

// ID returns the connection's number, as CLIENT ID gives it. Any goroutine.
func (s *Session) ID() uint64 { return s.id }

// Created returns when the connection came. Any goroutine.
func (s *Session) Created() time.Time { return time.Unix(0, s.created) }

// Protocol returns 2 or 3. Any goroutine.
func (s *Session) Protocol() int { return int(s.protocol.Load()) }

// SetProtocol switches to RESP2 or RESP3. What was published before is sent in
// the old one.
func (s *Session) SetProtocol(version int) {
	if version == s.Protocol() {
		return
	}
	s.Settle()
	s.unplace()
	s.protocol.Store(int32(version))
	s.out.V3 = version == 3
	s.replace()
}

// SetAuthenticated says which limits hold for what the client sends, unless
// Settings.Open gives all the full ones.
func (s *Session) SetAuthenticated(yes bool) { s.set(authenticated, yes) }

// Reply returns the writer of this command's answer. What is written to it
// while the client has replies off goes nowhere.
func (s *Session) Reply() *resp.Writer {
	if s.has(muted | expecting) {
		return s.replyElsewhere()
	}
	return s.Push()
}

func (s *Session) replyElsewhere() *resp.Writer {
	if s.has(muted) {
		mute := &s.loop.mute
		mute.Buf, mute.V3 = mute.Buf[:0], s.out.V3
		return mute
	}
	return &s.pending.text
}

// Push returns the writer of what is sent even with replies off: confirmations.
func (s *Session) Push() *resp.Writer {
	s.loop.touch(s)
	return &s.out
}

// Mute turns answers off or on (CLIENT REPLY).
func (s *Session) Mute(off bool) { s.set(muted, off) }

// Muted returns what Mute last set.
func (s *Session) Muted() bool { return s.has(muted) }

// Finish ends the connection once everything written so far is sent, and the
// answer to the command that is being executed, if that comes later. What the
// client sends after this is not executed, and no message reaches it: call
// Settle before the last answer is written.
func (s *Session) Finish() {
	s.set(lastAnswer, true)
	if s.Killed() && s.reason == closedByPeer { // it does not go of its own accord
		s.reason = closedByKill
	}
	s.set(subscribed, s.has(subscribed) || s.subs.count() > 0)
	s.dropPending()
	if n := s.newcomer(); n != nil {
		n.turnBack()
	}
	s.leaveAll()
	s.loop.touch(s)
	s.loop.goOn(s, waiting) // what it sends is read and ignored: a close with bytes unread costs it the rest
}

// Subscriptions returns how many of the kind the client has. Any goroutine.
func (s *Session) Subscriptions(kind Kind) int { return int(s.counts[kind].Load()) }

// Engine returns the engine the session is served by. Any goroutine.
func (s *Session) Engine() *Engine { return s.loop.engine }
