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

// Who could not take over is what it was, and has nobody declared dead later.
func TestTakeOverFails(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		nodes := w.settle(2)
		l := nodes[1].node.life.Load()
		before := l.greeting()
		if err := l.parts.consensus.Close(); err != nil {
			t.Fatal(err)
		}
		if err := l.takeOver(nodes[0].node.life.Load().self.Name); err == nil {
			t.Fatal("a consensus that is closed takes over")
		}
		if after := l.greeting(); after.Cluster != before.Cluster || after.Generation != before.Generation {
			t.Errorf("it was %+v, and is %+v", before, after)
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.succession != (succession{}) {
			t.Errorf("%+v is left", l.succession)
		}
	})
}
