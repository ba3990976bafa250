package e2e

import (
	"os/exec"
	"path/filepath"
	"testing"
)

// TestCentrifugo: two nodes of Centrifugo's engine. The program is a module of its own, so that what it needs is not
// needed by HubSub.
func TestCentrifugo(t *testing.T) {
	program := filepath.Join(t.TempDir(), "centrifugo")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", program, ".")
	build.Dir = filepath.Join("apps", "centrifugo")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("cannot build the program in %s: %v\n%s", build.Dir, err, out)
	}
	t.Run("redis", func(t *testing.T) { runPart(t, startRedis(t), []string{program}) })
	t.Run("hubsub", func(t *testing.T) { runPart(t, startHubSub(t), []string{program}) })
	t.Run("cluster", func(t *testing.T) { runPart(t, startCluster(t), []string{program}) })
}
