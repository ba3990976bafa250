package engine

import (
	"bufio"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"hubsub/resp"
)

// plainHandler is the least a handler can be: enough commands to move the
// engine, none of Redis's manners.
type plainHandler struct {
	gate  chan struct{}                       // PASS waits here, and its loop with it
	later chan func(write func(*resp.Writer)) // what answers LATER
}

func (plainHandler) Open(s *Session) { s.SetAuthenticated(true) }
func (plainHandler) Close(*Session)  {}

func (plainHandler) Fault(code Code) string { return fmt.Sprint("FAULT ", code) }

func (h plainHandler) Execute(s *Session, cmd *resp.Command) {
	names := cmd.Args[1:]
	switch verb := strings.ToUpper(string(cmd.Args[0])); verb {
	case "SUBSCRIBE", "SSUBSCRIBE", "PSUBSCRIBE":
		s.Subscribe(kindOf(verb), names, func([]byte) {})
		s.Push().Simple("SUBSCRIBED")
	case "UNSUBSCRIBE", "SUNSUBSCRIBE", "PUNSUBSCRIBE":
		for _, name := range names {
			s.Unsubscribe(kindOf(verb), name)
		}
		s.Push().Simple("UNSUBSCRIBED")
	case "PUBLISH", "SPUBLISH":
		receivers, n := s.PublishAll(kindOf(verb), cmd)
		for range n {
			s.Reply().Int(receivers)
		}
	case "HELLO":
		version, _ := strconv.Atoi(string(names[0]))
		s.SetProtocol(version)
		s.Reply().Simple("HELLO")
	case "ID":
		s.Reply().Int(int64(s.ID()))
	case "PASS":
		h.gate <- struct{}{}
		<-h.gate
		s.Reply().Simple(verb)
	case "LATER":
		h.later <- s.Suspend()
	case "MUTE": // the next answer, when it comes later
		s.Mute(true)
		h.later <- s.Suspend()
		s.Mute(false)
	case "BLOB": // an answer of so many bytes
		n, _ := strconv.Atoi(string(names[0]))
		s.Reply().BulkString(strings.Repeat("b", n))
	case "KEEP":
		n, _ := strconv.Atoi(string(names[0]))
		if s.Keep(int64(n)) {
			s.Reply().Simple("KEPT")
		}
	case "STRANGER":
		s.SetAuthenticated(false)
		s.Reply().Simple(verb)
	case "LASTING":
		s.Identity.Store(&Identity{Lasting: true})
		s.Reply().Simple("LASTING")
	case "QUIT":
		s.Settle()
		s.Reply().OK()
		s.Finish()
	default:
		s.Reply().Simple(verb)
	}
}

func kindOf(verb string) Kind {
	switch verb[0] {
	case 'P':
		if verb == "PUBLISH" {
			return Channel
		}
		return Pattern
	case 'S':
		if verb == "SUBSCRIBE" {
			return Channel
		}
		return Shard
	default:
		return Channel
	}
}

// defaultSettings are those of a server without flags.
func defaultSettings() Settings {
	return Settings{
		MaxClients:       10_000,
		MaxBulkBytes:     512 << 20,
		QueryBufferBytes: 1 << 30,
		CoalesceMax:      time.Millisecond,
		ProtectedMode:    true,
		OutputPubSub:     OutputLimit{HardBytes: 32 << 20, SoftBytes: 8 << 20, SoftTime: 60 * time.Second},
	}
}

// hub is an engine under test, on a Unix socket.
type hub struct {
	*Engine
	t     testing.TB
	path  string
	gate  chan struct{} // of its handler
	later chan func(write func(*resp.Writer))
	down  sync.Once
}

// Shutdown ends the engine; the test's end does it otherwise.
func (h *hub) Shutdown() (err error) {
	h.down.Do(func() { err = h.Engine.Shutdown() })
	return err
}

func newHub(t testing.TB, loops int, change func(*Settings)) *hub {
	t.Helper()
	path := filepath.Join(t.TempDir(), "hub.sock")
	settings := defaultSettings()
	if change != nil {
		change(&settings)
	}
	handler := plainHandler{make(chan struct{}), make(chan func(func(*resp.Writer)), 1000)}
	e, err := New(Config{
		Loops:    loops,
		Listen:   Listen{UnixSocket: path},
		Settings: settings,
		IOUring:  true,
		Handler:  handler,
		Log:      slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelInfo})),
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Start(); err != nil {
		t.Fatal(err)
	}
	h := &hub{Engine: e, t: t, path: path, gate: handler.gate, later: handler.later}
	t.Cleanup(func() {
		if err := h.Shutdown(); err != nil {
			t.Error(err)
		}
	})
	return h
}

// loopOf returns the loop that serves a client.
func (h *hub) loopOf(p *peer) (l *loop) {
	h.t.Helper()
	p.send("ID")
	id := p.read()
	h.Sessions(func(s *Session) {
		if fmt.Sprint(s.ID()) == id {
			l = s.loop
		}
	})
	return l
}

// peer is a client of a hub.
type peer struct {
	net.Conn
	t testing.TB
	r *bufio.Reader
}

func (h *hub) dial() *peer {
	h.t.Helper()
	c, err := net.Dial("unix", h.path)
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { c.Close() })
	return &peer{c, h.t, bufio.NewReader(c)}
}

func (p *peer) send(words ...string) {
	p.t.Helper()
	p.write(encode(words...))
}

// write sends bytes, for instance of several commands.
func (p *peer) write(b []byte) {
	p.t.Helper()
	if _, err := p.Write(b); err != nil {
		p.t.Fatal(err)
	}
}

func encode(words ...string) []byte {
	b := resp.AppendArray(nil, len(words))
	for _, w := range words {
		b = resp.AppendBulkString(b, w)
	}
	return b
}

// read returns the next answer or message in short: a simple string or number
// as it is, an array's items with spaces between.
func (p *peer) read() string {
	p.t.Helper()
	_ = p.SetReadDeadline(time.Now().Add(20 * time.Second))
	s, err := p.next()
	if err != nil {
		p.t.Fatalf("cannot read: %v", err)
	}
	return s
}

func (p *peer) next() (string, error) {
	line, err := p.r.ReadString('\n')
	if err != nil {
		return "", err
	}
	line = strings.TrimSuffix(line, "\r\n")
	n, _ := strconv.Atoi(line[1:])
	switch line[0] {
	case '$':
		b := make([]byte, n+2)
		for at := 0; at < len(b); {
			m, err := p.r.Read(b[at:])
			if err != nil {
				return "", err
			}
			at += m
		}
		return string(b[:n]), nil
	case '*', '>':
		items := make([]string, n)
		for i := range items {
			if items[i], err = p.next(); err != nil {
				return "", err
			}
		}
		return strings.Join(items, " "), nil
	default:
		return line[1:], nil
	}
}

func (p *peer) want(want string) {
	p.t.Helper()
	if got := p.read(); got != want {
		p.t.Fatalf("got %q, want %q", got, want)
	}
}

// ask sends a command and checks its answer.
func (p *peer) ask(want string, words ...string) {
	p.t.Helper()
	p.send(words...)
	p.want(want)
}

// quiet checks that nothing was sent before the answer to a command.
func (p *peer) quiet() {
	p.t.Helper()
	p.ask("NOTHING", "NOTHING")
}

func channelNumber(i int) string { return fmt.Sprintf("channel:%d", i) }
