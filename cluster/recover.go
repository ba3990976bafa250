package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"time"

	"hubsub/cluster/port"
)

// recoverKind is a connection by which the operator has a node begin a new
// generation of its cluster.
const recoverKind port.Kind = 'U'

// recovered is what the node answers.
type recovered struct {
	Done  string `json:"done,omitempty"`
	Error string `json:"error,omitempty"`
}

// Recover has the node at a cluster address go on alone with what it knows, as
// the first of a new generation, which all others join anew. It is for a cluster
// that has lost the majority of its voters for good; while there is a leader the
// node refuses. It returns what the node has done.
func Recover(ctx context.Context, address, secret string) (string, error) {
	name := ""
	p, err := port.Listen(port.Config{
		Address: "127.0.0.1:0", Secret: secret, Log: slog.New(slog.DiscardHandler),
		Greeting: func() port.Greeting { return port.Greeting{Cluster: name, Name: "operator/0"} },
	})
	if err != nil {
		return "", err
	}
	defer p.Close()
	peer, err := p.Hello(ctx, address)
	if err != nil {
		return "", err
	}
	if name = peer.Cluster; name == "" {
		return "", fmt.Errorf("the node at %s has no cluster", address)
	}
	conn, _, err := p.Dial(ctx, recoverKind, address, peer.Name)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	if deadline, ok := ctx.Deadline(); ok {
		conn.SetReadDeadline(deadline)
	}
	text, err := io.ReadAll(conn)
	if err != nil {
		return "", err
	}
	var r recovered
	if err := json.Unmarshal(text, &r); err != nil {
		return "", fmt.Errorf("the node at %s answers %q: %w", address, text, err)
	}
	if r.Error != "" {
		return "", errors.New(r.Error)
	}
	return r.Done, nil
}

// serveRecover answers one operator.
func (l *life) serveRecover(conn net.Conn, _ port.Greeting) {
	defer conn.Close()
	var r recovered
	if err := l.mayRecover(); err != nil {
		r.Error = err.Error()
	} else if err := l.recover(); err != nil {
		r.Error = err.Error()
	} else {
		l.mu.Lock()
		r.Done = fmt.Sprintf("node %s goes on alone as cluster %s with %d rooms; the others join it when they find it", l.self.ID, l.cluster, l.table.Rooms())
		l.mu.Unlock()
		l.log.Warn("the operator has the cluster recovered", "cluster", r.Done)
	}
	text, _ := json.Marshal(r) // strings only
	conn.SetWriteDeadline(time.Now().Add(helloTimeMax))
	_, _ = conn.Write(text) // to an operator who may have gone
}

// mayRecover returns why this node must not, nil if it may. A member that knows
// a leader could be of a majority that goes on: then there is nothing to
// recover, but a network to mend.
func (l *life) mayRecover() error {
	l.mu.Lock()
	ready := !l.closed && l.parts.consensus != nil
	holds := l.table.Generation() > 0
	leader, cluster := l.led.by, l.cluster
	l.mu.Unlock()
	if !ready {
		return errSeeking
	}
	var holders []string
	var mu sync.Mutex
	var greeting sync.WaitGroup
	for _, address := range l.seeds() {
		greeting.Go(func() {
			peer, err := l.greet(address)
			mu.Lock()
			defer mu.Unlock()
			if err == nil && peer.Cluster == cluster && peer.Table {
				holders = append(holders, peer.Address)
			}
			if err == nil && peer.Cluster == cluster && peer.Leader != "" && peer.Leader == peer.Name {
				leader = peer.Leader
			}
		})
	}
	greeting.Wait()
	switch {
	case leader != "":
		return fmt.Errorf("the cluster has a leader, %s: there is nothing to recover", leader)
	case !holds && len(holders) == 0:
		return errors.New("this node does not know where rooms live, and no other that answers does: start all nodes again")
	case !holds:
		return fmt.Errorf("this node does not know where rooms live; nodes that do: %s", strings.Join(holders, ", "))
	}
	return nil
}
