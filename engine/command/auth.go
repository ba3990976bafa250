package command

import (
	"hubsub/engine"
	"hubsub/engine/acl"
	"hubsub/resp"
)

// become makes the client the user of an account, or nobody: nil.
func become(s *engine.Session, account *acl.Account) {
	s.User.Store(account)
	s.SetAuthenticated(account != nil)
}

// logIn makes the client a user who accepts the password. If there is none, who
// it is stays as it was.
func (c call) logIn(name, password []byte) bool {
	account := c.h.Users.Authenticate(name, password)
	if account == nil {
		c.h.logRefusedLogin(c, name)
		return false
	}
	become(c.s, account)
	return true
}

func auth(c call) {
	user, password := []byte(acl.DefaultName), c.args()[0]
	switch len(c.args()) {
	case 1:
		if !c.h.Users.Default().User().NeedsPassword() {
			c.fail(faultNoPassword)
			return
		}
	case 2:
		user, password = c.args()[0], c.args()[1]
	default:
		c.fail(faultSyntax)
		return
	}
	if !c.logIn(user, password) {
		c.fail(faultWrongPass)
		return
	}
	c.ok()
}

// greeting is what HELLO's arguments ask for.
type greeting struct {
	protocol       int
	user, password []byte
	name           []byte
	auth, setName  bool
}

// parseHello reads [protover [AUTH user password] [SETNAME name]]; current is
// the protocol without a protover.
func parseHello(args [][]byte, current int) (g greeting, fault string) {
	g.protocol = current
	if len(args) == 0 {
		return g, ""
	}
	version, ok := resp.ParseInt(args[0])
	switch {
	case !ok:
		return g, "ERR Protocol version is not an integer or out of range"
	case version != 2 && version != 3:
		return g, "NOPROTO unsupported protocol version"
	}
	g.protocol = int(version)
	for args = args[1:]; len(args) > 0; {
		switch {
		case is(args[0], "AUTH") && len(args) > 2:
			g.auth, g.user, g.password = true, args[1], args[2]
			args = args[3:]
		case is(args[0], "SETNAME") && len(args) > 1:
			g.setName, g.name = true, args[1]
			if !printable(g.name) {
				return g, faultNames
			}
			args = args[2:]
		default:
			return g, "ERR Syntax error in HELLO option '" + cited(args[0]) + "'"
		}
	}
	return g, ""
}

// hello changes nothing unless it can do all it is asked for. Without AUTH the
// user stays who they are.
func hello(c call) {
	g, fault := parseHello(c.args(), c.s.Protocol())
	switch {
	case fault != "":
		c.fail(fault)
		return
	case g.auth && !c.logIn(g.user, g.password):
		c.fail(faultWrongPass)
		return
	case !g.auth && !loggedIn(c.s):
		c.fail(faultHelloNoAuth)
		return
	}
	if g.setName {
		setName(c.s, g.name)
	}
	c.s.SetProtocol(g.protocol)
	if c.inside != nil {
		c.inside.answers.V3 = g.protocol == 3
	}
	w := c.reply()
	w.Map(7)
	w.BulkString("server")
	w.BulkString("redis")
	w.BulkString("version")
	w.BulkString(Version)
	w.BulkString("proto")
	w.Int(int64(g.protocol))
	w.BulkString("id")
	w.Int(int64(c.s.ID()))
	w.BulkString("mode")
	w.BulkString("standalone")
	w.BulkString("role")
	w.BulkString("master")
	w.BulkString("modules")
	w.Array(0)
}

// reset makes the connection what it was when it began, but for what CLIENT
// SETINFO said.
func reset(c call) {
	skipped := false
	if m := recall(c.s); m != nil {
		skipped = m.skip == skipping
		m.endTransaction(c.s)
		c.s.Context = nil
	}
	unsubscribeAll(c.s)
	c.s.SetProtocol(2)
	c.s.Mute(false)
	if c.s.Identity.Load() != nil {
		identify(c.s, func(id *engine.Identity) {
			*id = engine.Identity{LibName: id.LibName, LibVersion: id.LibVersion, Queued: -1}
		})
	}
	c.h.Open(c.s)
	if !skipped {
		c.reply().Simple("RESET")
	}
}
