package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
)

// linkKind is the first byte of a connection that carries messages of rooms from node to node.
const linkKind = 'D'

// A knife stands between a node and the others, which know the node by the knife's address. It passes all on; links it
// cuts: after some bytes, or all that there are, for a while.
type knife struct {
	listener net.Listener
	node     string
	running  sync.WaitGroup

	mu     sync.Mutex
	conns  map[net.Conn]bool // both ends of links
	after  int               // bytes until a link is cut, about; 0: never
	severs time.Time         // until then no link is let through
	closed bool
}

// newKnife stands before a node's cluster address; listen at its own until the test ends.
func newKnife(t testing.TB, address, node string) *knife {
	t.Helper()
	listener, err := net.Listen("tcp", address)
	must(t, err)
	k := &knife{listener: listener, node: node, conns: map[net.Conn]bool{}}
	k.running.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			k.running.Go(func() { k.serve(conn) })
		}
	})
	return k
}

func (k *knife) close() {
	k.listener.Close()
	k.mu.Lock()
	k.closed = true
	for conn := range k.conns {
		conn.Close()
	}
	k.mu.Unlock()
}

// cut has each link end after some bytes from now on.
func (k *knife) cut(after int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.after = after
}

// sever ends all links and lets none through for a while.
func (k *knife) sever(during time.Duration) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.severs = time.Now().Add(during)
	for conn := range k.conns {
		conn.Close()
	}
}

// enter registers a connection, and says how many bytes it may carry; -1: all.
func (k *knife) enter(conns ...net.Conn) (bytes int64, ok bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.closed || time.Now().Before(k.severs) {
		return 0, false
	}
	for _, conn := range conns {
		k.conns[conn] = true
	}
	if k.after == 0 {
		return -1, true
	}
	return int64(k.after/2 + rand.IntN(k.after)), true
}

func (k *knife) leave(conns ...net.Conn) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, conn := range conns {
		delete(k.conns, conn)
		conn.Close()
	}
}

func (k *knife) serve(in net.Conn) {
	defer in.Close()
	kind := make([]byte, 1)
	if _, err := io.ReadFull(in, kind); err != nil {
		return
	}
	out, err := net.Dial("tcp", k.node)
	if err != nil {
		in.(*net.TCPConn).SetLinger(0)
		return
	}
	defer out.Close()
	if _, err := out.Write(kind); err != nil {
		return
	}
	bytes := int64(-1)
	if kind[0] == linkKind {
		var ok bool
		if bytes, ok = k.enter(in, out); !ok {
			return
		}
		defer k.leave(in, out)
	}
	var passing sync.WaitGroup
	pass := func(to, from net.Conn) {
		if bytes < 0 {
			io.Copy(to, from)
		} else {
			io.CopyN(to, from, bytes)
		}
		to.Close()
		from.Close()
	}
	passing.Go(func() { pass(out, in) })
	pass(in, out)
	passing.Wait()
}

// startSevered starts three nodes with a knife before each, and returns both.
func startSevered(t testing.TB) (nodes []*node, knives []*knife) {
	t.Helper()
	for range 3 {
		n := newNode(t, nil)
		before := n.ip + ":7001"
		knives = append(knives, newKnife(t, before, n.clusterAddr()))
		n.server.args = append(n.server.args, "--advertise", before)
		nodes = append(nodes, n)
	}
	for _, one := range nodes {
		for _, other := range nodes {
			one.join = append(one.join, other.ip+":7001")
		}
	}
	t.Cleanup(func() {
		for _, n := range nodes {
			n.stop()
		}
		for _, k := range knives {
			k.close()
			k.running.Wait()
		}
	})
	for _, n := range nodes {
		n.run(t)
	}
	awaitMembers(t, nodes, 3)
	return nodes, knives
}

// TestSeveredLinks: links between nodes are cut in the midst of messages again and again. What a subscriber on another
// node hears is all, once, and in order, however often; a break that is too long to repair is a gap that is told.
func TestSeveredLinks(t *testing.T) {
	t.Parallel()
	nodes, knives := startSevered(t)
	const room, messages = "severed", 20000
	// The publisher's node leads, so that each message crosses one link.
	options := fmt.Sprintf(`{"keep":true,"replicas":1,"pins":["%s:7001"]}`, nodes[1].ip)
	if status, err := nodes[0].call("PUT", "/v1/rooms/"+room, options, nil); err != nil || status != 200 {
		t.Fatalf("PUT: %d, %v", status, err)
	}
	hear, tell := dial(t, nodes[0].server), dial(t, nodes[1].server)
	gaps := dial(t, nodes[0].server)
	must(t,
		gaps.expect("[subscribe __hubsub__:gap:severed 1]", "SUBSCRIBE", "__hubsub__:gap:"+room),
		hear.expect("[subscribe severed 1]", "SUBSCRIBE", room),
		tell.expect("1", "PUBLISH", room, "-1"), hear.next("[message severed -1]"))
	for _, k := range knives {
		k.cut(200 << 10) // a link's batch has 64 KiB at the most: each gets through sooner or later
	}
	for _, k := range knives {
		k.sever(0) // so that no link is older than the knife
	}
	work := crew{t: t}
	work.run(func() error {
		for i := range messages {
			r, err := hear.read()
			if err != nil {
				return fmt.Errorf("after %d messages: %w", i, err)
			}
			if number, _, _ := strings.Cut(r.items[2].text, " "); number != fmt.Sprint(i) {
				return fmt.Errorf("message %s instead of %d", number, i)
			}
		}
		return nil
	})
	noise := make([]byte, 200) // which nothing compresses
	work.run(func() error {
		const batch = 50
		for first := 0; first < messages; first += batch {
			for i := range batch {
				for b := range noise {
					noise[b] = byte(rand.Uint32())
				}
				tell.add("PUBLISH", room, fmt.Sprintf("%d %s", first+i, noise))
			}
			if err := tell.flush(); err != nil {
				return err
			}
			for range batch {
				if err := tell.next("1"); err != nil {
					return err
				}
			}
		}
		return nil
	})
	work.wait()
	if t.Failed() {
		return
	}
	connections := 0.0
	for _, n := range nodes {
		connections += n.metric(t, "hubsub_cluster_link_connections_total")
	}
	if connections < 20 {
		t.Errorf("%v connections of links: the knives do not cut", connections)
	}

	// A break of four seconds: what was published meanwhile is lost, at most, and that is told before what comes after.
	for _, k := range knives {
		k.cut(0)
	}
	for _, k := range knives {
		k.sever(4 * time.Second)
	}
	during := 0
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		must(t, tell.expect("1", "PUBLISH", room, "during"))
		during++
	}
	must(t, tell.expect("1", "PUBLISH", room, "after"))
	heard := 0
	for ; ; heard++ {
		r, err := hear.read()
		must(t, err)
		if r.String() == "[message severed after]" {
			break
		}
	}
	missed := 0
	for missed < during-heard {
		r, err := gaps.read()
		must(t, err)
		var told struct {
			Room   string
			Lost   int
			Reason string
		}
		must(t, json.Unmarshal([]byte(r.items[2].text), &told))
		if told.Room != room || told.Lost <= 0 || told.Reason != "link" && told.Reason != "full" { // what could not even be sent
			t.Fatalf("told of a gap: %v", r)
		}
		missed += told.Lost
	}
	if counted := nodes[0].metric(t, "hubsub_lost_messages_total"); missed != during-heard || missed == 0 || int(counted) != missed {
		t.Errorf("of %d messages %d came and %d are told as lost, %v counted", during, heard, missed, counted)
	}
}
