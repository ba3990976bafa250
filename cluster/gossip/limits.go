package gossip

import "time"

const (
	// probeInterval is how often a node asks another one whether it lives, and
	// probeTimeout how long the answer may take before others are asked to try:
	// longer than a lost packet's first retransmission by a LAN's TCP (200 ms). Two
	// timeouts fit into an interval with room to spare, for those who tried in vain
	// say so after one more, and who hears that in time knows that it is not itself
	// who is cut off.
	probeInterval = 500 * time.Millisecond
	probeTimeout  = 220 * time.Millisecond

	// suspicionMult × probeInterval × log10 of the members is how long a suspect
	// has to answer when another node suspects it, too; suspicionMaxMult times as
	// long when none does, which is where a node that is cut off sees all others die.
	suspicionMult    = 3
	suspicionMaxMult = 3

	// awarenessMax bounds how much longer the probes of a node take that doubts
	// itself: twice as long. Without the bound, a node of a half that is cut off
	// takes a minute to look at ten others.
	awarenessMax = 2

	// indirectChecks is how many others are asked to try.
	indirectChecks = 3

	// gossipInterval and gossipNodes are how often news goes to how many. Nothing
	// is sent when there is no news, but it is looked for, and each wake costs. As
	// often as a probe it costs none of its own, for both are timed from the start.
	gossipInterval = probeInterval
	gossipNodes    = 3

	// pushPullInterval is how often a node exchanges all that it knows with another
	// one: it repairs what gossip lost. memberlist makes it longer from 33 nodes on.
	pushPullInterval = 15 * time.Second

	// deadFor is how long a dead node is still told that it is taken for dead, and
	// remembered.
	deadFor = time.Minute

	// packetBytesMax is what memberlist puts into a packet at the most, frameBytesMax
	// what is accepted: with the labels that it adds afterwards.
	packetBytesMax = 32 << 10
	frameBytesMax  = 64 << 10

	// handoffMax is how much news may wait to be looked at.
	handoffMax = 4096

	// streamTimeMax is how long an exchange may take, its dial too.
	streamTimeMax = 5 * time.Second

	// queueFramesMax and queueBytesMax bound what waits for one peer: it gets a
	// dozen packets a second. What is older is of no use to anybody.
	queueFramesMax = 256
	queueBytesMax  = 256 << 10

	// writeTimeMin to writeTimeMax is how long a peer may take no packet before its
	// connection is given up. Sockets hold hundreds of packets: it is hung, or out
	// of reach. A deadline is set for the longer time and kept until less than the
	// shorter is left of it, for one that is moved wakes the process all the same.
	writeTimeMin = 2 * time.Second
	writeTimeMax = 20 * time.Second

	// dialTimeMax is how long a dial for packets may take; after one that failed
	// the next waits for redialMin, then twice as long each time, up to redialMax.
	dialTimeMax = 2 * time.Second
	redialMin   = 100 * time.Millisecond
	redialMax   = time.Second

	// peerIdleMax is when the connection to a peer closes that gets no packet any
	// more: among 200 nodes a living one is probed every 100 s.
	peerIdleMax = 5 * time.Minute

	// peersMax is how many peers a node has connections to: above it packets are
	// dropped. They may name any address to answer to.
	peersMax = 4096

	// readBufferBytes is the read buffer of a connection for packets: most have
	// 100 to 400 bytes.
	readBufferBytes = 2 << 10

	// metaBytesMax is memberlist's limit for what a node says of itself.
	metaBytesMax = 512

	// reportInterval is how often a node reports its load, to the leader and to
	// reportNodes other: so a new leader starts with a table.
	reportInterval = time.Second
	reportNodes    = 1

	// rejoinInterval, more or less by a quarter, is how often a node looks for
	// members that it has lost: the only thing that heals a partition.
	rejoinInterval = 10 * time.Second

	// pastFor is how long the address of a lost member is remembered for that, and
	// pastMax how many addresses are: more than nodes of a cluster die in a day.
	pastFor = 24 * time.Hour
	pastMax = 256

	// resolveTimeMax is how long the resolver may take for a name.
	resolveTimeMax = 5 * time.Second

	// logLinesMax is how many lines of memberlist's are logged in each second: it
	// says the same of each of a hundred nodes that are cut off.
	logLinesMax = 10

	// refusalInterval is how often a line tells what a peer sent that is nothing.
	refusalInterval = time.Second
)
