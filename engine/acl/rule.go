package acl

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Why a rule cannot be, in Redis's words.
var (
	errName        = errors.New("Usernames can't contain spaces or null characters")
	errUnknown     = errors.New("Unknown command or category name in ACL")
	errSyntax      = errors.New("Syntax error")
	errAllKeys     = errors.New("Adding a pattern after the * pattern (or the 'allkeys' flag) is not valid and does not have any effect. Try 'resetkeys' to start with an empty list of patterns")
	errAllChannels = errors.New("Adding a pattern after the * pattern (or the 'allchannels' flag) is not valid and does not have any effect. Try 'resetchannels' to start with an empty list of channels")
	errNoPassword  = errors.New("The password you are trying to remove from the user does not exist")
	errHash        = errors.New("The password hash must be exactly 64 characters and contain only lowercase hexadecimal characters")
	errDuplicate   = errors.New("Duplicate user found. A user can only be defined once in config files")
	errFirstArg    = errors.New("Allowing first-arg of a subcommand is not supported")
)

// ruleError is a rule that cannot be.
type ruleError struct {
	rule string
	why  error
}

// Error shows the rule up to a zero byte, as errors in Redis do.
func (e *ruleError) Error() string {
	rule, _, _ := strings.Cut(e.rule, "\x00")
	return fmt.Sprintf("modifier '%s': %v", rule, e.why)
}

func (e *ruleError) Unwrap() error { return e.why }

// changer makes a User out of another one by rules.
type changer struct {
	user        *User
	catalog     *Catalog
	allChannels bool // what a new selector begins with
}

// apply changes the user by the words of an ACL SETUSER.
func (c *changer) apply(words []string) error {
	rules, open := joinSelectors(words)
	if open != "" {
		return fmt.Errorf("Unmatched parenthesis in acl selector starting at '%s'.", open)
	}
	for _, rule := range rules {
		if err := c.set(rule); err != nil {
			return &ruleError{rule, err}
		}
	}
	return nil
}

// joinSelectors makes one rule of the words between parentheses. If the last
// one is not closed, open is where it begins.
func joinSelectors(words []string) (rules []string, open string) {
	start := -1
	for i, word := range words {
		switch {
		case start < 0 && strings.HasPrefix(word, "(") && !strings.HasSuffix(word, ")"):
			start = i
		case start < 0:
			rules = append(rules, word)
		case strings.HasSuffix(word, ")"):
			rules = append(rules, strings.Join(words[start:i+1], " "))
			start = -1
		}
	}
	if start >= 0 {
		open = words[start]
	}
	return rules, open
}

// set applies one rule. Those that are no user's alone are the selector's.
func (c *changer) set(rule string) error {
	u := c.user
	switch word := lower(rule); {
	case word == "":
	case word == "on":
		u.enabled = true
	case word == "off":
		u.enabled = false
	case word == "nopass":
		u.noPass, u.passwords = true, nil
	case word == "resetpass":
		u.noPass, u.passwords = false, nil
	case word == "sanitize-payload":
		u.sanitize = sanitizePayload
	case word == "skip-sanitize-payload":
		u.sanitize = skipSanitizePayload
	case word == "clearselectors":
		u.selectors = u.selectors[:1]
	case word == "reset":
		c.user = &User{name: u.name, sanitize: sanitizePayload, selectors: []selector{newSelector(c.allChannels)}}
	case strings.IndexByte("><#!", word[0]) >= 0:
		return u.setPassword(rule[0], rule[1:])
	case word[0] == '(' && strings.HasSuffix(word, ")"):
		return c.addSelector(rule[1 : len(rule)-1])
	default:
		return u.selectors[0].set(c.catalog, rule, word)
	}
	return nil
}

// setPassword adds a password (>) or its hash (#), or takes one away (<, !).
func (u *User) setPassword(sign byte, text string) error {
	hash := text
	switch {
	case sign == '>', sign == '<':
		hash = hashed([]byte(text))
	case len(hash) != hashDigits || strings.Trim(hash, "0123456789abcdef") != "":
		return errHash
	}
	at := slices.Index(u.passwords, hash)
	if sign == '>' || sign == '#' {
		if at < 0 {
			u.passwords = append(u.passwords, hash)
		}
		u.noPass = false
		return nil
	}
	if at < 0 {
		return errNoPassword
	}
	u.passwords = slices.Delete(u.passwords, at, at+1)
	return nil
}

func (c *changer) addSelector(text string) error {
	s := newSelector(c.allChannels)
	for _, rule := range Words(text) {
		if strings.HasSuffix(rule, ")") {
			return errSyntax // shown in a line it would end the selector
		}
		if err := s.set(c.catalog, rule, lower(rule)); err != nil {
			return err
		}
	}
	c.user.selectors = append(c.user.selectors, s)
	return nil
}

// set applies one rule about commands, keys or channels; word is the rule in
// lower case.
func (s *selector) set(c *Catalog, rule, word string) error {
	switch word {
	case "allkeys", "~*":
		s.keys = patterns{all: true}
	case "resetkeys":
		s.keys = patterns{}
	case "allchannels", "&*":
		s.channels = patterns{all: true}
	case "resetchannels":
		s.channels = patterns{}
	case "allcommands", "+@all":
		s.setAll(true)
	case "nocommands", "-@all":
		s.setAll(false)
	default:
		switch word[0] {
		case '~', '&', '%':
			return s.addPattern(rule)
		case '+', '-':
			return s.setCommands(c, word[1:], word[0] == '+')
		}
		return errSyntax
	}
	return nil
}

func (s *selector) addPattern(rule string) error {
	p, ok := parsePattern(rule)
	switch {
	case !ok:
		return errSyntax
	case p.sigil == '~' && s.keys.all:
		return errAllKeys
	case p.sigil == '~':
		s.keys.add(p)
	case s.channels.all:
		return errAllChannels
	default:
		s.channels.add(p)
	}
	return nil
}

// setCommands applies a rule about a command, a subcommand, a category or a
// first argument, whose sign says whether it is granted.
func (s *selector) setCommands(c *Catalog, name string, granted bool) error {
	if category, ok := strings.CutPrefix(name, "@"); ok {
		if c.category(category) == 0 {
			return errUnknown
		}
		s.setCategory(c, category, granted)
		return nil
	}
	if cmd := c.byName[name]; cmd != nil {
		s.setCommand(cmd, granted)
		return nil
	}
	at := strings.LastIndexByte(name, '|')
	if at < 0 || !granted {
		return errUnknown
	}
	cmd, arg := c.byName[name[:at]], name[at+1:]
	switch {
	case cmd == nil:
		return errUnknown
	case cmd.parent() != "":
		return errFirstArg
	case arg == "" || spaced(arg):
		return errSyntax
	case cmd.subcommands != nil:
		return errUnknown
	}
	s.setFirstArg(cmd, arg)
	return nil
}
