package e2e

import (
	"crypto/hkdf"
	"crypto/hmac"
	crand "crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"time"
)

// strangerLimit bounds what a stranger waits for at a cluster port, which gives a greeting two seconds.
const strangerLimit = 5 * time.Second

// A stranger speaks with a cluster port, byte by byte as the documentation of the port says: a kind, both openings, the
// greeting, the answer; each but the kind behind its length, the last two with a proof if there is a secret.
type stranger struct {
	kind     byte
	min, max int
	secret   string // empty: it has none
	claims   bool   // it says that it has one, whatever it has
	proof    []byte // instead of a right one
	says     map[string]any
	to       string
}

// newStranger is a process that nobody has seen, of a cluster.
func newStranger(kind byte, cluster, secret string) stranger {
	return stranger{kind: kind, min: 1, max: 1, secret: secret, claims: secret != "", says: map[string]any{
		"cluster": cluster, "name": "stranger/00000000000000aa", "id": "stranger", "address": "127.0.0.1:1"}}
}

// verdict is what the acceptor answers.
type verdict struct {
	Greeting struct{ Name, Cluster string }
	Refused  string
}

// greet connects and greets. The connection is open unless there is an error, whatever the answer.
func (s stranger) greet(address string) (net.Conn, verdict, error) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return nil, verdict{}, err
	}
	conn.SetDeadline(time.Now().Add(strangerLimit))
	said, err := s.greetOn(conn)
	if err != nil {
		conn.Close()
		return nil, said, err
	}
	conn.SetDeadline(time.Time{})
	return conn, said, nil
}

func (s stranger) greetOn(conn net.Conn) (said verdict, err error) {
	transcript := sha256.New()
	heard := func(b []byte) {
		transcript.Write(binary.BigEndian.AppendUint32(nil, uint32(len(b))))
		transcript.Write(b)
	}
	heard([]byte{s.kind})
	opening := s.opening()
	heard(opening)
	if _, err := conn.Write(withLength([]byte{s.kind}, opening)); err != nil {
		return said, err
	}
	theirs, err := readWithLength(conn)
	if err != nil {
		return said, err
	}
	heard(theirs)
	hello := s.hello()
	heard(hello)
	message := withLength(nil, hello)
	if s.claims {
		message = append(message, s.prove(transcript.Sum(nil))...)
	}
	if _, err := conn.Write(message); err != nil {
		return said, err
	}
	theirs, err = readWithLength(conn)
	if err == nil {
		err = json.Unmarshal(theirs, &said)
	}
	if err == nil && s.claims && said.Refused != "wrong secret" {
		_, err = io.ReadFull(conn, make([]byte, sha256.Size)) // the other side's proof
	}
	return said, err
}

func (s stranger) opening() []byte {
	nonce := make([]byte, 32)
	crand.Read(nonce)
	return encoded(map[string]any{"min": s.min, "max": s.max, "nonce": nonce, "secret": s.claims})
}

func (s stranger) hello() []byte { return encoded(map[string]any{"greeting": s.says, "to": s.to}) }

// prove shows that the dialer knows the secret, or sends what shall be sent instead.
func (s stranger) prove(transcript []byte) []byte {
	if s.proof != nil {
		return s.proof
	}
	key, err := hkdf.Key(sha256.New, []byte(s.secret), nil, "hubsub cluster port", sha256.Size)
	if err != nil {
		panic(err) // only for longer keys
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte{'d'})
	mac.Write(transcript)
	return mac.Sum(nil)
}

// whole is all that it sends if it does not listen.
func (s stranger) whole() []byte {
	b := withLength(withLength([]byte{s.kind}, s.opening()), s.hello())
	if s.claims {
		b = append(b, make([]byte, sha256.Size)...)
	}
	return b
}

func withLength(dst, b []byte) []byte {
	return append(binary.BigEndian.AppendUint32(dst, uint32(len(b))), b...)
}

func readWithLength(conn net.Conn) ([]byte, error) {
	var length [4]byte
	if _, err := io.ReadFull(conn, length[:]); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint32(length[:])
	if n > 1<<20 {
		return nil, fmt.Errorf("the port announces %d bytes", n)
	}
	b := make([]byte, n)
	_, err := io.ReadFull(conn, b)
	return b, err
}

func encoded(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // nothing here is too much for JSON
	}
	return b
}
