package command

import (
	"crypto/rand"
	"encoding/hex"

	"hubsub/engine/acl"
	"hubsub/resp"
)

// aclCat lists the categories, or the commands of one.
func aclCat(c call) {
	args := c.args()
	if len(args) > 1 {
		c.fail(badSubcommand("ACL", c.words.Args[1]))
		return
	}
	names := categoryNames[:]
	if len(args) == 1 {
		names = nil
		c.h.table.each(func(cmd *command) {
			if cmd.in(args[0]) {
				names = append(names, cmd.full)
			}
		})
		if names == nil && !isCategory(args[0]) {
			c.fail("ERR Unknown category '" + string(quoted(args[0], quotedBytesMax)) + "'")
			return
		}
	}
	w := c.reply()
	w.Array(len(names))
	writeBulks(w, names)
}

func isCategory(name []byte) bool {
	return (&command{categories: ^category(0)}).in(name)
}

// aclDryRun judges a command for a user. A refusal is no error but a text.
func aclDryRun(c call) {
	name, words := c.args()[0], c.args()[1:]
	user := c.h.Users.User(string(name))
	if user == nil {
		c.fail("ERR User '" + cited(name) + "' not found")
		return
	}
	cmd, fault := c.h.table.find(words)
	switch {
	case cmd == nil:
		c.fail("ERR Command '" + cited(words[0]) + "' not found")
		return
	case fault != "":
		c.fail(fault)
		return
	}
	verdict, at := acl.Allowed, 0
	if cmd.flags&noAuth == 0 {
		verdict, at = user.Check(cmd.access, words)
	}
	switch verdict {
	case acl.Allowed:
		c.ok()
	case acl.CommandDenied:
		c.reply().BulkString("This user has no permissions to run the '" + cmd.full + "' command")
	case acl.ChannelDenied:
		c.reply().BulkString("This user has no permissions to access the '" + cited(words[at]) + "' channel")
	}
}

// aclGenPass makes a password of random bits, in hexadecimal and rounded up to
// whole digits.
func aclGenPass(c call) {
	bits := int64(genPassBits)
	switch args := c.args(); len(args) {
	case 0:
	case 1:
		var ok bool
		if bits, ok = resp.ParseInt(args[0]); !ok {
			c.fail(faultNotInteger)
			return
		}
		if bits < 1 || bits > genPassBitsMax {
			c.fail("ERR ACL GENPASS argument must be the number of bits for the output password, " +
				"a positive number up to 4096")
			return
		}
	default:
		c.fail(badSubcommand("ACL", c.words.Args[1]))
		return
	}
	var secret [genPassBitsMax / 8]byte
	rand.Read(secret[:]) // never fails
	c.reply().BulkString(hex.EncodeToString(secret[:])[:(bits+3)/4])
}
