package command

import (
	"math"

	"hubsub/engine"
	"hubsub/resp"
)

// ping has a form of its own for subscribed RESP2 clients: they could not tell
// the usual one from a message.
func ping(c call) {
	args := c.args()
	switch {
	case len(args) > 1:
		c.fail(wrongArity(c.cmd))
	case c.s.Protocol() == 2 && subscribed(c.s):
		w := c.reply()
		w.Array(2)
		w.BulkString("pong")
		if len(args) == 0 {
			w.BulkString("")
		} else {
			w.Bulk(args[0])
		}
	case len(args) == 1:
		c.reply().Bulk(args[0])
	default:
		c.reply().Simple("PONG")
	}
}

func echo(c call) { c.reply().Bulk(c.args()[0]) }

func quit(c call) {
	c.s.Settle()
	c.ok()
	c.s.Finish()
}

// selectDB keeps the number for CLIENT LIST; it changes nothing else.
func selectDB(c call) {
	n, ok := resp.ParseInt(c.args()[0])
	switch {
	case !ok:
		c.fail(faultNotInteger)
	case n < math.MinInt32 || n > math.MaxInt32:
		c.fail("ERR value is out of range, value must between -2147483648 and 2147483647")
	case n < 0 || n >= databases:
		c.fail("ERR DB index is out of range")
	default:
		if int(n) != identity(c.s).Database {
			identify(c.s, func(id *engine.Identity) { id.Database = int(n) })
		}
		c.ok()
	}
}
