package acl

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"slices"
	"strings"
)

// DefaultName is the user that a connection has before it says who it is.
const DefaultName = "default"

// User is a user as of one moment. It never changes.
type User struct {
	name      string
	enabled   bool
	noPass    bool
	sanitize  sanitize
	passwords []string   // their SHA-256 in hexadecimal
	selectors []selector // the first one is the user's own, without parentheses
	all       bool       // the first one grants everything
}

// sanitize is what Redis is told of payloads to RESTORE. There is none here.
type sanitize uint8

const (
	unsaid sanitize = iota
	sanitizePayload
	skipSanitizePayload
)

// Verdict is whether a user may run a command.
type Verdict uint8

const (
	Allowed       Verdict = iota
	CommandDenied         // no selector grants it
	ChannelDenied         // nor one of the channels it names
)

// Check says whether the user may run a command with these words, of which the
// first is its name. If it is ChannelDenied, at is the place of the channel.
func (u *User) Check(cmd *Command, words [][]byte) (v Verdict, at int) {
	if u.all {
		return Allowed, 0
	}
	return u.check(cmd, words)
}

// check picks, of the selectors' reasons, the one of that which got furthest.
func (u *User) check(cmd *Command, words [][]byte) (v Verdict, at int) {
	v = CommandDenied
	for i := range u.selectors {
		switch verdict, place := u.selectors[i].check(cmd, words); {
		case verdict == Allowed:
			return Allowed, 0
		case verdict > v || verdict == v && place > at:
			v, at = verdict, place
		}
	}
	return v, at
}

// Hears reports whether the user may be subscribed to a channel, or to a
// pattern.
func (u *User) Hears(name []byte, isPattern bool) bool {
	return slices.ContainsFunc(u.selectors, func(s selector) bool {
		return s.channels.grant(subscribe, name, isPattern)
	})
}

// hearsAll reports whether the user may be subscribed to everything.
func (u *User) hearsAll() bool {
	return slices.ContainsFunc(u.selectors, func(s selector) bool { return s.channels.all })
}

// hearsSome reports whether the user may be subscribed to anything.
func (u *User) hearsSome() bool {
	return slices.ContainsFunc(u.selectors, func(s selector) bool { return s.channels.all || len(s.channels.some) > 0 })
}

// Name returns the user's name.
func (u *User) Name() string { return u.name }

// Open reports whether anybody may be this user, without a password.
func (u *User) Open() bool { return u.enabled && u.noPass }

// NeedsPassword reports whether passwords, or none, are asked for.
func (u *User) NeedsPassword() bool { return !u.noPass }

// accepts reports whether a client with this password may be the user, in a
// time that does not tell how near a wrong one is.
func (u *User) accepts(password []byte) bool {
	hash := []byte(hashed(password))
	right := 0
	for _, known := range u.passwords {
		right |= subtle.ConstantTimeCompare(hash, []byte(known))
	}
	return u.enabled && (u.noPass || right == 1)
}

func hashed(password []byte) string {
	hash := sha256.Sum256(password)
	return hex.EncodeToString(hash[:])
}

// Flags returns the user's flags in the order in which Redis shows them.
func (u *User) Flags() []string {
	flags := []string{"off"}
	if u.enabled {
		flags[0] = "on"
	}
	if u.noPass {
		flags = append(flags, "nopass")
	}
	switch u.sanitize {
	case sanitizePayload:
		flags = append(flags, "sanitize-payload")
	case skipSanitizePayload:
		flags = append(flags, "skip-sanitize-payload")
	}
	return flags
}

// Passwords returns the SHA-256 of the passwords, in hexadecimal. The caller
// must not change them.
func (u *User) Passwords() []string { return u.passwords }

// Grants is what ACL GETUSER shows of a selector.
type Grants struct{ Commands, Keys, Channels string }

// Grants returns those of the user's own selector, and then of the others.
func (u *User) Grants() []Grants {
	var list []Grants
	for i := range u.selectors {
		s := &u.selectors[i]
		list = append(list, Grants{s.showCommands(), s.keys.show("~"), s.channels.show("&")})
	}
	return list
}

// String returns the user as a line of ACL LIST. Without the word "user" before
// it Users.Load reads it.
func (u *User) String() string {
	words := append([]string{"user", u.name}, u.Flags()...)
	for _, hash := range u.passwords {
		words = append(words, "#"+hash)
	}
	words = u.selectors[0].show(words)
	for _, s := range u.selectors[1:] {
		words = append(words, "("+strings.Join(s.show(nil), " ")+")")
	}
	return strings.Join(words, " ")
}

// clone returns a copy to be changed and then sealed.
func (u *User) clone() *User {
	c := *u
	c.passwords = slices.Clone(u.passwords)
	c.selectors = slices.Clone(u.selectors)
	for i, s := range c.selectors {
		c.selectors[i] = s.clone()
	}
	return &c
}

// seal finds out what Check asks first.
func (u *User) seal() *User {
	own := &u.selectors[0]
	u.all = own.commands == allCommands && own.channels.all
	return u
}
