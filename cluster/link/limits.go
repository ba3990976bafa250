package link

import (
	"encoding/binary"
	"time"
)

// RecordBytesMax is the longest record: a message of --cluster-max-message, which
// is 1 MiB, its names and its head, with room to spare. Two of them fit in what is
// kept to be sent again.
const RecordBytesMax = 2 << 20

const (
	// batchBytesMax is how long a batch of more than one record gets: enough for
	// compression to find all that it finds, and for system calls to cost next to
	// nothing per record; little enough for the receiver to begin before a full queue
	// has arrived, and for something to arrive before the next cut.
	batchBytesMax = 64 << 10

	// rawBytesMax is the longest body that a header may announce: one record.
	rawBytesMax = RecordBytesMax + binary.MaxVarintLen32

	// inlineBytesMax is what a caller of Send writes itself. More than that is worth
	// another thread: it costs longer than the thread takes to wake.
	inlineBytesMax = 16 << 10

	// queueTime is how long what waits for a peer takes to be written, at the rate
	// that was measured: what is older has lost its worth. queueBytesMin is the
	// least bound, four batches, queueBytesMax the most, for memory. rateAssumed,
	// bytes a second, stands for a rate that was not measured: a gigabit.
	queueTime     = 20 * time.Millisecond
	queueBytesMin = 256 << 10
	queueBytesMax = 8 << 20
	rateAssumed   = 125_000_000

	// rateSampleMin is the shortest time with a queue that a rate is measured over:
	// before, sockets take all at the speed of memory.
	rateSampleMin = 5 * time.Millisecond

	// ringBytesMax is what is kept to be sent again, and with it what may be under
	// way: a queue waits for acknowledgements above it. At 10 ms there and back it
	// lets 400 MB pass in a second. batchOverhead is what the ring's own books cost
	// for each batch.
	ringBytesMax  = 4 << 20
	batchOverhead = 64

	// blockBytes and longBlockBytes are the pieces of memory that the ring is made
	// of, for batches of up to a quarter of the first and for longer ones;
	// spareBlocksMax is how many empty ones of a size it keeps while it is in use.
	blockBytes     = 64 << 10
	longBlockBytes = 1 << 20
	spareBlocksMax = 4

	// sessionTimeout is how long a session outlives its connection, or its peer's
	// silence. Rooms go on elsewhere then.
	sessionTimeout = 2 * time.Second

	// stallTimeout is how long a batch may be under way without any being
	// acknowledged: then its connection is given up. The other half of
	// sessionTimeout is for a better one. A record of the longest kind needs a way
	// of 16 Mbit/s for it.
	stallTimeout = sessionTimeout / 2

	// ageMax is how long records wait until the peer has acknowledged them, over all
	// connections of a session and however slow they are; then it is given up. What
	// is older is mostly answered for: a lane tells publishers after five seconds that
	// nobody knows what has become of their messages. It is looked at once in
	// stallTimeout, and before each connection.
	ageMax = 4 * time.Second

	// underwayTime is how old the oldest batch under way may be for another to be
	// made, if there are underwayBytesMin: what a slow way holds for longer than that
	// comes too late. The queue behind is bounded by queueTime.
	underwayTime     = time.Second
	underwayBytesMin = 256 << 10

	// fruitlessMax is how many connections in a row may end before anything is
	// acknowledged that waits for it, if they take sessionTimeout together. A batch
	// that the peer refuses shall not be sent for ever.
	fruitlessMax = 8

	// ackDelay and ackBytes are how long, and for how much, an acknowledgement waits
	// for a batch that takes it along. ackBytes is a small part of the ring, ackDelay
	// of the timeouts; each time that it is over wakes a thread.
	ackDelay = 100 * time.Millisecond
	ackBytes = 64 << 10

	// pauseTime is how often a receiver is asked that had enough whether it takes more:
	// a tick of a loop that has much to do.
	pauseTime = time.Millisecond

	// compressBytesMin is the shortest body that compression is tried on: below,
	// little repeats itself.
	compressBytesMin = 512

	// shareMax is what compression may leave of a batch to be worth its time, on
	// average over about shareBatches of them: raw to coded as 1.1 to 1. If it leaves
	// more it is off, and tried again on one batch every probeInterval.
	shareMax      = 1 / 1.1
	shareBatches  = 16
	probeInterval = 5 * time.Second

	// helloBytesMax bounds hello and answer. They have two hundred bytes; later
	// versions may add to them.
	helloBytesMax = 4 << 10

	// handshakeTimeout is for hello and answer: one round trip, what a machine under
	// load adds, and what the last Receive of a former connection takes to return.
	handshakeTimeout = 2 * time.Second

	// drainTimeout is how long a connection that the peer has given up is read, if
	// its end does not come: what both sides' sockets hold takes less.
	drainTimeout = 20 * time.Millisecond

	// redialMin and redialMax are the rests between dials while there is a session
	// to save, redialDownMax when there is none. Who was dialed lets the other one
	// begin, for redialGrace.
	redialMin     = 10 * time.Millisecond
	redialMax     = 100 * time.Millisecond
	redialDownMax = time.Second
	redialGrace   = 50 * time.Millisecond

	// closeTimeout is how long peers have to acknowledge the last batches when all
	// links close: the delay of an acknowledgement and what a machine under load
	// adds.
	closeTimeout = 250 * time.Millisecond

	// readBufferBytes is the buffer of a connection. Longer batches make it grow, up
	// to double their length.
	readBufferBytes = 64 << 10

	// spareBytesMax is what is kept of a buffer that is empty again: four batches.
	spareBytesMax = 256 << 10

	// warnInterval is how often a line about peers is logged.
	warnInterval = time.Second
)
