package e2e

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestSocketIO: two processes of a Socket.IO chat that know of each other through Redis's pub/sub only. The classic
// adapter hears all rooms with one pattern, the sharded one subscribes to shard channels, one for each room.
func TestSocketIO(t *testing.T) {
	runApp(t, "socketio.js", "classic", "redis")
	runApp(t, "socketio.js", "classic", "ioredis")
	runApp(t, "socketio.js", "sharded", "redis")
	runApp(t, "socketio.js", "sharded", "ioredis")
}

// runApp runs a Node program of the directory apps as subtests. Its facts must hold for Redis, which shows that they
// are facts, for HubSub, and for a cluster.
func runApp(t *testing.T, program string, args ...string) {
	t.Helper()
	if _, err := os.Stat(filepath.Join("apps", "node_modules")); err != nil {
		t.Fatal("its packages are not installed; run: npm ci --prefix e2e/apps")
	}
	for name, start := range map[string]func(testing.TB, ...string) *server{"redis": startRedis, "hubsub": startHubSub, "cluster": startCluster} {
		t.Run(strings.Join(args, " ")+"/"+name, func(t *testing.T) {
			t.Parallel()
			runPart(t, start(t), slices.Concat([]string{"node", filepath.Join("apps", program)}, args))
		})
	}
}
