package command

import (
	"strings"

	"hubsub/engine"
	"hubsub/resp"
)

// call is one execution of a command for one client, on the session's loop.
// Handlers get it by value: it is on the path of every PUBLISH and must not
// escape.
type call struct {
	h      *Handler
	s      *engine.Session
	cmd    *command
	words  *resp.Command // what the client sent; valid during the call
	inside *execution    // the EXEC that the call is part of, or nil
}

// reply returns where the answer goes: nowhere while the client has answers
// off. Ask again after a call that changes the session.
func (c call) reply() *resp.Writer {
	if c.inside != nil && !c.s.Muted() {
		return &c.inside.answers
	}
	return c.s.Reply()
}

// push returns where confirmations go, which are sent even with answers off.
func (c call) push() *resp.Writer {
	if c.inside != nil {
		return &c.inside.answers
	}
	return c.s.Push()
}

// args returns the words after the command's own name or names.
func (c call) args() [][]byte {
	if c.cmd.container != nil {
		return c.words.Args[2:]
	}
	return c.words.Args[1:]
}

func (c call) ok()               { c.reply().OK() }
func (c call) fail(fault string) { c.reply().Error(fault) }

// is compares a client's word with a keyword in upper case, in any letter case.
func is(word []byte, keyword string) bool {
	return len(word) == len(keyword) && strings.EqualFold(string(word), keyword)
}

// answer returns a handler whose answer is always the same error.
func answer(fault string) func(call) {
	return func(c call) { c.fail(fault) }
}
