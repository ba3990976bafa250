package placement

// Name tells one process from all others, past ones too: the node's id and the
// process's boot number. A node that restarts has another name.
type Name string

// Member is a process of the cluster, as it described itself.
type Member struct {
	Name    Name
	ID      string   // of the node; lasts over restarts if the operator chose it
	Cluster string   // host:port for the other nodes
	Clients []string // host:port for clients
	Zone    string
	Weight  int // how much it can do, relative to the others; at least 1
}

// State is what the cluster agreed on about a member.
type State uint8

const (
	Up       State = iota
	Draining       // serves what it has, gets nothing new
	Down           // dead, or cut off: forever, for a process that comes back has another name
	Left           // ended in order
)

func (s State) String() string {
	return [...]string{"up", "draining", "down", "left"}[s]
}

// Serves reports whether clients may be sent there.
func (s State) Serves() bool { return s == Up || s == Draining }
