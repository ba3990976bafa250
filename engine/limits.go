package engine

import (
	"math"
	"time"

	"hubsub/ring"
)

// The engine's own limits. What an operator may choose is in Settings.
const (
	// LoopsMax is the largest number of loops: the logs keep sets of loops in
	// one machine word.
	LoopsMax = ring.MaxLoops

	// shardsPerLoop spreads the directory's locks. A publish takes one for a few tens
	// of nanoseconds, so two loops rarely meet; more shards are more memory that is
	// out of the CPU's cache when it is needed.
	shardsPerLoop = 16

	// readBufferBytes is a loop's one read buffer. 64 KiB is what a loopback
	// socket hands over at once; one connection gets 1+gatherRoundsMax of it per tick.
	readBufferBytes = 64 << 10

	// runBytesMax ends a run: what is published after it begins another. A
	// slow subscriber keeps whole runs alive, so they stay near a socket
	// buffer's size.
	runBytesMax = 64 << 10

	// copyBytesMax is the largest message that is copied for a session with
	// many subscriptions; a larger one is sent from the shared run. Below it
	// one send of one buffer beats an iovec per message.
	copyBytesMax = 4 << 10

	// holdAudienceMin is how many single-subscription sessions a channel needs
	// on a loop before its walks are held: below it a walk costs less than the
	// wake that would end the hold.
	holdAudienceMin = 16

	// indexedSubscriptionsMin is from how many subscriptions on a session finds
	// them by a map instead of looking at each.
	indexedSubscriptionsMin = 8

	// indexedChannelsMin is the same for the channels of a room.
	indexedChannelsMin = 8

	// spareBytesMax and spareBufferBytesMax bound what a loop keeps of output
	// buffers between ticks, all together and each; spareRunsMax the same for runs,
	// which are small.
	spareBytesMax       = 8 << 20
	spareBufferBytesMax = 128 << 10
	spareRunsMax        = 1024

	// joinedBytesMax is what a loop keeps of the buffer in which it joins the
	// runs of one walk.
	joinedBytesMax = 1 << 20

	// sendsMax is how many sends one system call makes: fewer cost more calls, more
	// keep the thread from the scheduler for longer than the half millisecond that
	// these take. From sendsTogetherMin on that is cheaper than one call each.
	sendsMax         = 128
	sendsTogetherMin = 4

	// iovecsMax is how many pieces one writev takes (IOV_MAX is 1024; the
	// kernel copies the vector, so fewer is cheaper per call).
	iovecsMax = 64

	// writableBytesMax bounds what one blocked session is sent per tick once
	// its socket takes more, so that it cannot hold up the loop.
	writableBytesMax = 1 << 20

	// answersBytesMax is how much of answers one session may pile up in a tick
	// before its further commands wait: some answers are a million times as long
	// as their commands.
	answersBytesMax = 1 << 20

	// unreadBytesMax is how much of answers a client may leave unread, where
	// client-output-buffer-limit sets no limit, before it is not read either. Some
	// clients write all of a long pipeline before they read: it is the answers to
	// 8 million PUBLISHes.
	unreadBytesMax = 32 << 20

	// strangerBacklogMax is how many bytes of answers a client may leave unread
	// that has not authenticated, as in Redis.
	strangerBacklogMax = 1 << 10

	// lingerTimeMax is how long a client that has shut down its sending side may
	// take to read the rest, and shutdownTimeMax how long all may together when
	// the server ends.
	lingerTimeMax   = 10 * time.Second
	shutdownTimeMax = 5 * time.Second

	// evictionInterval is how often clients are looked at, at the most, while all
	// together take too much: looking is not free, and who is evicted takes a tick
	// to go.
	evictionInterval = 10 * time.Millisecond

	// clientMemoryMin is the least that --maxmemory-clients can mean, as in Redis:
	// with less nobody could say CONFIG SET.
	clientMemoryMin = 128 << 10

	// sessionBytes and subscriptionBytes are what --maxmemory-clients counts for
	// a connection and for a subscription to a channel of its own, as measured:
	// 9,000 idle subscribers, one client with a million channels.
	sessionBytes      = 300
	subscriptionBytes = 520

	// enrollsMax is how many accepted connections, of all listeners, wait for
	// their loop at once.
	enrollsMax = 16

	// acceptPauseMax is how long accepting rests, at the most, when the process
	// is out of file descriptors or memory.
	acceptPauseMax = time.Second

	// filesReserved is how many open files are not for clients: listeners, logs,
	// the admin side. filesPerLoop are a loop's own: an epoll, an eventfd, an
	// io_uring.
	filesReserved = 32
	filesPerLoop  = 3

	// listenerFloorMax bounds the file descriptors of listeners: the kernel keeps
	// eight bytes for each number below the greatest.
	listenerFloorMax = 1 << 16

	// heldParcelsMax ends a hold early: so many runs wait for nobody.
	heldParcelsMax = 256

	// matchesMax is how many patterns a channel remembers that match it; with
	// more it is matched anew each time, for all channels' memory together would
	// be their number times the patterns'.
	matchesMax = 64

	// warningInterval is how often warnings about single clients are logged.
	warningInterval = time.Second

	// pendingSlotsMax is how many publishes a client may have without an answer from
	// other nodes before it is not read, and pendingBytesMax how many bytes of their
	// messages: what a round trip of some 100 µs can use. pendingTextMax is how much
	// of answers that are known waits behind them.
	pendingSlotsMax = 1024
	pendingBytesMax = 4 << 20
	pendingTextMax  = 64 << 10

	// gapLinesMax is how many gaps one loop logs a second.
	gapLinesMax = 100

	// gapClosesMax is how many clients all loops together close an interval after a
	// gap: a thousand a second, which come back at once.
	gapClosesMax     = 20
	gapCloseInterval = 20 * time.Millisecond

	// tidyConnectionsMin is how many connections make a wave that is worth a
	// collection of the heap: 1000 leave about 2 MB of garbage.
	tidyConnectionsMin = 1000

	// pollEventsMax is how many sockets one look at the poller reports.
	pollEventsMax = 256

	// pollTimeMin is from when on a sleep is cut to whole milliseconds, which saves a
	// system call of two. The rest of it is slept exactly. pollTimeMax is what epoll
	// can count.
	pollTimeMin = 5 * time.Millisecond
	pollTimeMax = time.Hour

	// gatherRoundsMax is how often a tick looks for more to read before it brings
	// out what it has, so that a burst on several connections makes one batch.
	// It costs 0.3 µs where there is nothing, and in gateways of 5,000 rooms saves a
	// tenth of the CPU.
	gatherRoundsMax = 3

	// quietTicksMin ticks with one readable connection at the most make the loop
	// take the next for such a one; every quietSample'th it looks again. A burst
	// after a pause so loses a few ticks' batches.
	quietTicksMin = 16
	quietSample   = 8

	// yieldInterval is how often a busy loop gives the scheduler a turn. A
	// goroutine that does not for 10 ms has its processor taken away while it
	// sleeps, after which the runtime's monitor looks every 20 µs for a while.
	yieldInterval = 5 * time.Millisecond

	// housekeepingInterval is how often idle sessions and soft limits are looked at.
	housekeepingInterval = time.Second
)

// Settings are what an operator chooses and may change while the engine runs.
// A value is never changed once the engine has it.
type Settings struct {
	MaxClients       int           // connections at once
	MaxBulkBytes     int           // longest argument a client may announce
	QueryBufferBytes int           // longest unfinished command
	CoalesceMax      time.Duration // see DESIGN "Hold"; 0 never holds
	Timeout          time.Duration // idle clients without subscriptions are closed; 0 never
	KeepAlive        time.Duration // TCP keep-alive idle time; 0 off
	ProtectedMode    bool          // refuse clients that are not on this machine
	Open             bool          // full limits hold for all, as nobody needs to authenticate

	OutputNormal     OutputLimit // clients without subscriptions
	OutputPubSub     OutputLimit // clients with some
	CloseOnGap       bool        // clients of a room that has a gap are closed
	MaxMemoryClients int64       // bytes of all clients together, see Session.Memory; 0 no limit
}

// clientMemoryMax returns the bytes that all clients may take together, 0 for no
// limit.
func (s *Settings) clientMemoryMax() int64 {
	if s.MaxMemoryClients <= 0 {
		return 0
	}
	return max(s.MaxMemoryClients, clientMemoryMin)
}

// FilesReserved returns how many open files are not for clients.
func FilesReserved(loops int) int { return filesReserved + filesPerLoop*loops }

// listenerFloor returns the least file descriptor of a listener: above those of
// all clients, and half of the reserve below the limit of open files, which
// leaves places for the listeners themselves.
func listenerFloor(loops, clientsMax int) int {
	return min(clientsMax+FilesReserved(loops)-filesReserved/2, listenerFloorMax)
}

// OutputLimit bounds the backlog of one session: over HardBytes, or over
// SoftBytes for SoftTime, it is closed. Zero bytes means no limit.
type OutputLimit struct {
	HardBytes, SoftBytes int64
	SoftTime             time.Duration
}

// exceeded reports whether a backlog of n bytes, over the soft limit since the
// given time (0: it was not), is too much at now, and the new "since".
func (o OutputLimit) exceeded(n, since, now int64) (bool, int64) {
	if o.HardBytes > 0 && n >= o.HardBytes {
		return true, since
	}
	soft := int64(math.MaxInt64)
	if o.SoftBytes > 0 {
		soft = o.SoftBytes
	}
	switch {
	case n < soft:
		return false, 0
	case since == 0:
		return false, now
	default:
		return now-since > int64(o.SoftTime), since
	}
}
