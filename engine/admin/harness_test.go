package admin

import (
	"bufio"
	"context"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"hubsub/engine"
	"hubsub/engine/command"
	"hubsub/resp"
)

// patience bounds every wait for the server; nothing here takes that long.
const patience = 20 * time.Second

// process is what the commands need around the engine: nothing.
type process struct{}

func (process) Options(func(name, value string)) {}
func (process) SetOptions([][2]string) error     { return nil }
func (process) UsersChanged()                    {}
func (process) Shutdown()                        {}

// site is an engine with all commands on a Unix socket, whose buffers are
// small, and its admin side.
type site struct {
	*Server
	t      *testing.T
	socket string
}

func serve(t *testing.T, change ...func(*engine.Settings)) *site {
	t.Helper()
	return serveIn(t, nil, change...)
}

// serveIn is serve for a node of a cluster, if there is one.
func serveIn(t *testing.T, cluster []Cluster, change ...func(*engine.Settings)) *site {
	t.Helper()
	s := &site{t: t, socket: filepath.Join(t.TempDir(), "hub.sock")}
	settings := engine.Settings{MaxClients: 100, MaxBulkBytes: 512 << 20, QueryBufferBytes: 1 << 30}
	for _, f := range change {
		f(&settings)
	}
	log := slog.New(slog.DiscardHandler)
	e, err := engine.New(engine.Config{
		Loops:    2,
		Listen:   engine.Listen{UnixSocket: s.socket},
		Settings: settings,
		Handler:  command.New(command.Config{Server: process{}}),
		Log:      log,
	})
	if err != nil {
		t.Fatal(err)
	}
	if s.Server, err = Listen("127.0.0.1:0", e, log, cluster...); err != nil {
		t.Fatal(err)
	}
	if err := e.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Shutdown(); err != nil {
			t.Error(err)
		}
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := s.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	return s
}

// get returns the status and the body of a page.
func (s *site) get(path string) (int, string) {
	s.t.Helper()
	client := http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true}}
	answer, err := client.Get("http://" + s.Addr().String() + path)
	if err != nil {
		s.t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return answer.StatusCode, string(body)
}

// scrape returns what Prometheus gets, by name.
func (s *site) scrape() map[string]*dto.MetricFamily {
	s.t.Helper()
	status, text := s.get("/metrics")
	if status != http.StatusOK {
		s.t.Fatalf("/metrics: %d %s", status, text)
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(text))
	if err != nil {
		s.t.Fatal(err)
	}
	return families
}

// series returns the value of every series of a scrape, by "name" or, if it has
// a label, "name value-of-label".
func (s *site) series() map[string]float64 {
	s.t.Helper()
	values := map[string]float64{}
	for name, family := range s.scrape() {
		for _, m := range family.Metric {
			id := name
			for _, label := range m.Label {
				id += " " + label.GetValue()
			}
			values[id] = m.GetCounter().GetValue() + m.GetGauge().GetValue()
		}
	}
	return values
}

// shows scrapes until the series have these values, all in one scrape: counts
// follow answers by up to a tick.
func (s *site) shows(want map[string]float64) {
	s.t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		got, agree := s.series(), true
		for name, value := range want {
			if v, ok := got[name]; !ok || v != value {
				agree = false
			}
		}
		if agree {
			return
		}
		if time.Now().After(end) {
			for _, name := range slices.Sorted(maps.Keys(want)) {
				s.t.Errorf("%s is %v, want %v", name, got[name], want[name])
			}
			s.t.FailNow()
		}
	}
}

// peer is a client of the engine.
type peer struct {
	net.Conn
	t  *testing.T
	in *bufio.Reader
}

func (s *site) dial() *peer {
	s.t.Helper()
	conn, err := net.Dial("unix", s.socket)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(patience))
	return &peer{conn, s.t, bufio.NewReader(conn)}
}

// send sends a command, its words separated by blanks, and returns its length.
func (p *peer) send(command string) int {
	p.t.Helper()
	words := strings.Split(command, " ")
	b := resp.AppendArray(nil, len(words))
	for _, word := range words {
		b = resp.AppendBulkString(b, word)
	}
	if _, err := p.Write(b); err != nil {
		p.t.Fatal(err)
	}
	return len(b)
}

// says sends a command and wants exactly the answer, in which ⏎ stands for a
// line's end; the last one is left out. It returns the bytes both took.
func (p *peer) says(command, answer string) (sent, received int) {
	p.t.Helper()
	return p.send(command), p.gets(answer)
}

// gets wants exactly these bytes next and returns their number.
func (p *peer) gets(answer string) int {
	p.t.Helper()
	want := strings.ReplaceAll(answer, "⏎", "\r\n") + "\r\n"
	got := make([]byte, len(want))
	n, err := io.ReadFull(p.in, got)
	if string(got[:n]) != want {
		p.t.Fatalf("got  %q (%v)\nwant %q", got[:n], err, want)
	}
	return len(want)
}

// ends wants the connection to be closed, whatever comes before it.
func (p *peer) ends() {
	p.t.Helper()
	if _, err := io.Copy(io.Discard, p.in); err != nil && !strings.Contains(err.Error(), "reset") {
		p.t.Fatalf("the connection is not closed: %v", err)
	}
}
