package command

import "hubsub/resp"

// SLOWLOG, LATENCY and MODULE: monitors and tools for people ask them and take
// an error for a server that is ill. HubSub keeps no log of slow commands and
// no times of commands, and has no modules, so there is nothing to tell; its
// own figures are in INFO and on the address of --http.

// tellNone answers an empty list.
func tellNone(c call) { c.reply().Array(0) }

// tellNoTimes is LATENCY HISTOGRAM: the times of no command.
func tellNoTimes(c call) { c.reply().Map(0) }

// tellZero answers how many there are, or how many were forgotten.
func tellZero(c call) { c.reply().Int(0) }

// slowlogGet is SLOWLOG GET [count]; -1 is all.
func slowlogGet(c call) {
	switch args := c.args(); {
	case len(args) > 1:
		c.fail(badSubcommand("SLOWLOG", c.words.Args[1]))
		return
	case len(args) == 1:
		if count, ok := resp.ParseInt(args[0]); !ok || count < -1 {
			c.fail("ERR count should be greater than or equal to -1")
			return
		}
	}
	tellNone(c)
}

// slowlogReset forgets what there is not.
func slowlogReset(c call) { c.ok() }
