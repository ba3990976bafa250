package command

import (
	"strings"

	"hubsub/engine/glob"
	"hubsub/resp"
)

// commandAll is COMMAND without a subcommand.
func commandAll(c call) {
	w := c.reply()
	w.Array(len(c.h.table.all))
	for _, cmd := range c.h.table.all {
		cmd.describe(w)
	}
}

func commandCount(c call) { c.reply().Int(int64(len(c.h.table.all))) }

// commandInfo is COMMAND INFO [name …]: null for what there is not.
func commandInfo(c call) {
	if len(c.args()) == 0 {
		commandAll(c)
		return
	}
	w := c.reply()
	w.Array(len(c.args()))
	for _, name := range c.args() {
		if cmd := c.h.table.resolve(name); cmd != nil {
			cmd.describe(w)
		} else {
			w.Null()
		}
	}
}

// describe writes the ten elements of an entry of COMMAND.
func (c *command) describe(w *resp.Writer) {
	first, last, step := int64(0), int64(0), int64(0)
	switch c.keys {
	case firstKey:
		first, last, step = 1, 1, 1
	case everyKey:
		first, last, step = 1, -1, 1
	}
	w.Array(10)
	w.BulkString(c.full)
	w.Int(int64(c.arity))
	writeNames(w, c.flagNames())
	w.Int(first)
	w.Int(last)
	w.Int(step)
	writeNames(w, c.categoryNames())
	w.Set(len(c.tips))
	for _, tip := range c.tips {
		w.BulkString(tip)
	}
	c.describeKeys(w)
	w.Set(len(c.subcommands))
	for _, sub := range c.subcommands {
		sub.describe(w)
	}
}

func writeNames(w *resp.Writer, names []string) {
	w.Set(len(names))
	for _, name := range names {
		w.Simple(name)
	}
}

// describeKeys writes where shard channels stand: from the first argument to
// itself or to the last one. They are routed by, but are not keys.
func (c *command) describeKeys(w *resp.Writer) {
	if c.keys == noKeys {
		w.Set(0)
		return
	}
	last := int64(0) // relative to the first
	if c.keys == everyKey {
		last = -1
	}
	w.Set(1)
	w.Map(3)
	w.BulkString("flags")
	writeNames(w, []string{"not_key"})
	w.BulkString("begin_search")
	w.Map(2)
	w.BulkString("type")
	w.BulkString("index")
	w.BulkString("spec")
	w.Map(1)
	w.BulkString("index")
	w.Int(1)
	w.BulkString("find_keys")
	w.Map(2)
	w.BulkString("type")
	w.BulkString("range")
	w.BulkString("spec")
	w.Map(3)
	w.BulkString("lastkey")
	w.Int(last)
	w.BulkString("keystep")
	w.Int(1)
	w.BulkString("limit")
	w.Int(0)
}

// commandList is COMMAND LIST [FILTERBY MODULE name | ACLCAT category |
// PATTERN pattern]: names, with those of subcommands.
func commandList(c call) {
	keep := func(*command) bool { return true }
	switch args := c.args(); {
	case len(args) == 0:
	case len(args) != 3 || !is(args[0], "FILTERBY"):
		keep = nil
	case is(args[1], "MODULE"):
		keep = func(*command) bool { return false }
	case is(args[1], "ACLCAT"):
		keep = func(cmd *command) bool { return cmd.in(args[2]) }
	case is(args[1], "PATTERN"):
		keep = func(cmd *command) bool { return glob.MatchFold(args[2], []byte(cmd.full)) }
	default:
		keep = nil
	}
	if keep == nil {
		c.fail(faultSyntax)
		return
	}
	var names []string
	c.h.table.each(func(cmd *command) {
		if keep(cmd) {
			names = append(names, cmd.full)
		}
	})
	w := c.reply()
	w.Array(len(names))
	for _, name := range names {
		w.BulkString(name)
	}
}

// in reports whether the command is in an ACL category, given without "@".
func (c *command) in(category []byte) (found bool) {
	named(c.categories, categoryNames[:], func(name string) {
		found = found || strings.EqualFold(name, string(category))
	})
	return found
}

// commandGetKeys is COMMAND GETKEYS or GETKEYSANDFLAGS. No command here has
// keys.
func commandGetKeys(c call) {
	words := c.args()
	cmd := c.h.table.byLength.find(words[0])
	if cmd != nil && cmd.subcommands != nil && len(words) > 1 {
		cmd = cmd.byLength.find(words[1])
	}
	if cmd == nil {
		c.fail("ERR Invalid command specified")
		return
	}
	c.fail("ERR The command has no key arguments")
}

// commandDocs is COMMAND DOCS [name …]. What there is not is left out.
func commandDocs(c call) {
	found := c.h.table.all
	if len(c.args()) > 0 {
		found = nil
		for _, name := range c.args() {
			if cmd := c.h.table.resolve(name); cmd != nil {
				found = append(found, cmd)
			}
		}
	}
	writeDocs(c.reply(), found)
}

func writeDocs(w *resp.Writer, commands []*command) {
	w.Map(len(commands))
	for _, cmd := range commands {
		w.BulkString(cmd.full)
		fields := [][2]string{
			{"summary", cmd.summary}, {"since", cmd.since}, {"group", cmd.group}, {"complexity", cmd.cost},
		}
		if len(cmd.subcommands) > 0 {
			w.Map(len(fields) + 1)
		} else {
			w.Map(len(fields))
		}
		for _, field := range fields {
			w.BulkString(field[0])
			w.BulkString(field[1])
		}
		if len(cmd.subcommands) > 0 {
			w.BulkString("subcommands")
			writeDocs(w, cmd.subcommands)
		}
	}
}

// containerHelp is the HELP of every command with subcommands.
func containerHelp(c call) {
	help(c.reply(), strings.ToUpper(c.cmd.container.name), c.cmd.container.subcommands)
}

// help writes two lines for each subcommand: how it is called and what it does.
func help(w *resp.Writer, name string, subcommands []*command) {
	w.Array(1 + 2*len(subcommands))
	w.Simple(name + " <subcommand> [<argument> ...], with one of these subcommands:")
	for _, sub := range subcommands {
		w.Simple(strings.TrimSpace(strings.ToUpper(sub.name) + " " + sub.usage))
		w.Simple("    " + sub.summary)
	}
}
