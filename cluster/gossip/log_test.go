package gossip

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"

	"hubsub/cluster/bubble"
)

func TestLog(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		log := slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelInfo}))
		c := new(counters)
		l := newLogger(log, c)
		f := func(line, want string) {
			t.Helper()
			time.Sleep(time.Second)
			out.Reset()
			l.Print(line)
			_, got, _ := strings.Cut(strings.TrimSpace(out.String()), " ") // without the time
			if got != want {
				t.Errorf("%q: %q, want %q", line, got, want)
			}
		}
		f("[DEBUG] memberlist: Stream connection from=pipe", "")
		f("[INFO] memberlist: Suspect a has failed", `level=INFO msg="gossip: Suspect a has failed"`)
		f("[WARN] memberlist: Refuting", `level=WARN msg="gossip: Refuting"`)
		f("[ERR] memberlist: failed", `level=WARN msg="gossip: failed"`)
		f("[ERR] Failed to shutdown", `level=WARN msg="gossip: Failed to shutdown"`)
		f("Err: Could not", `level=WARN msg="gossip: Err: Could not"`)
		f("[what] is this", `level=WARN msg="gossip: [what] is this"`)
		f("[WARN] memberlist: Binding to public address without encryption!", "")

		time.Sleep(time.Second)
		out.Reset()
		for range 7 {
			l.Print("[ERR] memberlist: Got bad packet from=10.0.0.9:1")
		}
		if got := strings.Count(out.String(), "\n"); got != 1 || c.linesMissed.Load() != 6 {
			t.Errorf("%d refusals, %d missed", got, c.linesMissed.Load())
		}

		time.Sleep(time.Second)
		out.Reset()
		for range logLinesMax + 5 {
			l.Print("[WARN] again")
		}
		if got := strings.Count(out.String(), "again"); got != logLinesMax || c.linesMissed.Load() != 6+5 {
			t.Errorf("%d lines, %d missed", got, c.linesMissed.Load())
		}
		if got := c.complaints.Load(); got != 5+7+logLinesMax+5 {
			t.Errorf("%d complaints", got)
		}
		f("[WARN] a second later", `level=WARN msg="gossip: a second later"`)
	})
}
