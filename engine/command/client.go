package command

import (
	"hubsub/engine"
)

func clientID(c call) { c.reply().Int(int64(c.s.ID())) }

func clientGetName(c call) {
	if name := identity(c.s).Name; name != "" {
		c.reply().BulkString(name)
	} else {
		c.reply().Null()
	}
}

func clientSetName(c call) {
	name := c.args()[0]
	if !printable(name) {
		c.fail(faultNames)
		return
	}
	setName(c.s, name)
	c.ok()
}

func setName(s *engine.Session, name []byte) {
	if string(name) != identity(s).Name {
		identify(s, func(id *engine.Identity) { id.Name = string(name) })
	}
}

// printable reports whether CLIENT LIST can show a text as one word.
func printable(text []byte) bool {
	for _, b := range text {
		if b < '!' || b > '~' {
			return false
		}
	}
	return true
}

func clientSetInfo(c call) {
	attribute, value := c.args()[0], c.args()[1]
	isName := is(attribute, "LIB-NAME")
	switch {
	case !isName && !is(attribute, "LIB-VER"):
		c.fail("ERR Unrecognized option '" + cited(attribute) + "'")
	case !printable(value):
		c.fail("ERR " + cited(attribute) + " cannot contain spaces, newlines or special characters.")
	default:
		identify(c.s, func(id *engine.Identity) {
			if isName {
				id.LibName = string(value)
			} else {
				id.LibVersion = string(value)
			}
		})
		c.ok()
	}
}

// clientReply turns answers off and on. OFF and SKIP are not answered.
func clientReply(c call) {
	m := c.memory()
	switch mode := c.args()[0]; {
	case is(mode, "ON"):
		m.skip = noSkip
		c.s.Mute(false)
		c.ok()
	case is(mode, "OFF"):
		m.skip = noSkip
		c.s.Mute(true)
	case is(mode, "SKIP"):
		if !c.s.Muted() || m.skip == skipping {
			m.skip = skipNext
		}
	default:
		c.fail(faultSyntax)
	}
}

// clientNoEvict exempts the client from --maxmemory-clients. clientNoTouch only
// keeps its flag for CLIENT LIST: there is no key to touch.
func clientNoEvict(c call) { clientFlag(c, &c.memory().noEvict) }

func clientNoTouch(c call) { clientFlag(c, &c.memory().noTouch) }

func clientFlag(c call, flag *bool) {
	switch on := is(c.args()[0], "ON"); {
	case on || is(c.args()[0], "OFF"):
		*flag = on
		c.memory().showFlags(c.s)
		c.ok()
	default:
		c.fail(faultSyntax)
	}
}
