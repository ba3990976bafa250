package command

import (
	"strconv"
	"time"
)

func timeNow(c call) {
	now := time.Now()
	w := c.reply()
	w.Array(2)
	w.BulkString(strconv.FormatInt(now.Unix(), 10))
	w.BulkString(strconv.Itoa(now.Nanosecond() / 1000))
}

// role says master, without replicas: to clients of Redis every node is one.
func role(c call) {
	w := c.reply()
	w.Array(3)
	w.BulkString("master")
	w.Int(0)
	w.Array(0)
}

// shutdown ends the process. There is nothing to save, so the modifiers change
// nothing. It is not answered.
func shutdown(c call) {
	var save, noSave, abort, other bool
	for _, arg := range c.args() {
		switch {
		case is(arg, "SAVE"):
			save = true
		case is(arg, "NOSAVE"):
			noSave = true
		case is(arg, "ABORT"):
			abort = true
		case is(arg, "NOW"), is(arg, "FORCE"):
			other = true
		default:
			c.fail(faultSyntax)
			return
		}
	}
	switch {
	case save && noSave, abort && (save || noSave || other):
		c.fail(faultSyntax)
	case abort:
		c.fail("ERR No shutdown in progress.")
	default:
		c.h.Server.Shutdown()
		c.s.Finish()
	}
}

// flush is FLUSHALL or FLUSHDB: there are no keys.
func flush(c call) {
	switch args := c.args(); {
	case len(args) == 0, len(args) == 1 && (is(args[0], "SYNC") || is(args[0], "ASYNC")):
		c.ok()
	default:
		c.fail(faultSyntax)
	}
}

// functionFlush is FUNCTION FLUSH: there are no functions.
func functionFlush(c call) {
	switch args := c.args(); {
	case len(args) > 1:
		c.fail(badSubcommand("FUNCTION", c.words.Args[1]))
	case len(args) == 1 && !is(args[0], "SYNC") && !is(args[0], "ASYNC"):
		c.fail("ERR FUNCTION FLUSH only supports SYNC|ASYNC option")
	default:
		c.ok()
	}
}

// debug accepts what test suites send around their tests and does nothing of
// it: SLEEP does not stop a loop and its clients.
func debug(c call) {
	args := c.args()
	switch {
	case len(args) == 1 && is(args[0], "HELP"):
		help(c.reply(), "DEBUG", []*command{
			{name: "log", usage: "message", summary: "Does nothing."},
			{name: "set-active-expire", usage: "0|1", summary: "Does nothing."},
			{name: "sleep", usage: "seconds", summary: "Does nothing: other clients would wait too."},
		})
	case len(args) == 2 && (is(args[0], "LOG") || is(args[0], "SET-ACTIVE-EXPIRE") || is(args[0], "SLEEP")):
		c.ok()
	default:
		c.fail(badSubcommand("DEBUG", args[0]))
	}
}
