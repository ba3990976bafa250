package acl

import (
	"slices"
	"strings"
)

// Touch says which channels a command names, and what it does with them.
type Touch uint8

const (
	TouchesNone       Touch = iota
	Publishes               // to the first argument
	Subscribes              // to every argument
	SubscribesPattern       // to every argument, each a pattern
	AsksRoom                // the argument after a subcommand's name is a room
)

// Command is what rules need to know of a command.
type Command struct {
	Name       string // lower case; of a subcommand "client|list"
	Categories uint64 // bit i: it is in the Catalog's category i
	Touches    Touch

	// Set by the Catalog.
	index       int // in sets of commands; absent: it is foreign
	subcommands []*Command
}

// absent is the index of a command that Redis has and the Catalog has not.
const absent = -1

// parent returns the name of the command whose subcommand this is, or "".
func (c *Command) parent() string {
	if name, _, sub := strings.Cut(c.Name, "|"); sub {
		return name
	}
	return ""
}

// Catalog is all commands that rules can name, and their categories. It does
// not change once there are Users.
type Catalog struct {
	categories []string
	commands   []*Command
	byName     map[string]*Command
}

// NewCatalog returns the catalog of the commands. A subcommand stands behind
// the command that it belongs to.
func NewCatalog(categories []string, commands []*Command) *Catalog {
	if len(commands) > commandsMax {
		panic("acl: more commands than a set can hold")
	}
	c := &Catalog{categories: categories, commands: commands, byName: make(map[string]*Command)}
	for i, cmd := range commands {
		cmd.index = i
		c.add(cmd)
	}
	for name := range strings.FieldsSeq(foreign) {
		if c.byName[name] == nil {
			c.add(&Command{Name: name, index: absent})
		}
	}
	return c
}

func (c *Catalog) add(cmd *Command) {
	c.byName[cmd.Name] = cmd
	if parent := c.byName[cmd.parent()]; parent != nil {
		parent.subcommands = append(parent.subcommands, cmd)
	}
}

// category returns the bit of a category, given in lower case; 0: there is none.
func (c *Catalog) category(name string) uint64 {
	if i := slices.Index(c.categories, name); i >= 0 {
		return 1 << i
	}
	return 0
}

// commandSet is a set of the Catalog's commands.
type commandSet [commandsMax / 64]uint64

var (
	noCommands  commandSet
	allCommands = commandSet{^uint64(0), ^uint64(0), ^uint64(0), ^uint64(0)}
)

func (s *commandSet) has(index int) bool { return s[index/64]&(1<<(index%64)) != 0 }

// put adds a command or takes it out; a foreign one is in no set.
func (s *commandSet) put(cmd *Command, in bool) {
	switch bit := uint64(1) << (cmd.index & 63); {
	case cmd.index == absent:
	case in:
		s[cmd.index/64] |= bit
	default:
		s[cmd.index/64] &^= bit
	}
}

// lower makes ASCII letters lower case and leaves all other bytes as they are.
func lower(s string) string {
	if !strings.ContainsFunc(s, func(r rune) bool { return 'A' <= r && r <= 'Z' }) {
		return s
	}
	b := []byte(s)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}
