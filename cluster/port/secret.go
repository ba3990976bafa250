package port

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash"
)

const proofBytes = sha256.Size

// side is who says something.
type side byte

const (
	dialer   side = 'd'
	acceptor side = 'a'
)

// deriveKey returns the key of a cluster's secret, nil for none.
func deriveKey(secret string) []byte {
	if secret == "" {
		return nil
	}
	key, err := hkdf.Key(sha256.New, []byte(secret), nil, "hubsub cluster port", sha256.Size)
	if err != nil {
		panic(fmt.Sprintf("port: cannot derive a key: %v", err)) // only for keys of 8 KiB and more
	}
	return key
}

// transcript is what both sides of a connection have said so far, in its order.
type transcript struct{ sum hash.Hash }

func newTranscript(k Kind) transcript {
	t := transcript{sha256.New()}
	t.add([]byte{byte(k)})
	return t
}

// add takes the length in as well, so that no other words make the same sum.
func (t transcript) add(b []byte) {
	var length [4]byte
	binary.BigEndian.PutUint32(length[:], uint32(len(b)))
	t.sum.Write(length[:])
	t.sum.Write(b)
}

// proof shows that a side knows the key and has heard the transcript.
func (t transcript) proof(key []byte, by side) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte{byte(by)})
	mac.Write(t.sum.Sum(nil))
	return mac.Sum(nil)
}

func (t transcript) proved(key []byte, by side, proof []byte) bool {
	return hmac.Equal(proof, t.proof(key, by))
}
