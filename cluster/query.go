package cluster

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/bytedance/sonic"

	"hubsub/cluster/lane"
	"hubsub/cluster/placement"
	"hubsub/cluster/port"
)

// This file is about questions that all nodes are asked, on a connection of its
// own each: question and answer are JSON behind their length (four bytes, big
// endian). They are for operators and seldom commands; nothing waits for them.

// queryKind is the port's for such connections.
const queryKind port.Kind = 'Q'

// query is a question.
type query struct {
	Names *namesQuery `json:"names,omitempty"`
	Room  []byte      `json:"room,omitempty"` // how does the node see it? Base64, for a name may be any bytes
}

// namesQuery asks for what clients of a node are subscribed to.
type namesQuery struct {
	Kind    lane.Kind `json:"kind"`
	Pattern []byte    `json:"pattern,omitempty"` // of the names; nil: all
}

// reply answers a query.
type reply struct {
	Names []string  `json:"names,omitempty"`
	Room  *RoomView `json:"room,omitempty"` // nil: it knows nothing of it
}

// Names returns what clients of all nodes are subscribed to, each once, in their
// order: those that the pattern matches, or all if it is nil. A node that does
// not answer within queryTimeMax is left out.
func (n *Node) Names(ctx context.Context, kind lane.Kind, pattern []byte) []string {
	names := n.config.Names(kind, pattern)
	for _, r := range n.askAll(ctx, query{Names: &namesQuery{kind, pattern}}) {
		names = append(names, r.Names...)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// askAll asks all other members at once, and returns what has been answered in
// time, by name.
func (n *Node) askAll(ctx context.Context, q query) map[placement.Name]reply {
	ctx, cancel := context.WithTimeout(ctx, queryTimeMax)
	defer cancel()
	var mu sync.Mutex
	replies := make(map[placement.Name]reply)
	var asking sync.WaitGroup
	for _, m := range n.Nodes() {
		if m.Self || !m.State.Serves() {
			continue
		}
		asking.Go(func() {
			r, err := n.askOne(ctx, m.Member, q)
			if err != nil {
				n.log.Info("a node does not answer a question", "node", m.Name, "error", err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			replies[m.Name] = r
		})
	}
	asking.Wait()
	return replies
}

func (n *Node) askOne(ctx context.Context, m placement.Member, q query) (r reply, err error) {
	conn, _, err := n.port.Dial(ctx, queryKind, m.Cluster, m.Name)
	if err != nil {
		return r, err
	}
	defer conn.Close()
	if end, ok := ctx.Deadline(); ok {
		conn.SetDeadline(end)
	}
	if err := writeJSON(conn, q); err != nil {
		return r, err
	}
	return r, readJSON(conn, &r, replyBytesMax)
}

// serveQuery answers another node's question.
func (n *Node) serveQuery(conn net.Conn, peer port.Greeting) {
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(queryTimeMax))
	var q query
	if err := readJSON(conn, &q, queryBytesMax); err != nil {
		n.log.Info("refuses what is no question", "node", peer.Name, "error", err)
		return
	}
	var r reply
	if q.Names != nil {
		r.Names = n.config.Names(q.Names.Kind, q.Names.Pattern)
	}
	if len(q.Room) > 0 {
		r.Room = n.config.Lanes.view(string(q.Room))
	}
	if err := writeJSON(conn, r); err != nil {
		n.log.Info("cannot answer a node's question", "node", peer.Name, "error", err)
	}
}

var errTooLong = errors.New("it is too long")

func writeJSON(w io.Writer, v any) error {
	text, err := sonic.Marshal(v)
	if err != nil {
		return err
	}
	if len(text) > replyBytesMax {
		return errTooLong
	}
	_, err = w.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(text))), text...))
	return err
}

func readJSON(r io.Reader, v any, most uint32) error {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return err
	}
	size := binary.BigEndian.Uint32(head[:])
	if size > most {
		return fmt.Errorf("%d bytes: %w", size, errTooLong)
	}
	text, err := io.ReadAll(io.LimitReader(r, int64(size))) // grows by what comes, not by what was announced
	if err != nil {
		return err
	}
	return sonic.Unmarshal(text, v)
}
