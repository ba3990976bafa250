package e2e

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// What a client can say, by command. Names begin with what no other test uses, so that a storm meets nobody in the
// rooms of its judges, unless by a pattern that hears everybody.

const (
	manyNamesMax  = 500       // in one command
	longNameBytes = 10 << 10  // a name that does not fit a small buffer
	hugePayload   = 1 << 20   // rarely
	largePayload  = 100 << 10 // now and then
	stormNames    = 32        // that are often said
	stormUsers    = 4
	starsMax      = 30 // stars in a pattern that a backtracking matcher would never finish
)

// speaker draws commands.
type speaker struct{ *rand.Rand }

func newSpeaker(seed uint64, stream int) speaker {
	return speaker{rand.New(rand.NewPCG(seed, uint64(stream)))}
}

func (s speaker) one(of ...string) string { return of[s.IntN(len(of))] }
func (s speaker) often(n int) bool        { return s.IntN(n) > 0 }

// some returns at least as many as the least, mostly few and rarely very many, of what draw gives.
func (s speaker) some(least int, draw func() string) []string {
	n := least + s.IntN(4)
	if !s.often(40) {
		n = s.IntN(manyNamesMax) + 1
	}
	list := make([]string, n)
	for i := range list {
		list[i] = draw()
	}
	return list
}

// maybe returns one or none.
func (s speaker) maybe(draw func() string) []string {
	if s.IntN(2) == 0 {
		return nil
	}
	return []string{draw()}
}

func (s speaker) name() string {
	switch s.IntN(12) {
	case 0:
		return fmt.Sprintf("{storm%d}chat", s.IntN(8))
	case 1:
		return fmt.Sprintf("{storm%d}typing", s.IntN(8))
	case 2:
		return s.one("", "storm \r\n", "storm\x00", "storm{}", "storm{", "{}storm", "\xff\xfe", "storm*", `storm\*`, "storm[a]")
	case 3:
		return "storm" + strings.Repeat("a", s.IntN(longNameBytes))
	}
	return fmt.Sprintf("storm%d", s.IntN(stormNames))
}

func (s speaker) pattern() string {
	switch s.IntN(10) {
	case 0:
		return s.one("", "[", "[^", "[a", `\`, "storm[", "storm[z-a]*", "storm[^", `storm\`, "{storm1}*", "{storm*}chat", "storm[0-9]", "?????6")
	case 1:
		return "storm" + strings.Repeat("*a", s.IntN(starsMax)) + "b"
	case 2:
		return s.one("*", "s*", "storm*", "*storm1*")
	case 3:
		return s.name()
	}
	return fmt.Sprintf("storm%d%s", s.IntN(stormNames), s.one("", "*", "?", "[0-9]"))
}

func (s speaker) payload() string {
	switch s.IntN(200) {
	case 0:
		return strings.Repeat("x", s.IntN(hugePayload)+1)
	case 1, 2, 3:
		return strings.Repeat("y", s.IntN(largePayload))
	case 4, 5:
		return ""
	}
	return s.one("hello", "\r\n", "$-1\r\n", "\x00\xff", "*1\r\n$4\r\nPING\r\n", strings.Repeat("z", s.IntN(4<<10)))
}

func (s speaker) number() string {
	if s.often(3) {
		return fmt.Sprint(s.IntN(20))
	}
	return s.one(oddLengths...)
}

// word is what no command expects, or any might.
func (s speaker) word() string {
	switch s.IntN(6) {
	case 0:
		return s.number()
	case 1:
		return s.name()
	case 2:
		return s.payload()
	}
	return s.one("ON", "off", "YES", "no", "ID", "TYPE", "normal", "AUTH", "SETNAME", "x", "HELP", "*", "server", "MATCH", "COUNT")
}

func (s speaker) words() []string { return s.some(0, s.word) }

// sayings give a command's usual arguments. What is not listed is said with words, and nil is not said at all.
var sayings = map[string]func(s speaker) []string{
	"publish":      func(s speaker) []string { return []string{s.name(), s.payload()} },
	"spublish":     func(s speaker) []string { return []string{s.name(), s.payload()} },
	"subscribe":    func(s speaker) []string { return s.some(1, s.name) },
	"psubscribe":   func(s speaker) []string { return s.some(1, s.pattern) },
	"ssubscribe":   func(s speaker) []string { return s.some(1, s.name) },
	"unsubscribe":  func(s speaker) []string { return s.some(0, s.name) },
	"punsubscribe": func(s speaker) []string { return s.some(0, s.pattern) },
	"sunsubscribe": func(s speaker) []string { return s.some(0, s.name) },

	"pubsub|channels":      func(s speaker) []string { return s.maybe(s.pattern) },
	"pubsub|shardchannels": func(s speaker) []string { return []string{s.pattern()} },
	"pubsub|numsub":        func(s speaker) []string { return s.some(0, s.name) },
	"pubsub|shardnumsub":   func(s speaker) []string { return s.some(0, s.name) },

	"hello": func(s speaker) []string {
		return [][]string{{}, {"2"}, {"3"}, {"3"}, {s.number()}, {"3", "AUTH", "default", "x"}, {"2", "SETNAME", "storm"},
			{"3", "AUTH", "nobody", "x", "SETNAME", "storm x"}, {"3", s.word(), s.word()}}[s.IntN(9)]
	},
	"auth": func(s speaker) []string {
		return [][]string{{"x"}, {"default", "x"}, {"nobody", "x"}, {s.user(), "pw"}}[s.IntN(4)]
	},
	"ping":   func(s speaker) []string { return s.maybe(s.payload) },
	"echo":   func(s speaker) []string { return []string{s.payload()} },
	"select": func(s speaker) []string { return []string{s.number()} },

	"client|list": func(s speaker) []string {
		return [][]string{{}, {"TYPE", s.one("normal", "pubsub", "master", "x")}, {"ID", s.number(), s.number()}}[s.IntN(3)]
	},
	"client|setname":  func(s speaker) []string { return []string{s.word()} },
	"client|setinfo":  func(s speaker) []string { return []string{s.one("LIB-NAME", "lib-ver", "x"), s.word()} },
	"client|reply":    func(s speaker) []string { return []string{s.one("ON", "OFF", "SKIP", "x")} },
	"client|no-evict": func(s speaker) []string { return []string{s.one("ON", "OFF", "x")} },
	"client|no-touch": func(s speaker) []string { return []string{s.one("ON", "OFF", "x")} },
	"client|tracking": func(s speaker) []string {
		return [][]string{{"ON"}, {"OFF"}, {"ON", "OPTIN"}, {"ON", "BCAST", "PREFIX", s.name()}, {"ON", "REDIRECT", s.number()}, s.words()}[s.IntN(6)]
	},
	"client|caching": func(s speaker) []string { return []string{s.one("YES", "NO", "x")} },

	"info": func(s speaker) []string {
		return s.maybe(func() string { return s.one("server", "clients", "all", "x") })
	},
	"config|get": func(s speaker) []string {
		return s.some(1, func() string { return s.one("*", "max*", "save", "port", "[", s.word()) })
	},
	"config|set": func(s speaker) []string { return s.settings() },
	"command|info": func(s speaker) []string {
		return s.some(0, func() string { return s.one("publish", "client|list", s.word()) })
	},
	"command|docs": func(s speaker) []string {
		return s.some(0, func() string { return s.one("publish", "client", s.word()) })
	},
	"command|list": func(s speaker) []string {
		return [][]string{{}, {"FILTERBY", s.one("PATTERN", "ACLCAT", "MODULE", "x"), s.one(s.pattern(), "pubsub", "dangerous")}}[s.IntN(2)]
	},
	"command|getkeys": func(s speaker) []string { return append([]string{s.one("spublish", "publish", "get")}, s.words()...) },

	"acl|setuser": func(s speaker) []string {
		return append([]string{s.user()}, s.some(0, func() string {
			return s.one("on", "off", ">pw", "<pw", "nopass", "resetpass", "~*", "&storm*", "resetchannels", "+@all", "-@dangerous", "+publish",
				"+client|id", "reset", "+@nosuch", "#"+strings.Repeat("a", 64), s.word())
		})...)
	},
	"acl|getuser": func(s speaker) []string { return []string{s.user()} },
	"acl|deluser": func(s speaker) []string { return []string{s.user()} },
	"acl|dryrun": func(s speaker) []string {
		return append([]string{s.user(), s.one("publish", "ping", "x")}, s.words()...)
	},
	"acl|genpass":  func(s speaker) []string { return []string{s.number()} },
	"acl|cat":      func(s speaker) []string { return s.maybe(func() string { return s.one("pubsub", "x") }) },
	"shutdown":     nil,
	"client|kill":  nil, // executioner's, of its own connections
	"client|pause": nil,
}

func (s speaker) user() string { return fmt.Sprintf("storm%d", s.IntN(stormUsers)) }

// settings are arguments of CONFIG SET that change nothing for who does as clients do, or that are refused.
func (s speaker) settings() []string {
	good := [][2]string{{"coalesce-max", "0"}, {"coalesce-max", "1ms"}, {"coalesce-max", "5ms"}, {"timeout", "0"}, {"timeout", "3600"},
		{"tcp-keepalive", "0"}, {"tcp-keepalive", "60"}, {"loglevel", "notice"}, {"loglevel", "warning"}, {"protected-mode", "no"},
		{"protected-mode", "yes"}, {"maxclients", "5000"}, {"maxclients", "6000"}, {"proto-max-bulk-len", "2mb"}, {"proto-max-bulk-len", "512mb"},
		{"client-query-buffer-limit", "4mb"}, {"client-query-buffer-limit", "8mb"}, {"maxmemory-clients", "0"}, {"maxmemory-clients", "512mb"}}
	bad := [][2]string{{"maxclients", "0"}, {"maxclients", "-1"}, {"maxclients", "99999999999999999999"}, {"timeout", "-1"}, {"timeout", "1s"},
		{"coalesce-max", "2h"}, {"coalesce-max", "-1ms"}, {"coalesce-max", ""}, {"client-output-buffer-limit", "pubsub 1"},
		{"client-output-buffer-limit", "x 0 0 0"}, {"client-query-buffer-limit", "1"}, {"proto-max-bulk-len", "-1"}, {"proto-max-bulk-len", "1"},
		{"port", "1"}, {"bind", "*"}, {"unixsocket", "/"}, {"save", "x"}, {"nosuch", "1"}, {"", ""}, {"loglevel", "loud\r\n"}, {"loops", "64"}}
	pair := good[s.IntN(len(good))]
	if s.IntN(2) == 0 {
		pair = bad[s.IntN(len(bad))]
	}
	switch s.IntN(8) {
	case 0:
		return []string{pair[0]}
	case 1:
		return []string{pair[0], pair[1], pair[0], pair[1]}
	}
	return pair[:]
}

// say returns a command of the table with arguments: the usual ones or, seldom, any.
func (s speaker) say(command string) []string {
	arguments, known := sayings[command]
	if !known || command != "config|set" && !strings.HasPrefix(command, "acl|") && !s.often(20) {
		arguments = speaker.words
	}
	return append(strings.Split(command, "|"), arguments(s)...)
}
