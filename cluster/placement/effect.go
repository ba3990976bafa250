package placement

// Effect is what the deciding parts want done. They do nothing themselves: no
// clock, no socket, no goroutine, so that a simulator can run them.
type Effect interface{ effect() }

// Send sends a message to a member, this one too.
type Send struct {
	To      Name
	Message Message
}

// Propose asks consensus to append an entry. Decider.Applied or Decider.Failed
// follows, unless leadership ends.
type Propose struct {
	ID  uint64
	Ops []Op
}

// Verify asks consensus whether this member leads still. Decider.Verified
// follows.
type Verify struct{ ID uint64 }

// Open tells this node that it hosts a room from now on, or that the room's
// placement has changed.
type Open struct {
	Room  string
	Epoch Epoch
	Hosts []Name
}

// Shut tells this node that it hosts a room no more.
type Shut struct{ Room string }

// Rejoin tells this node that the others have given it up: it comes back under
// another name.
type Rejoin struct{}

// Parted tells this node, which leaves, that the others know it.
type Parted struct{}

// Members tells this node that Host.Roster has changed.
type Members struct{}

// Answer answers a client's question.
type Answer struct {
	Tag  uint64
	Told Told
}

// Page answers a client's scan.
type Page struct {
	Tag     uint64
	Scanned Scanned
}

func (Send) effect()    {}
func (Propose) effect() {}
func (Verify) effect()  {}
func (Open) effect()    {}
func (Shut) effect()    {}
func (Rejoin) effect()  {}
func (Members) effect() {}
func (Parted) effect()  {}
func (Answer) effect()  {}
func (Page) effect()    {}

// effects collects them until the caller takes them.
type effects []Effect

func (e *effects) add(f Effect) { *e = append(*e, f) }

func (e *effects) send(to Name, m Message) { e.add(Send{to, m}) }

func (e *effects) take() []Effect {
	all := *e
	*e = nil
	return all
}
