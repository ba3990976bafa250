package command

import (
	"bytes"
	"crypto/sha1"
	"fmt"
	"strings"

	"hubsub/engine/acl"
)

// The errors of dispatch, as Redis words them. They hold the code that begins
// the answer.
const (
	faultNoAuth      = "NOAUTH Authentication required."
	faultSyntax      = "ERR syntax error"
	faultNotInMulti  = "ERR Command not allowed inside a transaction"
	faultNotInteger  = "ERR value is not an integer or out of range"
	faultNoCluster   = "ERR This instance has cluster support disabled"
	faultCursor      = "ERR invalid cursor"
	faultNotPositive = "ERR value is out of range, must be positive"
	faultManyRooms   = "ERR too many ROOM GET: a connection may call 1000 per second, 2000 at once"
	faultNoScripts   = "ERR This instance has scripting support disabled"
	faultNoScript    = "NOSCRIPT No matching script. Please use EVAL."
	faultNames       = "ERR Client names cannot contain spaces, newlines or special characters."
	faultWrongPass   = "WRONGPASS invalid username-password pair or user is disabled."
	faultHelloNoAuth = "NOAUTH HELLO must be called with the client already authenticated, " +
		"otherwise the HELLO AUTH <user> <pass> option can be used to authenticate the client " +
		"and select the RESP protocol version at the same time"
	faultNoACLFile = "ERR This Redis instance is not configured to use an ACL file. " +
		"You may want to specify users via the ACL SETUSER command and then issue a CONFIG REWRITE " +
		"(assuming you have a Redis configuration file set) in order to store users in the Redis configuration."
	faultNoPassword = "ERR AUTH <password> called without any password configured for the default user. " +
		"Are you sure your configuration is correct?"
)

func wrongArity(c *command) string {
	return "ERR wrong number of arguments for '" + c.full + "' command"
}

func noPermission(c *command, verdict acl.Verdict) string {
	if verdict == acl.ChannelDenied {
		return "NOPERM this user has no permissions to access one of the channels used as arguments"
	}
	return "NOPERM this user has no permissions to run the '" + c.full + "' command"
}

// rulesChanged is what EXEC answers for a command that the user may not run any
// more.
func rulesChanged(verdict acl.Verdict) string {
	reason := "no permission to execute the command or subcommand"
	if verdict == acl.ChannelDenied {
		reason = "no permission to access one of the channels used as arguments"
	}
	return "NOPERM ACLs rules changed between the moment the transaction was accumulated and the EXEC call. " +
		"This command is no longer allowed for the following reason: " + reason
}

// scriptDenied is what a script fails with whose redis.call the user may not do.
func scriptDenied(script []byte, verdict acl.Verdict) string {
	reason := "run this command or subcommand"
	if verdict == acl.ChannelDenied {
		reason = "publish to the channel mentioned in the command"
	}
	line := 1 + bytes.Count(script[:bytes.Index(script, []byte("redis.call"))], []byte{'\n'})
	return fmt.Sprintf("ERR The user executing the script can't %s script: %x, on @user_script:%d.",
		reason, sha1.Sum(script), line)
}

func notInSubscribed(c *command) string {
	return "ERR Can't execute '" + c.full + "': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / " +
		"PING / QUIT / RESET are allowed in this context"
}

// unknownCommand repeats the name and, as far as they fit, the arguments.
func unknownCommand(words [][]byte) string {
	var args []byte
	for _, word := range words[1:] {
		if len(args) >= quotedBytesMax {
			break
		}
		args = append(args, '\'')
		args = append(args, quoted(word, quotedBytesMax-len(args)+1)...)
		args = append(args, "' "...)
	}
	return "ERR unknown command '" + string(quoted(words[0], quotedBytesMax)) +
		"', with args beginning with: " + string(args)
}

func unknownSubcommand(container *command, name []byte) string {
	return "ERR unknown subcommand '" + string(quoted(name, quotedBytesMax)) +
		"'. Try " + strings.ToUpper(container.name) + " HELP."
}

// badSubcommand is for what a subcommand's arity does not tell.
func badSubcommand(container string, name []byte) string {
	return "ERR unknown subcommand or wrong number of arguments for '" +
		string(quoted(name, quotedBytesMax)) + "'. Try " + container + " HELP."
}

// cited is a client's word as an error repeats it when nothing bounds it but a
// zero byte.
func cited(word []byte) string { return string(quoted(word, len(word))) }

// quoted cuts a client's word at n bytes, and at a zero byte, where C's strings
// end.
func quoted(word []byte, n int) []byte {
	word, _, _ = bytes.Cut(word, []byte{0})
	return word[:min(len(word), n)]
}
