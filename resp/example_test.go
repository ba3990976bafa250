package resp_test

import (
	"fmt"

	"hubsub/resp"
)

// A connection's bytes arrive in pieces; what follows the last complete command is kept for the next round.
func ExampleParser() {
	limits := resp.DefaultLimits()
	var parser resp.Parser
	var cmd resp.Command
	answers := resp.Writer{V3: true}
	var pending []byte

	for _, read := range []string{"*2\r\n$4\r\nECHO\r\n$5\r\nhello\r\n*1\r\n$4\r\nPI", "NG\r\nFOO\r\n*x\r\n"} {
		pending = append(pending, read...)
		for {
			n, err := parser.Next(pending, &cmd, &limits)
			if err != nil {
				answers.Error("ERR " + err.Error())
				break // and close the connection
			}
			if n == 0 {
				break
			}
			pending = pending[n:] // cmd stays valid until Next is called again
			if len(cmd.Args) == 0 {
				continue
			}
			switch string(cmd.Args[0]) {
			case "ECHO":
				answers.Bulk(cmd.Args[1])
			case "PING":
				answers.Simple("PONG")
			default:
				answers.Error("ERR unknown command")
			}
		}
	}
	fmt.Printf("%q\n", answers.Buf)
	// Output: "$5\r\nhello\r\n+PONG\r\n-ERR unknown command\r\n-ERR Protocol error: invalid multibulk length\r\n"
}
