package engine

import (
	"bytes"

	"hubsub/resp"
)

// run is consecutive messages of one channel, encoded once. The loop that
// publishes it owns it until it is in the room's log; from then on nothing of
// it changes and every loop, session and backlog shares it.
type run struct {
	channel *channel
	matches *matches // the patterns that heard it when it was published
	data    []byte   // RESP2 frames, one behind the other
	frames  int
}

// parcel is bytes on their way to the subscribers of one audience: a run, or
// what a loop made of one for a pattern. It belongs to one loop.
type parcel struct {
	data   []byte // RESP2 frames; shared, never written
	twin   []byte // the same for RESP3, made when the first session needs it
	head   int    // bytes of a frame before its payload's length
	frames int
}

// verbs are the first words of the frames that subscribers of a kind get.
var verbs = [kinds]string{Channel: "message", Shard: "smessage", Pattern: "pmessage"}

// appendFrame appends one message as RESP2 subscribers of the channel get it.
// A PUBLISH as clients send it is that frame but for the verb, which has the
// same length: raw, if the command came as such, saves the encoding.
func appendFrame(dst []byte, kind Kind, cmd *resp.Command) []byte {
	verb := verbs[kind]
	if len(cmd.Raw) > 0 && len(cmd.Args) == 3 && len(cmd.Args[0]) == len(verb) {
		at := len(dst) + len("*3\r\n$7\r\n")
		dst = append(dst, cmd.Raw...)
		copy(dst[at:], verb)
		return dst
	}
	dst = resp.AppendArray(dst, 3)
	dst = resp.AppendBulkString(dst, verb)
	dst = resp.AppendBulk(dst, cmd.Args[1])
	return resp.AppendBulk(dst, cmd.Args[2])
}

// frameHead returns how many bytes of each frame of a channel come before the
// '$' of the payload.
func frameHead(kind Kind, channel string) int {
	verb := len(verbs[kind])
	return len("*3\r\n$7\r\n") + verb + len("\r\n") + bulkLen(len(channel))
}

// bulkLen returns the encoded length of a bulk string of n bytes.
func bulkLen(n int) int {
	digits := 1
	for m := n; m >= 10; m /= 10 {
		digits++
	}
	return len("$") + digits + len("\r\n") + n + len("\r\n")
}

// frame returns the payload of data's first frame and the frame's length. data
// is the engine's own encoding, so it is whole and canonical.
func frame(data []byte, head int) (payload []byte, length int) {
	n, at := 0, head+1
	for ; data[at] != '\r'; at++ {
		n = n*10 + int(data[at]-'0')
	}
	at += len("\r\n")
	return data[at : at+n], at + n + len("\r\n")
}

// parcel returns the run as this loop's subscribers of its channel get it.
func (r *run) parcel() parcel {
	return parcel{data: r.data, head: frameHead(r.channel.kind, r.channel.name), frames: r.frames}
}

// bytes returns the frames in a protocol.
func (p *parcel) bytes(v3 bool) []byte {
	if !v3 {
		return p.data
	}
	if p.twin == nil {
		p.twin = bytes.Clone(p.data)
		for rest := p.twin; len(rest) > 0; {
			_, n := frame(rest, p.head)
			rest[0] = '>'
			rest = rest[n:]
		}
	}
	return p.twin
}

// forPattern returns the frames of a channel's parcel as the subscribers of a
// pattern get them.
func (p *parcel) forPattern(pt *pattern, channel string) parcel {
	head := make([]byte, 0, 64+len(pt.name)+len(channel))
	head = resp.AppendArray(head, 4)
	head = resp.AppendBulkString(head, verbs[Pattern])
	head = resp.AppendBulkString(head, pt.name)
	head = resp.AppendBulkString(head, channel)

	out := parcel{head: len(head), frames: p.frames}
	out.data = make([]byte, 0, len(p.data)+p.frames*(len(head)-p.head))
	for rest := p.data; len(rest) > 0; {
		_, n := frame(rest, p.head)
		out.data = append(out.data, head...)
		out.data = append(out.data, rest[p.head:n]...)
		rest = rest[n:]
	}
	return out
}

// split yields the parcel's frames one by one.
func (p *parcel) split(yield func(parcel)) {
	if p.frames == 1 {
		yield(*p)
		return
	}
	for rest := p.data; len(rest) > 0; {
		_, n := frame(rest, p.head)
		yield(parcel{data: rest[:n:n], head: p.head, frames: 1})
		rest = rest[n:]
	}
}
