package gossip

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
)

// Packets travel over a stream as frames: the length, four bytes, most
// significant first, and the packet.

const frameHeaderBytes = 4

// appendFrame adds a packet's frame to dst.
func appendFrame(dst, packet []byte) []byte {
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(packet)))
	return append(dst, packet...)
}

// frameError is of a peer that does not send frames.
type frameError struct{ length uint32 }

func (e frameError) Error() string {
	return fmt.Sprintf("a packet of %d bytes, which must be 1 to %d", e.length, frameBytesMax)
}

// readFrame returns the next packet, which is the caller's to keep.
func readFrame(r *bufio.Reader) ([]byte, error) {
	header, err := r.Peek(frameHeaderBytes)
	if err != nil {
		return nil, err
	}
	length := binary.BigEndian.Uint32(header)
	if length == 0 || length > frameBytesMax {
		return nil, frameError{length}
	}
	if _, err := r.Discard(frameHeaderBytes); err != nil {
		return nil, err
	}
	packet := make([]byte, length)
	if _, err := io.ReadFull(r, packet); err != nil {
		return nil, err
	}
	return packet, nil
}
