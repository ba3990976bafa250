package control

import "time"

const (
	// frameBytesMax is the longest message. The longest that the protocol makes is
	// the list of one of 256 parts of what a node hosts: half of this for a million
	// rooms with the longest names.
	frameBytesMax = 8 << 20

	// outboxBytesMax is what waits for one peer, at most, with what is being
	// written: any one message, or what a node that is busy for a moment can take
	// soon.
	outboxBytesMax = 8 << 20

	// outboxWait is how long messages wait for a peer that cannot be reached. Later
	// those who asked have got another answer.
	outboxWait = 5 * time.Second

	// writeBytesMax is one write, and writeTimeout how long it may take: a peer that
	// takes less is hung, and its messages shall not be kept.
	writeBytesMax = 256 << 10
	writeTimeout  = 5 * time.Second

	// flushTimeout is how long the last messages have when a peer is forgotten.
	flushTimeout = 250 * time.Millisecond

	// spareBytesMax is what is kept of a buffer that is empty again.
	spareBytesMax = 64 << 10

	// readBufferBytes is the buffer of an accepted connection. A hundred messages
	// fit in, which one read then brings.
	readBufferBytes = 16 << 10

	// redialMin and redialMax are the rests between dials that fail: the first is
	// short, for a process that dies may still listen when its connections end. A
	// connection that lasted for steadyAfter did not fail.
	redialMin   = 10 * time.Millisecond
	redialMax   = time.Second
	steadyAfter = time.Second

	// warnInterval is how often a line about peers is logged.
	warnInterval = time.Second
)
