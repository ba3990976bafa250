package command

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"hubsub/resp"
)

// FuzzSession sends any stream in any pieces to a server and reads until it closes: what it says must be RESP, and
// nothing may follow a protocol error. The server is the same for all streams, and others must find it as it was.
func FuzzSession(f *testing.F) {
	for _, stream := range []string{
		wire("SUBSCRIBE", "a", "b") + wire("PSUBSCRIBE", "*") + wire("PING") + wire("UNSUBSCRIBE"),
		wire("HELLO", "3") + wire("SSUBSCRIBE", "a") + wire("SPUBLISH", "a", "x") + wire("RESET"),
		wire("MULTI") + wire("SUBSCRIBE", "a", "b") + wire("PUBLISH", "a", "x") + wire("HELLO", "3") + wire("EXEC"),
		wire("CLIENT", "REPLY", "SKIP") + wire("CLIENT", "LIST") + wire("CLIENT", "KILL", "ID", "1"),
		wire("CONFIG", "GET", "*") + wire("CONFIG", "SET", "timeout", "1") + wire("COMMAND", "DOCS", "client|kill"),
		wire("ACL", "WHOAMI") + wire("INFO") + wire("PUBSUB", "NUMSUB", "a") + wire("QUIT"),
		"ECHO \"a\\x41\" 'b'\r\nPING\n*1\r\n$4\r\nPI\rNG*0\r\n*-1\r\n*2\r\n$4\r\nECHO\r\n$1000000\r\n",
	} {
		f.Add([]byte(stream), uint64(1))
	}
	s := serve(f, "")
	f.Fuzz(func(t *testing.T, stream []byte, seed uint64) {
		said, err := converse(s.addr, stream, rand.New(rand.NewPCG(seed, 0)))
		if err != nil {
			t.Fatalf("%q: %v", stream, err)
		}
		for rest := said; len(rest) > 0; {
			n, err := replyLength(rest, 0)
			if err != nil {
				t.Fatalf("%q is answered %.2000q: %v", stream, said, err)
			}
			if n < len(rest) && bytes.HasPrefix(rest, []byte("-ERR Protocol error")) {
				t.Fatalf("%q is answered %.2000q: more after a protocol error", stream, said)
			}
			rest = rest[n:]
		}
		if pong, err := converse(s.addr, []byte("QUIT\r\n"), nil); err != nil || string(pong) != "+OK\r\n" {
			t.Fatalf("after %q another client is answered %.2000q: %v", stream, pong, err)
		}
	})
}

func wire(w ...string) string {
	cmd := resp.AppendArray(nil, len(w))
	for _, word := range w {
		cmd = resp.AppendBulkString(cmd, word)
	}
	return string(cmd)
}

// converse sends the stream, in pieces if there is a random, closes the sending side and returns what comes back.
func converse(addr string, stream []byte, random *rand.Rand) ([]byte, error) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(patience))
	go func() {
		for random != nil && len(stream) > 0 {
			n := 1 + random.IntN(len(stream))
			conn.Write(stream[:n]) // a server that closes early is judged by what it says
			stream = stream[n:]
		}
		conn.Write(stream)
		conn.(*net.TCPConn).CloseWrite()
	}()
	said, err := io.ReadAll(conn)
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		return said, err
	}
	return said, nil // closed, in whatever manner
}

// replyLength returns the length of the RESP value that b begins with.
func replyLength(b []byte, depth int) (int, error) {
	const depthMax = 8
	head, _, found := bytes.Cut(b, []byte("\r\n"))
	line := string(head)
	if !found || line == "" || strings.ContainsAny(line, "\r\n") || depth > depthMax {
		return 0, fmt.Errorf("not a value: %.100q", b)
	}
	end := len(line) + 2
	switch line[0] {
	case '+', '-', ',', '(', '#', '_':
		return end, nil
	case ':', '$', '=', '*', '>', '~', '%':
	default:
		return 0, fmt.Errorf("unknown type: %.100q", b)
	}
	n, err := strconv.ParseInt(line[1:], 10, 64)
	switch {
	case err != nil || n < -1 && line[0] != ':':
		return 0, fmt.Errorf("not a number: %.100q", line)
	case n < 0 || line[0] == ':':
		return end, nil
	case line[0] == '$' || line[0] == '=':
		if int64(len(b)-end) < n+2 || string(b[end+int(n):end+int(n)+2]) != "\r\n" {
			return 0, fmt.Errorf("no string of that length: %.100q", b)
		}
		return end + int(n) + 2, nil
	case line[0] == '%':
		n *= 2
	}
	for range n {
		item, err := replyLength(b[end:], depth+1)
		if err != nil {
			return 0, err
		}
		end += item
	}
	return end, nil
}
