package gossip

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
)

// Packets and reports travel over a stream as frames: the length, four bytes,
// most significant first, and the packet. The first bit says that it is a report.

const (
	frameHeaderBytes = 4
	reportBit        = 1 << 31
)

// appendFrame adds a packet's frame to dst.
func appendFrame(dst, packet []byte) []byte {
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(packet)))
	return append(dst, packet...)
}

// appendReport adds a report's frame to dst.
func appendReport(dst, report []byte) []byte {
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(report))|reportBit)
	return append(dst, report...)
}

// frameError is of a peer that does not send frames.
type frameError struct{ length uint32 }

func (e frameError) Error() string {
	return fmt.Sprintf("a packet of %d bytes, which must be 1 to %d", e.length, frameBytesMax)
}

// readFrame returns the next packet, which is the caller's to keep, and whether
// it is a report.
func readFrame(r *bufio.Reader) (packet []byte, report bool, err error) {
	header, err := r.Peek(frameHeaderBytes)
	if err != nil {
		return nil, false, err
	}
	word := binary.BigEndian.Uint32(header)
	length := word &^ reportBit
	if length == 0 || length > frameBytesMax {
		return nil, false, frameError{length}
	}
	if _, err := r.Discard(frameHeaderBytes); err != nil {
		return nil, false, err
	}
	packet = make([]byte, length)
	if _, err := io.ReadFull(r, packet); err != nil {
		return nil, false, err
	}
	return packet, word&reportBit != 0, nil
}
