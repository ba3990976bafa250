package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// How long a room is silent when the node that leads it fails. With -v each try is told as it ends:
//
//	FAILOVERS=50 go test ./e2e -run '^$' -bench RoomsFailover/killed -benchtime 1x -timeout 1h -v
//
// FAILOVERS is how often each kind is tried; 10 if it is not given.

// fates are what becomes of a node. Of a cluster that has begun, strike has it happen to one, and mend undoes it. The time
// asked for is longer if the node also leads the cluster, where others have to find that out and agree without it.
var fates = []struct {
	name           string
	asked, leading time.Duration
	begin          func(b *testing.B) (nodes []*node, strike, mend func(i int))
}{
	{"killed", time.Second, time.Second, func(b *testing.B) ([]*node, func(int), func(int)) {
		nodes := startNodes(b, failoverNodes)
		return nodes, func(i int) { nodes[i].kill() }, func(i int) { nodes[i].run(b) }
	}},
	{"hung", 6 * time.Second, 10 * time.Second, func(b *testing.B) ([]*node, func(int), func(int)) {
		nodes := startNodes(b, failoverNodes)
		return nodes, func(i int) { nodes[i].hang(b) }, func(i int) { must(b, nodes[i].cmd.Process.Signal(syscall.SIGCONT)) }
	}},
	{"cut-off", 6 * time.Second, 10 * time.Second, func(b *testing.B) ([]*node, func(int), func(int)) {
		v := newIslands(b, failoverNodes)
		return v.nodes, v.cut, v.heal
	}},
}

const failoverNodes = 5

// hang stops the process and returns when it stands still: before that it might answer once more.
func (n *node) hang(b *testing.B) {
	b.Helper()
	must(b, n.cmd.Process.Signal(syscall.SIGSTOP))
	for giveUp := time.Now().Add(stopLimit); ; {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", n.cmd.Process.Pid))
		must(b, err)
		if _, state, _ := strings.Cut(string(stat), ") "); state[0] == 'T' {
			return
		}
		if time.Now().After(giveUp) {
			b.Fatalf("%s does not stop: %s", n.clusterAddr(), stat)
		}
	}
}

// BenchmarkRoomsFailover has the leaders of rooms fail, one after the other, in a cluster that goes on: those that do not
// lead the cluster, and those that do. The time is from the failure until the first message that is accepted after it, on
// a second node, is heard on a third.
func BenchmarkRoomsFailover(b *testing.B) {
	tries := 10
	if n, err := strconv.Atoi(os.Getenv("FAILOVERS")); err == nil {
		tries = n
	}
	for _, fate := range fates {
		b.Run(fate.name, func(b *testing.B) {
			nodes, strike, mend := fate.begin(b)
			f := func(name string, leads bool, asked time.Duration) {
				b.Run(name, func(b *testing.B) {
					var took []float64
					over := 0
					for i := range tries {
						t := newTry(b, nodes, i, leads)
						d := t.run(strike)
						mend(t.victim)
						took = append(took, d.Seconds()*1e3)
						if testing.Verbose() {
							fmt.Fprintf(os.Stderr, "%s %d: %.1f ms; %v\n", b.Name(), i, took[i], t)
						}
						if d > asked {
							over++
							b.Logf("%.1f ms, more than the %v asked for; %v; the nodes' logs are in %s", took[i], asked, t, keepLogs(b, nodes))
						}
					}
					slices.Sort(took)
					b.ReportMetric(float64(tries), "tries")
					b.ReportMetric(took[len(took)/2], "median-ms")
					b.ReportMetric(took[len(took)-1], "max-ms")
					b.ReportMetric(float64(over), "over-"+asked.String())
					b.ReportMetric(0, "ns/op")
				})
			}
			f("member", false, fate.asked)
			f("leader", true, fate.leading)
		})
	}
}

// A try is one failure, and who is who in it.
type try struct {
	b          *testing.B
	nodes      []*node
	victim     int // leads the room
	leader     *node
	room       home
	tell, hear *node
}

// newTry waits until the cluster has recovered from the last try, and makes a room for the next one. Who fails, who is
// published to and who has the subscriber takes turns.
func newTry(b *testing.B, nodes []*node, turn int, leads bool) *try {
	b.Helper()
	awaitMembers(b, nodes, len(nodes))
	t := &try{b: b, nodes: nodes, leader: leaderOf(nodes)}
	if t.leader == nil {
		b.Fatal("the cluster has lost its leader with nobody failing")
	}
	awaitVoters(b, nodes, 3) // in memory, so each new one has to be told all before the next may fail
	t.victim = slices.Index(nodes, t.leader)
	if !leads {
		t.victim = (t.victim + 1 + turn%(len(nodes)-1)) % len(nodes)
	}
	t.room = nodes[t.victim].roomOfItsOwn(b, b.Name())
	others := slices.Delete(slices.Clone(nodes), t.victim, t.victim+1)
	tell := turn % len(others)
	hear := (tell + 1 + turn/len(others)%(len(others)-1)) % len(others)
	t.tell, t.hear = others[tell], others[hear]
	return t
}

// roomOfItsOwn makes rooms until there is one that the node leads: mostly the first, as it is asked itself.
func (n *node) roomOfItsOwn(b *testing.B, prefix string) home {
	b.Helper()
	for giveUp := time.Now().Add(settleLimit); ; {
		room := n.get(b, fmt.Sprintf("%s-%d", prefix, time.Now().UnixNano()))
		if room.hosts[0] == n.addr() && len(room.hosts) == 2 {
			return room
		}
		if time.Now().After(giveUp) {
			b.Fatalf("%s leads no new room; the last one lives at %v", n.addr(), room.hosts)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// run has the victim fail and returns how long the room was silent.
func (t *try) run(strike func(i int)) time.Duration {
	defer func() {
		if t.b.Failed() {
			t.b.Logf("%v; the nodes' logs are in %s", t, keepLogs(t.b, t.nodes))
		}
	}()
	hear, tell := dial(t.b, t.hear.server), dial(t.b, t.tell.server)
	defer hear.close()
	defer tell.close()
	must(t.b,
		hear.expect("[subscribe "+t.room.name+" 1]", "SUBSCRIBE", t.room.name),
		tell.expect("1", "PUBLISH", t.room.name, "before"),
		hear.next("[message "+t.room.name+" before]"))
	begin := time.Now()
	strike(t.victim)
	for {
		text := time.Since(begin).String()
		said, err := tell.do("PUBLISH", t.room.name, text)
		must(t.b, err)
		if said.kind == ':' {
			if said.n != 1 {
				t.b.Errorf("the first PUBLISH that is accepted counts %d subscribers of one", said.n)
			}
			for heard := ""; heard != text; { // those that were not accepted may be heard, too
				r, err := hear.read()
				must(t.b, err)
				heard = r.items[len(r.items)-1].text
			}
			return time.Since(begin)
		}
		if time.Since(begin) > settleLimit {
			t.b.Fatalf("no PUBLISH is accepted within %v: %v", settleLimit, said)
		}
		time.Sleep(time.Millisecond)
	}
}

// String tells who is who.
func (t *try) String() string {
	host := func(n *node) string {
		switch slices.Index(t.room.hosts, n.addr()) {
		case -1:
			return "no host"
		case 1:
			return "the second host"
		}
		return "a host"
	}
	victim := t.nodes[t.victim]
	leads := "the room and the cluster"
	if victim != t.leader {
		leads = "the room; " + t.leader.clusterAddr() + " leads the cluster"
	}
	return fmt.Sprintf("%s fails, which leads %s; published at %s, %s; heard at %s, %s",
		victim.clusterAddr(), leads, t.tell.clusterAddr(), host(t.tell), t.hear.clusterAddr(), host(t.hear))
}

// keepLogs writes what each node has logged so far into a folder that stays.
func keepLogs(b *testing.B, nodes []*node) (folder string) {
	folder, err := os.MkdirTemp("", "hubsub-bench-")
	must(b, err)
	for _, n := range nodes {
		must(b, os.WriteFile(filepath.Join(folder, n.ip+".log"), []byte(n.output.String()), 0o644))
	}
	return folder
}
