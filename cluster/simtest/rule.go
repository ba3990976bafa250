package simtest

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// Rules are what the package under test holds to, and how to break each: in its file Right stands once.
type Rules []struct{ Name, File, Right, Wrong string }

// FindBroken shows what a simulator is worth: it breaks the rules, one at a time, and fails the test for each that no
// seed notices, of so many. For a rule that few do, rare says where to begin: at the one that did when that was last
// looked at. The package is built once per rule.
func FindBroken(t *testing.T, rules Rules, rare map[string]int, seeds int) {
	t.Helper()
	if testing.Short() || *one != 0 {
		t.Skip("it builds the package once per rule")
	}
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rules {
		t.Run(r.Name, func(t *testing.T) {
			t.Parallel()
			overlay := overlay(t, filepath.Join(here, r.File), r.Right, r.Wrong)
			first := max(rare[r.Name], 1)
			out, err := exec.Command("go", "test", "-overlay", overlay, "-vet=off", "-ldflags=-s -w", "-run", "^TestSim$", ".",
				"-sim.first", strconv.Itoa(first), "-sim.seeds", strconv.Itoa(seeds)).CombinedOutput()
			found := regexp.MustCompile(`(?m)seed \d+: .*`).Find(out)
			if err == nil || found == nil {
				t.Fatalf("no seed of %d from %d on finds it (%v)\n%s", seeds, first, err, out)
			}
			t.Logf("%s", found)
		})
	}
}

// overlay writes a file in which something is wrong and returns what has the go command read it instead of the right one.
func overlay(t *testing.T, path, right, wrong string) string {
	t.Helper()
	source, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(source), right); n != 1 {
		t.Fatalf("%s has the rule %d times", path, n)
	}
	dir := t.TempDir()
	broken, overlay := filepath.Join(dir, filepath.Base(path)), filepath.Join(dir, "overlay.json")
	files, err := json.Marshal(map[string]any{"Replace": map[string]string{path: broken}})
	if err != nil {
		t.Fatal(err)
	}
	write(t, broken, []byte(strings.Replace(string(source), right, wrong, 1)))
	write(t, overlay, files)
	return overlay
}

func write(t *testing.T, path string, text []byte) {
	t.Helper()
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
}
