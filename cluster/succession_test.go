package cluster

import "testing"

func TestHeir(t *testing.T) {
	f := func(nodes int, proved, strict, goesOn, ifFirst bool) {
		t.Helper()
		if gotGoesOn, gotIfFirst := heir(nodes, proved, strict); gotGoesOn != goesOn || goesOn && gotIfFirst != ifFirst {
			t.Errorf("of %d nodes, proved %v, strict %v: %v, if first %v", nodes, proved, strict, gotGoesOn, gotIfFirst)
		}
	}
	f(2, false, false, true, false)
	f(2, true, false, true, false)
	f(2, false, true, false, false)
	f(2, true, true, true, false)
	f(3, false, false, false, false)
	f(3, true, false, true, true)
	f(3, false, true, false, false)
	f(3, true, true, true, true)
}
