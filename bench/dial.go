package bench

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// dialer opens connections to one server, one after the other, on blocking sockets with a time limit. Its reader belongs
// to the connection that was opened last.
type dialer struct {
	address unix.Sockaddr
	family  int
	resp3   bool
	in      *bufio.Reader
	fd      int // the last connection
}

// newDialer resolves "host:port".
func newDialer(address string, resp3 bool) (*dialer, error) {
	tcp, err := net.ResolveTCPAddr("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("cannot resolve %q: %w", address, err)
	}
	d := &dialer{resp3: resp3, in: bufio.NewReader(nil)}
	if ip4 := tcp.IP.To4(); ip4 != nil {
		d.family, d.address = unix.AF_INET, &unix.SockaddrInet4{Port: tcp.Port, Addr: [4]byte(ip4)}
	} else {
		d.family, d.address = unix.AF_INET6, &unix.SockaddrInet6{Port: tcp.Port, Addr: [16]byte(tcp.IP.To16())}
	}
	return d, nil
}

// open connects and, in RESP3, says HELLO 3.
func (d *dialer) open() (fd int, err error) {
	fd, err = unix.Socket(d.family, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, fmt.Errorf("cannot create a socket: %w", err)
	}
	limit := unix.NsecToTimeval(int64(setupTimeout))
	for _, option := range []int{unix.SO_RCVTIMEO, unix.SO_SNDTIMEO} {
		if err == nil {
			err = unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, option, &limit)
		}
	}
	if err == nil {
		err = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
	}
	if err == nil {
		err = connect(fd, d.address)
	}
	if err != nil {
		unix.Close(fd)
		return -1, fmt.Errorf("cannot connect: %w", err)
	}
	d.fd = fd
	d.in.Reset(blockingSocket(fd))
	if !d.resp3 {
		return fd, nil
	}
	hello, err := d.do("HELLO", "3")
	if err == nil && hello.kind != '%' {
		err = fmt.Errorf("cannot switch to RESP3: server answered %q", hello)
	}
	if err != nil {
		unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

// connect is connect(2) where a signal, which the Go scheduler sends often, does not end the wait: the attempt goes on
// by itself and must not be made twice.
func connect(fd int, address unix.Sockaddr) error {
	err := unix.Connect(fd, address)
	if err != unix.EINTR {
		return err
	}
	for err == unix.EINTR {
		_, err = unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}, int(setupTimeout.Milliseconds()))
	}
	if err != nil {
		return err
	}
	result, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ERROR)
	if err == nil && result != 0 {
		err = unix.Errno(result)
	}
	return err
}

// do sends a command on the last connection and reads its reply.
func (d *dialer) do(args ...string) (reply, error) {
	if err := d.write(args...); err != nil {
		return reply{}, err
	}
	return readReply(d.in)
}

func (d *dialer) write(args ...string) error {
	b := fmt.Appendf(nil, "*%d\r\n", len(args))
	for _, arg := range args {
		b = fmt.Appendf(b, "$%d\r\n%s\r\n", len(arg), arg)
	}
	for len(b) > 0 {
		n, err := unix.SendmsgN(d.fd, b, nil, nil, unix.MSG_NOSIGNAL)
		if err != nil && err != unix.EINTR {
			return fmt.Errorf("cannot send %s: %w", args[0], err)
		}
		b = b[max(n, 0):]
	}
	return nil
}

// subscribe sends the verb (SUBSCRIBE or PSUBSCRIBE) with the names on the last connection and reads the confirmations.
func (d *dialer) subscribe(verb string, names []string) error {
	for len(names) > 0 {
		batch := names[:min(len(names), subscribeBatch)]
		names = names[len(batch):]
		if err := d.write(append([]string{verb}, batch...)...); err != nil {
			return err
		}
		for range batch {
			r, err := readReply(d.in)
			if err != nil {
				return fmt.Errorf("cannot %s: %w", strings.ToLower(verb), err)
			}
			if len(r.items) != 3 || !strings.EqualFold(r.items[0].text, verb) {
				return fmt.Errorf("cannot %s: server answered %q", strings.ToLower(verb), r)
			}
		}
	}
	return nil
}

// unread returns an error if the server sent more on the last connection than was asked for.
func (d *dialer) unread() error {
	if n := d.in.Buffered(); n > 0 {
		return fmt.Errorf("server sent %d bytes nobody asked for", n)
	}
	return nil
}

// ping opens a connection, sends PING and closes it again: it sees whether the server is up.
func (d *dialer) ping() error {
	fd, err := d.open()
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	if r, err := d.do("PING"); err != nil {
		return err
	} else if r.text != "PONG" {
		return fmt.Errorf("server answered PING with %q", r)
	}
	return nil
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
