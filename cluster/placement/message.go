package placement

// Message is what nodes tell each other about rooms. The network may lose,
// repeat, delay and reorder them; nothing is wrong then for longer than until the
// next digest. On the wire they are JSON.
type Message interface{ message() }

// Ask asks the leader where a room lives. The answer is Told with the same Tag.
type Ask struct {
	Tag    uint64   `json:"tag"`
	Open   uint64   `json:"open"` // the asker's lowest tag without an answer
	Room   string   `json:"room"`
	Create bool     `json:"create,omitempty"` // if it does not exist
	Delete bool     `json:"delete,omitempty"` // it, whoever uses it
	Want   int      `json:"want,omitempty"`   // hosts; 0: as it has, or the cluster's default
	Pins   []string `json:"pins,omitempty"`   // ids of nodes that shall host it
	Keep   bool     `json:"keep,omitempty"`   // even if nobody uses it
}

// Told is the leader's answer.
type Told struct {
	Tag   uint64   `json:"tag,omitempty"`
	Room  string   `json:"room"`
	Epoch Epoch    `json:"epoch"`           // zero: it does not exist
	Hosts []Member `json:"hosts,omitempty"` // that are alive, the leader first
	Names []Name   `json:"names,omitempty"` // of all its hosts, dead ones too, in their order
	Want  int      `json:"want,omitempty"`  // hosts that it shall have
	Keep  bool     `json:"keep,omitempty"`  // even if nobody uses it
	Pins  []string `json:"pins,omitempty"`  // ids of the nodes that shall host it
	Error Refusal  `json:"error,omitempty"`
}

// Scan asks the leader for some rooms, in the order of Table.Scan. The answer is
// Scanned with the same Tag.
type Scan struct {
	Tag    uint64 `json:"tag"`
	Open   uint64 `json:"open"`             // the asker's lowest tag without an answer
	Cursor uint64 `json:"cursor,omitempty"` // 0: from the beginning
	Count  int    `json:"count,omitempty"`  // about how many; no more than ScanMax
}

// Scanned is the leader's answer.
type Scanned struct {
	Tag   uint64  `json:"tag"`
	Next  uint64  `json:"next,omitempty"` // the cursor to go on with; 0: these were the last
	Rooms []Told  `json:"rooms,omitempty"`
	Error Refusal `json:"error,omitempty"`
}

// Refusal says why there is no answer.
type Refusal string

const (
	NotLeader Refusal = "not leader"   // ask the leader
	NoLeader  Refusal = "no leader"    // in reach
	TryAgain  Refusal = "try again"    // nobody took the room
	TooMany   Refusal = "too many"     // rooms
	BadRoom   Refusal = "bad room"     // its name is empty, or longer than RoomNameMax, or it names too many nodes
	NoNode    Refusal = "no such node" // is alive, of those that shall host the room
)

// Reserve asks a node whether it takes a room.
type Reserve struct {
	Attempt Attempt `json:"attempt"`
	Room    string  `json:"room"`
}

// Reserved answers Reserve.
type Reserved struct {
	Attempt Attempt `json:"attempt"`
	Room    string  `json:"room"`
	Yes     bool    `json:"yes,omitempty"`
}

// Release takes a Reserve back.
type Release struct {
	Attempt Attempt `json:"attempt"`
	Room    string  `json:"room"`
}

// Activate tells a host a committed placement that names it. It answers
// Activated.
type Activate struct {
	Term  Term   `json:"term"`
	Room  string `json:"room"`
	Epoch Epoch  `json:"epoch"`
	Hosts []Name `json:"hosts"`
}

// Activated acknowledges Activate.
type Activated struct {
	Room  string `json:"room"`
	Epoch Epoch  `json:"epoch"`
}

// Drop tells a node that it is no host of a room any more, as of an epoch that
// is later than that of any placement of the room that named it.
type Drop struct {
	Term  Term   `json:"term"`
	Room  string `json:"room"`
	Epoch Epoch  `json:"epoch"`
}

// Idle tells the leader that nobody uses a room here.
type Idle struct {
	Room  string `json:"room"`
	Epoch Epoch  `json:"epoch"`
}

// MayClose asks a host to take no user for a room any more. It answers Vote.
type MayClose struct {
	Attempt Attempt `json:"attempt"`
	Room    string  `json:"room"`
	Epoch   Epoch   `json:"epoch"`
}

// Vote answers MayClose. Who says yes has no user, and takes none until it hears
// what has become of the room.
type Vote struct {
	Attempt Attempt `json:"attempt"`
	Room    string  `json:"room"`
	Epoch   Epoch   `json:"epoch"`
	Yes     bool    `json:"yes,omitempty"`
}

// Reopen ends the attempt to close a room.
type Reopen struct {
	Term    Term    `json:"term"` // the sender's, which may be a later one
	Attempt Attempt `json:"attempt"`
	Room    string  `json:"room"`
}

// Gone tells a node that the cluster has given it up.
type Gone struct {
	Term Term `json:"term"`
}

// Unsure is from a host that agreed to close a room and has heard nothing since.
type Unsure struct {
	Attempt Attempt `json:"attempt"`
	Room    string  `json:"room"`
	Epoch   Epoch   `json:"epoch"`
}

// Holding tells the leader what a node hosts, and whom it knows.
type Holding struct {
	Shards []Digest `json:"shards"` // all, in their order
	Roster Epoch    `json:"roster"` // of the roster that it has
}

// Join asks the leader to make the sender a member. It is repeated until a Roster
// has the sender.
type Join struct {
	Member Member `json:"member"`
	Load   Report `json:"load"` // so that it gets rooms at once

	// Resumed says that the process is the one of that name, restarted with all
	// that it knew: it may be a member again if the others took it for dead.
	Resumed bool `json:"resumed,omitempty"`
}

// Leave tells the leader that the sender ends in order. It is repeated until a
// Roster says that the sender has left.
type Leave struct{}

// Roster tells a node who the members are. Of two the one of the later epoch is
// newer, whoever leads.
type Roster struct {
	Term    Term       `json:"term"`
	Epoch   Epoch      `json:"epoch"`   // of the entry that changed the members last
	Cluster string     `json:"cluster"` // its id
	Members []Standing `json:"members"`
}

// List asks for the rooms of shards in which the two differ.
type List struct {
	Attempt Attempt `json:"attempt"`
	Shards  []int   `json:"shards"`
}

// Listed answers List for one shard.
type Listed struct {
	Attempt Attempt          `json:"attempt"`
	Shard   int              `json:"shard"`
	Rooms   map[string]Epoch `json:"rooms"`
}

func (Ask) message()       {}
func (Told) message()      {}
func (Reserve) message()   {}
func (Reserved) message()  {}
func (Release) message()   {}
func (Activate) message()  {}
func (Activated) message() {}
func (Drop) message()      {}
func (Idle) message()      {}
func (MayClose) message()  {}
func (Vote) message()      {}
func (Reopen) message()    {}
func (Unsure) message()    {}
func (Holding) message()   {}
func (List) message()      {}
func (Gone) message()      {}
func (Listed) message()    {}
func (Scan) message()      {}
func (Scanned) message()   {}
func (Join) message()      {}
func (Leave) message()     {}
func (Roster) message()    {}
