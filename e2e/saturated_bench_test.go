package e2e

import (
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// What one room that is as busy as the machine allows does to another room, and to the cluster. With -v the pace is told,
// second by second:
//
//	SATURATED=60s go test ./e2e -run '^$' -bench RoomsSaturated -benchtime 1x -v
//
// SATURATED is for how long that is measured; 60s if it is not given.

// BenchmarkRoomsSaturated has three nodes carry a room with a publisher and subscribers on each of them, as fast as leaves
// both cores a fifth of their time. Beside it there is a room that the second node leads; it is published to on the first,
// which leads the busy one, and heard on the third. So each of its messages meets the flood on a loop and on a link.
func BenchmarkRoomsSaturated(b *testing.B) {
	during := time.Minute
	if d, err := time.ParseDuration(os.Getenv("SATURATED")); err == nil {
		during = d
	}
	// More than there are cores, so that what the quiet room waits for is a thread, of which the kernel runs those first
	// that run little, and not a goroutine in a queue with those of the flood.
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(8))
	nodes := startNodes(b, 3)
	awaitVoters(b, nodes, 3)
	q := newQuiet(b, nodes[1].roomOfItsOwn(b, "quiet").name, nodes[0], nodes[2])
	time.Sleep(3 * time.Second)
	idle := q.take()
	f := newFlood(b, nodes[0].roomOfItsOwn(b, "busy").name, nodes)
	f.find(b)

	q.take()
	before, delivered, cores, own, begin := readTroubles(b, nodes), f.delivered(), readCores(b), ownCPU(b), time.Now()
	over := f.hold(b, during)
	rate := float64(f.delivered()-delivered) / time.Since(begin).Seconds()
	mean, most := readCores(b).since(cores)
	share := (ownCPU(b) - own).Seconds() / time.Since(begin).Seconds() / float64(len(cores))
	loaded := q.take()
	after := readTroubles(b, nodes)

	refused, missing := f.end(b)
	quietRefused, quietMissing := q.end()
	if gaps := readTroubles(b, nodes)["gaps"]; missing+quietMissing != 0 && gaps == 0 {
		b.Errorf("%d messages of the busy room and %d of the other have not come, and there was no gap", missing, quietMissing)
	}
	b.ReportMetric(idle.way.at(0.99), "idle-p99-ms")
	b.ReportMetric(loaded.way.at(0.5), "p50-ms")
	b.ReportMetric(loaded.way.at(0.99), "p99-ms")
	b.ReportMetric(loaded.way.at(1), "max-ms")
	b.ReportMetric(loaded.late.at(0.99), "late-p99-ms")
	b.ReportMetric(rate, "deliveries/s")
	b.ReportMetric(100*mean, "CPU-%")
	b.ReportMetric(100*most, "busiest-core-%")
	b.ReportMetric(100*share, "of-it-this-process-%")
	b.ReportMetric(100*over, "seconds-over-%")
	b.ReportMetric(float64(refused+quietRefused), "refused")
	b.ReportMetric(float64(missing+quietMissing), "missing")
	troubled := 0.0
	for name := range after {
		b.ReportMetric(after[name]-before[name], name)
		troubled += after[name] - before[name]
	}
	if troubled > 0 {
		b.Logf("the nodes' logs are in %s", keepLogs(b, nodes))
	}
	b.ReportMetric(0, "ns/op")
}

// ownCPU returns the CPU time that this process has used.
func ownCPU(b *testing.B) time.Duration {
	b.Helper()
	var used syscall.Rusage
	must(b, syscall.Getrusage(syscall.RUSAGE_SELF, &used))
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// readTroubles returns what should not happen because a room is busy, as counted by all nodes since they were started.
// Complaints are warnings, as that raft has missed a heartbeat, of which nothing may have come.
func readTroubles(b *testing.B, nodes []*node) map[string]float64 {
	b.Helper()
	found := map[string]float64{"verdicts": 0}
	for _, n := range nodes {
		for name, metric := range map[string]string{
			"elections": "cluster_leaderships_total", "lives": "cluster_lives_total", "takeovers": "cluster_room_leaderships_total",
			"gaps": "gaps_total", "lost": "lost_messages_total", "dropped": "cluster_link_records_dropped_total",
			"raft-complaints": "cluster_raft_complaints_total", "gossip-complaints": "cluster_gossip_complaints_total",
		} {
			found[name] += n.metric(b, "hubsub_"+metric)
		}
		for _, verdict := range []string{"a node does not answer", "a node is dead", "the cluster has given this node up"} {
			found["verdicts"] += float64(strings.Count(n.output.String(), verdict))
		}
	}
	return found
}
