package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"hubsub/cluster"
	"hubsub/cluster/lane"
	"hubsub/cluster/load"
	"hubsub/cluster/placement"
	"hubsub/cluster/rest"
	"hubsub/engine"
	"hubsub/engine/admin"
	"hubsub/engine/glob"
)

// recoverTimeMax is how long "hubsub cluster recover" waits.
const recoverTimeMax = 10 * time.Second

// startNode makes the server a node of a cluster, if --cluster says so; else it
// returns nil.
func startNode(o *options, e *engine.Engine, lanes *cluster.Lanes, log *slog.Logger) (*cluster.Node, error) {
	if o.Cluster == "" {
		if unused := o.clusterOptions(); len(unused) > 0 {
			return nil, fmt.Errorf("%s has no effect without --cluster", unused[0])
		}
		return nil, nil
	}
	meter := load.NewMeter(load.Sources{
		Connections: func() (n, most int) { return int(e.Stats().Connections), e.Settings().MaxClients },
		BytesOut:    func() uint64 { return uint64(e.Stats().OutputBytes) },
		Queue:       func() float64 { return queued(e) },
	})
	node, err := cluster.Start(cluster.Config{
		Listen:    string(o.Cluster),
		Join:      o.Join,
		Advertise: string(o.Advertise),
		Clients:   o.clientAddresses(),
		ID:        string(o.NodeID),
		Zone:      string(o.Zone),
		Weight:    meter.Weight(),
		Secret:    string(o.ClusterSecret),
		DataDir:   string(o.DataDir),
		Strict:    o.Partition == "strict",
		Settings:  placement.Settings{Replicas: int(o.Replicas), MaxRooms: int(o.MaxRooms)},
		Load:      meter.Report,
		Lanes:     lanes,
		Names:     func(kind lane.Kind, pattern []byte) []string { return e.Names(engine.Kind(kind), pattern) },
		Log:       log,
	})
	if err != nil {
		return nil, fmt.Errorf("--cluster %s: %w", o.Cluster, err)
	}
	warnOpenCluster(node.Address(), o.ClusterSecret != "", log)
	return node, nil
}

// queueFull is how many unsent bytes of all clients make a node busy that has no
// --maxmemory-clients: more than a healthy one ever has.
const queueFull = 1 << 30

// queued returns what clients have not taken yet, as a share of what they may
// leave.
func queued(e *engine.Engine) float64 {
	most := e.Settings().MaxMemoryClients
	if most <= 0 {
		most = queueFull
	}
	return float64(e.Stats().Backlog) / float64(most)
}

// apiOf is what the address for operators answers for a node.
func apiOf(node *cluster.Node, token string, log *slog.Logger) admin.Cluster {
	return admin.Cluster{
		Ready:       node.Ready,
		API:         rest.New(rest.Config{Node: node, Token: token, Match: glob.Match, Log: log}),
		ConnContext: rest.ConnContext,
		Collector:   clusterCollector{node},
	}
}

// clusterOptions names those of the cluster's options that are set.
func (o *options) clusterOptions() (set []string) {
	for _, option := range [][2]string{
		{"join", o.Join.String()}, {"advertise", string(o.Advertise)}, {"advertise-client", string(o.AdvertiseClient)},
		{"node-id", string(o.NodeID)}, {"zone", string(o.Zone)}, {"cluster-secret", string(o.ClusterSecret)}, {"data-dir", string(o.DataDir)},
		{"http-token", string(o.HTTPToken)},
	} {
		if option[1] != "" {
			set = append(set, "--"+option[0])
		}
	}
	return set
}

// clientAddresses returns where the other nodes send clients to: what the
// operator says, or the first address of --bind that others may reach, or the
// first at all. It is empty without a TCP port.
func (o *options) clientAddresses() []string {
	if o.AdvertiseClient != "" {
		return []string{string(o.AdvertiseClient)}
	}
	if o.Port == 0 || len(o.Bind) == 0 {
		return nil
	}
	port := strconv.Itoa(int(o.Port))
	var all []string
	for _, bind := range o.Bind {
		host := strings.TrimPrefix(bind, "-")
		switch host {
		case "*":
			host = "0.0.0.0"
		case "::*":
			host = "::"
		}
		if ip, err := netip.ParseAddr(host); err != nil || !ip.IsLoopback() {
			return []string{net.JoinHostPort(host, port)}
		}
		all = append(all, net.JoinHostPort(host, port))
	}
	return all[:1]
}

// warnOpenCluster says that strangers who reach the cluster port can do all.
func warnOpenCluster(address string, secret bool, log *slog.Logger) {
	host, _, _ := net.SplitHostPort(address)
	if ip, err := netip.ParseAddr(host); !secret && (err != nil || !ip.IsLoopback()) {
		log.Warn("whoever reaches the cluster port can join the cluster: set --cluster-secret on all nodes, or see that only nodes reach it", "address", address)
	}
}

// recoverFlags is the command line of "hubsub cluster recover".
type recoverFlags struct {
	Recover struct {
		Cluster string `name:"cluster" required:"" placeholder:"ADDR" help:"Cluster address of a node that has survived."`
		Secret  string `name:"cluster-secret" env:"HUBSUB_CLUSTER_SECRET" help:"The cluster's secret."`
	} `cmd:"" help:"Have a cluster that has lost the majority of its voters go on, with what one survivor knows."`
}

// clusterCommand is "hubsub cluster …".
func clusterCommand(args []string) error {
	var f recoverFlags
	parser, err := kong.New(&f, kong.Name("hubsub cluster"), kong.Description("Commands for the operator of a cluster."))
	if err != nil {
		return err
	}
	if _, err := parser.Parse(args); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), recoverTimeMax)
	defer cancel()
	done, err := cluster.Recover(ctx, f.Recover.Cluster, f.Recover.Secret)
	if err != nil {
		return errors.Join(errors.New("the cluster was not recovered"), err)
	}
	fmt.Fprintln(os.Stdout, done)
	return nil
}
