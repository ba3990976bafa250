package placement

import "time"

const (
	// HostsMax is the most hosts of one room. More do not make it safer, and each
	// takes its messages.
	HostsMax = 7

	// RoomNameMax is the longest name of a room, in bytes: the table and every
	// message about the room hold it.
	RoomNameMax = 1024

	// ScanMax is the most rooms of one answer to a scan: with names and hosts as
	// they mostly are it stays below 200 kB.
	ScanMax = 256

	// memberTextMax is the longest text of a member, in bytes, and clientsMax the
	// most addresses: each room that is told repeats them.
	memberTextMax = 512
	clientsMax    = 16

	// weightMax keeps one member's weight from making all others nothing.
	weightMax = 1 << 16

	// membersMax is the most members of a table, dead ones too: a place takes two
	// bytes.
	membersMax = 1 << 16

	// reserveWait is how long candidates have to answer one round, reserveRounds
	// how many rounds there are. A LAN answers in a millisecond; three rounds
	// together stay below the seconds that a client waits for a connection.
	reserveWait   = 250 * time.Millisecond
	reserveRounds = 3

	// reservedFor is how long a host keeps a place free for a room that it has
	// accepted: longer than all rounds and a change of leader.
	reservedFor = 5 * time.Second

	// voteWait is how long the hosts of an idle room have to agree that it closes.
	voteWait = time.Second

	// closingFor is how long a host that has agreed waits before it asks what has
	// become of it.
	closingFor = 5 * time.Second

	// buriedFor is how long a host remembers which epoch of a room it has dropped,
	// so that an older message cannot bring it back: longer than any message is
	// under way.
	buriedFor = time.Minute

	// resendAfter is when an activation that was not acknowledged is sent again.
	resendAfter = time.Second

	// digestInterval is how often a host tells the leader what it hosts: it
	// repairs what every other message did not.
	digestInterval = 10 * time.Second

	// repairDelay is how long a room with a living host waits for a replacement of
	// a dead one: a restart takes less, and shall not move thousands of rooms.
	repairDelay = 10 * time.Second

	// repairsMax is how many rooms are repaired or adopted at once.
	repairsMax = 1000

	// proposeAgain is when a death that is not in the table yet is proposed again.
	proposeAgain = time.Second

	// massFailureShare of the members dying within massFailureWindow means that
	// the cluster or its network is ill: only rooms without a living host are
	// repaired for massFailureBrake, so that repair does not become the load that
	// kills the rest.
	massFailureShare  = 1.0 / 3
	massFailureWindow = 30 * time.Second
	massFailureBrake  = 30 * time.Second

	// sweepShards is how many shards of the table are looked through each
	// hurryInterval in a hurry: after a death, and for sweepHurry after the last room
	// that could be repaired, which is the table several times. sweepInterval is how
	// long one shard may take otherwise: the table in ten seconds.
	sweepShards   = 8
	hurryInterval = 10 * time.Millisecond
	sweepHurry    = 2 * time.Second
	sweepInterval = 10 * time.Second / shardCount

	// refusalMin is how long a node that did not take a room is not asked to take
	// another for the sake of repair; each further refusal doubles it, up to
	// refusalMax. Who has a client waiting asks it nevertheless.
	refusalMin = time.Second
	refusalMax = 30 * time.Second

	// rosterInterval is how often all members are told who they are, at most: a
	// hundred that start together are told of in a few messages.
	rosterInterval = 100 * time.Millisecond

	// joinRetry is when a node that wants to join or to leave says so again.
	joinRetry = 500 * time.Millisecond

	// downFor and leftFor are how long the last process of a node stays known when it
	// is dead or has left. Until then the node counts as one of the cluster, so that
	// a crash or a rolling restart changes no voter. forgetInterval is how often
	// those to forget are looked for.
	downFor        = time.Hour
	leftFor        = time.Minute
	forgetInterval = time.Second

	// reportAge is how old a node's report of its load may be for it to get rooms,
	// and to be remembered.
	reportAge = 10 * time.Second

	// askRetryMin, askRetryMax and askPatience say how a node asks the leader again
	// when it gets no answer, and when its client gets one instead.
	askRetryMin = 50 * time.Millisecond
	askRetryMax = time.Second
	askPatience = 5 * time.Second
)
