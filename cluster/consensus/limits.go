package consensus

import "time"

const (
	// heartbeatTimeout is how long a follower hears nothing before it stands for
	// election, and how long that may take. A new leader is there after one to
	// three of them. Less would depose leaders of machines that are merely busy.
	heartbeatTimeout = time.Second
	electionTimeout  = time.Second

	// leadingTimeout is what both are for who leads, and misses no heartbeats: raft
	// sends them after a tenth of it, or up to twice that, so 250 to 500 ms, and
	// not the 100 to 200 that would follow from heartbeatTimeout. Each is a call to
	// each follower, and they were most of what an idle leader cost. A follower that
	// hears one 500 ms late still does not stand for election.
	leadingTimeout = 2500 * time.Millisecond

	// foundingTimeout is what both are while a process votes alone: there is
	// nobody whose heartbeats it could miss. That it is less than
	// heartbeatTimeout makes raft look at its timer at once, so that who founds a
	// cluster leads it in milliseconds.
	foundingTimeout = 900 * time.Millisecond

	// leaderLease is how long a leader that reaches no majority still leads: less
	// than the others take to elect another one, more than from one heartbeat to
	// the next.
	leaderLease = 800 * time.Millisecond

	// commitTimeout is how late followers of an idle leader learn what is
	// committed, once to twice. Nobody waits for it: the leader answers, and who
	// takes over has the entries themselves. Each time is a call to each follower.
	commitTimeout = 2 * time.Second

	// entriesMax is how many entries one message of replication holds.
	entriesMax = 256

	// A snapshot is taken when snapshotEntries have come since the last one, looked
	// at every snapshotInterval to twice that. trailingEntries stay in the log
	// behind it, so that a follower that was away for a moment needs no snapshot:
	// an entry holds up to 256 rooms, some 20 kB, so these are 40 MB at most.
	snapshotEntries  = 4096
	snapshotInterval = time.Minute
	trailingEntries  = 2048

	// snapshotsKept is how many a data directory has, in case the newest is
	// damaged.
	snapshotsKept = 2

	// proposalsWaiting is how many proposals wait for raft to take them; more have
	// failed. The decider puts what comes together into one, so it has a few.
	proposalsWaiting = 1024

	// proposalsFlying is how many raft has taken and not applied. It bounds what a
	// leader that is cut off leaves in its log for others to overwrite.
	proposalsFlying = 256

	// rpcTimeout bounds a message of raft and its answer, and a dial; for a
	// snapshot it is that for each 256 KiB. More than the time after which a
	// follower would stand for election; little, so that a connection that a
	// partition has swallowed is replaced soon after it heals.
	rpcTimeout = 2 * time.Second

	// callsFlying is how many messages of replication a peer is sent before it has
	// answered the first. One switches raft's pipeline off, which waits for itself,
	// for ever, when a peer answers late while there is more to send: see doc.go.
	callsFlying = 1

	// pooledConns is how many idle connections raft keeps per peer.
	pooledConns = 3

	// barrierRetry is when a process that was elected and could not yet read all
	// that was committed tries again.
	barrierRetry = 20 * time.Millisecond

	// transferStuck is after how long a transfer of leadership that still goes on
	// will never end: raft gives it the leader's timeout, and its last message
	// rpcTimeout.
	transferStuck = 2*leadingTimeout + 2*rpcTimeout

	// inquiryTimeout bounds the question to a process how far its log is, and
	// inquiryBytesMax its answer.
	inquiryTimeout  = time.Second
	inquiryBytesMax = 4096

	// purposeTimeout is how long a connection may take to say what it is for.
	purposeTimeout = 5 * time.Second

	// votersFew and votersMany are how many voters a cluster has: one for less than
	// nodesForMany nodes. Two would be worse than one, for both must live.
	votersFew    = 1
	votersMany   = 3
	nodesForMany = 3

	// How many processes follow without a vote, to take over: two beside one voter,
	// which three are made of, and one beside three, for the first that dies. Each
	// costs the leader what a voter does.
	standbysOfFew  = 2
	standbysOfMany = 1

	// settledAfter is how long a process must have been alive to become a voter:
	// one that dies again and again shall not.
	settledAfter = 3 * time.Second

	// caughtUpWithin is how many entries a standby may lack to become a voter: one
	// message's, which are under way while it is asked.
	caughtUpWithin = entriesMax

	// changesMax is how many changes of the voters one call of Balance may make.
	// From any state less than twenty lead to rest.
	changesMax = 32

	// databaseTimeout is how long to wait for a data directory that another process
	// uses.
	databaseTimeout = time.Second

	// logInterval is how often the same line of raft's log is let through.
	logInterval = 10 * time.Second

	// logLinesMax is how many different lines are known; raft has some hundred.
	logLinesMax = 1024
)
