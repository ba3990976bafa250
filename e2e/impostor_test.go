package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"time"
)

// An impostor speaks with a node as the node at the other end of a link would: it greets, says hello, and sends batches.
type impostor struct {
	stranger
	address  string // of the node
	attempt  uint64
	own      uint64 // its half of the session
	peer     uint64 // the node's
	received uint64 // the last batch that the node has
}

// newImpostor is a process that knows the secret, with any name, and another address than it has.
func newImpostor(s *siege, name, says, address string) *impostor {
	i := &impostor{stranger: newStranger(linkKind, s.cluster, s.secret), address: address, own: rand.Uint64() | 1}
	i.says["name"], i.says["id"], i.says["address"] = name, name, says
	return i
}

// linkAnswer is what a node says to a hello.
type linkAnswer struct {
	Refused       string
	Own, Received uint64
	Lost          bool
}

// linkHello is what a node says that goes on with a session.
func (i *impostor) linkHello() map[string]any {
	i.attempt++
	return map[string]any{"min": 1, "max": 1, "own": i.own, "next": i.own + 2, "peer": i.peer, "attempt": i.attempt, "codings": []string{"s2"}}
}

// dial connects, greets, and says what it is given.
func (i *impostor) dial(says []byte) (net.Conn, error) {
	conn, said, err := i.greet(i.address)
	if err != nil {
		return nil, err
	}
	if said.Refused != "" {
		conn.Close()
		return nil, fmt.Errorf("the port refuses who knows the secret: %s", said.Refused)
	}
	conn.SetDeadline(time.Now().Add(strangerLimit))
	if _, err := conn.Write(says); err != nil {
		conn.Close()
		return nil, err
	}
	return conn, nil
}

// offer says hello, and hears the answer. There is a connection if there is no error.
func (i *impostor) offer(hello map[string]any) (net.Conn, linkAnswer, error) {
	var a linkAnswer
	conn, err := i.dial(withLength(nil, encoded(hello)))
	if err != nil {
		return nil, a, err
	}
	b, err := readWithLength(conn)
	if err == nil {
		err = json.Unmarshal(b, &a)
	}
	if err != nil {
		conn.Close()
		return nil, a, fmt.Errorf("no answer to a hello: %w", err)
	}
	return conn, a, nil
}

// meet goes on with its session, or begins one.
func (i *impostor) meet() (net.Conn, error) {
	conn, a, err := i.offer(i.linkHello())
	if err != nil {
		return nil, err
	}
	if a.Refused != "" {
		conn.Close()
		return nil, fmt.Errorf("a hello is refused: %s", a.Refused)
	}
	if a.Lost {
		i.own += 2
	}
	i.peer, i.received = a.Own, a.Received
	return conn, nil
}

// refused waits for the node to end a connection, as it does if nothing more is to come from there that it understands.
func refused(conn net.Conn) error {
	conn.SetReadDeadline(time.Now().Add(strangerLimit))
	if _, err := io.Copy(io.Discard, conn); errors.Is(err, os.ErrDeadlineExceeded) {
		return errors.New("the node does not end the connection")
	}
	return nil
}
