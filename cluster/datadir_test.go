package cluster

import (
	"testing"
	"time"
)

// A process whose clock has gone back begins later than the one before it all the same.
func TestStartNeverGoesBack(t *testing.T) {
	dir := t.TempDir()
	first, err := recall(dir, "n")
	if err != nil {
		t.Fatal(err)
	}
	first.Cluster = "c"
	first.Start += uint64(time.Hour.Microseconds())
	if err := remember(dir, first); err != nil {
		t.Fatal(err)
	}
	second, err := recall(dir, "n")
	if err != nil {
		t.Fatal(err)
	}
	if want := first; second.Boot != want.Boot || second.Cluster != want.Cluster || second.Start != want.Start+1 {
		t.Errorf("it is %+v, and was %+v", second, want)
	}
}

// A node that is back with a clock of before leads its rooms again.
func TestReturnFromTheFuture(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		nodes := w.settleOnDisk(1)
		one := nodes[0]
		if n := one.subscribe(1, "room"); n < 0 {
			t.Fatalf("a subscription is answered %d", n)
		}
		id := one.node.life.Load().self.ID
		one.kill()
		who, err := recall(one.dir, id)
		if err != nil {
			t.Fatal(err)
		}
		who.Start += uint64(time.Hour.Microseconds())
		if err := remember(one.dir, who); err != nil {
			t.Fatal(err)
		}
		one.start()
		w.await("back", func() bool { return w.agree(1) })
		if got := one.node.life.Load().start; got <= who.Start {
			t.Errorf("it has begun at %d, and before at %d", got, who.Start)
		}
		if n := one.subscribe(1, "room"); n < 0 {
			t.Errorf("a subscription is answered %d", n)
		}
	})
}
