package bench

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// dialer opens connections to a server's nodes, one after the other, on blocking sockets with a time limit. Its reader
// belongs to the connection that was opened last.
type dialer struct {
	nodes    []endpoint
	in       *bufio.Reader
	fd       int      // the last connection
	protocol protocol // that it speaks
}

// newDialer resolves the addresses of the nodes.
func newDialer(addresses []string) (*dialer, error) {
	d := &dialer{in: bufio.NewReader(nil)}
	for _, address := range addresses {
		node, err := resolve(address)
		if err != nil {
			return nil, err
		}
		d.nodes = append(d.nodes, node)
	}
	return d, nil
}

// overTCP reports whether all nodes are reached by TCP.
func (d *dialer) overTCP() bool {
	return !slices.ContainsFunc(d.nodes, func(e endpoint) bool { return e.family == unix.AF_UNIX })
}

// open connects to a node and says what the protocol says first.
func (d *dialer) open(node int, p protocol) (fd int, err error) {
	if fd, err = d.dial(node); err != nil {
		return -1, err
	}
	d.protocol = p
	switch p {
	case resp3:
		err = d.hello()
	case nats:
		err = d.greet()
	}
	if err != nil {
		unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

func (d *dialer) dial(node int) (fd int, err error) {
	if fd, err = d.nodes[node].dial(); err == nil {
		d.fd = fd
		d.in.Reset(blockingSocket(fd))
	}
	return fd, err
}

// hello switches to RESP3.
func (d *dialer) hello() error {
	r, err := d.do("HELLO", "3")
	if err == nil && r.kind != '%' {
		err = fmt.Errorf("cannot switch to RESP3: %w", refusal(r))
	}
	return err
}

// greet answers the INFO with which a NATS server begins.
func (d *dialer) greet() error {
	line, err := d.in.ReadString('\n')
	if err != nil {
		return fmt.Errorf("cannot read the greeting: %w", err)
	}
	if !strings.HasPrefix(line, string(natsInfo)) {
		return fmt.Errorf("not a NATS server: it began with %q", line)
	}
	return d.confirmed([]byte(`CONNECT {"verbose":false,"pedantic":false,"tls_required":false,"echo":false,` +
		`"lang":"go","version":"1","protocol":1,"name":"hubsub bench"}` + "\r\n"))
}

// confirmed sends commands of NATS and waits until the server has done them.
func (d *dialer) confirmed(commands []byte) error {
	if err := d.send(append(commands, natsPing...)); err != nil {
		return err
	}
	for {
		line, err := d.in.ReadBytes('\n')
		if err != nil {
			return fmt.Errorf("cannot read a reply: %w", err)
		}
		if bytes.Equal(line, natsPong) {
			return nil
		}
		n, err := aside(line, func() error { return d.send(natsPong) })
		if err == nil && n <= 0 {
			err = fmt.Errorf("server answered %q", line)
		}
		if err != nil {
			return err
		}
	}
}

// detect finds out what the first node speaks: RESP2 or NATS. An inline PING is answered by every RESP server, if only
// with an error; a NATS server speaks first.
func (d *dialer) detect() (protocol, error) {
	p, line, err := d.firstLine(0)
	if err == nil && line == "" {
		err = fmt.Errorf("cannot tell the protocol: the server answered PING with an empty line")
	}
	return p, err
}

// firstLine opens a connection to a node, sends PING, reads one line and closes it again.
func (d *dialer) firstLine(node int) (p protocol, line string, err error) {
	fd, err := d.dial(node)
	if err != nil {
		return p, "", err
	}
	defer unix.Close(fd)
	if err := d.send(natsPing); err != nil {
		return p, "", err
	}
	if line, err = d.in.ReadString('\n'); err != nil {
		return p, "", fmt.Errorf("cannot read a reply: %w", err)
	}
	if strings.HasPrefix(line, string(natsInfo)) {
		p = nats
	}
	return p, strings.TrimRight(line, "\r\n"), nil
}

// ping sees whether the first node is up: a RESP server answers PONG or wants a password, a NATS server greets.
func (d *dialer) ping() error {
	p, line, err := d.firstLine(0)
	if err == nil && p != nats && line != "+PONG" && !strings.HasPrefix(line, "-NOAUTH") {
		err = fmt.Errorf("server answered PING with %q", line)
	}
	return err
}

// ask sends a RESP command on a connection of its own and returns the answer as one line.
func (d *dialer) ask(node int, args ...string) (string, error) {
	fd, err := d.open(node, resp2)
	if err != nil {
		return "", err
	}
	defer unix.Close(fd)
	r, err := d.do(args...)
	return r.String(), err
}

// do sends a command on the last connection and reads its reply.
func (d *dialer) do(args ...string) (reply, error) {
	if err := d.write(args...); err != nil {
		return reply{}, err
	}
	return readReply(d.in)
}

func (d *dialer) write(args ...string) error {
	if err := d.send(respCommand(args...)); err != nil {
		return fmt.Errorf("%s: %w", args[0], err)
	}
	return nil
}

func (d *dialer) send(b []byte) error {
	for len(b) > 0 {
		n, err := unix.SendmsgN(d.fd, b, nil, nil, unix.MSG_NOSIGNAL)
		if err != nil && err != unix.EINTR {
			return fmt.Errorf("cannot send: %w", err)
		}
		b = b[max(n, 0):]
	}
	return nil
}

// subscribe sends the verb (SUBSCRIBE or PSUBSCRIBE, which in NATS is the same) with the names on the last connection and
// reads the confirmations.
func (d *dialer) subscribe(verb string, names []string) error {
	for len(names) > 0 {
		batch := names[:min(len(names), subscribeBatch)]
		names = names[len(batch):]
		err := d.subscribeBatch(verb, batch)
		if err != nil {
			return fmt.Errorf("cannot %s: %w", strings.ToLower(verb), err)
		}
	}
	return nil
}

func (d *dialer) subscribeBatch(verb string, names []string) error {
	if d.protocol == nats {
		var b []byte
		for _, name := range names {
			b = fmt.Appendf(b, "SUB %s %s\r\n", name, natsID(name))
		}
		return d.confirmed(b)
	}
	if err := d.write(append([]string{verb}, names...)...); err != nil {
		return err
	}
	for range names {
		r, err := readReply(d.in)
		if err != nil {
			return err
		}
		if len(r.items) != 3 || !strings.EqualFold(r.items[0].text, verb) {
			return refusal(r)
		}
	}
	return nil
}

// refusal is the error for an answer that is not the one hoped for.
func refusal(r reply) error {
	if strings.HasPrefix(r.text, "NOAUTH") || strings.HasPrefix(r.text, "NOPERM") {
		return fmt.Errorf("server answered %q: the bench has no password, so the default user must need none and may do all", r)
	}
	return fmt.Errorf("server answered %q", r)
}

// unread returns what the server sent on the last connection beyond what was asked for: a NATS server's INFO or PING may
// come at any time; anything in RESP is an error.
func (d *dialer) unread() ([]byte, error) {
	b, err := d.in.Peek(d.in.Buffered())
	if err == nil && len(b) > 0 && d.protocol != nats {
		err = fmt.Errorf("server sent %q, which nobody asked for", b)
	}
	return bytes.Clone(b), err
}

// blockingSocket reads a socket that has a receive time limit.
type blockingSocket int

func (s blockingSocket) Read(b []byte) (int, error) {
	for {
		n, err := unix.Read(int(s), b)
		switch {
		case err == unix.EINTR:
			continue
		case err == unix.EAGAIN:
			return 0, fmt.Errorf("no reply within %v: %w", setupTimeout, os.ErrDeadlineExceeded)
		case err != nil:
			return 0, err
		case n == 0:
			return 0, io.ErrUnexpectedEOF
		}
		return n, nil
	}
}

// reply is one RESP2 or RESP3 reply. kind is its first byte; text is the line or the bulk; items the members of an
// aggregate, of a map keys and values in turn.
type reply struct {
	kind  byte
	text  string
	items []reply
}

func (r reply) String() string {
	if r.items == nil {
		return r.text
	}
	words := make([]string, len(r.items))
	for i, item := range r.items {
		words[i] = item.String()
	}
	return strings.Join(words, " ")
}

// readReply reads one reply of a server that is trusted to answer in kind; it is used before a run, not during one.
func readReply(in *bufio.Reader) (reply, error) {
	line, err := in.ReadString('\n')
	if err != nil {
		return reply{}, fmt.Errorf("cannot read a reply: %w", err)
	}
	line = strings.TrimRight(line, "\r\n")
	if line == "" {
		return reply{}, fmt.Errorf("cannot read a reply: empty line")
	}
	r := reply{kind: line[0], text: line[1:]}
	switch r.kind {
	case '$', '=', '*', '>', '~', '%':
	default:
		return r, nil
	}
	n, err := strconv.Atoi(r.text)
	if err != nil || n > maxPayloadBytes {
		return r, fmt.Errorf("cannot read a reply: length %q", r.text)
	}
	if r.text = ""; n < 0 {
		return r, nil
	}
	if r.kind == '$' || r.kind == '=' {
		bulk := make([]byte, n+len("\r\n"))
		if _, err := io.ReadFull(in, bulk); err != nil {
			return r, fmt.Errorf("cannot read a reply: %w", err)
		}
		r.text = string(bulk[:n])
		return r, nil
	}
	if r.kind == '%' {
		n *= 2
	}
	for range n {
		item, err := readReply(in)
		if err != nil {
			return r, err
		}
		r.items = append(r.items, item)
	}
	return r, nil
}
