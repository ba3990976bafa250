package main

import (
	"context"
	"errors"
	"fmt"

	"hubsub/cluster"
	"hubsub/cluster/lane"
	"hubsub/engine"
	"hubsub/engine/command"
)

// rooms is the node as the ROOM commands see it.
type rooms struct{ node *cluster.Node }

func (r rooms) Place(ctx context.Context, room string, replicas int) (command.Room, error) {
	return roomFor(r.node.Place(ctx, room, cluster.RoomOptions{Replicas: replicas}))
}

func (r rooms) Inspect(ctx context.Context, room string) (command.Room, []command.RoomNode, error) {
	found, views, err := r.node.Inspect(ctx, room)
	told, err := roomFor(found, err)
	var nodes []command.RoomNode
	for _, v := range views {
		nodes = append(nodes, command.RoomNode{
			ID: v.ID, Role: v.Role(), Clients: v.Clients, Key: v.Key, Messages: v.Number, Rate: v.Rate,
			Gaps: v.Gaps, Lost: v.Lost, Audience: v.Audience,
		})
	}
	return told, nodes, err
}

func (r rooms) CloseRoom(ctx context.Context, room string) error {
	return faultFor(r.node.CloseRoom(ctx, room))
}

func (r rooms) Rooms(ctx context.Context, cursor uint64, count int) (next uint64, names []string, err error) {
	next, page, err := r.node.Rooms(ctx, cursor, count)
	for _, room := range page {
		names = append(names, room.Name)
	}
	return next, names, faultFor(err)
}

func (r rooms) Channels(ctx context.Context, kind engine.Kind, pattern []byte) ([]string, error) {
	return r.node.Names(ctx, lane.Kind(kind), pattern), nil
}

func (r rooms) Ready() error { return r.node.Ready() }

func (r rooms) Nodes() []command.Node {
	var all []command.Node
	for _, n := range r.node.Nodes() {
		all = append(all, command.Node{
			ID: n.ID, Address: n.Cluster, Clients: n.Clients, Zone: n.Zone, Weight: n.Weight,
			State: n.State.String(), Serves: n.State.Serves(), Rooms: n.Rooms,
			Connections: n.Report.Connections, Busy: n.Busy, Voter: n.Voter, Leader: n.Leader, Self: n.Self,
		})
	}
	return all
}

// roomFor leaves of a room what clients of the Redis protocol are told: of each
// host the first address for clients.
func roomFor(r cluster.Room, err error) (command.Room, error) {
	if err != nil {
		return command.Room{}, faultFor(err)
	}
	told := command.Room{Name: r.Name, Epoch: r.Epoch, Replicas: r.Want, Keep: r.Keep, Pins: r.Pins}
	for _, host := range r.Hosts {
		if len(host.Clients) > 0 {
			told.Hosts = append(told.Hosts, host.Clients[0])
		}
	}
	return told, nil
}

// faultFor gives the cluster's errors the meaning that the commands know.
func faultFor(err error) error {
	switch {
	case errors.Is(err, cluster.ErrNoRoom):
		return command.ErrNoRoom
	case errors.Is(err, cluster.ErrTryAgain):
		return fmt.Errorf("%w: %w", command.ErrTryAgain, err)
	case errors.Is(err, cluster.ErrNoLeader):
		return command.ErrNoLeader
	default:
		return err
	}
}
