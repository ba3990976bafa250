package cluster

import (
	"context"
	"errors"

	"hubsub/cluster/placement"
)

// Room is where a room lives.
type Room struct {
	Name  string
	Epoch string             // grows with each change of the placement
	Hosts []placement.Member // that are alive, the leader first
	Want  int                // hosts it shall have
	Keep  bool               // configured: it stays when nobody uses it
	Pins  []string           // ids of the nodes that shall host it; none: any
}

// RoomOptions say how a room shall be made. They change one that exists only
// with Keep.
type RoomOptions struct {
	Replicas int // hosts; 0: as it has, or the cluster's default
	Pins     []string
	Keep     bool
}

// NodeStatus is a member of the cluster as this node knows it.
type NodeStatus struct {
	placement.Member
	State  placement.State
	Rooms  int // that it hosts, as it reported
	Busy   float64
	Report placement.Report
	Voter  bool // in consensus, as far as this node knows
	Leader bool // of the cluster
	Self   bool
}

// Why there is no answer.
var (
	ErrNoRoom   = errors.New("no such room")
	ErrTryAgain = errors.New("no node takes the room now")
	ErrNoLeader = errors.New("no leader of the cluster is in reach")
	ErrTooMany  = errors.New("there are as many rooms as --max-rooms allows")
	ErrBadName  = errors.New("a room's name has 1 to 1024 bytes")
	ErrNoNode   = errors.New("no node of those that shall host the room is alive")
)

var refusals = map[placement.Refusal]error{
	placement.NoLeader: ErrNoLeader,
	placement.TryAgain: ErrTryAgain,
	placement.TooMany:  ErrTooMany,
	placement.BadRoom:  ErrBadName,
	placement.NoNode:   ErrNoNode,
}

// Place returns where a room lives, and makes it if it does not exist. Like all
// that asks the cluster it may take seconds; the errors are those above, and
// the context's.
func (n *Node) Place(ctx context.Context, room string, o RoomOptions) (Room, error) {
	return n.ask(ctx, placement.Ask{Room: room, Create: true, Want: o.Replicas, Pins: o.Pins, Keep: o.Keep})
}

// Find returns where a room lives, or ErrNoRoom.
func (n *Node) Find(ctx context.Context, room string) (Room, error) {
	return n.ask(ctx, placement.Ask{Room: room})
}

// CloseRoom removes a room, whoever uses it; ErrNoRoom if there is none.
func (n *Node) CloseRoom(ctx context.Context, room string) error {
	if _, err := n.Find(ctx, room); err != nil {
		return err
	}
	if _, err := n.ask(ctx, placement.Ask{Room: room, Delete: true}); !errors.Is(err, ErrNoRoom) {
		return err
	}
	return nil
}

func (n *Node) ask(ctx context.Context, ask placement.Ask) (Room, error) {
	told, err := n.life.Load().ask(ctx, ask)
	if err != nil {
		return Room{}, err
	}
	return roomOf(told)
}

// roomOf reads the leader's answer.
func roomOf(t placement.Told) (Room, error) {
	switch {
	case t.Error != "":
		if err := refusals[t.Error]; err != nil {
			return Room{}, err
		}
		return Room{}, errors.New(string(t.Error))
	case t.Epoch.IsZero():
		return Room{}, ErrNoRoom
	case len(t.Hosts) == 0:
		return Room{}, ErrTryAgain
	}
	return roomIn(t), nil
}

func roomIn(t placement.Told) Room {
	return Room{Name: t.Room, Epoch: t.Epoch.String(), Hosts: t.Hosts, Want: t.Want, Keep: t.Keep, Pins: t.Pins}
}

// Rooms returns some rooms, about count, in an order of the cluster's own: cursor
// is 0 for the first, then what was returned as next, which is 0 after the last.
// Rooms that are made or closed meanwhile may be among them or not.
func (n *Node) Rooms(ctx context.Context, cursor uint64, count int) (next uint64, rooms []Room, err error) {
	page, err := n.life.Load().scan(ctx, cursor, count)
	if err != nil {
		return 0, nil, err
	}
	if err := refusals[page.Error]; err != nil {
		return 0, nil, err
	}
	for _, told := range page.Rooms {
		rooms = append(rooms, roomIn(told))
	}
	return page.Next, rooms, nil
}
