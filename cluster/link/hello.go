package link

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"slices"
	"time"

	"github.com/bytedance/sonic"
)

// hello is what the dialer of a connection says first, answer what the acceptor
// says to it. Both are JSON behind its length (four bytes, big endian). Batches
// follow if nothing was refused. Fields that are not known are skipped.
type hello struct {
	Min int `json:"min"` // versions of the protocol
	Max int `json:"max"`

	// The halves of the session.
	Own      uint64 `json:"own"`
	Next     uint64 `json:"next"`
	Peer     uint64 `json:"peer,omitempty"`
	Received uint64 `json:"received,omitempty"` // the last batch of the acceptor

	// Attempt grows with each dial of the dialer's process. Heard is the last
	// attempt of the acceptor that the dialer has accepted.
	Attempt uint64 `json:"attempt"`
	Heard   uint64 `json:"heard,omitempty"`

	Codings []string `json:"codings,omitempty"` // that it reads
}

type answer struct {
	Refused verdict `json:"refused,omitempty"`

	Min int `json:"min"`
	Max int `json:"max"`

	Own      uint64   `json:"own,omitempty"`
	Lost     bool     `json:"lost,omitempty"` // the dialer's half is: Next takes its place
	Received uint64   `json:"received,omitempty"`
	Codings  []string `json:"codings,omitempty"`
}

// verdict is why an acceptor does not want a connection. It is an error.
type verdict string

const (
	crossed     verdict = "crossed"  // with one that the acceptor dials
	outdated    verdict = "outdated" // a later one of the dialer has come before
	wrongSpeech verdict = "version"  // the two have none in common
	forgotten   verdict = "forgotten"
	busy        verdict = "busy" // with what came before
)

func (v verdict) Error() string { return fmt.Sprintf("refused: %q", short(string(v))) }

const codingS2 = "s2"

var codings = []string{codingS2}

func readsS2(codings []string) bool { return slices.Contains(codings, codingS2) }

// speaks reports whether this program has a version in common with another one.
// There is only one yet.
func speaks(minimum, maximum int) bool { return minimum <= version && version <= maximum }

func parseHello(b []byte) (hello, error) {
	var h hello
	if err := sonic.ConfigStd.Unmarshal(b, &h); err != nil {
		return h, refuseHello
	}
	if h.Min < 1 || h.Max < h.Min || h.Own == 0 || h.Next == 0 || h.Attempt == 0 {
		return h, refuseHello
	}
	return h, nil
}

func parseAnswer(b []byte) (answer, error) {
	var a answer
	if err := sonic.ConfigStd.Unmarshal(b, &a); err != nil {
		return a, refuseHello
	}
	if a.Refused == "" && (a.Own == 0 || !speaks(a.Min, a.Max) || (a.Lost && a.Received != 0)) {
		return a, refuseHello
	}
	return a, nil
}

// say writes a hello or an answer.
func say(conn net.Conn, v any) error {
	b, err := sonic.ConfigStd.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("link: cannot encode %T: %v", v, err)) // nothing in it is too much for JSON
	}
	_, err = conn.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(b))), b...))
	return err
}

// hear reads what say has written.
func hear(conn net.Conn) ([]byte, error) {
	var length [4]byte
	if _, err := io.ReadFull(conn, length[:]); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint32(length[:])
	if n > helloBytesMax {
		return nil, refuseHello
	}
	b := make([]byte, n)
	_, err := io.ReadFull(conn, b)
	return b, err
}

// offer says hello to an acceptor and returns what it answers.
func offer(conn net.Conn, h hello) (answer, error) {
	conn.SetDeadline(time.Now().Add(handshakeTimeout))
	if err := say(conn, h); err != nil {
		return answer{}, err
	}
	b, err := hear(conn)
	if err != nil {
		return answer{}, err
	}
	a, err := parseAnswer(b)
	if err != nil {
		return a, err
	}
	if a.Refused != "" {
		return a, a.Refused
	}
	return a, conn.SetDeadline(time.Time{})
}

// await reads a dialer's hello.
func await(conn net.Conn) (hello, error) {
	conn.SetDeadline(time.Now().Add(handshakeTimeout))
	b, err := hear(conn)
	if err != nil {
		return hello{}, err
	}
	return parseHello(b)
}
