package command

import (
	"time"

	"hubsub/engine"
	"hubsub/engine/acl"
	"hubsub/resp"
)

// filter says which clients CLIENT KILL and CLIENT LIST mean: those to which
// all that is set applies. The zero filter means all.
type filter struct {
	ids         map[uint64]bool
	addr, laddr *string
	class       class
	user        *acl.Account
	maxAge      time.Duration // at least that old
	skip        *engine.Session
}

// class is what TYPE asks for.
type class uint8

const (
	anyClass     class = iota
	normalClass        // without subscriptions
	pubsubClass        // with some
	foreignClass       // master or replica: there are none
)

func (f *filter) matches(s *engine.Session, now time.Time) bool {
	switch {
	case s.Killed(),
		s == f.skip,
		f.ids != nil && !f.ids[s.ID()],
		f.addr != nil && *f.addr != s.RemoteAddr(),
		f.laddr != nil && *f.laddr != s.LocalAddr(),
		f.user != nil && !isUser(s, f.user),
		f.maxAge > 0 && now.Sub(s.Created()) < f.maxAge:
		return false
	}
	switch f.class {
	case normalClass:
		return !subscribed(s)
	case pubsubClass:
		return subscribed(s)
	case foreignClass:
		return false
	}
	return true
}

func (f *filter) setClass(name []byte) (fault string) {
	switch {
	case is(name, "NORMAL"):
		f.class = normalClass
	case is(name, "PUBSUB"):
		f.class = pubsubClass
	case is(name, "MASTER"), is(name, "REPLICA"), is(name, "SLAVE"):
		f.class = foreignClass
	default:
		return "ERR Unknown client type '" + cited(name) + "'"
	}
	return ""
}

// clientKill closes clients. The old form names one by its address and is
// answered OK, the new form is answered their number.
func clientKill(c call) {
	args := c.args()
	if len(args) == 1 {
		if c.kill(filter{addr: text(args[0])}) == 0 {
			c.fail("ERR No such client")
		} else {
			c.ok()
		}
		return
	}
	f, fault := c.parseKill(args)
	if fault != "" {
		c.fail(fault)
		return
	}
	c.reply().Int(c.kill(f))
}

// kill closes the clients that the filter means and returns how many. The
// calling client, if it is one of them, still gets its answer.
func (c call) kill(f filter) int64 {
	var victims []*engine.Session
	now := time.Now()
	c.s.Engine().Sessions(func(s *engine.Session) {
		if f.matches(s, now) {
			victims = append(victims, s)
		}
	})
	for _, s := range victims {
		if s == c.s {
			c.s.Finish()
		} else {
			c.s.Engine().Kill(s)
		}
	}
	return int64(len(victims))
}

// text is a filter's value that may be empty.
func text(b []byte) *string {
	s := string(b)
	return &s
}

// parseKill reads pairs of a filter and its value. The calling client is
// spared unless SKIPME is no.
func (c call) parseKill(args [][]byte) (f filter, fault string) {
	f.skip = c.s
	for ; len(args) > 0; args = args[2:] {
		if len(args) == 1 {
			return f, faultSyntax
		}
		switch value := args[1]; {
		case is(args[0], "ID"):
			id, ok := resp.ParseInt(value)
			if !ok || id < 1 {
				return f, "ERR client-id should be greater than 0"
			}
			f.ids = map[uint64]bool{uint64(id): true}
		case is(args[0], "MAXAGE"):
			age, ok := resp.ParseInt(value)
			switch {
			case !ok:
				return f, "ERR maxage is not an integer or out of range"
			case age < 1:
				return f, "ERR maxage should be greater than 0"
			}
			f.maxAge = time.Duration(min(age, maxAgeSeconds)) * time.Second
		case is(args[0], "TYPE"):
			if fault := f.setClass(value); fault != "" {
				return f, fault
			}
		case is(args[0], "ADDR"):
			f.addr = text(value)
		case is(args[0], "LADDR"):
			f.laddr = text(value)
		case is(args[0], "USER"):
			if f.user = c.h.Users.Find(string(value)); f.user == nil {
				return f, "ERR No such user '" + cited(value) + "'"
			}
		case is(args[0], "SKIPME") && is(value, "YES"):
			f.skip = c.s
		case is(args[0], "SKIPME") && is(value, "NO"):
			f.skip = nil
		default:
			return f, faultSyntax
		}
	}
	return f, ""
}
