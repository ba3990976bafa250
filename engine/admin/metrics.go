package admin

import (
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"hubsub/engine"
)

// reading is what the engine says at one scrape.
type reading struct {
	engine.Stats
	engine.Settings
}

// metric is a series without labels.
type metric struct {
	desc  *prometheus.Desc
	kind  prometheus.ValueType
	value func(*reading) int64
}

func counter(name, help string, value func(*reading) int64) metric {
	return metric{describe(name, help), prometheus.CounterValue, value}
}

func gauge(name, help string, value func(*reading) int64) metric {
	return metric{describe(name, help), prometheus.GaugeValue, value}
}

func describe(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("hubsub_"+name, help, labels, nil)
}

// metrics are the series without labels.
var metrics = []metric{
	gauge("clients", "Clients that are connected.",
		func(r *reading) int64 { return r.Connections }),
	gauge("clients_max", "Clients that may be connected at once (maxclients).",
		func(r *reading) int64 { return int64(r.MaxClients) }),
	gauge("subscribed_clients", "Clients that have a subscription.",
		func(r *reading) int64 { return r.Subscribers }),
	counter("connections_received_total", "Connections that came, the rejected ones included.",
		func(r *reading) int64 { return r.ConnectionsReceived }),

	gauge("rooms", "Rooms: sets of channels that share a hash tag, and so one order.",
		func(r *reading) int64 { return r.Rooms }),
	gauge("patterns", "Different patterns that have a subscriber.",
		func(r *reading) int64 { return r.Patterns }),

	counter("commands_total", "Commands that were executed or refused.",
		func(r *reading) int64 { return r.Commands }),
	counter("messages_published_total", "Messages that clients published, those that nobody heard included.",
		func(r *reading) int64 { return r.Published }),
	counter("messages_delivered_total", "Messages given to subscribers, once for each.",
		func(r *reading) int64 { return r.Delivered }),
	counter("sends_total", "System calls that sent bytes to clients.",
		func(r *reading) int64 { return r.Sends }),
	counter("received_bytes_total", "Bytes that clients sent.",
		func(r *reading) int64 { return r.InputBytes }),
	counter("sent_bytes_total", "Bytes that clients' sockets took.",
		func(r *reading) int64 { return r.OutputBytes }),
	gauge("backlog_bytes", "Bytes that wait until clients' sockets take them.",
		func(r *reading) int64 { return r.Backlog }),
	gauge("client_memory_bytes", "Bytes that all clients together take, the backlog included.",
		func(r *reading) int64 { return r.ClientMemory }),
	gauge("client_memory_max_bytes", "Bytes that all clients together may take (maxmemory-clients); 0 is no limit.",
		func(r *reading) int64 { return r.MaxMemoryClients }),
}

// The metrics with labels.
var (
	channels = describe("channels", "Channels that have a subscriber by name.", "kind")

	rejected = describe("connections_rejected_total", "Connections that were not served, by the option that forbids it.", "reason")
	closed   = describe("connections_closed_total",
		"Connections that ended, by what ended them; peer is the client itself.", "reason")
	dropped = describe("dropped_bytes_total",
		"Bytes of messages and answers that clients were not sent because their connections ended.", "reason")

	gaps = describe("gaps_total", "Times that clients here may have missed messages of a room, by what they were lost by.", "reason")
	lost = describe("lost_messages_total", "Messages of rooms that clients here may have missed, as far as their number is known.", "reason")

	loopClients   = describe("loop_clients", "Clients that an event loop serves.", "loop")
	loopDelivered = describe("loop_messages_delivered_total",
		"Messages that an event loop gave to its subscribers, once for each.", "loop")
	loopSends = describe("loop_sends_total", "System calls by which an event loop sent bytes to clients.", "loop")
)

// label makes a label's value of the engine's words: "output_buffer_limit".
var label = strings.NewReplacer(" ", "_", "-", "_")

// collector is an engine as a prometheus.Collector: it reads when it is scraped
// and holds nothing. Any goroutine.
type collector struct{ engine *engine.Engine }

// Describe implements prometheus.Collector.
func (c collector) Describe(descs chan<- *prometheus.Desc) {
	for _, m := range metrics {
		descs <- m.desc
	}
	for _, desc := range []*prometheus.Desc{channels, rejected, closed, dropped, gaps, lost, loopClients, loopDelivered, loopSends} {
		descs <- desc
	}
}

// Collect implements prometheus.Collector.
func (c collector) Collect(series chan<- prometheus.Metric) {
	add := func(desc *prometheus.Desc, kind prometheus.ValueType, value int64, labels ...string) {
		series <- prometheus.MustNewConstMetric(desc, kind, float64(value), labels...)
	}
	r := &reading{c.engine.Stats(), c.engine.Settings()}
	for _, m := range metrics {
		add(m.desc, m.kind, m.value(r))
	}
	add(channels, prometheus.GaugeValue, r.Channels, "channel")
	add(channels, prometheus.GaugeValue, r.ShardChannels, "shard")
	for _, rejection := range c.engine.Rejections() {
		add(rejected, prometheus.CounterValue, rejection.Connections, label.Replace(rejection.Reason))
	}
	for _, ending := range c.engine.Endings() {
		reason := label.Replace(ending.Reason)
		add(closed, prometheus.CounterValue, ending.Connections, reason)
		add(dropped, prometheus.CounterValue, ending.DroppedBytes, reason)
	}
	for _, gap := range c.engine.Gaps() {
		if c.engine.InCluster() {
			add(gaps, prometheus.CounterValue, gap.Gaps, gap.Reason)
			add(lost, prometheus.CounterValue, gap.Lost, gap.Reason)
		}
	}
	for i, counts := range c.engine.LoopCounts() {
		id := strconv.Itoa(i)
		add(loopClients, prometheus.GaugeValue, counts.Connections, id)
		add(loopDelivered, prometheus.CounterValue, counts.Delivered, id)
		add(loopSends, prometheus.CounterValue, counts.Sends, id)
	}
}

// registry has the engine, what was built, the Go runtime and the process, and
// the cluster unless that is nil.
func registry(e *engine.Engine, cluster prometheus.Collector) *prometheus.Registry {
	r := prometheus.NewRegistry()
	r.MustRegister(collector{e}, buildInfo(),
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	if cluster != nil {
		r.MustRegister(cluster)
	}
	return r
}

// buildInfo is 1, with what the binary was built of as labels. They are empty
// if it was built outside of its repository.
func buildInfo() prometheus.Collector {
	labels := prometheus.Labels{"version": "", "revision": "", "goversion": runtime.Version()}
	if info, ok := debug.ReadBuildInfo(); ok {
		labels["version"] = info.Main.Version
		for _, setting := range info.Settings {
			if setting.Key == "vcs.revision" {
				labels["revision"] = setting.Value
			}
		}
	}
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name:        "hubsub_build_info",
		Help:        "Always 1; the labels say what the server was built of.",
		ConstLabels: labels,
	}, func() float64 { return 1 })
}
