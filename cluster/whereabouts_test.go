package cluster

import (
	"testing"
	"time"

	"hubsub/cluster/placement"
)

func TestWhereabouts(t *testing.T) {
	w := newWhereabouts()
	f := func(name placement.Name, want string) {
		t.Helper()
		if got := w.of(name); got != want {
			t.Errorf("%s is at %q, want %q", name, got, want)
		}
	}
	f("a", "")
	w.hear(1*time.Second, "a", "a:1")
	f("a", "a:1")
	w.hear(5*time.Second, "b", "b:1")
	w.learn(map[placement.Name]string{"c": "c:1"}, 3*time.Second)
	f("a", "") // too long ago for a newcomer
	f("b", "b:1")
	f("c", "c:1")
	w.hear(6*time.Second, "c", "c:2") // later than the roster
	f("c", "c:2")
	w.learn(map[placement.Name]string{"b": "b:2"}, 0)
	f("b", "b:2")
	f("c", "c:2")
	w.learn(map[placement.Name]string{"b": "b:2"}, 9*time.Second)
	f("c", "")
}
