package main

import (
	"maps"
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"hubsub/cluster"
	"hubsub/cluster/placement"
)

// clusterMetric is one metric of the cluster: of one series, or of one for each
// value of its label.
type clusterMetric struct {
	desc   *prometheus.Desc
	kind   prometheus.ValueType
	values func(*cluster.Stats) map[string]int64 // by the label; if there is none, by ""
}

func clusterGauge[N int | int64 | uint32](name, help string, value func(*cluster.Stats) N) clusterMetric {
	return clusterMetric{describeCluster(name, help), prometheus.GaugeValue, single(value)}
}

func clusterCounter[N int64 | uint64](name, help string, value func(*cluster.Stats) N) clusterMetric {
	return clusterMetric{describeCluster(name, help), prometheus.CounterValue, single(value)}
}

// clusterReasons counts by reason.
func clusterReasons(name, help string, values func(*cluster.Stats) map[string]int64) clusterMetric {
	return clusterMetric{describeCluster(name, help, "reason"), prometheus.CounterValue, values}
}

func describeCluster(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("hubsub_cluster_"+name, help, labels, nil)
}

func single[N int | int64 | uint32 | uint64](value func(*cluster.Stats) N) func(*cluster.Stats) map[string]int64 {
	return func(s *cluster.Stats) map[string]int64 { return map[string]int64{"": int64(value(s))} }
}

// oneIf is 1 if it is so, as Prometheus has no other way to say that.
func oneIf(so bool) int {
	if so {
		return 1
	}
	return 0
}

// clusterMetrics are the figures of a node. Every series is there from the
// start.
var clusterMetrics = []clusterMetric{
	{describeCluster("members", "Members of the cluster as this node knows them, by state.", "state"), prometheus.GaugeValue,
		func(s *cluster.Stats) map[string]int64 {
			byState := make(map[string]int64)
			for state := placement.Up; state <= placement.Left; state++ {
				byState[state.String()] = int64(s.Members[state])
			}
			return byState
		}},
	clusterGauge("member", "1 if this node is a member of a cluster, else 0.",
		func(s *cluster.Stats) int { return oneIf(s.Member) }),
	clusterGauge("leader", "1 if this node leads the cluster, else 0; the sum over all nodes is 1.",
		func(s *cluster.Stats) int { return oneIf(s.Leads) }),
	clusterGauge("leader_known", "1 if this node knows who leads; if not, it places no rooms.",
		func(s *cluster.Stats) int { return oneIf(s.KnowsLeader) }),
	clusterGauge("voter", "1 if this node votes on where rooms live, else 0.",
		func(s *cluster.Stats) int { return oneIf(s.Voter) }),
	clusterGauge("rooms_hosted", "Rooms that the cluster has given to this node.",
		func(s *cluster.Stats) int { return s.Hosted }),
	clusterGauge("rooms", "Rooms of the cluster; 0 on a node that does not keep the table of them.",
		func(s *cluster.Stats) int { return s.Rooms }),
	clusterGauge("generation", "Generation of the cluster, which a takeover makes later; 0 on a node without a cluster.",
		func(s *cluster.Stats) uint32 { return s.Generation }),
	clusterGauge("questions", "Questions of clients that wait for the leader.",
		func(s *cluster.Stats) int { return s.Waiting }),
	clusterCounter("lives_total", "How many times this node has begun as a newcomer: 1, and once more each time that the cluster gave it up or that it changed clusters.",
		func(s *cluster.Stats) int64 { return s.Lives }),

	clusterGauge("connections", "Connections of the cluster port, those that are being made included.",
		func(s *cluster.Stats) int64 { return s.Port.Open }),
	clusterCounter("connections_accepted_total", "Connections of other nodes that were accepted, greetings included.",
		func(s *cluster.Stats) int64 { return s.Port.Accepted }),
	clusterCounter("connections_dialed_total", "Connections that this node has made to others, greetings included.",
		func(s *cluster.Stats) int64 { return s.Port.Dialed }),
	clusterReasons("connections_refused_total",
		"Connections to the cluster port that were refused; aborted is the other side's doing, as of a scan of ports.",
		func(s *cluster.Stats) map[string]int64 {
			byReason := make(map[string]int64)
			for reason, n := range s.Port.Refused {
				byReason[string(reason)] = n
			}
			return byReason
		}),

	clusterGauge("peers", "Nodes that this one sends messages to.",
		func(s *cluster.Stats) int64 { return s.Control.Peers }),
	clusterGauge("peers_connected", "Nodes that messages can be sent to now.",
		func(s *cluster.Stats) int64 { return s.Control.Connected }),
	clusterGauge("outbox_bytes", "Bytes of messages that wait for other nodes.",
		func(s *cluster.Stats) int64 { return s.Control.Outbox }),
	clusterCounter("messages_sent_total", "Messages about rooms and members that were sent to other nodes.",
		func(s *cluster.Stats) int64 { return s.Control.Sent }),
	clusterCounter("messages_sent_bytes_total", "Bytes of messages about rooms and members that were sent.",
		func(s *cluster.Stats) int64 { return s.Control.SentBytes }),
	clusterCounter("messages_received_total", "Messages about rooms and members that came from other nodes.",
		func(s *cluster.Stats) int64 { return s.Control.Received }),
	clusterCounter("messages_received_bytes_total", "Bytes of messages about rooms and members that came.",
		func(s *cluster.Stats) int64 { return s.Control.ReceivedBytes }),
	clusterReasons("messages_dropped_total", "Messages that were not sent; what matters is sent again.",
		func(s *cluster.Stats) map[string]int64 {
			byReason := maps.Clone(s.Control.Dropped)
			byReason["no address"] = s.Orders.NoAddress
			return byReason
		}),
	clusterReasons("messages_refused_total",
		"Messages that changed nothing: old_term is of a past leader, old_epoch was replaced; after malformed the connection was closed.",
		func(s *cluster.Stats) map[string]int64 {
			return map[string]int64{"unknown": s.Control.Unknown, "malformed": s.Control.Malformed,
				"old term": s.Orders.OldTerms, "old epoch": s.Orders.OldEpochs, "later generation": s.Orders.LaterGenerations}
		}),
	clusterCounter("deaths_proved_total", "Nodes that were found dead at once, because their port refused or another process was there.",
		func(s *cluster.Stats) int64 { return s.Control.Dead }),

	clusterGauge("links", "Nodes that this one has carried messages of rooms to or from.",
		func(s *cluster.Stats) int64 { return s.Links.Peers }),
	clusterGauge("links_connected", "Nodes that it can carry them to now.",
		func(s *cluster.Stats) int64 { return s.Links.Connected }),
	clusterGauge("link_queue_bytes", "Bytes of rooms' messages that wait for links.",
		func(s *cluster.Stats) int64 { return s.LinkBytes }),
	clusterCounter("link_connections_total", "Connections that carry messages of rooms, made by either side.",
		func(s *cluster.Stats) int64 { return s.Links.Connections }),
	clusterCounter("link_records_sent_total", "Records of rooms that were sent over links.",
		func(s *cluster.Stats) int64 { return s.Links.Sent.Records }),
	clusterCounter("link_records_received_total", "Records of rooms that came over links.",
		func(s *cluster.Stats) int64 { return s.Links.Received.Records }),
	clusterCounter("link_batches_sent_total", "Batches of records that were sent.",
		func(s *cluster.Stats) int64 { return s.Links.Sent.Batches }),
	clusterCounter("link_raw_bytes_sent_total", "Bytes of records that were sent, before compression.",
		func(s *cluster.Stats) int64 { return s.Links.Sent.RawBytes }),
	clusterCounter("link_bytes_sent_total", "Bytes of batches that were sent, as on the wire.",
		func(s *cluster.Stats) int64 { return s.Links.Sent.CodedBytes }),
	clusterCounter("link_batches_resent_total", "Batches that were sent again after a connection had broken.",
		func(s *cluster.Stats) int64 { return s.Links.Resent }),
	clusterCounter("link_pauses_total", "Times that a link was not read, for a loop of this node had more than it could take: the other node's publishers slow down.",
		func(s *cluster.Stats) int64 { return s.Links.Paused }),
	clusterCounter("link_broken_total", "Breaks that were too long to repair: what was on the link is lost.",
		func(s *cluster.Stats) int64 { return s.Links.Broken }),
	clusterReasons("link_records_dropped_total", "Records of rooms that were lost on their way: broken and forgotten by a link, untaken before one took them.",
		func(s *cluster.Stats) map[string]int64 {
			reasons := maps.Clone(s.Links.Dropped)
			reasons["untaken"] = s.Lanes.Discarded
			return reasons
		}),
	clusterReasons("link_untaken_total", "Times that a link took nothing of what it was given: it is tried again, until its node is lost.",
		func(s *cluster.Stats) map[string]int64 { return s.Links.Untaken }),
	clusterReasons("link_refused_total", "Links' connections that were closed for what came over them.",
		func(s *cluster.Stats) map[string]int64 { return s.Links.Refused }),
	clusterReasons("records_refused_total",
		"Records of rooms that changed nothing: unknown is of a later version, stale of a leader that is none any more, repeated had come before.",
		func(s *cluster.Stats) map[string]int64 {
			return map[string]int64{"unknown": s.Lanes.Unknown, "malformed": s.Lanes.Malformed, "stale": s.Lanes.Stale, "repeated": s.Lanes.Repeated}
		}),
	clusterCounter("room_messages_ordered_total", "Messages to which this node has given their order, but for those that no other node hears.",
		func(s *cluster.Stats) int64 { return s.Lanes.Ordered }),
	clusterCounter("room_messages_sent_total", "Such messages, once for each node that they were sent to.",
		func(s *cluster.Stats) int64 { return s.Lanes.Sent }),
	clusterCounter("room_messages_unsent_total", "Such messages that a link had no room for; the node tells of a gap.",
		func(s *cluster.Stats) int64 { return s.Lanes.Unsent }),
	clusterCounter("room_messages_received_total", "Messages that other nodes have given their order.",
		func(s *cluster.Stats) int64 { return s.Lanes.Received }),
	clusterCounter("publishes_forwarded_total", "Messages of this node's clients that were sent to their room's leader.",
		func(s *cluster.Stats) int64 { return s.Lanes.Forwarded }),
	clusterCounter("publishes_refused_total", "Messages that other nodes took this one for the leader of; they are sent again.",
		func(s *cluster.Stats) int64 { return s.Lanes.Refused }),
	clusterCounter("publishes_crowded_total", "Messages of this node's clients that were not taken, because too many waited for leaders.",
		func(s *cluster.Stats) int64 { return s.Lanes.Crowded }),
	clusterCounter("room_leaderships_total", "How many times this node has begun to lead a room, or gone on with another placement.",
		func(s *cluster.Stats) int64 { return s.Lanes.Led }),

	clusterCounter("gossip_packets_sent_total", "Packets of gossip that were sent.",
		func(s *cluster.Stats) uint64 { return s.Gossip.PacketsSent }),
	clusterCounter("gossip_packets_received_total", "Packets of gossip that came.",
		func(s *cluster.Stats) uint64 { return s.Gossip.PacketsReceived }),
	clusterCounter("gossip_sent_bytes_total", "Bytes of gossip's packets that were sent.",
		func(s *cluster.Stats) uint64 { return s.Gossip.BytesSent }),
	clusterCounter("gossip_received_bytes_total", "Bytes of gossip's packets that came.",
		func(s *cluster.Stats) uint64 { return s.Gossip.BytesReceived }),
	clusterCounter("gossip_exchanges_total", "Exchanges of all that two nodes know, begun by either.",
		func(s *cluster.Stats) uint64 { return s.Gossip.Streams }),
	clusterReasons("gossip_packets_dropped_total", "Packets of gossip that were not sent.",
		func(s *cluster.Stats) map[string]int64 {
			return map[string]int64{"full": int64(s.Gossip.PacketsCrowded), "unreachable": int64(s.Gossip.PacketsUnsent)}
		}),
	clusterReasons("gossip_refused_total",
		"What gossip refused: a connection that is not of packets, a member or a report that nobody can read, a report of a stranger.",
		func(s *cluster.Stats) map[string]int64 {
			return map[string]int64{"malformed": int64(s.Gossip.PeersRefused), "member": int64(s.Gossip.MembersRefused),
				"report": int64(s.Gossip.ReportsBad), "stranger": int64(s.Gossip.ReportsUnknown)}
		}),
	clusterCounter("gossip_reports_repeated_total", "Reports of load that were known: each comes several times.",
		func(s *cluster.Stats) uint64 { return s.Gossip.ReportsOld }),
	clusterCounter("gossip_complaints_total", "Warnings of memberlist, which also tell what it refused, logged or not.",
		func(s *cluster.Stats) uint64 { return s.Gossip.Complaints }),
	clusterCounter("gossip_log_lines_dropped_total", "Lines of memberlist that were not logged, because there were too many.",
		func(s *cluster.Stats) uint64 { return s.Gossip.LogLinesDropped }),

	clusterCounter("proposals_total", "Changes that this node, as the leader, has proposed.",
		func(s *cluster.Stats) uint64 { return s.Consensus.Proposals }),
	clusterCounter("proposals_failed_total", "Changes that were not proposed, because too many waited.",
		func(s *cluster.Stats) uint64 { return s.Consensus.ProposalsFailed }),
	clusterCounter("entries_applied_total", "Entries of the consensus log that were applied to this node's table.",
		func(s *cluster.Stats) uint64 { return s.Consensus.Applied }),
	clusterCounter("leaderships_total", "How many times this node has begun to lead.",
		func(s *cluster.Stats) uint64 { return s.Consensus.Leaderships }),
	clusterCounter("voter_changes_total", "Changes of who votes or stands by, made by this node as the leader.",
		func(s *cluster.Stats) uint64 { return s.Consensus.Changes }),
	clusterCounter("voter_changes_failed_total", "Such changes that failed; they are tried again.",
		func(s *cluster.Stats) uint64 { return s.Consensus.ChangesFailed }),
	clusterCounter("raft_connections_refused_total", "Connections for consensus that did not say what for.",
		func(s *cluster.Stats) uint64 { return s.Consensus.Refused }),
	clusterCounter("raft_complaints_total", "Warnings of raft, which also tell what it refused, logged or not.",
		func(s *cluster.Stats) uint64 { return s.Consensus.Complaints }),
}

// labelOf makes a label's value of the cluster's words: "wrong_secret".
var labelOf = strings.NewReplacer(" ", "_")

// clusterCollector is a node as a prometheus.Collector: it reads when it is
// scraped and holds nothing. Any goroutine.
type clusterCollector struct{ node *cluster.Node }

// Describe implements prometheus.Collector.
func (c clusterCollector) Describe(descs chan<- *prometheus.Desc) {
	for _, m := range clusterMetrics {
		descs <- m.desc
	}
}

// Collect implements prometheus.Collector.
func (c clusterCollector) Collect(series chan<- prometheus.Metric) {
	s := c.node.Stats()
	for _, m := range clusterMetrics {
		values := m.values(&s)
		for _, of := range slices.Sorted(maps.Keys(values)) {
			var labels []string
			if of != "" {
				labels = []string{labelOf.Replace(of)}
			}
			series <- prometheus.MustNewConstMetric(m.desc, m.kind, float64(values[of]), labels...)
		}
	}
}
