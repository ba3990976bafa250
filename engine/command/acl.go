package command

import (
	"hubsub/engine"
	"hubsub/engine/acl"
	"hubsub/resp"
)

// loggedIn reports whether the client has been told to be a user that there
// still is.
func loggedIn(s *engine.Session) bool {
	account := s.User.Load()
	return account != nil && account.User() != nil
}

// user returns who the client is, nil for nobody: it has not said, and the
// default user needs a password, or its user has been deleted.
func (h *Handler) user(s *engine.Session) *acl.User {
	if account := s.User.Load(); account != nil {
		return account.User()
	}
	if user := h.Users.Default().User(); user.Open() {
		return user
	}
	return nil
}

// userName returns the name that CLIENT LIST shows. Any goroutine.
func userName(s *engine.Session) string {
	if account := s.User.Load(); account != nil {
		return account.Name()
	}
	return acl.DefaultName
}

// verdict judges a command of an EXEC, which was judged before when it was
// queued.
func (c call) verdict() acl.Verdict {
	if c.cmd.flags&noAuth != 0 {
		return acl.Allowed
	}
	user := c.h.user(c.s)
	if user == nil {
		return acl.CommandDenied
	}
	verdict, at := user.Check(c.cmd.access, c.words.Args)
	if verdict != acl.Allowed {
		c.h.logDenial(c.s, c.cmd, verdict, c.words.Args[at], contextOf(c.s))
	}
	return verdict
}

// scriptFault judges a PUBLISH that a script does, its Args being verb, channel
// and message. It returns what the script fails with, or "".
func (c call) scriptFault(script []byte, message *resp.Command) string {
	user, publish := c.h.user(c.s), c.h.table.byLength.find([]byte("publish"))
	verdict := acl.CommandDenied
	if user != nil {
		verdict, _ = user.Check(publish.access, message.Args)
	}
	if verdict == acl.Allowed {
		return ""
	}
	c.h.logDenial(c.s, publish, verdict, message.Args[1], "lua")
	return scriptDenied(script, verdict)
}

// isUser reports whether the client is the user of an account; one that has not
// said who it is counts as the default user. Any goroutine.
func isUser(s *engine.Session, account *acl.Account) bool {
	own := s.User.Load()
	return own == account || own == nil && account.Name() == acl.DefaultName
}

// sessionsOf returns the clients that are a user. Any goroutine.
func sessionsOf(e *engine.Engine, account *acl.Account) (found []*engine.Session) {
	e.Sessions(func(s *engine.Session) {
		if isUser(s, account) {
			found = append(found, s)
		}
	})
	return found
}

// revoke closes the user's clients that have subscriptions which the user may
// not have any more. A SUBSCRIBE that is executed meanwhile is either judged by
// the new rules or over before its client is looked at, on its own loop.
func (c call) revoke(change acl.Change) {
	if !change.Revokes() {
		return
	}
	if isUser(c.s, change.Account) && !hearsRightly(c.s, change.After) {
		c.s.Finish() // after the answer to this command
	}
	revoke(c.s.Engine(), change, c.s)
}

// revoke does so for all clients but one.
func revoke(e *engine.Engine, change acl.Change, but *engine.Session) {
	for _, s := range sessionsOf(e, change.Account) {
		if s == but {
			continue
		}
		e.Do(s, func() {
			if user := change.Account.User(); user != nil && !hearsRightly(s, user) {
				e.Kill(s)
				s.Finish() // it hears nothing from now on
			}
		})
	}
}

// LoadUsers puts the users of a configuration file in force, see acl.Users.Load,
// while clients are there: those of users who are gone are closed, and those who
// hear what they may not any more. It returns the names of the users who have
// changed. Any goroutine.
func (h *Handler) LoadUsers(e *engine.Engine, users []*acl.User) (changed []string) {
	for _, change := range h.Users.Load(users) {
		changed = append(changed, change.Account.Name())
		switch {
		case change.After == nil:
			for _, s := range sessionsOf(e, change.Account) {
				e.Kill(s)
			}
		case change.Revokes():
			revoke(e, change, nil)
		}
	}
	return changed
}

// hearsRightly reports whether the user may have all of the client's
// subscriptions. It runs on the session's loop.
func hearsRightly(s *engine.Session, user *acl.User) bool {
	for _, kind := range []engine.Kind{engine.Channel, engine.Shard, engine.Pattern} {
		if !hearsAll(user, kind, allNames(s, kind)) {
			return false
		}
	}
	return true
}
