package port

import "time"

const (
	// versionMin and versionMax are the protocol versions that this program
	// speaks.
	versionMin = 1
	versionMax = 1

	// openingBytesMax bounds what strangers may announce. An opening has a hundred
	// bytes; later versions may add to it.
	openingBytesMax = 4 << 10

	// greetingBytesMax bounds hello and answer. They have a few hundred bytes, with
	// long names a few thousand; later versions may add to them.
	greetingBytesMax = 64 << 10

	// greetingTimeout is how long both sides have for all of the greeting: two round
	// trips, and what a machine under load adds.
	greetingTimeout = 2 * time.Second

	// connectTimeout is how long a dial waits for the other kernel: one lost SYN is
	// sent again after a second.
	connectTimeout = 3 * time.Second

	// greetingsMax is how many accepted connections greet at one time. Nodes take
	// milliseconds, so of more the oldest are the ones to end. All together they may
	// have announced 8 MiB.
	greetingsMax = 128

	// keepAliveIdle, keepAliveInterval and keepAliveCount find a peer gone that has
	// nothing to acknowledge, userTimeout one that acknowledges nothing: its machine
	// is dead or cut off. Gossip knows in about the same time.
	keepAliveIdle     = 3 * time.Second
	keepAliveInterval = time.Second
	keepAliveCount    = 3
	userTimeout       = 6 * time.Second

	// acceptPauseMax is the longest rest after accept has failed, which it does
	// while file descriptors or memory are short.
	acceptPauseMax = 500 * time.Millisecond

	// warnInterval is how often a refusal is logged. Each costs a stranger one
	// connection; the rest are only counted.
	warnInterval = time.Second

	// loggedBytesMax is how much of what a stranger calls itself is logged.
	loggedBytesMax = 100
)
