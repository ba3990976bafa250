package bench

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
)

// protocol is what one connection speaks. Everything that differs between protocols stands in this file, in the format
// of their messages, and in the greeting.
type protocol uint8

const (
	resp2 protocol = iota
	resp3
	nats // the text protocol of nats.io, a client's side
)

func (p protocol) String() string {
	return [...]string{"RESP2", "RESP3", "NATS"}[p]
}

// protocols are those of every first and every second connection to a node.
type protocols [2]protocol

func (p protocols) String() string {
	if p[0] == p[1] {
		return p[0].String()
	}
	return p[0].String() + " and " + p[1].String()
}

// protocolNames are the values of --protocol.
var protocolNames = map[string]protocols{
	"resp2": {resp2, resp2},
	"resp3": {resp3, resp3},
	"both":  {resp2, resp3},
	"nats":  {nats, nats},
}

var (
	pongPlain = []byte("+PONG\r\n")                      // RESP3
	pongPush  = []byte("*2\r\n$4\r\npong\r\n$0\r\n\r\n") // RESP2, while subscribed
	natsPing  = []byte("PING\r\n")
	natsPong  = []byte("PONG\r\n")
	natsInfo  = []byte("INFO ")
	natsError = []byte("-ERR")
	respError = []byte("-")
)

// ping returns what asks for a sign of life on a subscribed connection, and the answer.
func (p protocol) ping() (question, answer []byte) {
	switch p {
	case nats:
		return natsPing, natsPong
	case resp3:
		return respCommand("PING"), pongPlain
	}
	return respCommand("PING"), pongPush
}

// join returns the command that subscribes a connection without subscriptions to a channel, and its confirmation. NATS
// confirms no SUB, but it handles what a client sends in order, so a PING behind it is answered when it is done.
func (p protocol) join(channel string) (command, confirmation []byte) {
	if p == nats {
		return fmt.Appendf(nil, "SUB %s %s\r\nPING\r\n", channel, natsID(channel)), natsPong
	}
	return respCommand("SUBSCRIBE", channel), p.confirmation("subscribe", channel, 1)
}

// leave returns the command that ends a connection's only subscription, and its confirmation.
func (p protocol) leave(channel string) (command, confirmation []byte) {
	if p == nats {
		return fmt.Appendf(nil, "UNSUB %s\r\nPING\r\n", natsID(channel)), natsPong
	}
	return respCommand("UNSUBSCRIBE", channel), p.confirmation("unsubscribe", channel, 0)
}

// confirmation is RESP's, which has no other form for a given number of subscriptions.
func (p protocol) confirmation(verb, channel string, subscriptions int) []byte {
	return fmt.Appendf(nil, "%c3\r\n$%d\r\n%s\r\n$%d\r\n%s\r\n:%d\r\n",
		p.pushKind(), len(verb), verb, len(channel), channel, subscriptions)
}

// pushKind is the first byte of what a RESP server sends unasked.
func (p protocol) pushKind() byte {
	if p == resp3 {
		return '>'
	}
	return '*'
}

// pattern returns the n-th pattern that matches no room. All have one length.
func (p protocol) pattern(n int) string {
	if p == nats {
		return fmt.Sprintf("idle.%06d.*", n)
	}
	return fmt.Sprintf("idle:%06d:*", n)
}

// respCommand encodes a command as RESP clients do.
func respCommand(args ...string) []byte {
	b := fmt.Appendf(nil, "*%d\r\n", len(args))
	for _, arg := range args {
		b = fmt.Appendf(b, "$%d\r\n%s\r\n", len(arg), arg)
	}
	return b
}

// natsID returns the subscription id for a subject: a room's number, which has the same length for all rooms, so that all
// messages have too.
func natsID(subject string) string { return strings.TrimPrefix(subject, roomPrefix) }

// aside looks at bytes of a NATS stream that are not a message. It returns the length of what a server says beside its
// messages, PING and INFO, 0 if it is none of that, -1 if more bytes are needed to tell; PING is answered by pong.
func aside(b []byte, pong func() error) (n int, err error) {
	if bytes.HasPrefix(b, natsPing) {
		return len(natsPing), pong()
	}
	info, failure := bytes.HasPrefix(b, natsInfo), bytes.HasPrefix(b, natsError)
	if !info && !failure {
		return 0, nil
	}
	n = bytes.IndexByte(b, '\n') + 1
	switch {
	case n == 0:
		return -1, nil
	case failure:
		return n, fmt.Errorf("%w: %q", errRefused, b[:n])
	}
	return n, nil
}

var errRefused = errors.New("server reported an error")
