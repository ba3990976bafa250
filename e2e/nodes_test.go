package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// settleLimit bounds the wait for a cluster to come to rest, whatever happened before.
const settleLimit = 60 * time.Second

// A node is a process of a cluster. It has an address of its own in 127.0.0.0/8 for its cluster port and its API, so
// that the ports are the same after a restart and nobody else's.
type node struct {
	*server
	ip   string
	join []string
}

func (n *node) clusterAddr() string { return n.ip + ":7000" }

// api returns a URL of the node's API.
func (n *node) api(path string) string { return "http://" + n.ip + ":8000" + path }

// newNode describes a node that joins the given addresses; nothing is started.
func newNode(t testing.TB, join []string, args ...string) *node {
	t.Helper()
	n := &node{ip: fmt.Sprintf("127.%d.%d.%d", 1+rand.IntN(254), rand.IntN(256), 1+rand.IntN(254)), join: join}
	n.server = &server{name: "hubsub", path: hubsubBinary, end: syscall.SIGTERM, args: append([]string{
		"--loops", "1", "--cluster", n.clusterAddr(), "--http", n.ip + ":8000"}, args...)}
	return n
}

// run starts the process of a node, for the first time or again.
func (n *node) run(t testing.TB) {
	t.Helper()
	args := n.server.args
	if len(n.join) > 0 {
		n.server.args = append(slices.Clone(args), "--join", strings.Join(n.join, ","))
	}
	if n.server.port == 0 {
		start(t, n.server)
	} else {
		n.server.restart(t)
	}
	n.server.args = args
}

// startNodes starts a cluster of n nodes, each with the same list of seeds, and waits until all know all.
func startNodes(t testing.TB, n int, args ...string) []*node {
	t.Helper()
	nodes := make([]*node, n)
	for i := range nodes {
		nodes[i] = newNode(t, nil, args...)
	}
	startTogether(t, nodes)
	return nodes
}

// startTogether starts nodes as one cluster.
func startTogether(t testing.TB, nodes []*node) {
	t.Helper()
	for _, one := range nodes {
		for _, other := range nodes {
			one.join = append(one.join, other.clusterAddr())
		}
	}
	for _, one := range nodes {
		one.run(t)
	}
	awaitMembers(t, nodes, len(nodes))
}

// nodeInfo is what GET /v1/nodes tells of a member.
type nodeInfo struct {
	Name, ID, State, Zone string
	Rooms                 int
	Leader, Voter, Self   bool
}

// call calls the API and returns the status, and the answer in out unless that is nil.
func (n *node) call(method, path string, body string, out any) (status int, err error) {
	request, err := http.NewRequest(method, n.api(path), bytes.NewBufferString(body))
	if err != nil {
		return 0, err
	}
	client := http.Client{Timeout: answerLimit, Transport: &http.Transport{DisableKeepAlives: true}}
	answer, err := client.Do(request)
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err == nil && out != nil {
		err = json.Unmarshal(text, out)
	}
	if err != nil {
		err = fmt.Errorf("%s %s: %w: %s", method, path, err, text)
	}
	return answer.StatusCode, err
}

// members returns who is up, as a node knows it.
func (n *node) members() (up []nodeInfo, err error) {
	var all struct{ Nodes []nodeInfo }
	if status, err := n.call("GET", "/v1/nodes", "", &all); err != nil || status != 200 {
		return nil, fmt.Errorf("status %d: %w", status, err)
	}
	for _, m := range all.Nodes {
		if m.State == "up" {
			up = append(up, m)
		}
	}
	return up, nil
}

// leader returns which of the nodes leads the cluster, as the first that says so knows it; nil if none does.
func leaderOf(nodes []*node) *node {
	for _, n := range nodes {
		up, _ := n.members()
		for _, m := range up {
			if at := slices.IndexFunc(nodes, func(o *node) bool { return o.clusterAddr() == m.ID }); m.Leader && at >= 0 {
				return nodes[at]
			}
		}
	}
	return nil
}

// awaitMembers waits until each of the nodes knows so many members that are up, and one and the same leader.
func awaitMembers(t testing.TB, nodes []*node, want int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), settleLimit)
	defer cancel()
	state := ""
	settled := func() bool {
		leaders := map[string]bool{}
		state = ""
		good := true
		for _, n := range nodes {
			up, err := n.members()
			ready, _ := n.call("GET", "/readyz", "", nil)
			led := 0
			for _, m := range up {
				if m.Leader {
					led++
					leaders[m.Name] = true
				}
			}
			state += fmt.Sprintf("%s: ready %d, %v, %v\n", n.clusterAddr(), ready, err, up)
			good = good && len(up) == want && led == 1 && ready == 200
		}
		return good && len(leaders) == 1
	}
	for !settled() {
		select {
		case <-ctx.Done():
			t.Fatalf("no %d members with one leader within %v:\n%s", want, settleLimit, state)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// awaitVoters waits until the nodes have so many voters, each of which knows that: one that has not heard of another
// would not elect it if the leader died now.
func awaitVoters(t testing.TB, nodes []*node, want int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), settleLimit)
	defer cancel()
	await(t, ctx, fmt.Sprintf("%d voters", want), func() bool {
		leader := leaderOf(nodes)
		if leader == nil {
			return false
		}
		voters := leader.voters()
		return len(voters) == want && !slices.ContainsFunc(nodes, func(n *node) bool {
			return slices.Contains(voters, n.clusterAddr()) && len(n.voters()) != want
		})
	})
}

// voters returns the ids of those that are up, as a node knows them.
func (n *node) voters() (ids []string) {
	up, _ := n.members()
	for _, m := range up {
		if m.Voter {
			ids = append(ids, m.ID)
		}
	}
	return ids
}

// home is what ROOM GET answers.
type home struct {
	name, epoch string
	hosts       []string
}

// get asks a node for a room until it says something else than that it cannot now.
func (n *node) get(t testing.TB, name string) home {
	t.Helper()
	for giveUp := time.Now().Add(settleLimit); ; time.Sleep(20 * time.Millisecond) {
		r, err := n.tryGet(name)
		if err == nil {
			return r
		}
		if time.Now().After(giveUp) {
			t.Fatalf("ROOM GET %s: %v", name, err)
		}
	}
}

func (n *node) tryGet(name string) (home, error) {
	c, err := connect(n.addr())
	if err != nil {
		return home{}, err
	}
	defer c.close()
	r, err := c.do("ROOM", "GET", name)
	if err != nil {
		return home{}, err
	}
	return homeOf(r)
}

func homeOf(r reply) (home, error) {
	if r.kind != '*' || len(r.items) != 3 {
		return home{}, fmt.Errorf("got %v", r)
	}
	got := home{name: r.items[0].text, epoch: r.items[1].text}
	for _, h := range r.items[2].items {
		got.hosts = append(got.hosts, h.text)
	}
	return got, nil
}
