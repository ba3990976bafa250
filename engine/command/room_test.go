package command

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"hubsub/engine"
	"hubsub/engine/glob"
)

// town is a cluster of one node that has rooms.
type town struct {
	mu    sync.Mutex
	rooms map[string]Room
	fault error         // of everything, if there is one
	gate  chan struct{} // if there is one, Place waits until it can be read from
	asked chan string   // names that Place was asked for, if there is one
}

func newTown() *town { return &town{rooms: make(map[string]Room)} }

func (s *town) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault = err
}

func (s *town) Place(ctx context.Context, name string, replicas int) (Room, error) {
	if s.asked != nil {
		s.asked <- name
	}
	if s.gate != nil {
		select {
		case <-s.gate:
		case <-ctx.Done():
			return Room{}, ctx.Err()
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fault != nil {
		return Room{}, s.fault
	}
	room, ok := s.rooms[name]
	if !ok {
		room = Room{Name: name, Epoch: fmt.Sprintf("1-%d", len(s.rooms)+1), Hosts: []string{"10.0.0.1:6379", "10.0.0.2:6379"}, Replicas: max(replicas, 2)}
		s.rooms[name] = room
	}
	return room, nil
}

func (s *town) Inspect(_ context.Context, name string) (Room, []RoomNode, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	room, ok := s.rooms[name]
	switch {
	case s.fault != nil:
		return Room{}, nil, s.fault
	case !ok:
		return Room{}, nil, fmt.Errorf("asked for %q: %w", name, ErrNoRoom)
	}
	return room, []RoomNode{
		{ID: "n1", Role: "leader", Clients: 2, Key: "1-1/0", Messages: 9, Rate: 1.25, Audience: map[string]int64{"n3": 4, "n2": 1}},
		{ID: "n2", Role: "guest", Clients: 1, Key: "1-1/0", Messages: 8, Gaps: 3, Lost: 5},
	}, nil
}

func (s *town) CloseRoom(ctx context.Context, name string) error {
	if _, _, err := s.Inspect(ctx, name); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.rooms, name)
	return nil
}

// Rooms has cursors that are places among the sorted names.
func (s *town) Rooms(_ context.Context, cursor uint64, count int) (next uint64, names []string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fault != nil {
		return 0, nil, s.fault
	}
	all := slices.Sorted(maps.Keys(s.rooms))
	from := min(int(cursor), len(all))
	to := min(from+count, len(all))
	if to < len(all) {
		next = uint64(to)
	}
	return next, all[from:to], nil
}

func (s *town) Channels(_ context.Context, kind engine.Kind, pattern []byte) (names []string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if kind == engine.Pattern {
		return []string{"t*", "h*"}, s.fault
	}
	for _, name := range []string{"there", "here"} {
		if kind == engine.Channel && (pattern == nil || glob.Match(pattern, []byte(name))) {
			names = append(names, name)
		}
	}
	return names, s.fault
}

func (s *town) Nodes() []Node {
	return []Node{
		{ID: "n1", Address: "10.0.0.1:7000", Clients: []string{"10.0.0.1:6379"}, Zone: "z", Weight: 1, State: "up", Serves: true,
			Rooms: 3, Connections: 5, Busy: 0.25, Voter: true, Leader: true, Self: true},
		{ID: "n2", Address: "10.0.0.2:7000", Weight: 2, State: "down"},
	}
}

func (s *town) Ready() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.fault
}

func array(items ...string) string {
	return strings.Join(append([]string{"*" + fmt.Sprint(len(items))}, items...), "⏎")
}

var twoHosts = array(bulk("10.0.0.1:6379"), bulk("10.0.0.2:6379"))

// described is the answer to ROOM INFO. begin begins a map of so many fields.
func described(name, epoch string, replicas int, no string, begin func(fields int) string) string {
	double := func(f string) string {
		if begin(0) == inRESP3(0) {
			return "," + f
		}
		return bulk(f)
	}
	return strings.Join([]string{begin(7), bulk("room"), bulk(name), bulk("epoch"), bulk(epoch), bulk("hosts"), twoHosts,
		bulk("replicas"), fmt.Sprint(":", replicas), bulk("keep"), no, bulk("pins"), "*0", bulk("nodes"), "*2",
		begin(9), bulk("id"), bulk("n1"), bulk("role"), bulk("leader"), bulk("clients"), ":2", bulk("key"), bulk("1-1/0"),
		bulk("messages"), ":9", bulk("rate"), double("1.25"), bulk("gaps"), ":0", bulk("lost"), ":0", bulk("audience"), begin(2), bulk("n2"), ":1", bulk("n3"), ":4",
		begin(9), bulk("id"), bulk("n2"), bulk("role"), bulk("guest"), bulk("clients"), ":1", bulk("key"), bulk("1-1/0"),
		bulk("messages"), ":8", bulk("rate"), double("0"), bulk("gaps"), ":3", bulk("lost"), ":5", bulk("audience"), begin(0)}, "⏎")
}

func inRESP2(fields int) string { return fmt.Sprint("*", 2*fields) }
func inRESP3(fields int) string { return fmt.Sprint("%", fields) }

func TestRooms(t *testing.T) {
	s := serveIn(t, newTown(), "")
	c := s.dial()
	f := c.says
	f("ROOM INFO lobby", "$-1")
	f("ROOM CLOSE lobby", ":0")
	f("ROOM GET lobby", array(bulk("lobby"), bulk("1-1"), twoHosts))
	f("room get lobby replicas 7", array(bulk("lobby"), bulk("1-1"), twoHosts))
	f("ROOM GET big REPLICAS 3", array(bulk("big"), bulk("1-2"), twoHosts))
	f("ROOM INFO big", described("big", "1-2", 3, ":0", inRESP2))
	f("ROOM CLOSE lobby", ":1")
	f("ROOM INFO lobby", "$-1")
	c.saysWords([]string{"ROOM", "GET", "\x00\r\n"}, array(bulk("\x00\r\n"), bulk("1-2"), twoHosts))

	f("HELLO 3", helloReply(3, c.number("CLIENT ID")))
	f("ROOM INFO nosuch", "_")
	f("ROOM INFO big", described("big", "1-2", 3, "#f", inRESP3))
	f("ROOM GET big", array(bulk("big"), bulk("1-2"), twoHosts))
	nodes := s.dial().words(t, "ROOM NODES")
	for _, want := range []string{"n1", "10.0.0.1:7000", "z", "up", "0.25", "n2", "down"} {
		if !slices.Contains(nodes, want) {
			t.Errorf("ROOM NODES has no %q in %q", want, nodes)
		}
	}
}

func TestRoomsOfWrongCalls(t *testing.T) {
	s := serveIn(t, newTown(), "")
	f := s.dial().says
	f("ROOM", "-ERR wrong number of arguments for 'room' command")
	f("ROOM FOO x", "-ERR unknown subcommand 'FOO'. Try ROOM HELP.")
	f("ROOM GET", "-ERR wrong number of arguments for 'room|get' command")
	f("ROOM GET a REPLICAS", "-ERR syntax error")
	f("ROOM GET a COPIES 2", "-ERR syntax error")
	f("ROOM GET a REPLICAS x", "-"+faultNotInteger)
	f("ROOM GET a REPLICAS 0", "-"+faultNotPositive)
	f("ROOM GET a REPLICAS -1", "-"+faultNotPositive)
	f("ROOM GET a REPLICAS 4294967297", "-"+faultNotPositive)
	f("ROOM INFO a b", "-ERR wrong number of arguments for 'room|info' command")
	f("ROOM LIST x", "-ERR invalid cursor")
	f("ROOM LIST -1", "-ERR invalid cursor")
	f("ROOM LIST 0 MATCH", "-ERR syntax error")
	f("ROOM LIST 0 COUNT 0", "-ERR syntax error")
	f("ROOM LIST 0 COUNT x", "-"+faultNotInteger)
	f("ROOM LIST 0 TYPE string", "-ERR syntax error")
	f("ROOM NODES x", "-ERR wrong number of arguments for 'room|nodes' command")
	f("MULTI", "+OK")
	f("ROOM GET a", "-"+faultNotInMulti)
	f("EXEC", "-EXECABORT Transaction discarded because of previous errors.")
	f("SUBSCRIBE a", confirmed("subscribe", "a", 1))
	f("ROOM GET a", "-ERR Can't execute 'room|get': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context")
}

func TestNoRoomsWithoutCluster(t *testing.T) {
	s := serve(t, "")
	f := s.dial().says
	for _, command := range []string{"ROOM GET a", "ROOM GET a b", "ROOM INFO a", "ROOM LIST", "ROOM NODES", "ROOM CLOSE a"} {
		f(command, "-ERR This instance has cluster support disabled")
	}
	if got := fields(s.dial().text("INFO cluster")); len(got) != 1 || got["cluster_enabled"] != "0" {
		t.Errorf("INFO cluster: %v", got)
	}
}

func TestRoomList(t *testing.T) {
	cluster := newTown()
	for i := range 25 {
		cluster.rooms[fmt.Sprintf("room%02d", i)] = Room{}
	}
	cluster.rooms["other"] = Room{}
	s := serveIn(t, cluster, "")
	c := s.dial()
	f := func(options string, want int) {
		t.Helper()
		found := map[string]bool{}
		cursor, pages := "", 0
		for ; cursor != "0"; pages++ {
			words := c.words(t, strings.Join(strings.Fields("ROOM LIST "+cursor+options), " "))
			cursor = words[0]
			for _, name := range words[1:] {
				found[name] = true
			}
		}
		if len(found) != want {
			t.Errorf("%q: %d rooms on %d pages, want %d", options, len(found), pages, want)
		}
	}
	f("", 26)
	f(" COUNT 5", 26)
	f(" COUNT 99999999", 26)
	f(" MATCH room*", 25)
	f(" MATCH room0? COUNT 3", 10)
	f(" COUNT 100 MATCH nosuch", 0)
	c.says("ROOM LIST 99", array(bulk("0"), "*0"))
}

func TestRoomFaults(t *testing.T) {
	cluster := newTown()
	s := serveIn(t, cluster, "")
	c := s.dial()
	f := func(err error, answer string) {
		t.Helper()
		cluster.fail(err)
		for _, command := range []string{"ROOM GET a", "ROOM INFO a", "ROOM CLOSE a", "ROOM LIST"} {
			c.says(command, answer)
		}
	}
	f(ErrNoLeader, "-CLUSTERDOWN The cluster is down: no leader of the cluster is in reach")
	f(fmt.Errorf("sent away: %w", ErrTryAgain), "-TRYAGAIN sent away: no node took the room in time")
	f(context.DeadlineExceeded, "-TRYAGAIN the cluster did not answer in time")
	f(errors.New("bad\r\n+OK"), "-ERR bad  +OK")
	hasFields(t, strings.ReplaceAll(strings.TrimSpace(c.text("INFO cluster")), "\r\n", " "),
		"cluster_enabled:0", "cluster_state:fail", "cluster_node_id:n1", "cluster_members:1", "cluster_voters:1", "cluster_leader:n1")
	cluster.fail(nil)
	c.says("ROOM CLOSE a", ":0")
	if got := fields(c.text("INFO cluster"))["cluster_state"]; got != "ok" {
		t.Errorf("cluster_state is %q", got)
	}
}

// While the cluster thinks, other clients of the loop are served, and what the
// client sends later waits.
func TestRoomAnswersKeepTheirPlace(t *testing.T) {
	cluster := newTown()
	cluster.gate, cluster.asked = make(chan struct{}), make(chan string, 1)
	s := serveIn(t, cluster, "")
	c := s.dial()
	c.send("ECHO", "before")
	c.send("ROOM", "GET", "a")
	c.send("ECHO", "after")
	c.gets(bulk("before"))
	if got := <-cluster.asked; got != "a" {
		t.Fatalf("asked for %q", got)
	}
	for range 8 {
		s.dial().says("PING", "+PONG")
	}
	if got := fields(s.dial().text("INFO clients"))["blocked_clients"]; got != "1" {
		t.Errorf("%s clients are blocked", got)
	}
	cluster.gate <- struct{}{}
	c.gets(array(bulk("a"), bulk("1-1"), twoHosts))
	c.gets(bulk("after"))
}

func TestRoomsAndReply(t *testing.T) {
	s := serveIn(t, newTown(), "")
	c := s.dial()
	c.send("CLIENT", "REPLY", "SKIP")
	c.send("ROOM", "GET", "skipped")
	c.says("ROOM GET b", array(bulk("b"), bulk("1-2"), twoHosts))
	c.send("CLIENT", "REPLY", "OFF")
	c.send("ROOM", "GET", "off")
	c.send("PING")
	c.says("CLIENT REPLY ON", "+OK")
	c.says("ROOM GET c", array(bulk("c"), bulk("1-4"), twoHosts))
}

func TestRoomsAreLimited(t *testing.T) {
	s := serveIn(t, newTown(), "")
	c := s.dial()
	var pipeline strings.Builder
	const calls = 3 * roomGetBurst
	for range calls {
		pipeline.WriteString("ROOM GET a\r\n")
	}
	go func() { _, _ = c.conn.Write([]byte(pipeline.String())) }() // until the test ends
	begin, refused := time.Now(), 0
	for range calls {
		c.conn.SetReadDeadline(time.Now().Add(patience))
		if words, fault := c.answer(t); fault != "" {
			if refused++; fault != faultManyRooms {
				t.Fatalf("refused with %q", fault)
			}
		} else if words[0] != "a" {
			t.Fatalf("got %q", words)
		}
	}
	allowed := roomGetBurst + int(time.Since(begin)/roomGetInterval) + 1
	if got := calls - refused; got < roomGetBurst || got > allowed {
		t.Errorf("%d calls were answered, want %d to %d", got, roomGetBurst, allowed)
	}
	s.dial().says("ROOM GET a", array(bulk("a"), bulk("1-1"), twoHosts)) // another connection
	c.says("ROOM INFO nosuch", "$-1")
}

func TestAllowance(t *testing.T) {
	var a allowance
	now := time.Now()
	a.full = now.Add(roomGetBurst*roomGetInterval - 100*time.Millisecond)
	if !a.take() {
		t.Error("none is left of 100")
	}
	a.full = time.Now().Add(time.Hour)
	if before := a.full; a.take() || a.full != before {
		t.Error("there was one too many, or it was charged")
	}
}

// Users may ask for the rooms of the channels they may use.
func TestRoomsOfUsers(t *testing.T) {
	s := serveIn(t, newTown(), "")
	admin, c := s.dial(), s.dial()
	admin.says("ACL SETUSER u on nopass resetchannels &lobby &{game}* %P&out* +@pubsub +@connection", "+OK")
	c.says("AUTH u x", "+OK")
	f := func(room string, allowed bool) {
		t.Helper()
		got, fault := c.ask(t, "ROOM INFO "+room)
		switch {
		case allowed && fault != "":
			t.Errorf("%s: %s", room, fault)
		case !allowed && fault != strings.TrimPrefix(noChannel, "-"):
			t.Errorf("%s: %q %q", room, got, fault)
		}
	}
	f("lobby", true)
	f("game", true)
	f("out1", true)
	f("lobby2", false)
	f("games", false)
	f("game}x", false) // {game}x} is a channel of the room game, not of this one
	f("{game}x", true)
	c.says("ROOM GET other", noChannel)
	c.says("ROOM CLOSE other", noChannel)
	c.says("ROOM LIST", array(bulk("0"), "*0"))
	admin.says("ACL SETUSER u -@dangerous", "+OK")
	c.says("ROOM CLOSE lobby", "-NOPERM this user has no permissions to run the 'room|close' command")
}

// A client that goes away before its answer leaves nothing behind.
func TestRoomAnswerForNobody(t *testing.T) {
	cluster := newTown()
	cluster.gate, cluster.asked = make(chan struct{}), make(chan string, 1)
	s := serveIn(t, cluster, "")
	c := s.dial()
	id := c.number("CLIENT ID")
	c.send("ROOM", "GET", "a")
	<-cluster.asked
	s.dial().says(fmt.Sprint("CLIENT KILL ID ", id), ":1")
	c.ends()
	cluster.gate <- struct{}{}
	eventually(t, "nobody waits", func() bool { return s.handler.asking.Load() == 0 })
	s.dial().says("ROOM INFO a", described("a", "1-1", 2, ":0", inRESP2))
}
