package e2e

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// listensOn is what the server logs of its address for operators.
var listensOn = regexp.MustCompile(`msg="serving metrics, health and profiles over HTTP" http=(\S+)\n`)

// startWithAdmin starts HubSub with an address for operators and returns its URL.
func startWithAdmin(t *testing.T) (s *server, url string) {
	t.Helper()
	s = startHubSub(t, "--http", "127.0.0.1:0")
	return s, adminOf(t, s)
}

// adminOf waits until the log tells the URL of the address for operators.
func adminOf(t *testing.T, s *server) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), startLimit)
	defer cancel()
	var m []string
	await(t, ctx, "the address for operators in the log", func() bool {
		m = listensOn.FindStringSubmatch(s.output.String())
		return m != nil
	})
	return "http://" + m[1]
}

// page returns the status and the text of a page.
func page(url string) (int, string, error) {
	client := http.Client{Timeout: answerLimit, Transport: &http.Transport{DisableKeepAlives: true}}
	answer, err := client.Get(url)
	if err != nil {
		return 0, "", err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	return answer.StatusCode, string(text), err
}

// awaitPage asks for a page until it has the status and the parts; figures follow answers by up to a tick.
func awaitPage(t *testing.T, url string, status int, parts ...string) {
	t.Helper()
	for giveUp := time.Now().Add(answerLimit); ; time.Sleep(time.Millisecond) {
		got, text, err := page(url)
		var missing []string
		for _, part := range parts {
			if !strings.Contains(text, part) {
				missing = append(missing, part)
			}
		}
		if err == nil && got == status && missing == nil {
			return
		}
		if time.Now().After(giveUp) {
			t.Fatalf("%s: %d, %v, without %q:\n%s", url, got, err, missing, text)
		}
	}
}

func TestAdminFigures(t *testing.T) {
	s, url := startWithAdmin(t)
	a, b, p := dial(t, s), dial(t, s), dial(t, s)
	must(t, a.expect("[subscribe {lobby}chat 1]", "SUBSCRIBE", "{lobby}chat"),
		b.expect("[ssubscribe {lobby}chat 1]", "SSUBSCRIBE", "{lobby}chat"))
	for range 3 {
		must(t, p.expect("1", "PUBLISH", "{lobby}chat", "m"), p.expect("1", "SPUBLISH", "{lobby}chat", "m"))
	}
	must(t, p.expect("0", "PUBLISH", "nobody", "m"))
	awaitPage(t, url+"/metrics", http.StatusOK,
		"\nhubsub_clients 3\n",
		"\nhubsub_clients_max 10000\n",
		"\nhubsub_subscribed_clients 2\n",
		"\nhubsub_rooms 1\n",
		"\nhubsub_channels{kind=\"channel\"} 1\n",
		"\nhubsub_channels{kind=\"shard\"} 1\n",
		"\nhubsub_messages_published_total 7\n",
		"\nhubsub_messages_delivered_total 6\n",
		"\nhubsub_connections_closed_total{reason=\"output_buffer_limit\"} 0\n",
		"\nhubsub_build_info{",
		"\ngo_goroutines ",
		"\nprocess_resident_memory_bytes ")
	awaitPage(t, url+"/", http.StatusOK, "/metrics", "/healthz", "/debug/pprof/")
	awaitPage(t, url+"/debug/pprof/goroutine?debug=1", http.StatusOK, "hubsub/engine")
}

// TestClusterFigures: each node of a cluster tells how it sees the cluster, and all of them together agree.
func TestClusterFigures(t *testing.T) {
	t.Parallel()
	nodes := startNodes(t, 3)
	for _, room := range []string{"a", "b", "c", "d"} {
		nodes[0].get(t, room)
	}
	for _, n := range nodes {
		awaitPage(t, n.api("/metrics"), http.StatusOK,
			"\nhubsub_cluster_members{state=\"up\"} 3\n",
			"\nhubsub_cluster_members{state=\"down\"} 0\n",
			"\nhubsub_cluster_member 1\n",
			"\nhubsub_cluster_leader_known 1\n",
			"\nhubsub_cluster_lives_total 1\n",
			"\nhubsub_cluster_connections_refused_total{reason=\"wrong_secret\"} 0\n",
			"\nhubsub_cluster_messages_dropped_total{reason=\"full\"} 0\n",
			"\nhubsub_cluster_messages_refused_total{reason=\"malformed\"} 0\n",
			"\nhubsub_cluster_gossip_refused_total{reason=\"malformed\"} 0\n",
			"\nhubsub_cluster_proposals_failed_total 0\n")
	}
	// Hosts hear a moment after the client what has become of a place that they kept for a room.
	ctx, cancel := context.WithTimeout(t.Context(), answerLimit)
	defer cancel()
	await(t, ctx, "one leader with 4 rooms and 8 places for them, in one generation", func() bool {
		leaders, hosted, rooms, talks := 0, 0, 0, 0
		generations := map[string]bool{}
		for _, n := range nodes {
			_, text, err := page(n.api("/metrics"))
			must(t, err)
			of := func(name string) int { return figure(text, `\nhubsub_cluster_`+name+` (\d+)`) }
			if of("leader") == 1 && of("leaderships_total") >= 1 {
				leaders++
				rooms += of("rooms")
			}
			if of("messages_sent_total") > 0 && of("gossip_packets_received_total") > 0 {
				talks++
			}
			hosted += of("rooms_hosted")
			generations[regexp.MustCompile(`\nhubsub_cluster_generation (.*)`).FindString(text)] = true
		}
		return leaders == 1 && rooms == 4 && hosted == 8 && talks == 3 && len(generations) == 1
	})
}

// TestAdminHealth: while a subscriber that does not read holds up the end, the server says that it is ending; then the
// address is gone with the process.
func TestAdminHealth(t *testing.T) {
	s, url := startWithAdmin(t)
	awaitPage(t, url+"/healthz", http.StatusOK, "ok")
	slow, p := dial(t, s), dial(t, s)
	must(t, slow.expect("[subscribe c 1]", "SUBSCRIBE", "c"))
	payload := strings.Repeat("x", 1<<20) // 20 of them are more than sockets take and less than the limit
	for range 20 {
		must(t, p.expect("1", "PUBLISH", "c", payload))
	}
	must(t, s.cmd.Process.Signal(syscall.SIGTERM))
	awaitPage(t, url+"/healthz", http.StatusServiceUnavailable, "shutting down")
	slow.close()
	<-s.exited
	if code := s.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	if status, _, err := page(url + "/healthz"); err == nil {
		t.Errorf("%d after the end", status)
	}
}

func TestAdminAddressErrors(t *testing.T) {
	_, url := startWithAdmin(t)
	f := func(addr, advice string) {
		t.Helper()
		// Port 0 and a Unix socket: the server cannot get in the way of another one.
		cmd := exec.Command(hubsubBinary, "--port", "0", "--unixsocket", t.TempDir()+"/s", "--http", addr)
		out, err := cmd.CombinedOutput()
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.ExitCode() != 1 ||
			!strings.Contains(string(out), "cannot listen on --http "+addr) || !strings.Contains(string(out), advice) {
			t.Errorf("--http %s: %v\n%s", addr, err, out)
		}
	}
	f(strings.TrimPrefix(url, "http://"), "choose another port")
	f("8080", "give host:port")
}
