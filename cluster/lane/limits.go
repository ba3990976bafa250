package lane

import (
	"math"
	"time"
)

const (
	never = math.MaxInt64

	// spareTextMax and spareListMax are what an empty queue keeps for the next
	// publishes of its room.
	spareTextMax = 4 << 10
	spareListMax = 128

	// confirmWithin is how long the other hosts have to take note of an interest
	// that the leader has: then it is confirmed without them.
	confirmWithin = 100 * time.Millisecond

	// retryInterval is when something is tried again that a link or a node did not
	// take.
	retryInterval = 50 * time.Millisecond

	// refusedInterval is when a host is asked again that has said that it is none, or
	// does not lead: of a new room it may hear a moment after who wants to use it. It
	// doubles up to retryInterval; a new leader says so at once, and this is for when
	// that is lost.
	refusedInterval = time.Millisecond

	// retryDoublings is how often the interval doubles in which a leader tries to
	// tell a node what it was not sent: 20,000 rooms try 25,000 times a second then.
	retryDoublings = 4

	// askInterval is when the cluster is asked again where a room lives, whose
	// hosts did not know of it or are all dead.
	askInterval  = 50 * time.Millisecond
	askDoublings = 5 // of the interval, when that was in vain

	// announceInterval is when an interest is told again that no leader has
	// confirmed: what it was told first may have been lost with a process.
	announceInterval = 500 * time.Millisecond

	// publishPatience is how long a message waits for a leader. Clients give up
	// after a few seconds.
	publishPatience = 5 * time.Second

	// endWithin is how long a handover may take: the new leader waits so long for
	// the old one to end, and nodes for its last messages. It is two trips between
	// nodes, and what a machine under load adds.
	endWithin = time.Second

	// restInterval is when a leader forgets a node that hears the room by a pattern of
	// all rooms only, and has got nothing since. The node forgets the room later.
	restInterval   = 10 * time.Second
	forgetInterval = 15 * time.Second

	// pendingMax and pendingBytesMax bound what waits for answers of leaders, in
	// one lane: a second's messages at a rate that a lane cannot reach.
	pendingMax      = 1 << 17
	pendingBytesMax = 64 << 20

	// heldMax and heldBytesMax bound what one room may keep of a new leader's
	// messages until the old one's have all come.
	heldMax      = 1024
	heldBytesMax = 4 << 20

	// roomBytesMax, nameBytesMax, messageBytesMax and itemsMax are what a record
	// may hold: more than clients may send.
	roomBytesMax    = 64 << 10
	nameBytesMax    = 1 << 20
	messageBytesMax = 2 << 20
	itemsMax        = 1 << 16

	// itemsBytesMax is how many bytes of names one announcement has, at the most;
	// more are told in several.
	itemsBytesMax = 256 << 10

	// tallyFewMax is how many names a list is as fast for as a map.
	tallyFewMax = 8

	// patternsWithin is how long a pattern of all rooms waits for nodes that do
	// not answer: less than clients wait, and most hung nodes are found dead later.
	patternsWithin = 2 * time.Second
)
