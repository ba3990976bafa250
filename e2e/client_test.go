package e2e

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"
)

// answerLimit bounds every read of the test client: a server that owes an answer and gives none fails the test,
// it does not hang it.
const answerLimit = 30 * time.Second

// clientLimit bounds what a real client does in one test, reconnecting included.
const clientLimit = 60 * time.Second

// client is a raw RESP client without any cleverness: it sends what it is told and reads one reply after the other.
type client struct {
	conn    net.Conn
	r       *bufio.Reader
	out     []byte // commands added since the last flush
	timeout time.Duration
}

func connect(addr string) (*client, error) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	return newClient(conn), nil
}

func newClient(conn net.Conn) *client {
	return &client{conn: conn, r: bufio.NewReaderSize(conn, 16<<10), timeout: answerLimit}
}

// dial connects and closes with the test.
func dial(t testing.TB, s *server) *client {
	t.Helper()
	c, err := connect(s.addr())
	if err != nil {
		t.Fatalf("cannot connect to %s: %v", s.name, err)
	}
	t.Cleanup(c.close)
	return c
}

func (c *client) close() { c.conn.Close() }

// abort closes the connection with a reset, as a crashed machine's kernel would.
func (c *client) abort() {
	c.conn.(*net.TCPConn).SetLinger(0)
	c.conn.Close()
}

// appendCommand appends args as a multibulk.
func appendCommand(dst []byte, args ...string) []byte {
	dst = append(dst, '*')
	dst = strconv.AppendInt(dst, int64(len(args)), 10)
	dst = append(dst, "\r\n"...)
	for _, a := range args {
		dst = append(dst, '$')
		dst = strconv.AppendInt(dst, int64(len(a)), 10)
		dst = append(dst, "\r\n"...)
		dst = append(dst, a...)
		dst = append(dst, "\r\n"...)
	}
	return dst
}

// add puts a command into the pipeline that the next flush sends in one write.
func (c *client) add(args ...string) { c.out = appendCommand(c.out, args...) }

func (c *client) flush() error {
	if err := c.conn.SetWriteDeadline(time.Now().Add(c.timeout)); err != nil {
		return err
	}
	_, err := c.conn.Write(c.out)
	c.out = c.out[:0]
	return err
}

func (c *client) send(args ...string) error {
	c.add(args...)
	return c.flush()
}

// do sends one command and reads one reply; an error reply is a reply.
func (c *client) do(args ...string) (reply, error) {
	if err := c.send(args...); err != nil {
		return reply{}, err
	}
	return c.read()
}

// expect sends one command and compares the reply as reply.String shows it.
func (c *client) expect(want string, args ...string) error {
	r, err := c.do(args...)
	return compare(want, r, err, args)
}

// next reads one reply, which nobody asked for or which was asked for earlier, and compares it.
func (c *client) next(want string) error {
	r, err := c.read()
	return compare(want, r, err, nil)
}

func compare(want string, r reply, err error, args []string) error {
	if err != nil {
		return fmt.Errorf("%q: want %q: %w", args, want, err)
	}
	if got := r.String(); got != want {
		return fmt.Errorf("%q: got %q, want %q", args, got, want)
	}
	return nil
}

// must ends the test at the first error.
func must(t testing.TB, errs ...error) {
	t.Helper()
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
}

// reply is one RESP value. kind is its type byte; null is kind '_' whatever its form on the wire was.
type reply struct {
	kind  byte
	text  string // simple string, error, bulk, verbatim, double, big number
	n     int64
	items []reply // array, push, set; a map has keys and values in turn
}

// String shows a reply as tests write it: text bare, errors with '-', lists in brackets, a push with '>', null as nil.
func (r reply) String() string {
	switch r.kind {
	case ':':
		return strconv.FormatInt(r.n, 10)
	case '-':
		return "-" + r.text
	case '_':
		return "nil"
	case '*', '>', '~', '%':
		parts := make([]string, len(r.items))
		for i, item := range r.items {
			parts[i] = item.String()
		}
		list := "[" + strings.Join(parts, " ") + "]"
		if r.kind == '>' {
			return ">" + list
		}
		return list
	}
	return r.text
}

// read reads one reply within the client's timeout.
func (c *client) read() (reply, error) {
	if c.r.Buffered() == 0 {
		if err := c.conn.SetReadDeadline(time.Now().Add(c.timeout)); err != nil {
			return reply{}, err
		}
	}
	return readReply(c.r)
}

func readReply(r *bufio.Reader) (reply, error) {
	line, err := r.ReadSlice('\n')
	if err != nil {
		return reply{}, err
	}
	if len(line) < 3 || line[len(line)-2] != '\r' {
		return reply{}, fmt.Errorf("not a RESP line: %q", line)
	}
	kind, body := line[0], line[1:len(line)-2]
	switch kind {
	case '+', '-', ',', '(', '#':
		return reply{kind: kind, text: string(body)}, nil
	case '_':
		return reply{kind: '_'}, nil
	case ':', '$', '=', '*', '>', '~', '%':
	default:
		return reply{}, fmt.Errorf("unknown RESP type in %q", line)
	}
	n, err := parseInt(body)
	if err != nil {
		return reply{}, fmt.Errorf("bad number in %q: %w", line, err)
	}
	switch {
	case kind == ':':
		return reply{kind: ':', n: n}, nil
	case n == -1:
		return reply{kind: '_'}, nil
	case n < 0:
		return reply{}, fmt.Errorf("negative length in %q", line)
	case kind == '$' || kind == '=':
		text := make([]byte, n+2)
		if _, err := io.ReadFull(r, text); err != nil {
			return reply{}, err
		}
		if string(text[n:]) != "\r\n" {
			return reply{}, errors.New("a bulk string does not end in CRLF")
		}
		return reply{kind: kind, text: string(text[:n])}, nil
	}
	if kind == '%' {
		n *= 2
	}
	items := make([]reply, n)
	for i := range items {
		if items[i], err = readReply(r); err != nil {
			return reply{}, err
		}
	}
	return reply{kind: kind, items: items}, nil
}

// parseInt is strconv.ParseInt without the string, since load tests read millions of lengths.
func parseInt(b []byte) (int64, error) {
	if len(b) == 1 && b[0] >= '0' && b[0] <= '9' {
		return int64(b[0] - '0'), nil
	}
	return strconv.ParseInt(string(b), 10, 64)
}

// await polls until the condition holds; what a library does in its background has no event to wait for.
func await(t testing.TB, ctx context.Context, what string, holds func() bool) {
	t.Helper()
	for !holds() {
		select {
		case <-ctx.Done():
			t.Fatalf("not seen: %s", what)
		case <-time.After(10 * time.Millisecond):
		}
	}
}
