package command

import (
	"bytes"
	"strings"
)

// The errors of dispatch, as Redis words them. They hold the code that begins
// the answer.
const (
	faultNoAuth      = "NOAUTH Authentication required."
	faultSyntax      = "ERR syntax error"
	faultNotInMulti  = "ERR Command not allowed inside a transaction"
	faultNotInteger  = "ERR value is not an integer or out of range"
	faultNoCluster   = "ERR This instance has cluster support disabled"
	faultNames       = "ERR Client names cannot contain spaces, newlines or special characters."
	faultWrongPass   = "WRONGPASS invalid username-password pair or user is disabled."
	faultHelloNoAuth = "NOAUTH HELLO must be called with the client already authenticated, " +
		"otherwise the HELLO AUTH <user> <pass> option can be used to authenticate the client " +
		"and select the RESP protocol version at the same time"
	faultNoPassword = "ERR AUTH <password> called without any password configured for the default user. " +
		"Are you sure your configuration is correct?"
)

func wrongArity(c *command) string {
	return "ERR wrong number of arguments for '" + c.full + "' command"
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

// quoted cuts a client's word at n bytes, and at a zero byte, where C's strings
// end.
func quoted(word []byte, n int) []byte {
	word, _, _ = bytes.Cut(word, []byte{0})
	return word[:min(len(word), n)]
}
