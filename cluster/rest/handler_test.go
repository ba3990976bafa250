package rest

import (
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"hubsub/cluster"
)

var _ Node = (*cluster.Node)(nil)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// lobby is what the API says of a room that was made first.
func lobby(name string) string {
	return `{"room":"` + name + `","epoch":"1-1","hosts":["10.0.0.2:6379","10.0.0.1:6379"],"replicas":1,"keep":false,"pins":[]}`
}

// detail is what it says of one room alone.
func detail(name string) string {
	return strings.TrimSuffix(lobby(name), "}") + `,"nodes":[` +
		`{"id":"n1","role":"leader","clients":0,"key":"1-1/0","messages":9,"rate":1.25,"gaps":0,"lost":0,"audience":{"n2":4,"n3":1}},` +
		`{"id":"n2","role":"host","clients":4,"key":"1-1/0","messages":9,"rate":0,"gaps":0,"lost":0,"audience":{}},` +
		`{"id":"n3","role":"guest","clients":1,"key":"","messages":8,"rate":0,"gaps":2,"lost":7,"audience":{}}]}`
}

func TestRoom(t *testing.T) {
	s := serve(t, "")
	s.refuses("GET", "/v1/rooms/lobby", "", noRoom)
	s.refuses("DELETE", "/v1/rooms/lobby", "", noRoom)
	s.says("PUT", "/v1/rooms/lobby", "", 200, lobby("lobby"))
	s.says("PUT", "/v1/rooms/lobby", "{}", 200, lobby("lobby"))
	s.says("GET", "/v1/rooms/lobby", "", 200, detail("lobby"))
	s.says("HEAD", "/v1/rooms/lobby", "", 200, "")
	s.says("DELETE", "/v1/rooms/lobby", "", 204, "")
	s.refuses("GET", "/v1/rooms/lobby", "", noRoom)
}

func TestNames(t *testing.T) {
	f := func(segment, name string) {
		t.Helper()
		s := serve(t, "")
		s.says("PUT", "/v1/rooms/"+segment, "", 200, lobby(name))
		s.says("GET", "/v1/rooms/"+segment, "", 200, detail(name))
		s.says("DELETE", "/v1/rooms/"+segment, "", 204, "")
	}
	f("a%2Fb", "a/b")
	f("%2F%2F", "//")
	f("a%20b+c", "a b+c")
	f("%252F", "%2F")
	f("%2E%2E", "..")
	f("%22%5C%0A", `\"\\\n`)
	f("%E2%82%AC", "€")
	f("%7Bx%7D:y", "{x}:y")
	f(strings.Repeat("x", 1024), strings.Repeat("x", 1024))

	s := serve(t, "")
	s.refuses("PUT", "/v1/rooms/"+strings.Repeat("x", 1025), "", badName)
	s.refuses("PUT", "/v1/rooms/%FF", "", badName)
	s.refuses("PUT", "/v1/rooms/", "", noPath)
	s.refuses("PUT", "/v1/rooms/a/b", "", noPath)
	s.refuses("PUT", "/v1/rooms//a", "", noPath)
	s.refuses("PUT", "/v1/rooms/../a", "", noPath)
}

func TestOptions(t *testing.T) {
	s := serve(t, "")
	f := func(body string, want cluster.RoomOptions) {
		t.Helper()
		if got := s.call("PUT", "/v1/rooms/a", body); got.status != 200 || !reflect.DeepEqual(s.options(), want) {
			t.Errorf("%s: %d %s, asked for %+v", body, got.status, got.body, s.options())
		}
	}
	f("", cluster.RoomOptions{})
	f(" \n", cluster.RoomOptions{})
	f(" {} ", cluster.RoomOptions{})
	f(`{"replicas":7}`, cluster.RoomOptions{Replicas: 7})
	f(`{"keep":true,"pins":["n1","n\u0032"]}`, cluster.RoomOptions{Keep: true, Pins: []string{"n1", "n2"}})
	for _, body := range []string{
		"null", "[]", "1", "x", "{", `{"replicas":2,"pins":["n1"]}`, `{"replicas":0}`, `{"replicas":8}`, `{"replicas":-1}`, `{"replicas":1.5}`, `{"replicas":"2"}`,
		`{"replica":2}`, `{"Replicas":2}`, `{"keep":1}`, `{"pins":"n1"}`, `{"pins":[""]}`, `{"pins":[1]}`, `{}{}`, `{} x`,
		`{"pins":["1","2","3","4","5","6","7","8"]}`,
	} {
		s.refuses("PUT", "/v1/rooms/a", body, badRequest)
	}
	s.refuses("PUT", "/v1/rooms/a", strings.Repeat(" ", bodyBytesMax+1), longBody)
}

func TestRooms(t *testing.T) {
	s := serve(t, "")
	s.says("GET", "/v1/rooms", "", 200, `{"rooms":[]}`)
	for i := range 5 {
		s.call("PUT", fmt.Sprintf("/v1/rooms/room%d", i), "")
	}
	f := func(query, next string, names ...string) {
		t.Helper()
		got := s.call("GET", "/v1/rooms"+query, "")
		var p page
		if err := strict.UnmarshalFromString(got.body, &p); err != nil || got.status != 200 {
			t.Fatal(got, err)
		}
		var have []string
		for _, r := range p.Rooms {
			have = append(have, r.Room)
		}
		if p.Next != next || fmt.Sprint(have) != fmt.Sprint(names) {
			t.Errorf("%s: %s, next %q", query, have, p.Next)
		}
	}
	f("", "", "room0", "room1", "room2", "room3", "room4")
	f("?count=2", "2", "room0", "room1")
	f("?count=2&cursor=2", "4", "room2", "room3")
	f("?count=2&cursor=4", "", "room4")
	f("?count=3&match=*1", "3", "room1")
	f("?match=nosuch", "")
	for _, query := range []string{"?count=0", "?count=1001", "?count=x", "?cursor=x", "?cursor=-1", "?counts=1", "?count=1&count=2", "?match=%zz"} {
		s.refuses("GET", "/v1/rooms"+query, "", badRequest)
	}
}

func TestErrorsOfTheCluster(t *testing.T) {
	s := serve(t, "")
	f := func(err error, p problem, retry bool) {
		t.Helper()
		s.fail(fmt.Errorf("on node n1: %w", err))
		got := s.refuses("PUT", "/v1/rooms/a", "", p)
		if (got.header.Get("Retry-After") != "") != retry || !strings.Contains(got.body, "on node n1") {
			t.Errorf("%v: %v %s", err, got.header, got.body)
		}
		for _, call := range [][2]string{{"GET", "/v1/rooms/a"}, {"DELETE", "/v1/rooms/a"}, {"GET", "/v1/rooms"}} {
			s.refuses(call[0], call[1], "", p)
		}
	}
	f(cluster.ErrNoLeader, noLeader, true)
	f(cluster.ErrTryAgain, tryAgain, true)
	f(cluster.ErrTooMany, tooManyRooms, false)
	f(cluster.ErrNoNode, noNode, false)
	f(cluster.ErrBadName, badName, false)
	f(errors.New("a surprise"), unexpected, false)
}

func TestMethods(t *testing.T) {
	s := serve(t, "")
	f := func(method, target, allow string) {
		t.Helper()
		if got := s.refuses(method, target, "", badMethod); got.header.Get("Allow") != allow {
			t.Errorf("%s %s: allows %q", method, target, got.header.Get("Allow"))
		}
	}
	f("POST", "/v1/rooms/a", "DELETE, GET, HEAD, PUT")
	f("PUT", "/v1/rooms", "GET, HEAD")
	f("DELETE", "/v1/nodes", "GET, HEAD")
	s.refuses("GET", "/v1/nosuch", "", noPath)
	s.refuses("GET", "/v1/", "", noPath)
	s.refuses("GET", "/v2/rooms", "", noPath)
}

func TestToken(t *testing.T) {
	s := serve(t, "secret")
	s.says("PUT", "/v1/rooms/lobby", "", 200, lobby("lobby"))
	f := func(header string, status int) {
		t.Helper()
		for _, target := range []string{"/v1/rooms/lobby", "/v1/rooms", "/v1/nodes", "/v1/openapi.json"} {
			r, err := http.NewRequest("GET", s.url+target, nil)
			if err != nil {
				t.Fatal(err)
			}
			if header != "" {
				r.Header.Set("Authorization", header)
			}
			got := s.do(r)
			if got.status != status || (got.header.Get("WWW-Authenticate") != "") != (status == 401) {
				t.Errorf("%q %s: %d %v", header, target, got.status, got.header)
			}
		}
	}
	f("Bearer secret", 200)
	f("bearer  secret", 200)
	for _, wrong := range []string{"", "Bearer", "Bearer ", "Bearer secre", "Bearer secret2", "Basic secret", "secret"} {
		f(wrong, 401)
	}
	s.token = ""
	s.refuses("GET", "/v1/nosuch", "", unauthorized) // who has no token learns nothing
}

// A connection has so many PUTs, and as many GETs as it likes; another one has
// its own.
func TestPutsAreLimited(t *testing.T) {
	s := serve(t, "")
	s.says("PUT", "/v1/rooms/a", "", 200, lobby("a"))
	s.exhaust()
	if got := s.refuses("PUT", "/v1/rooms/a", "", tooOften); got.header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	s.says("GET", "/v1/rooms/a", "", 200, detail("a"))
	s.client.CloseIdleConnections()
	s.says("PUT", "/v1/rooms/a", "", 200, lobby("a"))
}

func TestAllowance(t *testing.T) {
	var a allowance
	full := time.Now().Add(time.Hour)
	a.full = full
	if a.take() || a.full != full {
		t.Error("there was one too many, or it was charged")
	}
	a.full = time.Now().Add(putBurst*putInterval - 100*time.Millisecond)
	if !a.take() {
		t.Error("none is left of 100")
	}
}
