package cluster

import (
	"context"
	"math"
	"time"
)

// This file is about looking at a room from all nodes at once: why somebody did
// not hear a message shows where two of them differ.

// RoomView is a room as one node sees it.
type RoomView struct {
	Key     string  `json:"key,omitempty"` // of the leader that it follows; empty: none yet
	Leads   bool    `json:"leads,omitempty"`
	Hosts   bool    `json:"hosts,omitempty"`
	Owns    bool    `json:"owns,omitempty"`    // nobody elsewhere hears it: its loops publish by themselves, unnumbered
	Clients int64   `json:"clients,omitempty"` // subscriptions here to channels of the room
	Number  uint64  `json:"number,omitempty"`  // messages numbered under the key, as far as it knows; of a room that it owns, those that its clients had since the first came
	Rate    float64 `json:"rate,omitempty"`    // messages a second that it orders, or that its clients hear
	Gaps    int64   `json:"gaps,omitempty"`    // that clients here were told of
	Lost    int64   `json:"lost,omitempty"`    // messages in those of known size

	// Audience is the clients of the other nodes as a host knows them: in a
	// RoomView by the names of their processes, in a NodeView by their ids.
	Audience map[string]int64 `json:"audience,omitempty"`
}

// Role is what the node is to the room: its leader, another host of it, or a guest.
func (v *RoomView) Role() string {
	switch {
	case v.Leads:
		return "leader"
	case v.Hosts:
		return "host"
	default:
		return "guest"
	}
}

// NodeView is a room as a node sees it, and which node that is.
type NodeView struct {
	ID        string
	Addresses []string // host:port for clients
	RoomView
}

// Inspect returns where a room lives, or ErrNoRoom, and how the members see it
// that know it, in the order of their names. One that does not answer within
// queryTimeMax is left out.
func (n *Node) Inspect(ctx context.Context, room string) (Room, []NodeView, error) {
	found, err := n.Find(ctx, room)
	if err != nil {
		return Room{}, nil, err
	}
	replies := n.askAll(ctx, query{Room: []byte(room)})
	members := n.Nodes()
	ids := make(map[string]string)
	for _, m := range members {
		ids[string(m.Name)] = m.ID
	}
	var views []NodeView
	for _, m := range members {
		view := replies[m.Name].Room
		if m.Self {
			view = n.config.Lanes.view(room)
		}
		if view != nil {
			view.Audience = renamed(view.Audience, ids)
			views = append(views, NodeView{m.ID, m.Clients, *view})
		}
	}
	return found, views, nil
}

// renamed has the ids of processes instead of their names, where they are known.
func renamed(audience map[string]int64, ids map[string]string) map[string]int64 {
	byID := make(map[string]int64, len(audience))
	for name, clients := range audience {
		if id := ids[name]; id != "" {
			name = id
		}
		byID[name] += clients
	}
	return byID
}

// view returns a room as its lane has it; nil if that knows nothing of it, or
// does not answer within queryTimeMax. It waits for the room's loop, so it is
// for any goroutine but a loop's.
func (s *Lanes) view(room string) *RoomView {
	answer := make(chan *RoomView, 1)
	s.of([]byte(room)).post(letter{do: func(l *Lane) { answer <- l.view(room) }})
	select {
	case v := <-answer:
		return v
	case <-time.After(queryTimeMax):
		return nil
	}
}

// view is Lanes.view on the room's loop.
func (l *Lane) view(room string) *RoomView {
	i, ok := l.core.Info(room)
	if !ok {
		return nil
	}
	v := &RoomView{
		Leads: i.Leads, Hosts: i.Serves, Owns: i.Owns, Clients: i.Clients, Number: i.Number, Rate: i.Rate, Gaps: i.Gaps, Lost: i.Missing,
		Audience: make(map[string]int64),
	}
	if i.Owns {
		messages, rate := l.outlet.Traffic(room)
		v.Number, v.Rate = uint64(messages), rate
	}
	v.Rate = math.Round(v.Rate*100) / 100
	if !i.Key.IsZero() {
		v.Key = i.Key.String()
	}
	for _, a := range i.Nodes {
		v.Audience[string(l.lanes.peers.get(a.Peer).name)] = a.Clients
	}
	return v
}
