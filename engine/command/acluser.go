package command

import (
	"hubsub/engine/acl"
	"hubsub/resp"
)

// aclSetUser makes or changes a user.
func aclSetUser(c call) {
	name := string(c.args()[0])
	var rules []string
	for _, rule := range c.args()[1:] {
		rules = append(rules, string(rule))
	}
	change, err := c.h.Users.Set(name, rules)
	if err != nil {
		c.fail("ERR " + err.Error())
		return
	}
	if name == acl.DefaultName {
		c.h.Server.UsersChanged()
	}
	c.revoke(change)
	c.ok()
}

// aclDelUser deletes users and closes their clients: this one too, after its
// answer.
func aclDelUser(c call) {
	for _, name := range c.args() {
		if string(name) == acl.DefaultName {
			c.fail("ERR The 'default' user cannot be removed")
			return
		}
	}
	deleted := int64(0)
	for _, name := range c.args() {
		if account := c.h.Users.Delete(string(name)); account != nil {
			deleted++
			c.kill(filter{user: account})
		}
	}
	c.reply().Int(deleted)
}

func aclGetUser(c call) {
	w := c.reply()
	user := c.h.Users.User(string(c.args()[0]))
	if user == nil {
		w.Null()
		return
	}
	grants := user.Grants()
	w.Map(6)
	w.BulkString("flags")
	w.Set(len(user.Flags()))
	writeBulks(w, user.Flags())
	w.BulkString("passwords")
	w.Array(len(user.Passwords()))
	writeBulks(w, user.Passwords())
	writeGrants(w, grants[0])
	w.BulkString("selectors")
	w.Array(len(grants) - 1)
	for _, g := range grants[1:] {
		w.Map(3)
		writeGrants(w, g)
	}
}

// writeGrants writes three pairs of a map.
func writeGrants(w *resp.Writer, g acl.Grants) {
	writeBulks(w, []string{"commands", g.Commands, "keys", g.Keys, "channels", g.Channels})
}

func writeBulks(w *resp.Writer, texts []string) {
	for _, text := range texts {
		w.BulkString(text)
	}
}

func aclList(c call) {
	users := c.h.Users.List()
	w := c.reply()
	w.Array(len(users))
	for _, user := range users {
		w.BulkString(user.String())
	}
}

func aclUsers(c call) {
	users := c.h.Users.List()
	w := c.reply()
	w.Array(len(users))
	for _, user := range users {
		w.BulkString(user.Name())
	}
}

func aclWhoAmI(c call) { c.reply().BulkString(userName(c.s)) }
