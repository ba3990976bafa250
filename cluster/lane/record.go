package lane

// Type says what a record is. Who does not know one skips it.
type Type uint8

const (
	// Of a node to all hosts of a room.
	Announce Type = 1 + iota // Key, Serial, Flags&Reset, Items: how many of its clients hear what

	// The hosts' answers.
	Ack     // Key, Serial, Number, Index, Life, Flags&(Leads|Reset)
	NotHost // this node does not host the room, as far as it knows

	// Of a node to the leader, and its answers.
	Publish // Key, Serial, Attempt, Kind, Channel, Message; with Flags&CountOnly nothing is published
	Ordered // Key, Serial, Count
	Refuse  // Key, Serial, Attempt: the publish has no place in the order

	// Of the leader.
	Message  // Key, Number, Index, Kind, Channel, Message, Flags&Uncounted
	Position // Key, Number, Index, Life, Flags&Reset: what should have come until now
	Lead     // Key, Prev, Life, Flags&(Planned|Known|Fresh): it leads from now on
	End      // Key, Prev, Number, Index: no message of the key follows; Prev has the epoch and rank of who leads then, if that is known
	Handover // Key, Prev, Count: the receiver may lead, as Prev has it; so many nodes should have told it that they hear the room

	// Of anybody to who uses a lower key.
	Higher // Key

	// Of a node to all others, about patterns of all rooms. They have no room.
	PatternAnnounce // Serial, Flags&Reset, Items
	PatternAck      // Serial

	// Of a host to a node that may have forgotten what it has told.
	Recall // Key: all shall be announced

	typeMax
)

// Flags of a record.
const (
	Reset     uint8 = 1 << iota // Items are all, what is not there is not heard; else: the next Index is 1, for the receiver hears nothing
	Leads                       // the sender leads under Key
	Planned                     // the leader before has handed over: its End comes, or has come
	Known                       // the receiver was in the leader's table when it began
	Fresh                       // and what the receiver hears is known
	CountOnly                   // the question how many hear the channel by its name
	Uncounted                   // no client of the receiver is counted, for the sender may not know what it hears
)

// Record is what nodes tell each other about a room. Its slices are good during
// the call that it is given to.
type Record struct {
	Type    Type
	Flags   uint8
	Kind    Kind
	Room    []byte
	Key     Key
	Prev    Key
	Serial  uint64
	Attempt uint64
	Number  uint64 // of a message in its room's order under Key, from 1
	Index   uint64 // how many messages under Key were meant for the receiver, this one too
	Life    uint64 // another one than before, if the sender had forgotten that the receiver hears the room
	Count   int64  // of clients
	Channel []byte
	Message []byte
	Items   []Item
}

// Item tells how many of a node's clients hear a name.
type Item struct {
	Kind  Kind
	Name  []byte
	Count int64
}
