package command

import (
	"bufio"
	"errors"
	"io"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"hubsub/engine"
	"hubsub/engine/acl"
	"hubsub/resp"
)

// patience bounds every wait for the server; nothing here takes that long.
const patience = 10 * time.Second

// site is a server with an engine of its own, and the process around it.
type site struct {
	t      testing.TB
	addr   string
	engine *engine.Engine

	handler   *Handler
	users     *acl.Users
	shutdowns atomic.Int64
	mu        sync.Mutex
	set       [][2]string // what SetOptions was given
}

func (s *site) Options(yield func(name, value string)) {
	yield("maxclients", "10000")
	yield("maxmemory-clients", "0")
	yield("timeout", "0")
}

func (s *site) SetOptions(pairs [][2]string) error {
	for _, pair := range pairs {
		if pair[0] != "timeout" {
			return errors.New("Unknown option or number of arguments for CONFIG SET - '" + pair[0] + "'")
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.set = append(s.set, pairs...)
	return nil
}

func (s *site) UsersChanged() {
	settings := s.engine.Settings()
	settings.Open = s.users.Default().User().Open()
	s.engine.SetSettings(settings)
}

func (s *site) Shutdown() { s.shutdowns.Add(1) }

// serve starts a server on a free port. The zero settings are the defaults.
func serve(t testing.TB, password string, change ...func(*engine.Settings)) *site {
	t.Helper()
	return serveIn(t, nil, password, change...)
}

// serveIn is serve for a node of a cluster.
func serveIn(t testing.TB, rooms Rooms, password string, change ...func(*engine.Settings)) *site {
	t.Helper()
	return serveConfig(t, rooms, password, func(c *engine.Config) {
		for _, f := range change {
			f(&c.Settings)
		}
	})
}

// serveConfig is serveIn with an engine that is otherwise, too.
func serveConfig(t testing.TB, rooms Rooms, password string, change func(*engine.Config)) *site {
	t.Helper()
	s := &site{t: t}
	settings := engine.Settings{MaxClients: 10_000, MaxBulkBytes: 512 << 20, QueryBufferBytes: 1 << 30}
	const attempts = 10 // somebody else may take the port that was free
	for attempt := range attempts {
		port := freePort(t)
		handler := New(Config{Server: s, Port: port, Rooms: rooms})
		handler.Users.SetDefaultPassword(password)
		config := engine.Config{
			Loops:    2,
			Listen:   engine.Listen{Bind: []string{"127.0.0.1"}, Port: port, Backlog: 64},
			Settings: settings,
			Handler:  handler,
			Log:      slog.New(slog.DiscardHandler),
		}
		change(&config)
		e, err := engine.New(config)
		if err != nil {
			if attempt == attempts-1 {
				t.Fatal(err)
			}
			continue
		}
		s.engine, s.handler, s.users, s.addr = e, handler, handler.Users, net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
		if err := e.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if s.engine == nil { // stopped
				return
			}
			if err := e.Shutdown(); err != nil {
				t.Error(err)
			}
		})
		break
	}
	return s
}

func freePort(t testing.TB) int {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().(*net.TCPAddr).Port
}

// client is one connection. Its methods fail the test at the first difference.
type client struct {
	t    testing.TB
	conn net.Conn
	in   *bufio.Reader
}

func (s *site) dial() *client {
	s.t.Helper()
	conn, err := net.Dial("tcp", s.addr)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { conn.Close() })
	return &client{s.t, conn, bufio.NewReader(conn)}
}

// send sends a command.
func (c *client) send(words ...string) {
	c.t.Helper()
	cmd := resp.AppendArray(nil, len(words))
	for _, word := range words {
		cmd = resp.AppendBulkString(cmd, word)
	}
	if _, err := c.conn.Write(cmd); err != nil {
		c.t.Fatalf("cannot send %q: %v", words, err)
	}
}

// says sends a command, its words separated by spaces, and wants exactly the
// answer, in which ⏎ stands for a line's end; the last one is left out.
func (c *client) says(command, answer string) {
	c.t.Helper()
	c.saysWords(strings.Split(command, " "), answer)
}

func (c *client) saysWords(words []string, answer string) {
	c.t.Helper()
	c.send(words...)
	c.gets(answer)
}

// gets wants exactly these bytes next.
func (c *client) gets(answer string) {
	c.t.Helper()
	want := strings.ReplaceAll(answer, "⏎", "\r\n") + "\r\n"
	got := make([]byte, len(want))
	c.conn.SetReadDeadline(time.Now().Add(patience))
	n, err := io.ReadFull(c.in, got)
	if string(got[:n]) != want {
		c.t.Fatalf("got  %q (%v)\nwant %q", got[:n], err, want)
	}
}

// ends wants the server to close the connection, with nothing before it.
func (c *client) ends() {
	c.t.Helper()
	c.conn.SetReadDeadline(time.Now().Add(patience))
	rest, err := io.ReadAll(c.in)
	var timeout net.Error
	if len(rest) > 0 || errors.As(err, &timeout) && timeout.Timeout() {
		c.t.Fatalf("got %q (%v), want the end", rest, err)
	}
}

// text sends a command and returns the text that answers it.
func (c *client) text(command string) string {
	c.t.Helper()
	c.send(strings.Split(command, " ")...)
	return c.getsText()
}

// getsText wants a bulk or verbatim string next and returns it.
func (c *client) getsText() string {
	c.t.Helper()
	c.conn.SetReadDeadline(time.Now().Add(patience))
	head, err := c.in.ReadString('\n')
	if err != nil || head[0] != '$' && head[0] != '=' {
		c.t.Fatalf("got %q (%v), want a string", head, err)
	}
	n, err := strconv.Atoi(strings.TrimSpace(head[1:]))
	if err != nil {
		c.t.Fatal(err)
	}
	body := make([]byte, n+2)
	if _, err := io.ReadFull(c.in, body); err != nil {
		c.t.Fatal(err)
	}
	text := string(body[:n])
	if head[0] == '=' {
		text = strings.TrimPrefix(text, "txt:")
	}
	return text
}

// number sends a command and returns the integer that answers it.
func (c *client) number(command string) int64 {
	c.t.Helper()
	c.send(strings.Split(command, " ")...)
	c.conn.SetReadDeadline(time.Now().Add(patience))
	line, err := c.in.ReadString('\n')
	if err != nil || line[0] != ':' {
		c.t.Fatalf("got %q (%v), want an integer", line, err)
	}
	n, err := strconv.ParseInt(strings.TrimSpace(line[1:]), 10, 64)
	if err != nil {
		c.t.Fatal(err)
	}
	return n
}

// ask sends a command, its words separated by spaces, and returns what its
// answer holds, or the error.
func (c *client) ask(t *testing.T, command string) (words []string, fault string) {
	t.Helper()
	c.send(strings.Split(command, " ")...)
	return c.answer(t)
}

// answer returns the strings and numbers that the next answer holds, or the error.
func (c *client) answer(t *testing.T) (words []string, fault string) {
	t.Helper()
	c.conn.SetReadDeadline(time.Now().Add(patience))
	line, err := c.in.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	line = strings.TrimRight(line, "\r\n")
	n, _ := strconv.Atoi(line[1:])
	switch line[0] {
	case '-':
		return nil, line[1:]
	case '*', '%', '>':
		if line[0] == '%' {
			n *= 2
		}
		for range n {
			more, _ := c.answer(t)
			words = append(words, more...)
		}
		return words, ""
	case '$':
		if n < 0 {
			return nil, ""
		}
		text := make([]byte, n+2)
		if _, err := io.ReadFull(c.in, text); err != nil {
			t.Fatal(err)
		}
		return []string{string(text[:n])}, ""
	default:
		return []string{line[1:]}, ""
	}
}

// words sends a command and returns what its answer holds.
func (c *client) words(t *testing.T, command string) []string {
	t.Helper()
	words, fault := c.ask(t, command)
	if fault != "" {
		t.Fatalf("%s: %s", command, fault)
	}
	return words
}

func bulk(s string) string { return "$" + strconv.Itoa(len(s)) + "⏎" + s }

// confirmed is a confirmation in RESP2; pushed is one in RESP3.
func confirmed(verb, name string, count int) string {
	return "*3⏎" + bulk(verb) + "⏎" + bulk(name) + "⏎:" + strconv.Itoa(count)
}

func pushed(verb, name string, count int) string {
	return ">" + confirmed(verb, name, count)[1:]
}

// eventually waits until the server has caught up with what another client did.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("never: " + what)
		}
	}
}

// stop ends the server before the test does.
func stop(t *testing.T, s *site) {
	t.Helper()
	if err := s.engine.Shutdown(); err != nil {
		t.Error(err)
	}
	s.engine = nil
}
