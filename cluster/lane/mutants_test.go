package lane

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// mutants are the rules of this package, each broken.
var mutants = []struct{ rule, file, right, wrong string }{
	{"of two keys the higher one is right", "follow.go",
		"	c := rec.Key.Compare(r.key)\n	switch {\n	case c < 0:", "	c := rec.Key.Compare(r.key)\n	switch {\n	case false:"},
	{"a new leader begins when the one before has ended", "follow.go",
		"rec.Prev == r.key && p.set && !p.ended", "false && rec.Prev == r.key && p.set && !p.ended"},
	{"a gap is told when nothing more is missing", "follow.go",
		"	r.atone(whole)\n", "	r.atone(true)\n"},
	{"what was refused has no place, nor what was sent before that was heard", "publish.go",
		"rec.Attempt <= o.refused[from]", "false"},
	{"what a broken link may have brought is not sent again", "publish.go",
		"	q.answer(r.lane, n, TryAgain, 0)\n", "	_ = n\n"},
	{"a publish is answered before its message comes", "publish.go",
		"		l.Sink.Answer(p.tag, Done, r.count(p.kind, channel))\n		r.order(Self, 0, p.kind, channel, message)\n",
		"		n, _ := r.order(Self, 0, p.kind, channel, message)\n		l.Sink.Answer(p.tag, Done, n)\n"},
	{"that a room does not exist answers only what came before the question", "place.go",
		"min(q.covered, q.len())", "q.len()"},
	{"messages are counted anew under each key", "lead.go",
		"a.index, a.fresh = 0, a.fresh && same", "a.fresh = a.fresh && same"},
	{"nobody leads while an earlier host lives", "lead.go",
		"first != Self && key.office() != before.office()", "false"},
	{"who takes over from a dead leader tells of a gap", "lead.go",
		"	if r.missed || r.listening() && !(planned", "	if r.missed || false && !(planned"},
	{"the engine publishes by itself only while nobody elsewhere hears the room", "lead.go",
		"return !a.fresh || !a.empty() }", "return false }"},
	{"nobody is confirmed while the room may be about to be closed", "audience.go",
		"if a.unacked = !r.entered && !a.empty(); a.unacked {", "if false {"},
	{"what was not sent counts", "order.go",
		"		l.stats.Unsent++\n", "		l.stats.Unsent++\n		a.index--\n"},
	{"a subscription is confirmed by who leads", "interest.go",
		"leader != Self && i.led < w.serial", "leader != Self && !i.knows(leader, w.serial)"},
	{"a subscription that has failed is taken back", "interest.go",
		"		i.change(w.name, -1)\n", ""},
	{"what a dead process says late is not heard", "lane.go",
		"if from == Self || l.dead[from] {", "if from == Self {"},
	{"an interest is told until it is acknowledged", "bulletin.go",
		"r.lags() && now >= r.due,", "r.whole == 0,"},
}

// Each broken rule is found by some seed, or the simulator proves nothing.
func TestSimFindsMutants(t *testing.T) {
	if testing.Short() || *simSeed != 0 {
		t.Skip("it builds the package once per mutant")
	}
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range mutants {
		t.Run(m.rule, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(here, m.file)
			source, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if n := strings.Count(string(source), m.right); n != 1 {
				t.Fatalf("%s has the rule %d times", m.file, n)
			}
			dir := t.TempDir()
			broken := filepath.Join(dir, m.file)
			overlay := filepath.Join(dir, "overlay.json")
			files, err := json.Marshal(map[string]any{"Replace": map[string]string{path: broken}})
			if err != nil {
				t.Fatal(err)
			}
			write(t, broken, strings.Replace(string(source), m.right, m.wrong, 1))
			write(t, overlay, string(files))
			out, err := exec.Command("go", "test", "-overlay", overlay, "-vet=off", "-ldflags=-s -w", "-run", "^TestSim$", ".", "-sim.seeds", "500").CombinedOutput()
			found := regexp.MustCompile(`(?m)seed \d+: .*`).Find(out)
			if err == nil || found == nil {
				t.Fatalf("no seed finds it (%v)\n%s", err, out)
			}
			t.Logf("%s", found)
		})
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
