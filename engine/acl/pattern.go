package acl

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"hubsub/engine/glob"
)

// permission is what a pattern grants for channels. For keys the two bits are
// reading and writing; nothing asks for them.
type permission uint8

const (
	publish permission = 1 << iota
	subscribe
	both = publish | subscribe
)

// pattern is a rule such as ~x or %P&x.
type pattern struct {
	sigil  byte // '~' for keys, '&' for channels
	grants permission
	glob   string
}

// sigils tells the letters of the permissions, in the order of their bits.
var sigils = map[byte]string{'~': "RW", '&': "PS"}

// parsePattern reads a rule that begins with ~, & or %.
func parsePattern(rule string) (p pattern, ok bool) {
	letters := ""
	if rule[0] == '%' {
		at := strings.IndexAny(rule, "~&")
		if at < 2 {
			return p, false
		}
		letters, rule = rule[1:at], rule[at:]
	}
	p = pattern{sigil: rule[0], glob: rule[1:]}
	for i := range len(letters) {
		at := strings.IndexByte(sigils[p.sigil], letters[i]&^('a'-'A'))
		if at < 0 || p.grants&(1<<at) != 0 {
			return p, false
		}
		p.grants |= 1 << at
	}
	if letters == "" {
		p.grants = both
	}
	return p, !spaced(p.glob)
}

// isAll reports whether the pattern grants everything, as allkeys and
// allchannels do.
func (p pattern) isAll() bool { return p.grants == both && p.glob == "*" }

func (p pattern) String() string {
	sign := string(p.sigil)
	switch letters := sigils[p.sigil]; p.grants {
	case publish:
		sign = "%" + letters[:1] + sign
	case subscribe:
		sign = "%" + letters[1:] + sign
	}
	return sign + p.glob
}

// patterns is a selector's patterns for keys or for channels: all, or some in
// the order they came.
type patterns struct {
	all  bool
	some []pattern
}

// add grants one pattern more; one that is there already grants both.
func (ps *patterns) add(p pattern) {
	at := slices.IndexFunc(ps.some, func(o pattern) bool { return o.glob == p.glob })
	if at < 0 {
		ps.some = append(ps.some, p)
		at = len(ps.some) - 1
	}
	ps.some[at].grants |= p.grants
	if ps.some[at].isAll() {
		*ps = patterns{all: true}
	}
}

// grant reports whether the permission is granted for a channel, or for a
// pattern of PSUBSCRIBE.
func (ps *patterns) grant(wanted permission, name []byte, isPattern bool) bool {
	if ps.all {
		return true
	}
	for i := range ps.some {
		p := &ps.some[i]
		switch {
		case p.grants&wanted == 0:
		case isPattern && p.glob == string(name),
			!isPattern && glob.Match([]byte(p.glob), name):
			return true
		}
	}
	return false
}

// grantRoom reports whether anything is granted for a channel of the room that
// follows from its name alone: the channel that has the room's name, or the one
// that has it in braces, as {lobby}, which the pattern {lobby}* is for.
func (ps *patterns) grantRoom(room []byte) bool {
	if ps.grant(both, room, false) {
		return true
	}
	if len(room) == 0 || bytes.IndexByte(room, '}') >= 0 {
		return false // in braces it is the name of another room's channel
	}
	return ps.grant(both, fmt.Appendf(nil, "{%s}", room), false)
}

// show is what GETUSER shows of the patterns, which have that sigil.
func (ps *patterns) show(sigil string) string {
	if ps.all {
		return sigil + "*"
	}
	var words []string
	for _, p := range ps.some {
		words = append(words, p.String())
	}
	return strings.Join(words, " ")
}

// blanks separate words, and no word holds one, nor the byte that ends a C
// string.
const blanks = " \t\n\v\f\r\x00"

func spaced(s string) bool { return strings.ContainsAny(s, blanks) }

// Words splits a line at blanks.
func Words(line string) []string {
	return strings.FieldsFunc(line, func(r rune) bool { return strings.ContainsRune(blanks, r) })
}
