package e2e

import (
	"fmt"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"
)

const (
	// forgetLimit bounds the wait until a server has noticed that a connection is closed.
	forgetLimit = 15 * time.Second
	// turnBytes is what Redis reads of one client in one turn of its loop, at least.
	turnBytes = 16 << 10
)

// closedMark stands in a stream where the server closed it.
const closedMark = "<closed>"

// A side is one server and the scenario's connections to it. The control connection belongs to the harness: it
// fences, and it asks for what differs between two servers, as ids. It is named so that CLIENT LIST can leave it out.
type side struct {
	srv      *server
	password string
	control  *client
	streams  map[string]*stream
	sent     int // bytes of the last send
}

const controlName = "harness"

// newSide connects the control connection; serverArgs are searched for the password.
func newSide(t testing.TB, srv *server, serverArgs []string) *side {
	t.Helper()
	s := &side{srv: srv, streams: map[string]*stream{}}
	for i, arg := range serverArgs {
		if arg == "--requirepass" {
			s.password = serverArgs[i+1]
		}
	}
	if err := s.connectControl(); err != nil {
		t.Fatalf("cannot open the control connection to %s: %v", srv.name, err)
	}
	t.Cleanup(func() {
		s.control.close()
		for _, st := range s.streams {
			st.conn.Close()
		}
	})
	return s
}

func (s *side) connectControl() error {
	c, err := connect(s.srv.addr())
	if err != nil {
		return err
	}
	s.control = c
	if s.password != "" {
		if err := c.expect("OK", "AUTH", s.password); err != nil {
			return err
		}
	}
	return c.expect("OK", "CLIENT", "SETNAME", controlName)
}

// ask sends a command on the control connection; a scenario may have killed it, then it is opened again.
func (s *side) ask(args ...string) (reply, error) {
	r, err := s.control.do(args...)
	if err == nil {
		return r, nil
	}
	s.control.close()
	if err := s.connectControl(); err != nil {
		return reply{}, err
	}
	return s.control.do(args...)
}

// stream gives the named connection, opened at its first use.
func (s *side) stream(name string) (*stream, error) {
	if st := s.streams[name]; st != nil {
		return st, nil
	}
	conn, err := net.Dial("tcp", s.srv.addr())
	if err != nil {
		return nil, err
	}
	raw, err := conn.(*net.TCPConn).SyscallConn()
	if err != nil {
		return nil, err
	}
	st := &stream{conn: conn.(*net.TCPConn), raw: raw}
	s.streams[name] = st
	return st, nil
}

// play sends one exchange.
func (s *side) play(ex *exchange) error {
	st, err := s.stream(ex.conn)
	if err != nil {
		return err
	}
	switch ex.verb {
	case verbOpen, verbEnd:
		return nil
	case verbClose:
		st.conn.Close()
		delete(s.streams, ex.conn)
		return s.awaitForgotten(st.conn.LocalAddr().String())
	}
	data, err := ex.bytes(s.lookup)
	if err != nil {
		return err
	}
	// A server may close before it has read everything: that is for the comparison to judge, not for the send.
	st.conn.SetWriteDeadline(time.Now().Add(answerLimit))
	if ex.verb == verbBytewise {
		for i := range data {
			s.sent = 1
			st.conn.Write(data[i : i+1])
			if err := s.fence(); err != nil {
				return err
			}
		}
	} else {
		s.sent = len(data)
		st.conn.Write(data)
	}
	if ex.halfClose {
		st.conn.CloseWrite()
	}
	return nil
}

// lookup gives what a scenario may ask of a connection: $a.id, $a.addr, $a.laddr.
func (s *side) lookup(conn, what string) (string, error) {
	st, err := s.stream(conn)
	if err != nil {
		return "", err
	}
	switch addr := st.conn.LocalAddr().String(); what {
	case "addr":
		return addr, nil
	case "laddr":
		return st.conn.RemoteAddr().String(), nil
	case "id":
		line, err := s.clientLine(addr)
		if err != nil {
			return "", err
		}
		id, _, _ := strings.Cut(strings.TrimPrefix(line, "id="), " ")
		return id, nil
	}
	return "", fmt.Errorf("a connection has no %q", what)
}

// clientLine is the line of CLIENT LIST of the client at addr, or "".
func (s *side) clientLine(addr string) (string, error) {
	list, err := s.ask("CLIENT", "LIST")
	if err != nil {
		return "", err
	}
	for line := range strings.SplitSeq(list.text, "\n") {
		if strings.Contains(line, " addr="+addr+" ") {
			return line, nil
		}
	}
	return "", nil
}

// awaitForgotten returns when the server no longer lists the client at addr.
func (s *side) awaitForgotten(addr string) error {
	giveUp := time.Now().Add(forgetLimit)
	for {
		line, err := s.clientLine(addr)
		if err != nil || line == "" {
			return err
		}
		if time.Now().After(giveUp) {
			return fmt.Errorf("%s still lists a client that has closed: %s", s.srv.name, line)
		}
	}
}

// fence returns when a single-threaded server has made as many turns as what was sent last may need, and two more:
// then it is executed, and its answers are in the sockets.
func (s *side) fence() error {
	for range 2 + s.sent/turnBytes {
		if _, err := s.ask("PING"); err != nil {
			return fmt.Errorf("%s does not answer PING: %w", s.srv.name, err)
		}
	}
	return nil
}

// settle waits until a single-threaded server has said everything about the last exchange.
func (s *side) settle() error {
	for {
		if err := s.fence(); err != nil {
			return err
		}
		if s.drain() == 0 {
			return nil
		}
	}
}

// drain takes what has arrived on all connections, without waiting, and returns how much it was.
func (s *side) drain() (n int) {
	for _, st := range s.streams {
		n += st.drain()
	}
	return n
}

// peek is what the named connection got since the last discard.
func (s *side) peek(name string) []byte {
	if st := s.streams[name]; st != nil {
		return st.buf
	}
	return nil
}

// discard forgets what was compared.
func (s *side) discard() {
	for _, st := range s.streams {
		st.buf = nil
	}
}

// stream is one connection with what has arrived on it.
type stream struct {
	conn  *net.TCPConn
	raw   syscall.RawConn
	buf   []byte
	ended bool
}

// drain reads what the kernel has, without waiting. The end of the stream counts as something that arrived.
func (st *stream) drain() int {
	before := len(st.buf)
	chunk := make([]byte, 64<<10)
	st.raw.Read(func(fd uintptr) bool {
		for !st.ended {
			n, err := syscall.Read(int(fd), chunk)
			switch {
			case err == syscall.EINTR:
			case err == syscall.EAGAIN:
				return true
			case err != nil || n == 0:
				st.ended = true
				st.buf = append(st.buf, closedMark...)
			default:
				st.buf = append(st.buf, chunk[:n]...)
			}
		}
		return true
	})
	return len(st.buf) - before
}
