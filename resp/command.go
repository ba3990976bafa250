package resp

import "bytes"

// Command is one parsed command. Its slices point into the buffer given to Next or, for the quoted words of an inline
// command, into memory of the Command: they are valid until the next call with either.
//
// A Command is meant to be used again and again; it then allocates nothing. It keeps the slices of earlier commands until they
// are written over, and with them their buffer: assign Command{} to let a large buffer go.
type Command struct {
	Args [][]byte
	// Raw is the command as received, from '*' to the last CRLF: a valid RESP array of Args, fit to be sent on as it is.
	// It is nil for an inline command, for one without arguments, and for one whose line ends are not all CRLF (Redis
	// does not look at them, nor does Next; a subscriber would).
	Raw []byte

	unquoted []byte // the quoted words of an inline command, decoded
}

// Again returns the length of the command at the beginning of buf if it is whole, canonical, and differs from c in its last
// argument at the most, 0 otherwise. c must have Raw. This costs a fraction of Next, and pipelines are full of such
// commands.
func (c *Command) Again(buf []byte, lim *Limits) int {
	head := c.Raw[:len(c.Raw)-BulkLen(len(c.Args[len(c.Args)-1]))]
	if len(buf) <= len(head) || buf[len(head)] != '$' || !bytes.Equal(buf[:len(head)], head) {
		return 0
	}
	size, from := length(buf, len(head)+1)
	if from == 0 || lim.checkBulk(int64(size)) != nil || size > len(buf)-from-2 {
		return 0
	}
	to := from + size
	if buf[from-1] != '\n' || buf[to] != '\r' || buf[to+1] != '\n' {
		return 0
	}
	return to + 2
}

// collect reads the array of bulk strings at the beginning of buf, which the caller knows to begin with '*', fills cmd and
// gives the array's length in bytes. It gives 0 if the array is incomplete, empty, wrong or beyond lim: Parser.advance knows
// which. This is the path of nearly all commands: a client's write usually arrives whole.
func collect(buf []byte, cmd *Command, lim *Limits) int {
	count, at := length(buf, 1)
	if at == 0 || count == 0 || lim.checkCount(int64(count)) != nil {
		return 0
	}
	args := cmd.Args[:0]
	stray := buf[at-1] ^ '\n' // not 0 if any line end was not CRLF
	for ; count > 0; count-- {
		if at >= len(buf) || buf[at] != '$' {
			break
		}
		size, from := length(buf, at+1)
		if from == 0 || lim.checkBulk(int64(size)) != nil || size > len(buf)-from-2 {
			break
		}
		to := from + size
		stray |= (buf[from-1] ^ '\n') | (buf[to] ^ '\r') | (buf[to+1] ^ '\n')
		args = append(args, buf[from:to:to])
		at = to + 2
	}
	cmd.Args = args
	if count > 0 {
		return 0
	}
	cmd.Raw = nil
	if stray == 0 {
		cmd.Raw = buf[:at:at]
	}
	return at
}

// lengthDigits is how many digits a length may have in collect: as many as cannot overflow. No array that is longer than that
// has ever arrived as a whole.
const lengthDigits = 18

// length reads a canonical integer ≥ 0 at buf[at:], its '\r' and the byte after it, and gives the integer and the index of what
// follows, which is 0 if there is no such thing or not all of it.
func length(buf []byte, at int) (n, next int) {
	for i := at; i < len(buf); i++ {
		digit := buf[i] - '0'
		if digit <= 9 {
			n = n*10 + int(digit)
			continue
		}
		if buf[i] != '\r' || i+1 == len(buf) || uint(i-at-1) >= lengthDigits || buf[at] == '0' && i > at+1 {
			return 0, 0
		}
		return n, i + 2
	}
	return 0, 0
}

// ParseInt reads a canonical decimal integer: no sign but '-', no leading zero, no "-0", nothing around it, within int64.
// It is what Redis accepts as an integer, in the protocol and in the arguments of most commands.
func ParseInt(b []byte) (n int64, ok bool) {
	digits := b
	negative := len(b) > 0 && b[0] == '-'
	if negative {
		digits = b[1:]
	}
	if len(digits) == 0 || len(digits) > 19 || digits[0] == '0' && len(b) > 1 {
		return 0, false
	}
	var u uint64 // 19 digits do not overflow it
	for _, c := range digits {
		if c < '0' || c > '9' {
			return 0, false
		}
		u = u*10 + uint64(c-'0')
	}
	if negative {
		return -int64(u), u <= 1<<63
	}
	return int64(u), u < 1<<63
}
