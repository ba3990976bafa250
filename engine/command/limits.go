package command

import "time"

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

	// sha1Digits is the length of a script's digest.
	sha1Digits = 40

	// maxAgeSeconds is the oldest age that CLIENT KILL MAXAGE tells from older
	// ones: a century, which a time.Duration can hold.
	maxAgeSeconds = 100 * 365 * 24 * 60 * 60

	// queuedCommandBytes and queuedWordBytes are what a command in MULTI takes
	// besides the bytes of its words: without them a client could fill the
	// memory with short ones.
	queuedCommandBytes = 128
	queuedWordBytes    = 24

	// denialsMax is how many entries ACL LOG keeps, as Redis does unless told
	// otherwise, and denialBytesMax how much one of them keeps of each of a
	// client's texts.
	denialsMax     = 128
	denialBytesMax = 1 << 10

	// denialsShown is how many entries ACL LOG shows without a number.
	denialsShown = 10

	// denialsAlikeMax and denialsAlikeTime say when a denial is counted with an
	// earlier one, as in Redis: if it is like one of so many before it, and that
	// one is not older.
	denialsAlikeMax  = 10
	denialsAlikeTime = time.Minute

	// genPassBits is how long a password ACL GENPASS makes, and genPassBitsMax how
	// long one may be asked for, as in Redis.
	genPassBits    = 256
	genPassBitsMax = 4096
)
