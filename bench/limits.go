package bench

import "time"

const (
	// maxDuration bounds a run, so that a forgotten one ends; the 32-bit message numbers last longer than this.
	maxDuration = 10 * time.Minute

	// patience is how long messages may be outstanding with nothing arriving before they count as lost.
	patience = 5 * time.Second

	// afterwards is how long is listened for what should not come behind the closing PONGs: a node may repeat a message
	// that it has from another one, which a PONG of its own is no end of.
	afterwards = 100 * time.Millisecond

	// setupTimeout bounds one reply while connections are opened and subscribed.
	setupTimeout = 10 * time.Second

	// startTimeout and stopTimeout bound a started server's first PING and its end after SIGTERM.
	startTimeout = 10 * time.Second
	stopTimeout  = 5 * time.Second

	// daemonTimeout is how long a started command that has ended well is watched for a daemon of its: one binds its port
	// some milliseconds after it has left.
	daemonTimeout = 500 * time.Millisecond

	// startSettle is the wait before a server's memory without connections is read: having just started it grows by itself.
	startSettle = time.Second

	// defaultSettle is the wait before it is read with them. Redis gives what a new connection costs back in about 8 s.
	defaultSettle = 10 * time.Second

	// startPoll is how often a starting server is tried.
	startPoll = 10 * time.Millisecond

	// interruptPoll is the longest wait for events: how soon a cancelled context or the end of a phase is seen.
	interruptPoll = 20 * time.Millisecond

	// readBufferBytes is one read's share of a socket: enough for a full backlog of small messages, small enough for
	// the level-two cache.
	readBufferBytes = 256 << 10

	// pollEvents is how many ready connections one wait returns.
	pollEvents = 1024

	// maxRooms keeps room names at one length (six digits).
	maxRooms = 1_000_000

	// maxConnections is below the ports that one client address has for one server.
	maxConnections = 28_000

	// maxPublishers bounds the table of expected numbers, which is publishers × subscriptions.
	maxPublishers = 1024

	// maxLanes bounds that table: 4 bytes each, 1 GiB.
	maxLanes = 1 << 28

	// maxInFlight bounds one publisher's outstanding publishes. An open loop that reaches it ends: the server is too
	// slow for the rate, and what is left would only measure the queue.
	maxInFlight = 1 << 16

	// maxPayloadBytes keeps a frame well inside what servers accept by default.
	maxPayloadBytes = 1 << 20

	// subscribeBatch is how many channels one SUBSCRIBE names.
	subscribeBatch = 500

	// generatorBusy is the share of its core above which the generator, not the server, may be the bottleneck.
	generatorBusy = 0.9

	// disturbedMuch is the share of a core used by others, processes or the host's other guests, above which CPU times
	// and latency are doubtful: caches are cold, and what is stolen from a running thread may count as its own.
	disturbedMuch = 0.1

	// latencyLowest and latencyHighest are the histogram's range; latencyDigits its significant digits.
	latencyLowest  = time.Microsecond
	latencyHighest = time.Minute
	latencyDigits  = 3

	// stepsPerNine is how many points a latency curve has from one nine to the next: ten draw a smooth line.
	stepsPerNine = 10

	// cpuTolerance is how far two CPU counters may differ before it is noted: /proc/PID/stat counts in 10 ms.
	cpuTolerance      = 30 * time.Millisecond
	cpuToleranceShare = 0.02

	// progressInterval is the least time between two updates of the progress line: its cost stays out of the figures.
	progressInterval = 100 * time.Millisecond

	// defaultColumns is the width of a terminal that does not tell its own.
	defaultColumns = 80

	// wandererStay is the most messages that a wanderer hears before it leaves a room: few, so that joins and leaves are
	// a load of their own.
	wandererStay = 16

	// orderRing is how many messages of a room's order are kept at first: about as many as are in flight.
	orderRing = 64

	// idleSettle is the wait after the connections before an idle server's CPU time is measured, idleCPUSpan for how
	// long it is: servers have timers of up to a second.
	idleSettle  = 500 * time.Millisecond
	idleCPUSpan = 3 * time.Second

	// maxSocketPath is what the kernel takes of a Unix socket's path (108 bytes with a zero at the end).
	maxSocketPath = 107

	// serverLogTail is how much of a failed server's output is shown, in bytes.
	serverLogTail = 2 << 10
)
