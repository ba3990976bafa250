package resp

import (
	"bytes"
	"math"
)

// Parser finds commands in a stream of bytes, one connection's at a time. The zero value is ready. It may be copied; it is
// not for concurrent use. Between calls it holds offsets from the first byte of the command under way:
//
//	*2\r\n$4\r\nECHO\r\n$11\r\nhello wor                       *2\r\n$4\r\nECHO\r\n$1
//	                         └ pos: the body, 11 bytes and              └ pos: the head │
//	                           2, is not all there                                      └ seen: no '\r' before here
type Parser struct {
	pos  int // where the unfinished line or body begins
	seen int // no line end between pos and here; 0: no command is under way
	args int // arguments that are not complete; 0: their count is not known
	size int // length of the body at pos

	body bool // at pos is a body, not a line
	mute bool // the line at pos has a NUL byte: it has no end
}

// unlimited is for bytes that have passed the limits already.
var unlimited = Limits{InlineMaxBytes: math.MaxInt, MultibulkMax: math.MaxInt, BulkMaxBytes: math.MaxInt}

// Next looks for one command at the beginning of buf.
//
//   - n > 0: it is complete, cmd is filled and has taken n bytes. len(cmd.Args) is 0 for "\r\n", "*0\r\n" and "*-1\r\n", which
//     Redis does not answer.
//   - n == 0, err == nil: it is incomplete. Call again with a buffer that begins with the same bytes and has more of them; it
//     may be another array. What cmd holds is of no use.
//   - err is a *ProtocolError: the connection is lost. The parser is of no use before Reset.
//
// lim must not be nil. Limits may change between two calls; a length that was accepted stays accepted.
func (p *Parser) Next(buf []byte, cmd *Command, lim *Limits) (n int, err error) {
	if len(buf) == 0 {
		return 0, nil
	}
	if buf[0] != '*' {
		return p.inline(buf, cmd, lim)
	}
	if p.seen == 0 {
		if n := collect(buf, cmd, lim); n > 0 {
			return n, nil
		}
	}
	complete, fault := p.advance(buf, lim)
	if fault != nil {
		return 0, fault
	}
	if !complete {
		return 0, nil
	}
	n = p.pos
	p.Reset()
	if collect(buf[:n], cmd, &unlimited) == 0 {
		cmd.Args, cmd.Raw = cmd.Args[:0], nil // the count was not positive
	}
	return n, nil
}

// Idle tells that no command is under way: the last call of Next returned one, or saw an empty buffer.
func (p *Parser) Idle() bool {
	return p.seen == 0
}

// Reset forgets the command under way.
func (p *Parser) Reset() {
	*p = Parser{}
}

// advance goes from where the last call stopped towards the end of the array in buf and tells whether it got there: pos is then
// the array's length. It checks everything and keeps nothing of the arguments.
func (p *Parser) advance(buf []byte, lim *Limits) (complete bool, fault *ProtocolError) {
	if p.args == 0 {
		count, next, fault := p.head(buf, lim, errMultibulkLine, errMultibulkLength)
		if next == 0 || fault != nil {
			return false, fault
		}
		if fault := lim.checkCount(count); fault != nil {
			return false, fault
		}
		p.pos, p.seen = next, next
		p.args = int(count)
	}
	for ; p.args > 0; p.args-- {
		if !p.body {
			size, next, fault := p.head(buf, lim, errBulkLine, errBulkLength)
			if next == 0 || fault != nil {
				return false, fault
			}
			if fault := lim.checkBulk(size); fault != nil {
				return false, fault
			}
			p.pos, p.size, p.body = next, int(size), true
		}
		if p.size > len(buf)-p.pos-2 {
			return false, nil
		}
		p.pos += p.size + 2
		p.seen, p.body = p.pos, false
	}
	return true, nil
}

// head reads the line at pos: '*' or '$', an integer, '\r' and a byte that is not looked at. next is the index of what follows,
// 0 if the line is incomplete. A line without an end is tooLong, one whose integer is not canonical is malformed.
func (p *Parser) head(buf []byte, lim *Limits, tooLong, malformed *ProtocolError) (n int64, next int, fault *ProtocolError) {
	end, fault := p.lineEnd(buf, '\r', lim, tooLong)
	if end < 0 || end+1 == len(buf) || fault != nil {
		return 0, 0, fault
	}
	if p.pos > 0 && buf[p.pos] != '$' {
		return 0, 0, errNoBulk(buf[p.pos])
	}
	n, ok := ParseInt(buf[p.pos+1 : end])
	if !ok {
		return 0, 0, malformed
	}
	return n, end + 2, nil
}

// lineEnd gives the index of the first end at or after pos, or -1 if it has not arrived. The search goes on where the last one
// stopped. A line that has no end within the limit is tooLong.
func (p *Parser) lineEnd(buf []byte, end byte, lim *Limits, tooLong *ProtocolError) (at int, fault *ProtocolError) {
	line := buf[p.pos:]
	long := len(line) > lim.InlineMaxBytes
	if long {
		line = line[:lim.InlineMaxBytes+1]
	}
	if !p.mute {
		text := line[min(p.seen-p.pos, len(line)):]
		at := bytes.IndexByte(text, end)
		if at >= 0 {
			text = text[:at]
		}
		p.mute = bytes.IndexByte(text, 0) >= 0
		p.seen += len(text)
		if at >= 0 && !p.mute {
			return p.seen, nil
		}
	}
	if long {
		return -1, tooLong
	}
	return -1, nil
}
