package e2e

import (
	"os/exec"
	"strings"
	"testing"
)

// The bench's mixed load finds nothing wrong, every delivery checked and every
// room's order: large and small rooms, both protocols, connections in many rooms
// and such that join and leave all the time. With io_uring and without.
func TestMixedLoad(t *testing.T) {
	f := func(options string) {
		t.Run(options, func(t *testing.T) {
			out, err := exec.CommandContext(t.Context(), hubsubBinary, "bench", "mixed", "--total-order",
				"--duration", "3s", "--server-cpu", "-1", "--generator-cpu", "-1",
				"--start", hubsubBinary+" --port {port} "+options).CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			for _, checked := range []string{"none lost, repeated, reordered or damaged", "saw one order", "none missing and none outside"} {
				if !strings.Contains(string(out), checked) {
					t.Errorf("the bench does not say %q:\n%s", checked, out)
				}
			}
		})
	}
	f("--loops 1")
	f("--loops 3")
	f("--loops 2 --io-uring no --coalesce-max 0")
}
