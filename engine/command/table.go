package command

import (
	"bytes"

	"hubsub/engine/acl"
)

// command is one entry of the table: a command or, with container set, one of
// its subcommands. It feeds dispatch, COMMAND and HELP alike and never changes
// once the table is made.
type command struct {
	name       string // lower case; of a subcommand its own part
	arity      int    // words, the names included; -n: at least n
	flags      flag
	categories category // those that do not follow from the flags
	keys       keys
	touches    acl.Touch // which channels it names, and for what
	tips       []string
	run        func(call)

	// For COMMAND DOCS and HELP.
	group   string
	since   string // the version of Redis that brought it
	cost    string // O(1) if empty
	usage   string // its arguments
	summary string

	// Set by newTable.
	full        string       // what errors and COMMAND call it: "client|list"
	access      *acl.Command // what users are granted
	container   *command
	subcommands []*command
	byLength    index // the subcommands
}

// flag is a set of what COMMAND tells of a command, in the order in which it
// tells it.
type flag uint32

const (
	write flag = 1 << iota
	admin
	pubsub
	noScript
	loading
	stale
	skipSlowlog
	fast
	noAuth
	noAsyncLoading
	noMulti
	allowBusy

	// Not told: how dispatch treats the command.
	immediate    // inside MULTI it runs instead of being queued
	inSubscribed // RESP2 clients may call it while they are subscribed
)

var flagNames = [...]string{
	"write", "admin", "pubsub", "noscript", "loading", "stale", "skip_slowlog",
	"fast", "no_auth", "no_async_loading", "no_multi", "allow_busy",
}

// category is a set of ACL categories, in Redis's order. Those for data have no
// commands here, but users' rules name them.
type category uint32

const (
	inKeyspace category = 1 << iota
	inRead
	inWrite
	inSet
	inSortedSet
	inList
	inHash
	inString
	inBitmap
	inHyperLogLog
	inGeo
	inStream
	inPubsub
	inAdmin
	inFast
	inSlow
	inBlocking
	inDangerous
	inConnection
	inTransaction
	inScripting
)

var categoryNames = [...]string{
	"keyspace", "read", "write", "set", "sortedset", "list", "hash", "string", "bitmap", "hyperloglog", "geo",
	"stream", "pubsub", "admin", "fast", "slow", "blocking", "dangerous", "connection", "transaction", "scripting",
}

// keys says which arguments a client of a Redis Cluster routes by. Only shard
// channels do.
type keys uint8

const (
	noKeys keys = iota
	firstKey
	everyKey
)

// takes reports whether the command may be called with n words.
func (c *command) takes(n int) bool {
	return n == c.arity || c.arity < 0 && n >= -c.arity
}

// named calls yield with each of the names whose bit is set.
func named[S flag | category](set S, names []string, yield func(name string)) {
	for i, name := range names {
		if set&(1<<i) != 0 {
			yield(name)
		}
	}
}

func (c *command) flagNames() (names []string) {
	named(c.flags, flagNames[:], func(name string) { names = append(names, name) })
	return names
}

func (c *command) categoryNames() (names []string) {
	named(c.categories, categoryNames[:], func(name string) { names = append(names, "@"+name) })
	return names
}

// table is every command there is.
type table struct {
	all      []*command // without subcommands, in the order they are told
	byLength index
	catalog  *acl.Catalog
}

// index finds a command by its name: index[n] are those whose names have n
// bytes. They are few, and the first byte rules nearly all of them out: PUBLISH
// takes 17 ns, with a map it took 27.
type index [][]*command

func (x *index) add(c *command) {
	for len(*x) <= len(c.name) {
		*x = append(*x, nil)
	}
	(*x)[len(c.name)] = append((*x)[len(c.name)], c)
}

// find returns the command of a name in any letter case, or nil.
func (x index) find(name []byte) *command {
	if len(name) < len(x) {
		for _, c := range x[len(name)] {
			if isFolded(name, c.name) {
				return c
			}
		}
	}
	return nil
}

// isFolded reports whether b, once its ASCII letters are lower case, is s,
// which is as long.
func isFolded(b []byte, s string) bool {
	for i := range b {
		if c := b[i]; c != s[i] && (c < 'A' || 'Z' < c || c+'a'-'A' != s[i]) {
			return false
		}
	}
	return true
}

func newTable(all []*command) *table {
	t := &table{all: all}
	for _, c := range all {
		c.full = c.name
		c.complete()
		t.byLength.add(c)
		for _, sub := range c.subcommands {
			sub.full, sub.container = c.name+"|"+sub.name, c
			sub.complete()
			if sub.group == "" {
				sub.group = c.group
			}
			c.byLength.add(sub)
		}
	}
	var accesses []*acl.Command
	t.each(func(c *command) {
		c.access = &acl.Command{Name: c.full, Categories: uint64(c.categories), Touches: c.touches}
		accesses = append(accesses, c.access)
	})
	t.catalog = acl.NewCatalog(categoryNames[:], accesses)
	return t
}

// complete adds what follows from the flags.
func (c *command) complete() {
	for _, rule := range []struct {
		flag flag
		adds category
	}{{write, inWrite}, {admin, inAdmin | inDangerous}, {pubsub, inPubsub}, {fast, inFast}} {
		if c.flags&rule.flag != 0 {
			c.categories |= rule.adds
		}
	}
	if c.flags&fast == 0 {
		c.categories |= inSlow
	}
	if c.cost == "" {
		c.cost = "O(1)"
	}
}

// each calls yield for every command and, after each, its subcommands.
func (t *table) each(yield func(*command)) {
	for _, c := range t.all {
		yield(c)
		for _, sub := range c.subcommands {
			yield(sub)
		}
	}
}

// find returns the command that a client's words name. If they name none, or
// are too few or too many, fault is the error to answer; the command may be
// known nevertheless.
func (t *table) find(words [][]byte) (c *command, fault string) {
	c = t.byLength.find(words[0])
	if c == nil {
		return nil, unknownCommand(words)
	}
	if c.subcommands != nil && len(words) > 1 {
		sub := c.byLength.find(words[1])
		if sub == nil {
			return nil, unknownSubcommand(c, words[1])
		}
		c = sub
	}
	if !c.takes(len(words)) {
		return c, wrongArity(c)
	}
	return c, ""
}

// resolve returns the command of a full name such as "client|list", or nil.
func (t *table) resolve(full []byte) *command {
	name, sub, hasSub := bytes.Cut(full, []byte{'|'})
	c := t.byLength.find(name)
	if c != nil && hasSub {
		c = c.byLength.find(sub)
	}
	return c
}
