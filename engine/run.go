package engine

import (
	"bytes"

	"hubsub/resp"
)

// run is consecutive messages of one channel, encoded once. The loop that
// publishes it owns it until it is in the room's log; from then on nothing of
// it changes and every loop, session and backlog shares it.
type run struct {
	channel  *channel
	matches  *matches // the patterns that heard it when it was published
	data     []byte   // RESP2 frames, one behind the other
	frames   int
	borrowed bool // data is a buffer of the loop: others may not see it yet
}

// parcel is bytes on their way to the subscribers of one audience: a run, or
// what a loop made of one for a pattern. It belongs to one loop.
type parcel struct {
	forms  [2]form // by protocol: RESP2; RESP3, made when the first session needs it
	head   int     // bytes of a frame before its payload's length
	frames int
}

// form is a parcel's bytes in one protocol. Nobody writes to them while the
// parcel is on its way; borrowed ones are good until the end of the tick.
type form struct {
	bytes    []byte
	borrowed bool
}

// formOf returns which of a parcel's forms a session gets.
func formOf(v3 bool) int {
	if v3 {
		return 1
	}
	return 0
}

// verbs are the first words of the frames that subscribers of a kind get.
var verbs = [kinds]string{Channel: "message", Shard: "smessage", Pattern: "pmessage"}

// appendFrame appends one message as RESP2 subscribers of the channel get it.
// A PUBLISH as clients send it is that frame but for the verb, which has the
// same length: raw, if the command came as such, saves the encoding.
func appendFrame(dst []byte, kind Kind, cmd *resp.Command) []byte {
	verb := verbs[kind]
	if len(cmd.Raw) > 0 && len(cmd.Args) == 3 && len(cmd.Args[0]) == len(verb) {
		return appendRaw(dst, cmd.Raw, verb)
	}
	dst = resp.AppendArray(dst, 3)
	dst = resp.AppendBulkString(dst, verb)
	dst = resp.AppendBulk(dst, cmd.Args[1])
	return resp.AppendBulk(dst, cmd.Args[2])
}

// appendRaw appends a command as clients send it with another verb.
func appendRaw(dst, raw []byte, verb string) []byte {
	at := len(dst) + len("*3\r\n$7\r\n")
	dst = append(dst, raw...)
	copy(dst[at:], verb)
	return dst
}

// frameHead returns how many bytes of each frame of a channel come before the
// '$' of the payload.
func frameHead(kind Kind, channel string) int {
	verb := len(verbs[kind])
	return len("*3\r\n$7\r\n") + verb + len("\r\n") + resp.BulkLen(len(channel))
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
	return parcel{
		forms:  [2]form{{r.data, r.borrowed}},
		head:   frameHead(r.channel.kind, r.channel.name),
		frames: r.frames,
	}
}

// bytes returns the frames in a protocol, good until the end of the tick.
func (l *loop) bytes(p *parcel, v3 bool) []byte {
	f := &p.forms[formOf(v3)]
	if f.bytes == nil {
		f.bytes, f.borrowed = append(l.frames.take(), p.forms[0].bytes...), true
		l.frames.lend(f.bytes)
		for rest := f.bytes; len(rest) > 0; {
			_, n := frame(rest, p.head)
			rest[0] = '>'
			rest = rest[n:]
		}
	}
	return f.bytes
}

// keep returns the frames in a protocol for longer than the tick: a copy that
// all who keep them share.
func (l *loop) keep(p *parcel, v3 bool) []byte {
	l.bytes(p, v3)
	f := &p.forms[formOf(v3)]
	if f.borrowed {
		f.bytes, f.borrowed = bytes.Clone(f.bytes), false
	}
	return f.bytes
}

// keepUntilWalk makes the parcel outlive the tick.
func (l *loop) keepUntilWalk(p *parcel) {
	l.keep(p, false)
	if p.forms[1].borrowed {
		p.forms[1] = form{}
	}
}

// forPattern returns the frames of a channel's parcel as the subscribers of a
// pattern get them.
func (l *loop) forPattern(p *parcel, pt *pattern, channel string) parcel {
	var buf [256]byte
	head := resp.AppendArray(buf[:0], 4)
	head = resp.AppendBulkString(head, verbs[Pattern])
	head = resp.AppendBulkString(head, pt.name)
	head = resp.AppendBulkString(head, channel)

	out := l.frames.take()
	for rest := p.forms[0].bytes; len(rest) > 0; {
		_, n := frame(rest, p.head)
		out = append(out, head...)
		out = append(out, rest[p.head:n]...)
		rest = rest[n:]
	}
	l.frames.lend(out)
	return parcel{forms: [2]form{{out, true}}, head: len(head), frames: p.frames}
}

// split yields the parcel's frames one by one.
func (p *parcel) split(yield func(parcel)) {
	if p.frames == 1 {
		yield(*p)
		return
	}
	all := p.forms[0]
	for rest := all.bytes; len(rest) > 0; {
		_, n := frame(rest, p.head)
		yield(parcel{forms: [2]form{{rest[:n:n], all.borrowed}}, head: p.head, frames: 1})
		rest = rest[n:]
	}
}
