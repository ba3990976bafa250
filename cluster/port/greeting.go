package port

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/bytedance/sonic"

	"hubsub/cluster/placement"
)

// Greeting is what a node says of itself to whoever connects to it, and to whom
// it connects.
type Greeting struct {
	// Min and Max are the protocol versions that it speaks. The port fills them in.
	Min int `json:"-"`
	Max int `json:"-"`

	Cluster    string         `json:"cluster,omitempty"` // its id; empty: in none
	Generation uint32         `json:"generation,omitempty"`
	Name       placement.Name `json:"name"`
	ID         string         `json:"id"`
	Address    string         `json:"address"` // for the other nodes

	// What it knows of its cluster, for those who look for one.
	Members       int            `json:"members,omitempty"`
	Rooms         int            `json:"rooms,omitempty"`
	Leader        placement.Name `json:"leader,omitempty"`
	LeaderAddress string         `json:"leader_address,omitempty"`
	Table         bool           `json:"table,omitempty"` // it knows where rooms live
}

// opening is the first thing that each side says.
type opening struct {
	Min    int    `json:"min"`
	Max    int    `json:"max"`
	Nonce  []byte `json:"nonce"`
	Secret bool   `json:"secret,omitempty"` // it has one
}

// hello is a dialer's greeting.
type hello struct {
	Greeting Greeting       `json:"greeting"`
	To       placement.Name `json:"to,omitempty"` // empty: whoever is there
}

// answer is an acceptor's greeting and verdict.
type answer struct {
	Greeting *Greeting `json:"greeting,omitempty"` // not for those who have proved nothing
	Refused  Reason    `json:"refused,omitempty"`
}

const nonceBytes = 32

var errMalformed = errors.New("malformed greeting")

// speaks returns the version that two sides speak, 0 if they have none in
// common.
func speaks(aMin, aMax, bMin, bMax int) int {
	version := min(aMax, bMax)
	if version < max(aMin, bMin) {
		return 0
	}
	return version
}

func parseOpening(b []byte) (opening, error) {
	o, err := parse[opening](b)
	if err == nil && (len(o.Nonce) != nonceBytes || o.Min < 1 || o.Max < o.Min) {
		err = errMalformed
	}
	return o, err
}

func parse[T any](b []byte) (T, error) {
	var v T
	if err := sonic.ConfigStd.Unmarshal(b, &v); err != nil {
		return v, errMalformed // its own words quote what came
	}
	return v, nil
}

// encode returns v as JSON. It is one of the types above, which have nothing in
// them that JSON cannot say.
func encode(v any) []byte {
	b, err := sonic.ConfigStd.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("port: cannot encode a greeting: %v", err))
	}
	return b
}

// appendFrame appends b behind its length.
func appendFrame(dst, b []byte) []byte {
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(b)))
	return append(dst, b...)
}

// readFrame reads what appendFrame wrote.
func readFrame(r io.Reader, bytesMax int) ([]byte, error) {
	var length [4]byte
	if _, err := io.ReadFull(r, length[:]); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint32(length[:])
	if n > uint32(bytesMax) {
		return nil, errMalformed
	}
	b := make([]byte, n)
	_, err := io.ReadFull(r, b)
	return b, err
}
