package main

import (
	"log/slog"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"hubsub/cluster"
	"hubsub/cluster/placement"
)

// A node's figures are all there before it has a cluster, as Prometheus wants
// them, and each as it was described.
func TestClusterMetrics(t *testing.T) {
	node, err := cluster.Start(cluster.Config{
		Listen: "127.0.0.1:0", Clients: []string{"127.0.0.1:1"}, Join: []string{"127.0.0.1:1"}, Settings: placement.Settings{Replicas: 2},
		Load:  func() placement.Report { return placement.Report{} },
		Lanes: newLanes(&options{Cluster: "127.0.0.1:0"}, 1),
		Log:   slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer node.Close()
	r := prometheus.NewPedanticRegistry()
	r.MustRegister(clusterCollector{node})
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	if len(families) != len(clusterMetrics) {
		t.Errorf("%d metrics of %d", len(families), len(clusterMetrics))
	}
	series := map[string]int{}
	for _, f := range families {
		series[f.GetName()] = len(f.Metric)
	}
	for name, want := range map[string]int{"members": 4, "connections_refused_total": 9, "messages_dropped_total": 6, "messages_refused_total": 5, "leader": 1} {
		if got := series["hubsub_cluster_"+name]; got != want {
			t.Errorf("%s has %d series, not %d", name, got, want)
		}
	}
	problems, err := promlint.NewWithMetricFamilies(families).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}
