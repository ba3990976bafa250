package bench

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// natsServer builds the NATS server of the module in folder nats, which has it as a tool, once for all tests.
var natsServer = sync.OnceValues(func() (path string, err error) {
	path = filepath.Join(natsFolder, "nats-server")
	out, err := exec.Command("go", "build", "-C", "nats", "-o", path, "github.com/nats-io/nats-server/v2").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("cannot build the NATS server of bench/nats (its modules are downloaded once): %w\n%s", err, out)
	}
	return path, nil
})

// startNATS starts a real NATS server for a test.
func startNATS(t *testing.T) *server {
	t.Helper()
	path, err := natsServer()
	if err != nil {
		t.Fatal(err)
	}
	s, err := startServer(t.Context(), "nats", path+" -a 127.0.0.1 -p {port}", -1)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.stop)
	return s
}

// A NATS server is recognised, and all shapes work with it.
func TestNATSShapes(t *testing.T) {
	f := func(line string) {
		t.Helper()
		s := startNATS(t)
		o, err := parse(t, line+" --duration 200ms --warmup 50ms --addr "+s.addresses[0])
		if err != nil {
			t.Fatal(err)
		}
		g, err := newGenerator(s.target, o)
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		defer g.close()
		m, err := g.run(t.Context())
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		if g.protocols[0] != nats || m.published == 0 || m.delivered < m.published {
			t.Errorf("%s: %v, %d published, %d delivered", line, g.protocols, m.published, m.delivered)
		}
		if o.shape.seating == oneRoom && m.delivered-m.guests.messages() != m.published*int64(o.shape.subscribers) {
			t.Errorf("%s: %d published, %d delivered", line, m.published, m.delivered)
		}
		if o.shape.wanderers > 0 && (m.guests.moves() < int64(2*o.shape.wanderers) || m.guests.messages() == 0) {
			t.Errorf("%s: %d visits, %d messages", line, m.guests.moves(), m.guests.messages())
		}
		for _, figure := range loadResult(m, true).figures {
			if figure.Value <= 0 {
				t.Errorf("%s: %s is %v", line, figure.Name, figure.Value)
			}
		}
	}
	f("pingpong")
	f("pingpong --protocol nats --pipeline 100 --size 24")
	f("room --subscribers 50 --publishers 3 --pipeline 8 --wanderers 5")
	f("room --subscribers 50 --pipeline 8 --total-order")
	f("room --subscribers 3 --pipeline 4 --size 200000")
	f("gateway --rooms 600 --subscribers 3")
	f("patterns --rooms 5 --subscribers 2 --patterns 1000")
	f("mixed --rooms 20 --subscribers 20 --wanderers 10")
	f("rooms --rooms 7 --subscribers 3 --rate 1000")
}

func TestNATSRunStart(t *testing.T) {
	path, err := natsServer()
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	code := Run(t.Context(), []string{"idle", "--subscribers", "50", "--settle", "100ms",
		"--start", path + " -a 127.0.0.1 -p {port}", "--server-cpu", "-1", "--generator-cpu", "-1"}, &out, &out)
	if code != exitOK || !strings.Contains(out.String(), "still answers") || !strings.Contains(out.String(), "NATS has no command") {
		t.Fatalf("exit code %d:\n%s", code, &out)
	}
}
