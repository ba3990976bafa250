package rest

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"hubsub/cluster"
	"hubsub/cluster/placement"
)

// town is a cluster that has rooms, and of which a test says what fails.
type town struct {
	mu    sync.Mutex
	rooms []cluster.Room // in the order they were made
	fault error          // of everything, if there is one
	asked cluster.RoomOptions
}

func (s *town) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault = err
}

func (s *town) options() cluster.RoomOptions {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked
}

// at returns the place of a room, -1 if there is none.
func (s *town) at(name string) int {
	return slices.IndexFunc(s.rooms, func(r cluster.Room) bool { return r.Name == name })
}

func (s *town) Place(_ context.Context, name string, o cluster.RoomOptions) (cluster.Room, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = o
	if s.fault != nil {
		return cluster.Room{}, s.fault
	}
	at := s.at(name)
	if at < 0 {
		at = len(s.rooms)
		s.rooms = append(s.rooms, cluster.Room{Name: name, Epoch: "1-" + strconv.Itoa(at+1), Want: max(o.Replicas, 1), Keep: o.Keep, Pins: o.Pins,
			Hosts: []placement.Member{{ID: "n2", Clients: []string{"10.0.0.2:6379", "[::2]:6379"}}, {ID: "unix"}, {ID: "n1", Clients: []string{"10.0.0.1:6379"}}}})
	}
	return s.rooms[at], nil
}

func (s *town) Inspect(_ context.Context, name string) (cluster.Room, []cluster.NodeView, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	at := s.at(name)
	switch {
	case s.fault != nil:
		return cluster.Room{}, nil, s.fault
	case at < 0:
		return cluster.Room{}, nil, cluster.ErrNoRoom
	}
	return s.rooms[at], []cluster.NodeView{
		{ID: "n1", RoomView: cluster.RoomView{Key: "1-1/0", Leads: true, Hosts: true, Number: 9, Rate: 1.25, Audience: map[string]int64{"n3": 1, "n2": 4}}},
		{ID: "n2", RoomView: cluster.RoomView{Key: "1-1/0", Hosts: true, Clients: 4, Number: 9, Audience: map[string]int64{}}},
		{ID: "n3", RoomView: cluster.RoomView{Clients: 1, Number: 8, Gaps: 2, Lost: 7, Audience: map[string]int64{}}},
	}, nil
}

func (s *town) CloseRoom(ctx context.Context, name string) error {
	if _, _, err := s.Inspect(ctx, name); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rooms = slices.Delete(s.rooms, s.at(name), s.at(name)+1)
	return nil
}

func (s *town) Rooms(_ context.Context, cursor uint64, count int) (next uint64, rooms []cluster.Room, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fault != nil {
		return 0, nil, s.fault
	}
	from := min(int(cursor), len(s.rooms))
	to := min(from+count, len(s.rooms))
	if to < len(s.rooms) {
		next = uint64(to)
	}
	return next, slices.Clone(s.rooms[from:to]), nil
}

func (s *town) Nodes() []cluster.NodeStatus {
	return []cluster.NodeStatus{
		{Member: placement.Member{ID: "n1", Cluster: "10.0.0.1:7000", Clients: []string{"10.0.0.1:6379"}, Zone: "z", Weight: 1},
			Rooms: 3, Busy: 0.25, Report: placement.Report{Connections: 5}, Voter: true, Leader: true, Self: true},
		{Member: placement.Member{ID: "n2", Cluster: "10.0.0.2:7000", Weight: 2}, State: placement.Down},
	}
}

// site is the API on a real HTTP server.
type site struct {
	*town
	t      *testing.T
	url    string
	client *http.Client
	token  string                    // that requests bear, "" for none
	last   atomic.Pointer[allowance] // of the latest connection
}

// exhaust leaves the latest connection no PUT.
func (s *site) exhaust() {
	a := s.last.Load()
	a.mu.Lock()
	defer a.mu.Unlock()
	a.full = time.Now().Add(time.Hour)
}

func serve(t *testing.T, token string) *site {
	t.Helper()
	s := &site{town: &town{}, t: t, token: token, client: &http.Client{
		Timeout:       20 * time.Second,
		Transport:     &http.Transport{},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	server := httptest.NewUnstartedServer(New(Config{
		Node:  s.town,
		Token: token,
		Match: func(pattern, name []byte) bool {
			ok, _ := path.Match(string(pattern), string(name))
			return ok
		},
		Log: slog.New(slog.DiscardHandler),
	}))
	server.Config.ConnContext = func(ctx context.Context, conn net.Conn) context.Context {
		ctx = ConnContext(ctx, conn)
		s.last.Store(ctx.Value(allowanceKey{}).(*allowance))
		return ctx
	}
	server.Start()
	s.url = server.URL
	t.Cleanup(func() {
		s.client.CloseIdleConnections()
		server.Close()
	})
	return s
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   string
}

// call sends a request; the target is what stands in its first line.
func (s *site) call(method, target, body string) answer {
	s.t.Helper()
	r, err := http.NewRequest(method, s.url+target, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	if s.token != "" {
		r.Header.Set("Authorization", "Bearer "+s.token)
	}
	return s.do(r)
}

func (s *site) do(r *http.Request) answer {
	s.t.Helper()
	response, err := s.client.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return answer{response.StatusCode, response.Header, string(text)}
}

// says wants a status and a body, whose last line end is left out.
func (s *site) says(method, target, body string, status int, want string) {
	s.t.Helper()
	got := s.call(method, target, body)
	if got.status != status || strings.TrimSuffix(got.body, "\n") != want {
		s.t.Errorf("%s %s %s\ngot  %d %s\nwant %d %s", method, target, body, got.status, got.body, status, want)
	}
}

// refuses wants a problem.
func (s *site) refuses(method, target, body string, p problem) answer {
	s.t.Helper()
	got := s.call(method, target, body)
	if got.status != p.Status || got.header.Get("Content-Type") != "application/problem+json" || !strings.Contains(got.body, `"type":"`+p.Type+`"`) {
		s.t.Errorf("%s %s %s: %d %v %s, want %d %s", method, target, body, got.status, got.header, got.body, p.Status, p.Type)
	}
	return got
}
