package command

// Version is the version of Redis whose commands and answers these are. It is
// what HELLO and INFO report: clients choose by it what they may send.
const Version = "7.4.0"

const (
	// databases is how many SELECT knows. They are all the same: Redis's
	// channels do not belong to a database, and there are no keys.
	databases = 16

	// quotedBytesMax is how much of a client's words an error repeats, of the
	// name and of the arguments each.
	quotedBytesMax = 128

	// countsMax is how many confirmations' counts one SUBSCRIBE keeps on the
	// stack.
	countsMax = 16

	// maxAgeSeconds is the oldest age that CLIENT KILL MAXAGE tells from older
	// ones: a century, which a time.Duration can hold.
	maxAgeSeconds = 100 * 365 * 24 * 60 * 60

	// queuedCommandBytes and queuedWordBytes are what a command in MULTI takes
	// besides the bytes of its words: without them a client could fill the
	// memory with short ones.
	queuedCommandBytes = 128
	queuedWordBytes    = 24
)
