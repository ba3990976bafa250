package admin

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"hubsub/engine"
)

func TestTrafficIsCounted(t *testing.T) {
	s := serve(t)
	s.shows(map[string]float64{
		"hubsub_clients": 0, "hubsub_connections_received_total": 0, "hubsub_commands_total": 0,
		"hubsub_messages_published_total": 0, "hubsub_sends_total": 0, "hubsub_sent_bytes_total": 0,
	})

	var in, out int // bytes, as the server sees them
	count := func(sent, received int) { in, out = in+sent, out+received }
	subscribers := []*peer{s.dial(), s.dial()}
	for _, p := range subscribers {
		count(p.says("SUBSCRIBE {lobby}chat", "*3⏎$9⏎subscribe⏎$11⏎{lobby}chat⏎:1"))
	}
	publisher := s.dial()
	for i := range 3 {
		count(publisher.says(fmt.Sprint("PUBLISH {lobby}chat ", i), ":2"))
		for _, p := range subscribers {
			count(0, p.gets(fmt.Sprint("*3⏎$7⏎message⏎$11⏎{lobby}chat⏎$1⏎", i)))
		}
	}
	s.shows(map[string]float64{
		"hubsub_clients":                    3,
		"hubsub_subscribed_clients":         2,
		"hubsub_connections_received_total": 3,
		"hubsub_rooms":                      1,
		"hubsub_channels channel":           1,
		"hubsub_channels shard":             0,
		"hubsub_patterns":                   0,
		"hubsub_commands_total":             5,
		"hubsub_messages_published_total":   3,
		"hubsub_messages_delivered_total":   6,
		"hubsub_sends_total":                11, // 2 confirmations, 3 answers, 6 messages
		"hubsub_received_bytes_total":       float64(in),
		"hubsub_sent_bytes_total":           float64(out),
		"hubsub_backlog_bytes":              0,
	})

	loops := s.series()
	for total, perLoop := range map[string]string{
		"hubsub_clients":                  "hubsub_loop_clients",
		"hubsub_messages_delivered_total": "hubsub_loop_messages_delivered_total",
		"hubsub_sends_total":              "hubsub_loop_sends_total",
	} {
		first, second := loops[perLoop+" 0"], loops[perLoop+" 1"]
		if first == 0 || second == 0 || first+second != loops[total] {
			t.Errorf("%s is %v and %v on two loops, %v together", perLoop, first, second, loops[total])
		}
	}
}

func TestKindsOfChannels(t *testing.T) {
	s := serve(t)
	p := s.dial()
	p.says("SUBSCRIBE {a}1 {a}2", "*3⏎$9⏎subscribe⏎$4⏎{a}1⏎:1⏎*3⏎$9⏎subscribe⏎$4⏎{a}2⏎:2")
	p.says("SSUBSCRIBE {b}s {b}t {b}u c", "*3⏎$10⏎ssubscribe⏎$4⏎{b}s⏎:1⏎*3⏎$10⏎ssubscribe⏎$4⏎{b}t⏎:2⏎"+
		"*3⏎$10⏎ssubscribe⏎$4⏎{b}u⏎:3⏎*3⏎$10⏎ssubscribe⏎$1⏎c⏎:4")
	p.says("PSUBSCRIBE *", "*3⏎$10⏎psubscribe⏎$1⏎*⏎:3")
	s.dial().says("PSUBSCRIBE *", "*3⏎$10⏎psubscribe⏎$1⏎*⏎:1")
	s.shows(map[string]float64{
		"hubsub_channels channel":   2,
		"hubsub_channels shard":     4,
		"hubsub_patterns":           1,
		"hubsub_rooms":              3, // a, b, c
		"hubsub_subscribed_clients": 2,
	})
}

func TestReasonsOfEndings(t *testing.T) {
	// slow subscribes and reads nothing while somebody publishes.
	slow := func(s *site) {
		p, publisher := s.dial(), s.dial()
		p.says("SUBSCRIBE c", "*3⏎$9⏎subscribe⏎$1⏎c⏎:1")
		message := strings.Repeat("x", 1<<20) // the publisher takes no more than that
		for range 8 {
			publisher.send("PUBLISH c " + message)
			if _, err := publisher.in.ReadString('\n'); err != nil { // 1, or 0 once the other is gone
				t.Error(err)
			}
		}
		p.ends()
	}
	f := func(reason string, drops bool, end func(*site), change ...func(*engine.Settings)) {
		t.Run(reason, func(t *testing.T) {
			t.Parallel()
			s := serve(t, change...)
			end(s)
			s.shows(map[string]float64{"hubsub_connections_closed_total " + reason: 1})
			for id, v := range s.series() {
				name, of, _ := strings.Cut(id, " ")
				if name == "hubsub_connections_closed_total" && of != reason && v != 0 ||
					name == "hubsub_dropped_bytes_total" && (v > 0) != (of == reason && drops) {
					t.Errorf("%s is %v", id, v)
				}
			}
		})
	}
	f("peer", false, func(s *site) {
		p := s.dial()
		p.says("PING", "+PONG")
		p.Close()
	})
	f("kill", false, func(s *site) {
		p := s.dial()
		p.says("CLIENT SETNAME victim", "+OK")
		s.dial().says("CLIENT KILL TYPE normal", ":1")
		p.ends()
	})
	f("protocol_error", false, func(s *site) {
		p := s.dial()
		fmt.Fprint(p, "*x\r\n")
		p.ends()
	})
	f("query_buffer_limit", false, func(s *site) {
		p := s.dial()
		fmt.Fprintf(p, "*1\r\n$%d\r\n%s", 4<<10, strings.Repeat("x", 3<<10))
		p.ends()
	}, func(set *engine.Settings) { set.QueryBufferBytes = 1 << 10 })
	f("output_buffer_limit", true, slow, func(set *engine.Settings) { set.OutputPubSub.HardBytes = 1 << 20 })
	f("maxmemory_clients", true, slow, func(set *engine.Settings) { set.MaxMemoryClients = 4 << 20 })
	f("timeout", false, func(s *site) { s.dial().ends() },
		func(set *engine.Settings) { set.Timeout = time.Second })
}

func TestLimitsAndRejections(t *testing.T) {
	s := serve(t, func(set *engine.Settings) { set.MaxClients, set.MaxMemoryClients = 1, 1<<30 })
	s.dial().says("PING", "+PONG")
	s.dial().ends()
	s.shows(map[string]float64{
		"hubsub_clients":                               1,
		"hubsub_clients_max":                           1,
		"hubsub_connections_received_total":            2,
		"hubsub_connections_rejected_total maxclients": 1, "hubsub_connections_rejected_total protected_mode": 0,
		"hubsub_client_memory_max_bytes": 1 << 30,
	})
	if bytes := s.series()["hubsub_client_memory_bytes"]; bytes <= 0 {
		t.Errorf("a client takes %v bytes", bytes)
	}
}

func TestBacklogIsShown(t *testing.T) {
	s := serve(t)
	p := s.dial()
	p.says("SUBSCRIBE c", "*3⏎$9⏎subscribe⏎$1⏎c⏎:1")
	s.dial().says("PUBLISH c "+strings.Repeat("x", 4<<20), ":1")
	for end := time.Now().Add(patience); s.series()["hubsub_backlog_bytes"] < 1<<20; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("a subscriber that does not read has no backlog")
		}
	}
	p.gets("*3⏎$7⏎message⏎$1⏎c⏎$4194304⏎" + strings.Repeat("x", 4<<20))
	s.shows(map[string]float64{"hubsub_backlog_bytes": 0})
}

func TestResetStatSetsCountersBack(t *testing.T) {
	s := serve(t)
	p := s.dial()
	p.says("PUBLISH c m", ":0")
	s.shows(map[string]float64{"hubsub_messages_published_total": 1, "hubsub_clients": 1})
	p.says("CONFIG RESETSTAT", "+OK")
	s.shows(map[string]float64{"hubsub_messages_published_total": 0, "hubsub_clients": 1})
}

func TestRuntimeProcessAndBuild(t *testing.T) {
	families := serve(t).scrape()
	for _, name := range []string{"go_goroutines", "go_memstats_heap_alloc_bytes", "process_cpu_seconds_total",
		"process_resident_memory_bytes", "process_open_fds", "process_start_time_seconds", "hubsub_build_info"} {
		if families[name] == nil {
			t.Errorf("no %s", name)
		}
	}
	labels := map[string]string{}
	for _, label := range families["hubsub_build_info"].Metric[0].Label {
		labels[label.GetName()] = label.GetValue()
	}
	if _, ok := labels["version"]; !ok || !strings.HasPrefix(labels["goversion"], "go1.") {
		t.Errorf("hubsub_build_info has %v", labels)
	}
}

func TestNamesAreAsPrometheusWantsThem(t *testing.T) {
	_, text := serve(t).get("/metrics")
	problems, err := promlint.New(strings.NewReader(text)).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}
