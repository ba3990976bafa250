package engine

import (
	"bytes"
	"time"
)

// Lane is a loop's part of the cluster: the rooms whose names LaneOf gives to
// the loop, and their order over all nodes. The engine knows no nodes; it asks
// the lane about every room that this node does not have to itself.
//
// All methods are called on the loop. None blocks, and none keeps a slice that
// it is given. A tag names a question; each gets one Sink.Answer, from inside
// the call or from any later one. The tag 0 wants none.
type Lane interface {
	// Publish puts a message into its room's order. It returns how many clients
	// the message reaches if it was ordered in the call, else -1, and an answer
	// follows. Whatever of the room is for clients here, this message too, comes
	// by Sink.Deliver.
	Publish(tag uint64, kind Kind, room, channel, message []byte) int64
	// Interest counts one subscriber more (1) or less (-1) of a channel, or of a
	// pattern, whose room is empty if it may match channels of several. One more
	// counts only if the answer is Done, one less whatever it is. What is delivered
	// after the question may have counted the one more, and reaches it.
	Interest(tag uint64, kind Kind, room, channel []byte, delta int)
	// Count asks how many clients are subscribed to a channel by name.
	Count(tag uint64, kind Kind, room, channel []byte)
	// Drain begins a tick: it takes what other goroutines have put down.
	Drain()
	// Flush ends one, after the loop has appended to the rooms' logs and before
	// answers leave. It may be called more than once.
	Flush()
	// Next returns in what time Drain must be called at the latest; negative:
	// not before Wake.
	Next() time.Duration
}

// Sink is a loop as its lane sees it. But for Wake, its methods are called from
// inside of the lane's only. They run no commands and call no lane.
type Sink interface {
	// Deliver gives a message to those who hear it here, by name and by pattern.
	Deliver(kind Kind, room, channel, message []byte)
	// Answer answers a question; n is for publishes and counts.
	Answer(tag uint64, code Code, n int64)
	// Own says whether the loops may publish to a room without the lane, because
	// this node leads it and nobody elsewhere hears it. It holds until it is said
	// otherwise, whether there are clients in the room or not. The name is kept.
	Own(room string, own bool)
	// Gap says that clients here may have missed messages of a room: so many, or
	// an unknown number (-1).
	Gap(room []byte, lost int64, why Why)
	// Traffic returns how many messages of a room came to clients here since the first
	// of them did, and how many do in a second.
	Traffic(room []byte) (messages int64, perSecond float64)
	// Watch has the loop call ready, between Drain and Drain, while a descriptor can
	// be read or has come to its end; ready reads it. The loop does not close it.
	// stop ends that; any goroutine may call it, but ready itself.
	Watch(fd int, ready func()) (stop func())
	// Wake makes the loop run a tick. Any goroutine, at any time.
	Wake()
}

// Code is what a question is answered with. What clients are told is the
// Handler's.
type Code uint8

const (
	Done     Code = iota
	TryAgain      // nobody answered; what was published may have been delivered or not
	Down          // there is no leader of the cluster to ask
	TooMany       // rooms
	TooLarge      // a message or a name, for the connections between nodes
	BadName       // no room can have it
	Pending       // there is no answer yet; a lane never gives it
)

// Why is the reason of a gap.
type Why uint8

const (
	Takeover Why = iota // the room's leader died
	Link                // a connection between nodes broke
	Full                // a connection between nodes could not keep up
	Moved               // the room has a new leader, and the old one was not heard to the end
	Other
	whys
)

func (w Why) String() string {
	return [whys]string{"takeover", "link", "full", "moved", "other"}[min(w, Other)]
}

// localPrefix begins the channels that belong to this node: nobody else hears
// them.
const localPrefix = "__hubsub__:"

// IsLocal reports whether a channel belongs to this node, and so to no lane.
func IsLocal(channel []byte) bool { return bytes.HasPrefix(channel, []byte(localPrefix)) }

// LaneOf returns which of so many loops has a room's lane: its name's FNV-1a.
// The room without a name, that of patterns, is the first loop's.
func LaneOf(room []byte, loops int) int {
	if len(room) == 0 || loops == 1 {
		return 0
	}
	hash := uint32(2166136261)
	for _, b := range room {
		hash = (hash ^ uint32(b)) * 16777619
	}
	return int(uint64(hash) * uint64(loops) >> 32)
}

// PatternRoom returns the one room to which all channels belong that a pattern
// matches, or nothing if it may match others: then it has no room. It is what
// stands in the pattern's first braces, if nothing in it or before it is
// special in a pattern.
func PatternRoom(pattern []byte) []byte {
	for i, b := range pattern {
		switch b {
		case '*', '?', '[', '\\':
			return nil
		case '{':
			end := bytes.IndexByte(pattern[i:], '}')
			if end < 2 || bytes.ContainsAny(pattern[i:i+end], `*?[\`) {
				return nil
			}
			return pattern[i+1 : i+end]
		}
	}
	return nil
}

// roomFor returns the room of a name of any kind.
func roomFor(kind Kind, name []byte) []byte {
	if kind == Pattern {
		return PatternRoom(name)
	}
	return roomName(name)
}
