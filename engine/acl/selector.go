package acl

import (
	"slices"
	"strings"
)

// selector is one set of grants. Once its user is made it does not change.
type selector struct {
	// future is how the command rules begin: with +@all, or with -@all. rules are
	// those that followed, as they are shown; commands and firstArgs are what all
	// of them come to.
	future    bool
	rules     []string
	commands  commandSet
	firstArgs []firstArg

	keys     patterns
	channels patterns
}

// firstArg grants a command that is not granted otherwise if its first argument
// is this one (+select|0).
type firstArg struct {
	command *Command
	arg     string // lower case
}

// newSelector grants no command, and all channels or none.
func newSelector(allChannels bool) selector {
	return selector{channels: patterns{all: allChannels}}
}

func (s selector) clone() selector {
	s.rules = slices.Clone(s.rules)
	s.firstArgs = slices.Clone(s.firstArgs)
	s.keys.some = slices.Clone(s.keys.some)
	s.channels.some = slices.Clone(s.channels.some)
	return s
}

// check says whether the selector grants a command with these words, and if
// not, which of them is the channel that it does not grant.
func (s *selector) check(cmd *Command, words [][]byte) (Verdict, int) {
	if !s.commands.has(cmd.index) && !s.grantsFirstArg(cmd, words) {
		return CommandDenied, 0
	}
	if s.channels.all {
		return Allowed, 0
	}
	from, to, wanted := 1, len(words), subscribe
	switch cmd.Touches {
	case TouchesNone:
		return Allowed, 0
	case Publishes:
		to, wanted = 2, publish
	case AsksRoom:
		if !s.channels.grantRoom(words[2]) {
			return ChannelDenied, 2
		}
		return Allowed, 0
	}
	for at := from; at < to; at++ {
		if !s.channels.grant(wanted, words[at], cmd.Touches == SubscribesPattern) {
			return ChannelDenied, at
		}
	}
	return Allowed, 0
}

func (s *selector) grantsFirstArg(cmd *Command, words [][]byte) bool {
	return len(words) > 1 && slices.ContainsFunc(s.firstArgs, func(f firstArg) bool {
		return f.command == cmd && f.arg == lower(string(words[1]))
	})
}

// setAll is +@all or -@all.
func (s *selector) setAll(granted bool) {
	s.future, s.rules, s.firstArgs = granted, nil, nil
	s.commands = noCommands
	if granted {
		s.commands = allCommands
	}
}

// setCommand grants a command and its subcommands, or not.
func (s *selector) setCommand(cmd *Command, granted bool) {
	s.put(cmd, granted)
	s.addRule(cmd.Name, granted)
}

func (s *selector) put(cmd *Command, granted bool) {
	s.commands.put(cmd, granted)
	s.firstArgs = slices.DeleteFunc(s.firstArgs, func(f firstArg) bool { return f.command == cmd })
	for _, sub := range cmd.subcommands {
		s.put(sub, granted)
	}
}

// setCategory grants all commands of a category, or not.
func (s *selector) setCategory(c *Catalog, name string, granted bool) {
	bit := c.category(name)
	for _, cmd := range c.commands {
		if cmd.Categories&bit != 0 {
			s.commands.put(cmd, granted)
			s.firstArgs = slices.DeleteFunc(s.firstArgs, func(f firstArg) bool { return f.command == cmd })
		}
	}
	s.addRule("@"+name, granted)
}

// setFirstArg is +command|argument.
func (s *selector) setFirstArg(cmd *Command, arg string) {
	if f := (firstArg{cmd, arg}); !slices.Contains(s.firstArgs, f) {
		s.firstArgs = append(s.firstArgs, f)
	}
	s.addRule(cmd.Name+"|"+arg, true)
}

// addRule shows a rule at the end. Earlier ones about the same command, its
// subcommands and first arguments mean nothing any more.
func (s *selector) addRule(name string, granted bool) {
	s.rules = slices.DeleteFunc(s.rules, func(rule string) bool {
		rest, about := strings.CutPrefix(rule[1:], name)
		return about && (rest == "" || rest[0] == '|')
	})
	sign := "-"
	if granted {
		sign = "+"
	}
	s.rules = append(s.rules, sign+name)
}

// showCommands is what GETUSER shows of the commands.
func (s *selector) showCommands() string {
	all := "-@all"
	if s.future {
		all = "+@all"
	}
	return strings.Join(append([]string{all}, s.rules...), " ")
}

// show appends the selector's words as ACL LIST shows them.
func (s *selector) show(words []string) []string {
	for _, ps := range []struct {
		patterns
		sigil, none string
	}{{s.keys, "~", ""}, {s.channels, "&", "resetchannels"}} {
		if !ps.all && ps.none != "" {
			words = append(words, ps.none)
		}
		if ps.all || len(ps.some) > 0 {
			words = append(words, ps.patterns.show(ps.sigil))
		}
	}
	return append(words, s.showCommands())
}
