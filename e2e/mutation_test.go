package e2e

import (
	"bytes"
	"math/rand/v2"
	"regexp"
	"slices"
)

// Valid conversations made invalid, or valid in another way. What the mutations make of the bytes is for the server
// to find out; mutate only sees to it that nobody is hurt.

const (
	mutationsMax  = 6         // of one conversation
	mutatedMax    = 256 << 10 // bytes of a mutated conversation: a few of the server's reads
	repeatsMax    = 2000      // of a piece that is repeated
	repeatedBytes = 64 << 10  // of a piece and its repeats
	insertedBytes = 24
)

// hazardous are words that a mutated conversation must not have: what they do to a server, or to another's connection,
// would be no fault of it. Names of commands stand in the stream as they are, if not inside quotes and escaped.
var hazardous = []string{"shutdown", "kill", "config", "acl", "debug", "flush", "pause", "eval", "script", "function", "cluster", "room"}

// hasAny reports whether any of the words, which are in lower case, stands in b in any letter case.
func hasAny(b []byte, words ...string) bool {
	lower := bytes.ToLower(b)
	return slices.ContainsFunc(words, func(word string) bool { return bytes.Contains(lower, []byte(word)) })
}

// oddBytes mean something to a parser; oddLengths are at its borders or no lengths at all.
var (
	oddBytes   = []byte("\r\n\x00*$-+: \"'\\\t\v0129axX\x7f\x80\xff>%~_")
	oddLengths = []string{"-1", "-2", "-0", "+1", "00", "01", "0", "1", "2", "3", "9", "10", "11", "65535", "65536", "65537",
		"1048576", "1048577", "536870912", "536870913", "2147483647", "2147483648", "4294967296", "9223372036854775807",
		"9223372036854775808", "-9223372036854775808", "99999999999999999999", "", " 1", "1 ", "0x4", "1e1", "4.", "\x004", "4\x00"}
	length  = regexp.MustCompile(`[*$]-?[0-9]+`)
	lineEnd = regexp.MustCompile("\r\n")
)

// mutations each return a changed copy of b, which is not empty; other is another conversation.
var mutations = []func(random *rand.Rand, b, other []byte) []byte{
	func(random *rand.Rand, b, _ []byte) []byte { // one bit
		b = slices.Clone(b)
		b[random.IntN(len(b))] ^= 1 << random.IntN(8)
		return b
	},
	func(random *rand.Rand, b, _ []byte) []byte { // one byte
		b = slices.Clone(b)
		b[random.IntN(len(b))] = oddByte(random)
		return b
	},
	func(random *rand.Rand, b, _ []byte) []byte { // an end too early
		return b[:random.IntN(len(b))]
	},
	func(random *rand.Rand, b, _ []byte) []byte { // a beginning too late
		return b[random.IntN(len(b)):]
	},
	func(random *rand.Rand, b, _ []byte) []byte { // a hole
		from, to := stretch(random, b)
		return slices.Concat(b[:from], b[to:])
	},
	func(random *rand.Rand, b, _ []byte) []byte { // a piece twice, or very often
		from, to := stretch(random, b)
		times := 2
		if random.IntN(3) == 0 && to > from {
			times = min(1+random.IntN(repeatsMax), 1+repeatedBytes/(to-from))
		}
		return slices.Concat(b[:from], bytes.Repeat(b[from:to], times), b[to:])
	},
	func(random *rand.Rand, b, _ []byte) []byte { // a foreign body
		at := random.IntN(len(b) + 1)
		body := make([]byte, 1+random.IntN(insertedBytes))
		for i := range body {
			body[i] = oddByte(random)
		}
		return slices.Concat(b[:at], body, b[at:])
	},
	func(random *rand.Rand, b, other []byte) []byte { // the beginning of one and the end of another
		return slices.Concat(b[:random.IntN(len(b)+1)], other[random.IntN(len(other)+1):])
	},
	func(random *rand.Rand, b, _ []byte) []byte { // a wrong length
		heads := length.FindAllIndex(b, -1)
		if len(heads) == 0 {
			return b
		}
		head := heads[random.IntN(len(heads))]
		return slices.Concat(b[:head[0]+1], []byte(oddLengths[random.IntN(len(oddLengths))]), b[head[1]:])
	},
	func(random *rand.Rand, b, _ []byte) []byte { // a line's end that is half there, or other than usual
		ends := lineEnd.FindAllIndex(b, -1)
		if len(ends) == 0 {
			return b
		}
		end := ends[random.IntN(len(ends))]
		with := []string{"", "\r", "\n", "\n\r", "\r\r\n", "\r\n\r\n", "\x00\r\n", "\rX"}
		return slices.Concat(b[:end[0]], []byte(with[random.IntN(len(with))]), b[end[1]:])
	},
	func(random *rand.Rand, b, other []byte) []byte { // a command inside a command
		at := random.IntN(len(b) + 1)
		return slices.Concat(b[:at], other, b[at:])
	},
}

func oddByte(random *rand.Rand) byte {
	if random.IntN(4) == 0 {
		return byte(random.IntN(256))
	}
	return oddBytes[random.IntN(len(oddBytes))]
}

// stretch returns the two ends of a piece of b, mostly of a short one.
func stretch(random *rand.Rand, b []byte) (from, to int) {
	from = random.IntN(len(b) + 1)
	most := len(b) - from
	if random.IntN(3) > 0 {
		most = min(most, insertedBytes)
	}
	return from, from + random.IntN(most+1)
}

// mutate changes a conversation once or several times. It returns nil if what came out is hazardous or empty.
func mutate(random *rand.Rand, b, other []byte) []byte {
	for range 1 + random.IntN(mutationsMax) {
		if len(b) == 0 {
			return nil
		}
		b = mutations[random.IntN(len(mutations))](random, b, other)
	}
	b = b[:min(len(b), mutatedMax)]
	if len(b) == 0 || hasAny(b, hazardous...) {
		return nil
	}
	return b
}

// shrink removes pieces of b as long as it still fails; it asks at most so many times.
func shrink(b []byte, tries int, fails func([]byte) bool) []byte {
	for size := len(b) / 2; size > 0; size /= 2 {
		for at := 0; at+size <= len(b) && tries > 0; tries-- {
			if shorter := slices.Concat(b[:at], b[at+size:]); fails(shorter) {
				b = shorter
			} else {
				at += size
			}
		}
	}
	return b
}
