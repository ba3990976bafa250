package bench

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"hubsub/bench/record"
)

// runJSON runs a bench with --json and returns the run it printed.
func runJSON(t *testing.T, args ...string) *record.Run {
	t.Helper()
	var out, problems bytes.Buffer
	if code := Run(t.Context(), append(args, "--json"), &out, &problems); code != exitOK {
		t.Fatalf("%q: exit code %d: %s", args, code, &problems)
	}
	if n := bytes.Count(out.Bytes(), []byte("\n")); n != 1 {
		t.Fatalf("%q: %d lines", args, n)
	}
	r, err := record.Read(&out)
	if err != nil {
		t.Fatalf("%q: %v", args, err)
	}
	return r
}

var unpinned = []string{"--server-cpu", "-1", "--generator-cpu", "-1", "--duration", "50ms", "--warmup", "0s"}

func TestJSONVersus(t *testing.T) {
	args := slices.Concat([]string{"pingpong"}, unpinned,
		[]string{"--rate", "400", "--pairs", "2", "--vs", "one=" + redisCommand, "--vs", "two=" + redisCommand})
	r := runJSON(t, args...)
	if r.Format != record.Format || r.Pairs != 2 || len(r.Measurements) != 4 || r.Seconds <= 0 || r.Date.IsZero() {
		t.Errorf("got %+v", r)
	}
	if got := strings.Join(r.Command, " "); !strings.HasPrefix(got, "hubsub bench pingpong --server-cpu -1") {
		t.Errorf("command %q", got)
	}
	if r.Machine.CPUs < 1 || r.Machine.Kernel == "" || !strings.HasPrefix(r.Machine.Go, "go") || r.Machine.ServerCPU != -1 {
		t.Errorf("machine %+v", r.Machine)
	}
	if r.Load.Loop != record.OpenLoop || r.Load.Rate != 400 || r.Load.Payload != defaultPayload || r.Load.Duration != 0.05 {
		t.Errorf("load %+v", r.Load)
	}
	for i, name := range []string{"one", "two"} {
		s := r.Servers[i]
		if s.Name != name || s.Command != redisCommand || !strings.Contains(s.Version, "redis_version ") || !strings.Contains(s.Limits, "OK") {
			t.Errorf("server %+v", s)
		}
		if n := len(r.Server(i)); n != 2 {
			t.Errorf("%d measurements of %s", n, name)
		}
	}
	for _, m := range r.Measurements {
		for _, name := range []string{"deliveries/s", "publishes/s", "CPU per delivery", "K", "resident",
			"latency p50", "latency p99.9", "first delivery p99", "last delivery max"} {
			if f := m.Figure(name); f == nil || f.Value <= 0 || f.Unit == "" || f.Better == "" {
				t.Errorf("%s is %+v", name, f)
			}
		}
		for _, name := range []string{"latency", "first delivery", "last delivery"} {
			if c := m.Curve(name); c == nil || c.Count == 0 || len(c.Percentiles) < 10 {
				t.Errorf("curve %s is %+v", name, c)
			}
		}
		for _, name := range []string{"generator, of its core", "other processes, of a core", "stolen by the host, of a core"} {
			if m.Condition(name) == nil {
				t.Errorf("no condition %q", name)
			}
		}
		if m.Published == 0 || m.Delivered != m.Published {
			t.Errorf("%d published, %d delivered", m.Published, m.Delivered)
		}
	}
	if ratio := r.Ratio("two", record.CPUPerDelivery); ratio == nil || ratio.Pairs != 2 || ratio.Min <= 0 || ratio.Min > ratio.Max {
		t.Errorf("ratio %+v", ratio)
	}
}

// There is no ratio with one server.
func TestJSONSingle(t *testing.T) {
	withFloor(t, func(address string) {
		r := runJSON(t, slices.Concat([]string{"pingpong", "--addr", address}, unpinned)...)
		if len(r.Servers) != 1 || r.Servers[0].Address != address || r.Pairs != 1 || len(r.Ratios) != 0 {
			t.Errorf("got %+v", r)
		}
		if m := r.Measurements[0]; m.Figure("deliveries/s") == nil {
			t.Errorf("figures %+v", m.Figures)
		}
	})
	redis := startRedis(t)
	r := runJSON(t, slices.Concat([]string{"pingpong", "--addr", redis.addresses[0]}, unpinned)...)
	if !strings.Contains(r.Servers[0].Version, "redis_version") {
		t.Errorf("server %+v", r.Servers[0])
	}
}

func TestJSONIdle(t *testing.T) {
	r := runJSON(t, "idle", "--subscribers", "100", "--settle", "10ms", "--server-cpu", "-1", "--generator-cpu", "-1", "--start", redisCommand)
	if r.Load.Loop != record.NoLoop || r.Measurements[0].Figure(record.ResidentPerConn) == nil || r.Servers[0].Name != "redis-server" {
		t.Errorf("got %+v", r)
	}
}

// A failed run prints no document.
func TestJSONFailed(t *testing.T) {
	var out bytes.Buffer
	if code := Run(t.Context(), []string{"room", "--addr", "127.0.0.1:1", "--generator-cpu", "-1", "--json"}, &out, io.Discard); code != exitFailed || out.Len() > 0 {
		t.Errorf("exit code %d, printed %q", code, &out)
	}
}

// --report writes the page beside the text.
func TestReportOfRun(t *testing.T) {
	out := filepath.Join(t.TempDir(), "page.html")
	var text strings.Builder
	args := slices.Concat([]string{"pingpong", "--report", out, "--pairs", "1"}, unpinned,
		[]string{"--vs", "<script>=" + redisCommand, "--vs", "two=" + redisCommand})
	if code := Run(t.Context(), args, &text, io.Discard); code != exitOK || !strings.Contains(text.String(), "two / <script>, 1 pair") {
		t.Fatalf("exit code %d: %s", code, &text)
	}
	b, err := os.ReadFile(out)
	if err != nil || !strings.Contains(string(b), "two needs") || strings.Contains(string(b), "<script>") {
		t.Errorf("%v in %s", err, b)
	}
}

func TestVersionIn(t *testing.T) {
	f := func(info, want string) {
		t.Helper()
		if got := versionIn(info); got != want {
			t.Errorf("%q: got %q, want %q", info, got, want)
		}
	}
	f("# Server\r\nredis_version:7.0.15\r\ngcc_version:12\r\n", "redis_version 7.0.15")
	f("redis_version:7.2.4\r\nserver_name:valkey\r\nvalkey_version:8.0.1\r\n", "server_name valkey, redis_version 7.2.4, valkey_version 8.0.1")
	f("ERR", "")
}

func TestNATSVersion(t *testing.T) {
	f := func(greeting, want string) {
		t.Helper()
		if got := natsVersion(greeting); got != want {
			t.Errorf("%q: got %q, want %q", greeting, got, want)
		}
	}
	f(`INFO {"server_id":"x","version":"2.15.0"}`, "nats-server 2.15.0")
	f(`INFO {"server_id":"x"}`, "")
	f("+PONG", "")
}

func TestCPUModel(t *testing.T) {
	f := func(cpuinfo, want string) {
		t.Helper()
		if got := cpuModel(cpuinfo); got != want {
			t.Errorf("%q: got %q, want %q", cpuinfo, got, want)
		}
	}
	f("processor\t: 0\nmodel name\t: AMD EPYC 9B45\nprocessor\t: 1\nmodel name\t: other\n", "AMD EPYC 9B45")
	f("processor\t: 0\nBogoMIPS\t: 50.00\n", "")
}

func TestReportUsage(t *testing.T) {
	folder := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	f := func(want int, says string, args ...string) {
		t.Helper()
		var out bytes.Buffer
		if got := Run(t.Context(), append([]string{"report"}, args...), io.Discard, &out); got != want || !strings.Contains(out.String(), says) {
			t.Errorf("%q: exit code %d, want %d; %q", args, got, want, &out)
		}
	}
	var run bytes.Buffer
	if err := runJSON(t, slices.Concat([]string{"pingpong"}, unpinned,
		[]string{"--pairs", "1", "--vs", "one=" + redisCommand, "--vs", "two=" + redisCommand})...).Write(&run); err != nil {
		t.Fatal(err)
	}
	good, page, picture := file("good.json", run.String()), filepath.Join(folder, "page.html"), filepath.Join(folder, "picture.svg")
	f(exitOK, "", page, good, good, "--picture", picture)
	for _, name := range []string{page, picture} {
		if b, err := os.ReadFile(name); err != nil || !strings.Contains(string(b), "</") {
			t.Errorf("%s: %q %v", name, b, err)
		}
	}
	f(exitOK, "OUT.html", "-h")
	f(exitUsage, "OUT.html")
	f(exitUsage, "OUT.html", page)
	f(exitUsage, "looks like a run", good, good)
	f(exitFailed, "missing.json", page, filepath.Join(folder, "missing.json"))
	f(exitFailed, "cannot read a run", page, file("text.json", "deliveries/s 5"))
	f(exitFailed, "format 99", page, file("new.json", `{"format":99}`))
	f(exitFailed, "no measurements", page, file("empty.json", `{"format":1}`))
	f(exitFailed, "cannot write", filepath.Join(folder, "nowhere", "page.html"), good)
}
