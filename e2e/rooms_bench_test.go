package e2e

import (
	"bufio"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// What it costs that rooms reach other nodes:
//
//	go test ./e2e -run '^$' -bench Rooms -benchtime 1x

// roomsLoad is, for each node k: so many rooms, published to from k, heard by one client on k+1 and one on k+2.
const (
	roomsPerNode     = 25
	publishesPerNode = 250 // a second
	roomsFor         = 10 * time.Second
)

// BenchmarkRoomsScale has clusters of 4, 8 and 12 nodes carry the same load per node, and Redis Clusters of that size
// beside them. The CPU time is that of all nodes beyond what they use without the load. With ROUNDS=n all of them are
// measured so many times, in turns; with GROWTH=folder what was found is left there as growth.json and growth.svg.
func BenchmarkRoomsScale(b *testing.B) {
	growth := newGrowth(4, 8, 12)
	for range envNumber(b, "ROUNDS", 1) {
		for at, p := range growth.Servers[0].Points {
			size := p.Nodes
			b.Run(fmt.Sprintf("hubsub/%d", size), func(b *testing.B) { growth.add(1, at, hubsubScale(b, size)) })
			b.Run(fmt.Sprintf("redis/%d", size), func(b *testing.B) {
				load := newRoomsLoad(b, startRedisCluster(b, size))
				time.Sleep(3 * time.Second)
				_, cost := load.run(b)
				growth.add(0, at, cost)
			})
		}
	}
	if folder := os.Getenv("GROWTH"); folder != "" && !b.Failed() {
		growth.write(b, folder)
	}
}

// hubsubScale measures a cluster of so many nodes, and returns the CPU time per delivered message.
func hubsubScale(b *testing.B, size int) time.Duration {
	var all []*server
	nodes := startNodes(b, size)
	for _, n := range nodes {
		all = append(all, n.server)
	}
	load := newRoomsLoad(b, all)
	want := load.recordsPerPublish(b, nodes)
	time.Sleep(3 * time.Second) // what idles shall idle
	before := linkRecords(b, nodes)
	published, cost := load.run(b)
	// Beside the messages there are answers to publishers on other nodes, one for each forwarded message.
	got := float64(linkRecords(b, nodes)-before)/float64(published) - load.answersPerPublish
	b.ReportMetric(got, "records/publish")
	b.ReportMetric(want, "records/publish-wanted")
	return cost
}

// roomsLoad is the load, connected and subscribed.
type roomsLoad struct {
	servers           []*server
	publishers        []*client
	delivered         atomic.Int64
	answersPerPublish float64
}

func roomName(node, i int) string { return fmt.Sprintf("room-%d-%d", node, i) }

func newRoomsLoad(b *testing.B, servers []*server) *roomsLoad {
	l := &roomsLoad{servers: servers}
	for k, s := range servers {
		l.publishers = append(l.publishers, dial(b, s))
		for i := range roomsPerNode {
			for hop := 1; hop <= 2; hop++ {
				c := dial(b, servers[(k+hop)%len(servers)])
				must(b, c.expect("[subscribe "+roomName(k, i)+" 1]", "SUBSCRIBE", roomName(k, i)))
				go func() {
					r := bufio.NewReader(c.conn)
					for {
						if _, err := readReply(r); err != nil {
							return
						}
						l.delivered.Add(1)
					}
				}()
			}
		}
	}
	return l
}

// run publishes for a while, and reports and returns how many messages there were and what CPU time each delivery took.
func (l *roomsLoad) run(b *testing.B) (published int64, perDelivery time.Duration) {
	cpu := func() (sum time.Duration) {
		for _, s := range l.servers {
			sum += cpuOf(b, &node{server: s})
		}
		return sum
	}
	before := cpu()
	time.Sleep(roomsFor)
	idle := cpu() - before
	l.delivered.Store(0)
	before = cpu()
	var work sync.WaitGroup
	for k, c := range l.publishers {
		work.Go(func() {
			tick := time.NewTicker(time.Second / publishesPerNode)
			defer tick.Stop()
			for i := range int(roomsFor.Seconds() * publishesPerNode) {
				<-tick.C
				if r, err := c.do("PUBLISH", roomName(k, i%roomsPerNode), "0123456789abcdef0123456789abcdef"); err != nil || r.kind != ':' {
					b.Errorf("PUBLISH on node %d: %v, %v", k, r, err)
					return
				}
			}
		})
	}
	work.Wait()
	published = int64(len(l.publishers)) * int64(roomsFor.Seconds()*publishesPerNode)
	time.Sleep(100 * time.Millisecond)
	used := cpu() - before
	if got := l.delivered.Load(); got != 2*published {
		b.Errorf("%d messages delivered of %d", got, 2*published)
	}
	perDelivery = (used - idle) / time.Duration(2*published)
	b.ReportMetric(perDelivery.Seconds()*1e6, "CPU-us/delivery")
	b.ReportMetric(idle.Seconds()*1e3/roomsFor.Seconds()/float64(len(l.servers)), "idle-ms/s-node")
	b.ReportMetric(0, "ns/op")
	return published, perDelivery
}

// recordsPerPublish returns how many records a publish must cost on links: one if the publisher's node does not lead
// the room, and one for each node with a subscriber that does not.
func (l *roomsLoad) recordsPerPublish(b *testing.B, nodes []*node) float64 {
	sum, answers := 0, 0
	for k := range nodes {
		for i := range roomsPerNode {
			leader := slices.IndexFunc(nodes, func(n *node) bool { return n.addr() == nodes[0].get(b, roomName(k, i)).hosts[0] })
			if leader != k {
				sum++
				answers++
			}
			for hop := 1; hop <= 2; hop++ {
				if leader != (k+hop)%len(nodes) {
					sum++
				}
			}
		}
	}
	rooms := float64(len(nodes) * roomsPerNode)
	l.answersPerPublish = float64(answers) / rooms
	return float64(sum) / rooms
}

// linkRecords returns how many records all nodes have sent over links.
func linkRecords(b *testing.B, nodes []*node) (sum int64) {
	b.Helper()
	for _, n := range nodes {
		sum += int64(n.metric(b, "hubsub_cluster_link_records_sent_total"))
	}
	return sum
}

// metric returns the sum of a metric's series.
func (n *node) metric(b testing.TB, name string) (sum float64) {
	b.Helper()
	answer, err := http.Get(n.api("/metrics"))
	must(b, err)
	defer answer.Body.Close()
	for lines := bufio.NewScanner(answer.Body); lines.Scan(); {
		line := lines.Text()
		if rest, ok := strings.CutPrefix(line, name); ok && (rest[0] == ' ' || rest[0] == '{') {
			value, err := strconv.ParseFloat(line[strings.LastIndexByte(line, ' ')+1:], 64)
			must(b, err)
			sum += value
		}
	}
	return sum
}

// startRedisCluster starts a Redis Cluster of so many masters.
func startRedisCluster(b *testing.B, size int) (servers []*server) {
	const slots = 16384
	for range size {
		dir := b.TempDir()
		servers = append(servers, startRedis(b, "--cluster-enabled", "yes", "--dir", dir, "--cluster-port", strconv.Itoa(freePort(b))))
	}
	first := dial(b, servers[0])
	for i, s := range servers {
		c := dial(b, s)
		must(b,
			c.expect("OK", "CLUSTER", "ADDSLOTSRANGE", strconv.Itoa(i*slots/size), strconv.Itoa((i+1)*slots/size-1)),
			c.expect("OK", "CLUSTER", "SET-CONFIG-EPOCH", strconv.Itoa(i+1)))
		if i > 0 {
			bus := s.args[slices.Index(s.args, "--cluster-port")+1]
			must(b, first.expect("OK", "CLUSTER", "MEET", "127.0.0.1", strconv.Itoa(s.port), bus))
		}
	}
	for _, s := range servers {
		c := dial(b, s)
		for giveUp := time.Now().Add(settleLimit); ; time.Sleep(50 * time.Millisecond) {
			r, err := c.do("CLUSTER", "INFO")
			must(b, err)
			if strings.Contains(r.text, "cluster_state:ok") && strings.Contains(r.text, fmt.Sprintf("cluster_known_nodes:%d\r\n", size)) {
				break
			}
			if time.Now().After(giveUp) {
				b.Fatalf("no Redis Cluster of %d: %s", size, r.text)
			}
		}
	}
	return servers
}

// BenchmarkRoomsLatency measures what hops between nodes add to a message's way from the publisher's PUBLISH to the
// subscriber: none, where both are on the room's leader; one, where the subscriber is elsewhere; two, where the
// publisher is, too. They take turns.
func BenchmarkRoomsLatency(b *testing.B) {
	const turns = 3000
	nodes := startNodes(b, 3)
	must(b, func() error {
		c := dial(b, nodes[0].server)
		_, err := c.do("ROOM", "GET", "room", "REPLICAS", "1")
		return err
	}())
	home := nodes[0].get(b, "room").hosts[0]
	leader := slices.IndexFunc(nodes, func(n *node) bool { return n.addr() == home })
	near, far, other := nodes[leader], nodes[(leader+1)%3], nodes[(leader+2)%3]
	type way struct {
		name      string
		tell, get *client
		took      []float64
	}
	ways := []*way{
		{name: "local", tell: dial(b, near.server), get: dial(b, near.server)},
		{name: "one-hop", tell: dial(b, near.server), get: dial(b, far.server)},
		{name: "two-hops", tell: dial(b, other.server), get: dial(b, far.server)},
	}
	for _, w := range ways {
		// One room and so one leader; a channel for each way.
		must(b, w.get.send("SUBSCRIBE", "{room}"+w.name))
		if _, err := w.get.read(); err != nil {
			b.Fatal(err)
		}
	}
	for range turns {
		for _, w := range ways {
			begin := time.Now()
			must(b, w.tell.send("PUBLISH", "{room}"+w.name, "x"))
			if _, err := w.get.read(); err != nil {
				b.Fatal(err)
			}
			w.took = append(w.took, time.Since(begin).Seconds()*1e6)
			must(b, w.tell.next("1"))
		}
	}
	median := func(all []float64) float64 { slices.Sort(all); return all[len(all)/2] }
	local := median(ways[0].took)
	b.ReportMetric(local, "local-us")
	b.ReportMetric(median(ways[1].took)-local, "one-hop-us")
	b.ReportMetric(median(ways[2].took)-local, "two-hops-us")
	b.ReportMetric(0, "ns/op")
}
