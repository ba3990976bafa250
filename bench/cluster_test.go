package bench

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"
)

// startRedisCluster starts nodes that pass publishes on to each other.
func startRedisCluster(t *testing.T, nodes int) (all target) {
	t.Helper()
	for range nodes {
		bus, err := freePort()
		if err != nil {
			t.Fatal(err)
		}
		s, err := startServer(t.Context(), "redis",
			fmt.Sprintf("%s --cluster-enabled yes --cluster-port %d --dir %s", redisCommand, bus, t.TempDir()), -1)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(s.stop)
		if len(all.addresses) > 0 {
			host, port, _ := strings.Cut(s.addresses[0], ":")
			ask(t, all.addresses[0], "CLUSTER", "MEET", host, port, strconv.Itoa(bus))
		}
		all.addresses = append(all.addresses, s.addresses...)
		all.processes = append(all.processes, s.processes...)
	}
	deadline := time.Now().Add(startTimeout)
	for _, address := range all.addresses {
		for len(ask(t, address, "CLUSTER", "LINKS").items) < 2*(nodes-1) ||
			strings.Contains(ask(t, address, "CLUSTER", "NODES").text, "handshake") {
			if time.Now().After(deadline) {
				t.Fatalf("%s: %s", address, ask(t, address, "CLUSTER", "NODES").text)
			}
			time.Sleep(startPoll)
		}
	}
	return all
}

// A node of Redis Cluster counts its own subscribers only; that is noted, and no fault.
func TestClusterShape(t *testing.T) {
	cluster := startRedisCluster(t, 3)
	g, m := counted(t, cluster, "cluster --rooms 5")
	if m.published < 180 || m.delivered != 2*m.published || m.partCount != m.published || g.order == nil {
		t.Errorf("%d published, %d delivered, %d partial answers", m.published, m.delivered, m.partCount)
	}
	for node, address := range cluster.addresses {
		calls := infoNumber(t, address, "commandstats", "cmdstat_publish:calls=")
		if calls < m.published/3 || calls > m.published/3+1 {
			t.Errorf("node %d executed %d of %d publishes", node, calls, m.published)
		}
	}
	found := loadResult(m, true).measurement(1, 0)
	if found.Figure("CPU above idle") == nil || m.idle.took < 50*time.Millisecond {
		t.Errorf("no CPU above idle, idle for %v", m.idle.took)
	}
}

// Subscribers and publishers of every room are on every node.
func TestSeveralAddresses(t *testing.T) {
	cluster := startRedisCluster(t, 2)
	counted(t, cluster, "rooms --rooms 4 --subscribers 3 --publishers 3 --pipeline 2 --protocol both")
	for _, address := range cluster.addresses {
		for room := range 4 {
			// The subscribers of the run are connected still.
			if got := ask(t, address, "PUBSUB", "NUMSUB", channel(room)).items[1].text; got != "1" && got != "2" {
				t.Errorf("%s has %s subscribers of %s", address, got, channel(room))
			}
		}
		if infoNumber(t, address, "commandstats", "cmdstat_publish:calls=") == 0 {
			t.Errorf("nothing was published at %s", address)
		}
	}
}
