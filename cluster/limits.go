package cluster

import "time"

const (
	// seekInterval is how often a process without a cluster asks its seeds.
	seekInterval = 250 * time.Millisecond

	// foundAfter is how long it waits for seeds that do not answer before the
	// first that does founds a cluster: longer than a process takes to start.
	foundAfter = 5 * time.Second

	// helloTimeMax is how long an answer to a greeting may take. A process that
	// needs longer is hung, or out of reach.
	helloTimeMax = time.Second

	// tickMin is how soon the deciding parts are told the time again: it bounds
	// the work of those that always want to know it.
	tickMin = time.Millisecond

	// watchInterval is how often a node looks at what no event tells of: members
	// that fell silent, who leads, whether the voters are right, rooms out of use.
	watchInterval = 500 * time.Millisecond

	// contactInterval is how often a node looks for what is not part of its
	// cluster and should be: seeds, and members that were given up.
	contactInterval = 5 * time.Second

	// joinPatience is how long a newcomer knows nobody who leads before it looks
	// for a cluster again: an election takes less.
	joinPatience = 10 * time.Second

	// newcomerTime is how long who leads remembers where a newcomer said that it
	// is, should other members come and go before this one does: it says so again
	// each half second while it is outside.
	newcomerTime = 10 * time.Second

	// returnTime is how long it does so at each watchInterval after a member was
	// lost: who comes back alone shall be found before clients find it.
	returnTime = time.Minute

	// contactsMax is how many addresses a life hands to the next.
	contactsMax = 64

	// conflictInterval is how often a meeting of two clusters that both stay is
	// told of in the log.
	conflictInterval = time.Minute

	// retryInterval is how long a node waits that could not take part, for a disk
	// that is full, say.
	retryInterval = 5 * time.Second

	// lossesMax is how many times in a row, contactInterval apart, a node finds
	// nobody who knows the rooms or a leader before it gives its cluster up.
	lossesMax = 3

	// silentFor is how long a member may be unknown to the gossip before the
	// leader asks it itself: it may be new there.
	silentFor = 2 * time.Second

	// idleFor is how long a room stays that nobody uses.
	idleFor = time.Minute

	// usageParts is into how many parts the hosted rooms are divided for the look
	// at their use; one part is looked at each watchInterval.
	usageParts = 20

	// leaveTimeMax is how long a node that ends waits until the others can agree
	// without it, and know: a voter that was restarted just before needs some
	// seconds to vote again. leaveInterval is how often it looks.
	leaveTimeMax  = 10 * time.Second
	leaveInterval = 50 * time.Millisecond

	// refusedInterval is how often the log tells of a message that came too late.
	refusedInterval = time.Second

	// tellInterval is how often a wait without end is told of in the log.
	tellInterval = 10 * time.Second

	// outgoingMin is how much a lane may send to a node in a tick, whatever waits
	// there already: that a leader has changed, say.
	outgoingMin = 64 << 10

	// spareOutgoingMax is what is kept of a buffer for that.
	spareOutgoingMax = 64 << 10

	// stuckRetry is when a lane tries again to hand over what a link had no room
	// for.
	stuckRetry = 2 * time.Millisecond

	// lostRetry is when it looks again whether a link takes something whose records
	// were given up: a loop shall not be woken for a node that is away for hours.
	lostRetry = 50 * time.Millisecond

	// boxBytesMax is what links may have put into a lane's box before they read on:
	// what a fast one brings while a loop is busy for some ten milliseconds. Each may
	// add one batch. letterBytes is what the box's own books cost for each.
	boxBytesMax = 4 << 20
	letterBytes = 64

	// outgoingTimeMax is how long what a lane says to a node waits for its link: as
	// long as a message waits for its leader, who would order later what its
	// publisher was told nobody knows about.
	outgoingTimeMax = 5 * time.Second

	// queryTimeMax is how long the other nodes have for a question that all are
	// asked. Clients wait a few seconds.
	queryTimeMax = time.Second

	// queryBytesMax and replyBytesMax bound a question and its answer: the names of
	// a million channels.
	queryBytesMax = 2 << 20
	replyBytesMax = 64 << 20

	// showInterval is how old the lanes' figures may be: none is shown to others
	// without a lock.
	showInterval = 100 * time.Millisecond

	// brakeTime is how long an answer waits to a publisher whose message goes to a
	// node that does not keep up: what a redial and a resend take.
	brakeTime = 10 * time.Millisecond

	// isolatedAfter is when a node counts as cut off whose leader does not answer,
	// with --partition strict: before the others give it up. strictInterval is how
	// often it asks then.
	isolatedAfter  = 2500 * time.Millisecond
	strictInterval = watchInterval
)
