package command

import (
	"bytes"
	"context"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"hubsub/engine/glob"
	"hubsub/resp"
)

// ask has the cluster asked, which may take longer than the loop can wait, and
// then its answer written. The question must not hold on to the call's words.
func ask(c call, question func(ctx context.Context, rooms Rooms) (answer func(*resp.Writer), err error)) {
	h, reply := c.h, c.suspend()
	h.asking.Add(1)
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), roomTimeMax)
		defer cancel()
		answer, err := question(ctx, h.Rooms)
		if err != nil {
			answer = func(w *resp.Writer) { w.Error(roomFault(err)) }
		}
		h.asking.Add(-1)
		reply(answer)
	}()
}

// inCluster reports whether there is a cluster, and answers that there is none.
func inCluster(c call) bool {
	if c.h.Rooms == nil {
		c.fail(faultNoCluster)
		return false
	}
	return true
}

// roomGet is ROOM GET room [REPLICAS count]. What it answers is what a client
// needs to connect, so it is an array in RESP3 too. Whether it makes the room
// shows only afterwards; so each call counts as if it did.
func roomGet(c call) {
	if !inCluster(c) {
		return
	}
	replicas := int64(0)
	if options := c.args()[1:]; len(options) > 0 {
		if len(options) != 2 || !is(options[0], "REPLICAS") {
			c.fail(faultSyntax)
			return
		}
		var ok bool
		if replicas, ok = resp.ParseInt(options[1]); !ok {
			c.fail(faultNotInteger)
			return
		}
		if replicas < 1 || replicas > math.MaxInt32 {
			c.fail(faultNotPositive)
			return
		}
	}
	if !c.memory().rooms.take() {
		c.fail(faultManyRooms)
		return
	}
	name := string(c.args()[0])
	ask(c, func(ctx context.Context, rooms Rooms) (func(*resp.Writer), error) {
		room, err := rooms.Place(ctx, name, int(replicas))
		return func(w *resp.Writer) {
			w.Array(3)
			w.BulkString(room.Name)
			w.BulkString(room.Epoch)
			writeStrings(w, room.Hosts)
		}, err
	})
}

// roomInfo is ROOM INFO room. What the nodes know comes last: it grows.
func roomInfo(c call) {
	if !inCluster(c) {
		return
	}
	name := string(c.args()[0])
	ask(c, func(ctx context.Context, rooms Rooms) (func(*resp.Writer), error) {
		room, nodes, err := rooms.Inspect(ctx, name)
		if isNoRoom(err) {
			return (*resp.Writer).Null, nil
		}
		return func(w *resp.Writer) {
			w.Map(7)
			w.BulkString("room")
			w.BulkString(room.Name)
			w.BulkString("epoch")
			w.BulkString(room.Epoch)
			w.BulkString("hosts")
			writeStrings(w, room.Hosts)
			w.BulkString("replicas")
			w.Int(int64(room.Replicas))
			w.BulkString("keep")
			w.Bool(room.Keep)
			w.BulkString("pins")
			writeStrings(w, room.Pins)
			w.BulkString("nodes")
			w.Array(len(nodes))
			for i := range nodes {
				nodes[i].write(w)
			}
		}, err
	})
}

func (n *RoomNode) write(w *resp.Writer) {
	w.Map(9)
	w.BulkString("id")
	w.BulkString(n.ID)
	w.BulkString("role")
	w.BulkString(n.Role)
	w.BulkString("clients")
	w.Int(n.Clients)
	w.BulkString("key")
	w.BulkString(n.Key)
	w.BulkString("messages")
	w.Int(int64(n.Messages))
	w.BulkString("rate")
	w.Double(n.Rate)
	w.BulkString("gaps")
	w.Int(n.Gaps)
	w.BulkString("lost")
	w.Int(n.Lost)
	w.BulkString("audience")
	w.Map(len(n.Audience))
	for _, id := range slices.Sorted(maps.Keys(n.Audience)) {
		w.BulkString(id)
		w.Int(n.Audience[id])
	}
}

// roomList is ROOM LIST [cursor] [MATCH pattern] [COUNT count]. The pattern is
// for what the page holds, as in SCAN: a page may be empty and not the last one.
func roomList(c call) {
	if !inCluster(c) {
		return
	}
	page, fault := parsePage(c.args())
	if fault != "" {
		c.fail(fault)
		return
	}
	ask(c, func(ctx context.Context, rooms Rooms) (func(*resp.Writer), error) {
		next, names, err := rooms.Rooms(ctx, page.cursor, page.count)
		matching := names[:0:0]
		for _, name := range names {
			if page.pattern == nil || glob.Match(page.pattern, []byte(name)) {
				matching = append(matching, name)
			}
		}
		return func(w *resp.Writer) {
			w.Array(2)
			w.BulkString(strconv.FormatUint(next, 10))
			writeStrings(w, matching)
		}, err
	})
}

// page is what ROOM LIST is asked for.
type page struct {
	cursor  uint64
	pattern []byte // own memory; nil: all
	count   int
}

func parsePage(args [][]byte) (p page, fault string) {
	p.count = roomsListed
	if len(args) > 0 && !is(args[0], "MATCH") && !is(args[0], "COUNT") {
		cursor, err := strconv.ParseUint(string(args[0]), 10, 64)
		if err != nil {
			return p, faultCursor
		}
		p.cursor, args = cursor, args[1:]
	}
	for ; len(args) > 0; args = args[2:] {
		switch {
		case len(args) == 1:
			return p, faultSyntax
		case is(args[0], "MATCH"):
			p.pattern = bytes.Clone(args[1])
		case is(args[0], "COUNT"):
			count, ok := resp.ParseInt(args[1])
			if !ok {
				return p, faultNotInteger
			}
			if count < 1 {
				return p, faultSyntax
			}
			p.count = int(min(count, roomsListedMax))
		default:
			return p, faultSyntax
		}
	}
	return p, ""
}

// roomNodes is ROOM NODES.
func roomNodes(c call) {
	if !inCluster(c) {
		return
	}
	ask(c, func(_ context.Context, rooms Rooms) (func(*resp.Writer), error) {
		nodes := rooms.Nodes()
		return func(w *resp.Writer) {
			w.Array(len(nodes))
			for i := range nodes {
				nodes[i].write(w)
			}
		}, nil
	})
}

func (n *Node) write(w *resp.Writer) {
	w.Map(12)
	w.BulkString("id")
	w.BulkString(n.ID)
	w.BulkString("addr")
	w.BulkString(n.Address)
	w.BulkString("clients")
	writeStrings(w, n.Clients)
	w.BulkString("zone")
	w.BulkString(n.Zone)
	w.BulkString("weight")
	w.Int(int64(n.Weight))
	w.BulkString("state")
	w.BulkString(n.State)
	w.BulkString("rooms")
	w.Int(int64(n.Rooms))
	w.BulkString("connections")
	w.Int(int64(n.Connections))
	w.BulkString("busy")
	w.Double(n.Busy)
	for _, is := range []struct {
		what string
		yes  bool
	}{{"voter", n.Voter}, {"leader", n.Leader}, {"self", n.Self}} {
		w.BulkString(is.what)
		w.Bool(is.yes)
	}
}

// roomClose is ROOM CLOSE room.
func roomClose(c call) {
	if !inCluster(c) {
		return
	}
	name := string(c.args()[0])
	ask(c, func(ctx context.Context, rooms Rooms) (func(*resp.Writer), error) {
		closed, err := int64(1), rooms.CloseRoom(ctx, name)
		if isNoRoom(err) {
			closed, err = 0, nil
		}
		return func(w *resp.Writer) { w.Int(closed) }, err
	})
}

func writeStrings(w *resp.Writer, words []string) {
	w.Array(len(words))
	for _, word := range words {
		w.BulkString(word)
	}
}

// cluster is the section of INFO. With a cluster it tells what this node knows
// of it without asking others.
func (r *report) cluster() {
	rooms := r.h.Rooms
	if rooms == nil {
		r.line("cluster_enabled", "0")
		return
	}
	state, reason := "ok", ""
	if err := rooms.Ready(); err != nil {
		state, reason = "fail", oneLine.Replace(err.Error())
	}
	var self Node
	leader, members, voters := "", 0, 0
	for _, n := range rooms.Nodes() {
		if n.Self {
			self = n
		}
		if n.Leader {
			leader = n.ID
		}
		if n.Voter {
			voters++
		}
		if n.Serves {
			members++
		}
	}
	r.line("cluster_enabled", "0")
	r.line("cluster_state", state)
	if reason != "" {
		r.line("cluster_state_reason", reason)
	}
	r.line("cluster_node_id", self.ID)
	r.line("cluster_node_address", self.Address)
	r.line("cluster_node_zone", self.Zone)
	r.line("cluster_node_state", self.State)
	r.number("cluster_node_rooms", int64(self.Rooms))
	r.line("cluster_node_busy", strconv.FormatFloat(self.Busy, 'f', 3, 64))
	r.number("cluster_members", int64(members))
	r.number("cluster_voters", int64(voters))
	r.line("cluster_leader", leader)
	st := r.e.Stats()
	r.number("cluster_gaps", st.Gaps)
	r.number("cluster_messages_lost", st.LostMessages)
}

// oneLine makes a text one line of INFO.
var oneLine = strings.NewReplacer("\r", " ", "\n", " ")
