package placement

import "fmt"

// Name tells one process from all others, past ones too: the node's id and the
// process's boot number. A node that restarts has another name.
type Name string

// NameOf returns the name of a node's process.
func NameOf(id string, boot uint64) Name { return Name(fmt.Sprintf("%s/%016x", id, boot)) }

// Member is a process of the cluster, as it described itself.
type Member struct {
	Name    Name     `json:"name"`
	ID      string   `json:"id"`                // of the node; lasts over restarts if the operator chose it
	Boot    uint64   `json:"boot"`              // grows with each process of the node
	Cluster string   `json:"cluster"`           // host:port for the other nodes
	Clients []string `json:"clients,omitempty"` // host:port for clients
	Zone    string   `json:"zone,omitempty"`
	Weight  int      `json:"weight"` // how much it can do, relative to the others; at least 1
}

// State is what the cluster agreed on about a member.
type State uint8

const (
	Up       State = iota
	Draining       // serves what it has, gets nothing new
	Down           // dead, or cut off; up again only if it is resumed under its name
	Left           // ended in order
)

func (s State) String() string {
	if s > Left {
		return "unknown"
	}
	return [...]string{"up", "draining", "down", "left"}[s]
}

// Serves reports whether clients may be sent there.
func (s State) Serves() bool { return s == Up || s == Draining }

// Standing is a member and what the cluster agreed on about it.
type Standing struct {
	Member Member `json:"member"`
	State  State  `json:"state"`
}
