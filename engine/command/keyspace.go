package command

import (
	"strconv"

	"hubsub/resp"
)

// There are no keys. Tools for people count and list them before they show
// anything else, so these two answer that there are none.

func dbSize(c call) { c.reply().Int(0) }

// scan is SCAN cursor [MATCH pattern] [COUNT count] [TYPE type]: the first
// answer is the last one.
func scan(c call) {
	args := c.args()
	if _, err := strconv.ParseUint(string(args[0]), 10, 64); err != nil {
		c.fail(faultCursor)
		return
	}
	for options := args[1:]; len(options) > 0; options = options[2:] {
		switch {
		case len(options) == 1:
			c.fail(faultSyntax)
			return
		case is(options[0], "COUNT"):
			count, ok := resp.ParseInt(options[1])
			if !ok {
				c.fail(faultNotInteger)
				return
			}
			if count < 1 {
				c.fail(faultSyntax)
				return
			}
		case !is(options[0], "MATCH") && !is(options[0], "TYPE"):
			c.fail(faultSyntax)
			return
		}
	}
	w := c.reply()
	w.Array(2)
	w.BulkString("0")
	w.Array(0)
}
