package e2e

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// What a cluster costs and how fast it is, on this machine:
//
//	go test ./e2e -run '^$' -bench Cluster -benchtime 1x
//
// Each figure has its unit beside it; "s" are seconds until all other nodes knew.

// BenchmarkClusterCreations makes new rooms, from 60 connections to three nodes, for ten seconds.
func BenchmarkClusterCreations(b *testing.B) {
	const clients, during = 60, 10 * time.Second
	nodes := startNodes(b, 3)
	var made, failed atomic.Int64
	before := totalCPU(b, nodes)
	var work sync.WaitGroup
	begin := time.Now()
	for id := range clients {
		work.Go(func() {
			c, err := connect(nodes[id%3].addr())
			if err != nil {
				failed.Add(1)
				return
			}
			defer c.close()
			for i := 0; time.Since(begin) < during; i++ {
				if r, err := c.do("ROOM", "GET", fmt.Sprintf("room-%d-%d", id, i)); err != nil || r.kind == '-' {
					failed.Add(1)
				} else {
					made.Add(1)
				}
			}
		})
	}
	work.Wait()
	took := time.Since(begin).Seconds()
	b.ReportMetric(float64(made.Load())/took, "rooms/s")
	b.ReportMetric(float64(failed.Load()), "failed")
	b.ReportMetric((totalCPU(b, nodes)-before).Seconds()/float64(made.Load())*1e6, "CPU-us/room")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkClusterIdle has twelve nodes do nothing for ten seconds.
func BenchmarkClusterIdle(b *testing.B) {
	nodes := startNodes(b, 12)
	time.Sleep(5 * time.Second)
	const during = 10 * time.Second
	var before, after []time.Duration
	for _, n := range nodes {
		before = append(before, cpuOf(b, n))
	}
	time.Sleep(during)
	for _, n := range nodes {
		after = append(after, cpuOf(b, n))
	}
	var each []float64
	sum := 0.0
	for i := range nodes {
		ms := (after[i] - before[i]).Seconds() * 1000 / during.Seconds()
		each = append(each, ms)
		sum += ms
	}
	b.ReportMetric(sum/float64(len(nodes)), "mean-CPU-ms/s")
	b.ReportMetric(slices.Max(each), "max-CPU-ms/s")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkClusterDeath kills or hangs one of five nodes, again and again.
func BenchmarkClusterDeath(b *testing.B) {
	f := func(name string, leader, hang bool) {
		b.Run(name, func(b *testing.B) {
			nodes := startNodes(b, 5)
			var known, led []float64
			for range 5 {
				awaitVoters(b, nodes, 3)
				time.Sleep(2 * time.Second) // the gossip shall know the newcomer
				first := leaderOf(nodes)
				victim := first
				if !leader {
					victim = nodes[(slices.Index(nodes, first)+1)%len(nodes)]
				}
				others := slices.DeleteFunc(slices.Clone(nodes), func(n *node) bool { return n == victim })
				begin := time.Now()
				if hang {
					must(b, victim.cmd.Process.Signal(syscall.SIGSTOP))
				} else {
					victim.kill()
				}
				awaitGone(b, others, victim)
				known = append(known, time.Since(begin).Seconds())
				awaitMembers(b, others, len(others))
				led = append(led, time.Since(begin).Seconds())
				if hang {
					must(b, victim.cmd.Process.Signal(syscall.SIGCONT))
				} else {
					victim.run(b)
				}
				awaitMembers(b, nodes, len(nodes))
			}
			slices.Sort(known)
			slices.Sort(led)
			b.ReportMetric(known[len(known)/2], "known-median-s")
			b.ReportMetric(known[len(known)-1], "known-max-s")
			b.ReportMetric(led[len(led)-1], "led-max-s")
			b.ReportMetric(0, "ns/op")
		})
	}
	f("killed", false, false)
	f("killed-leader", true, false)
	f("hung", false, true)
	f("hung-leader", true, true)
}

// awaitGone waits until none of the nodes shows the victim as up.
func awaitGone(b *testing.B, nodes []*node, victim *node) {
	b.Helper()
	for _, n := range nodes {
		for giveUp := time.Now().Add(settleLimit); ; time.Sleep(2 * time.Millisecond) {
			up, err := n.members()
			if err == nil && !slices.ContainsFunc(up, func(m nodeInfo) bool { return m.ID == victim.clusterAddr() }) {
				break
			}
			if time.Now().After(giveUp) {
				b.Fatalf("%s still shows %s", n.ip, victim.ip)
			}
		}
	}
}

// cpuOf returns the CPU time that a process has used.
func cpuOf(b *testing.B, n *node) time.Duration {
	b.Helper()
	var sum time.Duration
	tasks, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", n.cmd.Process.Pid))
	must(b, err)
	for _, task := range tasks {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%s/schedstat", n.cmd.Process.Pid, task.Name()))
		if err != nil {
			continue // that thread has ended
		}
		ns, err := strconv.ParseInt(strings.Fields(string(text))[0], 10, 64)
		must(b, err)
		sum += time.Duration(ns)
	}
	return sum
}

func totalCPU(b *testing.B, nodes []*node) (sum time.Duration) {
	for _, n := range nodes {
		sum += cpuOf(b, n)
	}
	return sum
}
