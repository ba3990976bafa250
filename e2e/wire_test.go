package e2e

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// What a server may say, whoever provoked it. client.read takes what is good enough to go on; readStrict takes what
// the protocol allows and nothing else.

const (
	lineBytesMax  = 2 << 20 // of a line: an error may repeat an argument
	bulkBytesMax  = 8 << 20
	itemsMax      = 1 << 20
	nestingMax    = 8
	resp3Kinds    = "%>~=_#,("
	protocolError = "ERR Protocol error: "
)

// protocolErrors are all that Redis has, but for the one of a byte that is not '$'.
var protocolErrors = []string{
	"too big mbulk count string", "invalid multibulk length", "unauthenticated multibulk length", "too big bulk count string",
	"invalid bulk length", "unauthenticated bulk length", "too big inline request", "unbalanced quotes in request",
}

// errorForm: a code that clients tell errors by, and a text.
var errorForm = regexp.MustCompile(`^(ERR|NOAUTH|NOPROTO|WRONGPASS|NOPERM|EXECABORT|NOSCRIPT) .`)

// readStrict reads one reply. The error is io.EOF if the stream ends before it, io.ErrUnexpectedEOF if it ends in it.
func readStrict(r *bufio.Reader, resp3 bool) (reply, error) {
	if _, err := r.Peek(1); err != nil {
		return reply{}, err
	}
	v, err := strictValue(r, resp3, 0)
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return v, err
}

func strictValue(r *bufio.Reader, resp3 bool, depth int) (reply, error) {
	line, err := strictLine(r)
	if err != nil {
		return reply{}, err
	}
	bad := func(why string) (reply, error) { return reply{}, fmt.Errorf("%s: %.200q", why, line) }
	kind, text := line[0], line[1:]
	if !resp3 && strings.IndexByte(resp3Kinds, kind) >= 0 {
		return bad("RESP3 to a client that has not asked for it")
	}
	switch kind {
	case '+', ',', '(':
		return reply{kind: kind, text: text}, nil
	case '-':
		return reply{kind: kind, text: text}, strictError(text)
	case '#':
		if text != "t" && text != "f" {
			return bad("neither true nor false")
		}
		return reply{kind: kind, text: text}, nil
	case '_':
		if text != "" {
			return bad("a null with a text")
		}
		return reply{kind: kind}, nil
	case ':', '$', '=', '*', '>', '~', '%':
	default:
		return bad("unknown type")
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || strconv.FormatInt(n, 10) != text {
		return bad("not a number as servers write it")
	}
	switch {
	case kind == ':':
		return reply{kind: kind, n: n}, nil
	case n == -1 && (kind == '$' || kind == '*'):
		return reply{kind: '_'}, nil
	case n < 0:
		return bad("a negative length")
	case kind == '$' || kind == '=':
		return strictBulk(r, kind, n)
	case n > itemsMax || depth == nestingMax:
		return bad("too much of it")
	}
	if kind == '%' {
		n *= 2
	}
	v := reply{kind: kind, items: make([]reply, n)}
	for i := range v.items {
		if v.items[i], err = strictValue(r, resp3, depth+1); err != nil {
			return v, err
		}
	}
	return v, nil
}

// strictLine reads a line that is not empty and returns it without its end.
func strictLine(r *bufio.Reader) (string, error) {
	var line []byte
	for {
		part, err := r.ReadSlice('\n')
		line = append(line, part...)
		if err == nil {
			break
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return "", err
		}
		if len(line) > lineBytesMax {
			return "", fmt.Errorf("a line of more than %d bytes: %.200q", lineBytesMax, line)
		}
	}
	text, ok := bytes.CutSuffix(line, []byte("\r\n"))
	if !ok || len(text) == 0 || bytes.IndexByte(text, '\r') >= 0 {
		return "", fmt.Errorf("not a line: %.200q", line)
	}
	return string(text), nil
}

func strictBulk(r *bufio.Reader, kind byte, n int64) (reply, error) {
	if n > bulkBytesMax {
		return reply{}, fmt.Errorf("a string of %d bytes", n)
	}
	text := make([]byte, n+2)
	if _, err := io.ReadFull(r, text); err != nil {
		return reply{}, err
	}
	if string(text[n:]) != "\r\n" {
		return reply{}, fmt.Errorf("a string of %d bytes does not end there: %q", n, text[n:])
	}
	if kind == '=' && (n < 4 || text[3] != ':') {
		return reply{}, fmt.Errorf("a verbatim string without its format: %.200q", text)
	}
	return reply{kind: kind, text: string(text[:n])}, nil
}

// strictError holds an error reply against what clients know.
func strictError(text string) error {
	if !errorForm.MatchString(text) {
		return fmt.Errorf("not an error of Redis: %.200q", text)
	}
	reason, ok := strings.CutPrefix(text, protocolError)
	if !ok || slices.Contains(protocolErrors, reason) {
		return nil
	}
	if got, ok := strings.CutPrefix(reason, "expected '$', got '"); ok && len(got) == 2 && got[1] == '\'' {
		return nil
	}
	return fmt.Errorf("not a protocol error of Redis: %.200q", text)
}

func TestStrictReplies(t *testing.T) {
	f := func(stream string, resp3 bool, want string) {
		t.Helper()
		r, err := readStrict(bufio.NewReaderSize(strings.NewReader(stream), 16), resp3)
		got := r.String()
		if err != nil {
			got = "no"
		}
		if got != want {
			t.Errorf("%q: %s, want %s: %v", stream, got, want, err)
		}
	}
	f("+OK\r\n", false, "OK")
	f("-ERR syntax error\r\n", false, "-ERR syntax error")
	f("-ERR Protocol error: invalid bulk length\r\n", false, "-ERR Protocol error: invalid bulk length")
	f("-ERR Protocol error: expected '$', got ' '\r\n", false, "-ERR Protocol error: expected '$', got ' '")
	f("*2\r\n$3\r\na\r\n\r\n:-7\r\n", false, "[a\r\n -7]")
	f("*2\r\n$-1\r\n*-1\r\n", false, "[nil nil]")
	f(">2\r\n_\r\n=5\r\ntxt:x\r\n", true, ">[nil txt:x]")
	f("%1\r\n+k\r\n#t\r\n", true, "[k t]")
	f("$40\r\n"+strings.Repeat("x", 40)+"\r\n", false, strings.Repeat("x", 40))

	f("", false, "no")
	f("+OK", false, "no")
	f("+OK\n", false, "no")
	f("\r\n", false, "no")
	f("+a\rb\r\n", false, "no")
	f("-oops\r\n", false, "no")
	f("-ERR Protocol error: something else\r\n", false, "no")
	f("-ERR Protocol error: expected '$', got 'ab'\r\n", false, "no")
	f(":01\r\n", false, "no")
	f(":+1\r\n", false, "no")
	f("$-2\r\n", false, "no")
	f("$1\r\nab\r\n", false, "no")
	f("*2\r\n:1\r\n", false, "no")
	f("@1\r\n", false, "no")
	f("_\r\n", false, "no")
	f("#x\r\n", true, "no")
	f("=2\r\nxx\r\n", true, "no")
	f(strings.Repeat("*1\r\n", nestingMax+1)+":1\r\n", false, "no")
}
