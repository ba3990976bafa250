package command

import (
	"context"
	"errors"
	"time"

	"hubsub/engine"
)

// Rooms is the cluster as clients ask for it. Any goroutine calls it. What has
// a context may take as long as that allows; the rest returns at once.
type Rooms interface {
	// Place returns a room, and makes it if it does not exist. replicas 0 is
	// the cluster's default, or what the room has.
	Place(ctx context.Context, room string, replicas int) (Room, error)
	// Inspect returns a room, or ErrNoRoom, and how the nodes see it that know it.
	Inspect(ctx context.Context, room string) (Room, []RoomNode, error)
	// CloseRoom removes a room; ErrNoRoom if there is none.
	CloseRoom(ctx context.Context, room string) error
	// Rooms returns names from the cursor on, about count, and where to go on;
	// 0 begins and ends.
	Rooms(ctx context.Context, cursor uint64, count int) (next uint64, names []string, err error)
	// Channels returns the channels, or patterns, that clients of any node are
	// subscribed to, each once: those that match the pattern, or all if it is nil.
	Channels(ctx context.Context, kind engine.Kind, pattern []byte) ([]string, error)
	// Nodes returns all members that this node knows.
	Nodes() []Node
	// Ready returns nil if rooms can be asked for, else why not.
	Ready() error
}

// Room is where a room lives.
type Room struct {
	Name     string
	Epoch    string
	Hosts    []string // host:port for clients of those that are alive, the leader first
	Replicas int      // how many hosts it shall have
	Keep     bool     // it stays when nobody uses it
	Pins     []string // ids of the nodes that shall host it
}

// RoomNode is a room as one node sees it.
type RoomNode struct {
	ID       string
	Role     string           // "leader", "host" or "guest"
	Clients  int64            // subscriptions there to channels of the room
	Key      string           // of the leader that it follows; empty: none yet
	Messages uint64           // numbered under the key, as far as it knows
	Rate     float64          // messages a second that it orders, or that its clients hear
	Gaps     int64            // that clients there were told of
	Lost     int64            // messages in those of known size
	Audience map[string]int64 // clients of the other nodes by id, as a host knows them
}

// Node is a member of the cluster.
type Node struct {
	ID      string
	Address string   // host:port for other nodes
	Clients []string // host:port for clients
	Zone    string
	Weight  int
	State   string // "up" and the like
	Serves  bool   // in that state
	Rooms   int    // that it hosts

	Connections         int
	Busy                float64 // 1: no more to give
	Voter, Leader, Self bool
}

// What a Rooms refuses with, besides errors that are answered as they are. They
// may be wrapped.
var (
	ErrNoRoom   = errors.New("no such room")
	ErrTryAgain = errors.New("no node took the room in time")
	ErrNoLeader = errors.New("no leader of the cluster is in reach")
)

func isNoRoom(err error) bool { return errors.Is(err, ErrNoRoom) }

// roomFault is what a client is answered. Libraries know the codes of a Redis
// Cluster, and many try again by themselves.
func roomFault(err error) string {
	switch {
	case errors.Is(err, ErrNoLeader):
		return "CLUSTERDOWN The cluster is down: " + err.Error()
	case errors.Is(err, ErrTryAgain):
		return "TRYAGAIN " + err.Error()
	case errors.Is(err, context.DeadlineExceeded):
		return "TRYAGAIN the cluster did not answer in time"
	default:
		return "ERR " + err.Error()
	}
}

// Fault implements engine.Handler.
func (h *Handler) Fault(code engine.Code) string {
	switch code {
	case engine.TryAgain:
		return "TRYAGAIN the room's leader did not answer"
	case engine.Down:
		return roomFault(ErrNoLeader)
	case engine.TooMany:
		return "ERR there are as many rooms as max-rooms allows"
	case engine.TooLarge:
		return "ERR a message or name is longer than cluster-max-message"
	case engine.BadName:
		return "ERR a room's name has 1 to 1024 bytes"
	default:
		return "ERR the cluster failed"
	}
}

// allowance is how many ROOM GET a client has left, as the moment from which on
// it would have all of them.
type allowance struct{ full time.Time }

// take takes one, if there is one.
func (a *allowance) take() bool {
	now := time.Now()
	full := a.full
	if full.Before(now) {
		full = now
	}
	full = full.Add(roomGetInterval)
	if full.Sub(now) > roomGetBurst*roomGetInterval {
		return false
	}
	a.full = full
	return true
}
