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

	// countsMax is how many confirmations' counts one UNSUBSCRIBE keeps on the
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

	// roomTimeMax is how long the cluster may take for one ROOM command. It answers
	// within 5 s by itself; longer means that something is stuck.
	roomTimeMax = 10 * time.Second

	// roomGetInterval is how often one client may call ROOM GET for long, 1,000
	// times a second, and roomGetBurst how often at once: each call may make a
	// room, which all voters keep, and one client shall not take what the cluster
	// can do.
	roomGetInterval = time.Millisecond
	roomGetBurst    = 2000

	// roomsListed is how many rooms ROOM LIST looks at unless told, as SCAN does,
	// and roomsListedMax how many at most, whatever COUNT says: a page of names
	// shall not hold up the loop.
	roomsListed    = 10
	roomsListedMax = 1000

	// genPassBits is how long a password ACL GENPASS makes, and genPassBitsMax how
	// long one may be asked for, as in Redis.
	genPassBits    = 256
	genPassBitsMax = 4096
)
