package consensus

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"hubsub/cluster/placement"
)

// Voters are cut off from each other, at random, while all propose; then the
// network heals. No two of them may ever have another table after the same entry
// (process.changed looks), and what was applied stays.
func TestPartitionsUnderLoad(t *testing.T) {
	for seed := range uint64(4) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			inWorld(t, func(w *world) {
				random := rand.New(rand.NewPCG(seed, 0))
				a, b, c := w.three()
				all := []*process{a, b, c}
				until := time.Now().Add(30 * time.Second)
				for _, p := range all {
					go func() {
						for i := 0; time.Now().Before(until); i++ {
							p.room(fmt.Sprint(p.id, "-", i))
							time.Sleep(8 * time.Millisecond)
						}
					}()
				}
				for time.Now().Before(until) {
					p, q := all[random.IntN(3)], all[random.IntN(3)]
					switch {
					case p == q:
					case random.IntN(3) == 0:
						w.network.CutOneWay(p.address, q.address)
					default:
						w.network.Cut(p.address, q.address)
					}
					if random.IntN(2) == 0 { // who leads is cut off from both
						leader := w.leader(10 * time.Second)
						for _, other := range all {
							if other != leader {
								w.network.Cut(leader.address, other.address)
							}
						}
					}
					time.Sleep(time.Duration(random.IntN(4000)+500) * time.Millisecond)
					for _, p := range all {
						for _, q := range all {
							w.network.Heal(p.address, q.address)
						}
					}
					time.Sleep(time.Duration(random.IntN(2500)) * time.Millisecond)
				}
				time.Sleep(5 * time.Second)
				w.agree(backoffMax)
				if a.rooms() < 1000 {
					t.Errorf("%d rooms only", a.rooms())
				}
				for _, p := range all {
					if p.rooms() != a.rooms() {
						t.Errorf("%s has %d rooms, %s has %d", p.name, p.rooms(), a.name, a.rooms())
					}
				}
				if len(a.terms)+len(b.terms)+len(c.terms) < 3 {
					t.Error("leadership has hardly changed")
				}
			})
		})
	}
}

// backoffMax is how long raft's leader waits, at most, before it tries a
// follower again that was away for long, once before and once after that one was
// started again.
const backoffMax = 2*10*time.Second + 4*commitTimeout

// lagMax is how late a follower that hears the leader has applied what it has, at
// the most.
const lagMax = 2*commitTimeout + 100*time.Millisecond

// fill has the leader apply n entries.
func (w *world) fill(leader *process, n int) {
	w.t.Helper()
	for done := 0; done < n; done += proposalsWaiting / 2 {
		var last uint64
		for i := range min(proposalsWaiting/2, n-done) {
			last = leader.room(fmt.Sprint("fill-", leader.serial, "-", done+i))
		}
		w.until("they are applied", 10*time.Second, func() bool { return leader.has(last) })
	}
}

// A process that comes late gets a snapshot, and what comes after it.
func TestSnapshotForALateOne(t *testing.T) {
	inWorld(t, func(w *world) {
		a := w.start(1, "")
		w.found(a)
		w.fill(a, snapshotEntries+100)
		time.Sleep(2*snapshotInterval + time.Second)
		if kept, _ := a.stores.snapshots.List(); len(kept) != 1 {
			t.Fatal("there is no snapshot")
		}
		if first, _ := a.stores.log.FirstIndex(); first < 1000 {
			t.Fatalf("the log begins at %d", first)
		}
		w.balancing()
		b := w.start(2, "")
		w.enroll(b)
		w.shape(5*time.Second, 1, 1)
		w.agree(5 * time.Second)
		if b.rooms() != a.rooms() || b.changes > 3000 {
			t.Errorf("%d rooms of %d after %d changes", b.rooms(), a.rooms(), b.changes)
		}
		a.room("more")
		w.agree(lagMax)
	})
}

// diverge returns three voters of which the first, once the leader, is cut off
// with entries that nobody else has, while the others go on, with a snapshot in
// place of what it lacks. The snapshot ends before or behind those entries.
func diverge(w *world, behind bool) (a, b, c, leader *process) {
	w.t.Helper()
	a, b, c = w.three()
	ahead := snapshotEntries - 60
	if behind {
		ahead = 10
	}
	w.fill(a, ahead)
	w.agree(5 * time.Second)
	w.network.Cut(a.address, b.address)
	w.network.Cut(a.address, c.address)
	for i := range proposalsFlying { // what fits, for nothing lands
		a.room(fmt.Sprint("lost-", i))
	}
	w.until("it gives up", 5*time.Second, func() bool { return !a.leads() })
	leader = w.leader(5 * time.Second)
	if behind {
		w.fill(leader, snapshotEntries+500)
	} else {
		w.fill(leader, 100)
	}
	time.Sleep(2*snapshotInterval + time.Second)
	if !behind {
		w.fill(leader, trailingEntries+2*proposalsFlying)
		// Logs are cut back to the snapshot only when there is a new one; so the
		// leader gets that of this table, and a log as long as it would have.
		last, _ := leader.stores.log.LastIndex()
		kept, _ := leader.stores.snapshots.List()
		if len(kept) != 1 {
			w.t.Fatal("there is no snapshot")
		}
		for _, p := range []*process{b, c} {
			if err := p.stores.log.DeleteRange(1, min(kept[0].Index, last-trailingEntries)); err != nil {
				w.t.Fatal(err)
			}
		}
		time.Sleep(time.Minute) // until no call is left with the entries that are gone
		if end, _ := a.stores.log.LastIndex(); end < kept[0].Index {
			w.t.Fatalf("the entries that nobody else has end at %d, before the snapshot at %d", end, kept[0].Index)
		}
	}
	return a, b, c, leader
}

// Issue 697: a follower whose log went another way and ends before the snapshot.
func TestDivergentBeforeSnapshot(t *testing.T) {
	inWorld(t, func(w *world) {
		a, b, c, leader := diverge(w, true)
		w.network.Heal(a.address, b.address)
		w.network.Heal(a.address, c.address)
		w.agree(backoffMax)
		if a.rooms() != leader.rooms() {
			t.Errorf("%d rooms of %d", a.rooms(), leader.rooms())
		}
	})
}

// The same where the other way reaches as far as the snapshot, or further: raft
// deletes those entries, and still goes by the last of them.
func TestDivergentBeyondSnapshot(t *testing.T) {
	inWorld(t, func(w *world) {
		a, b, c, leader := diverge(w, false)
		before := a.running()
		w.network.Heal(a.address, b.address)
		w.network.Heal(a.address, c.address)
		w.agree(backoffMax)
		if a.rooms() != leader.rooms() {
			t.Errorf("%d rooms of %d", a.rooms(), leader.rooms())
		}
		if a.running() == before {
			t.Error("it was not started again: this test tests nothing")
		}
		for i := range 10 {
			leader.room(fmt.Sprint("after-", i))
		}
		w.agree(lagMax)
	})
}

// All voters restart: with data directories the table, the votes and the names
// are as before.
func TestRestartOfAll(t *testing.T) {
	w := newWorld(t) // files take real time
	dirs := []string{t.TempDir(), t.TempDir(), t.TempDir()}
	all := []*process{w.start(1, dirs[0]), w.start(2, dirs[1]), w.start(3, dirs[2])}
	w.found(all[0])
	w.enroll(all[1:]...)
	w.balancing()
	w.shape(20*time.Second, 3, 0)
	var last uint64
	for i := range 50 {
		last = all[0].room(fmt.Sprint(i))
	}
	w.until("they are applied", 5*time.Second, func() bool { return all[0].has(last) })
	w.agree(5 * time.Second)
	term := all[0].lastTerm()
	for _, p := range all {
		p.kill()
	}
	for i, p := range all {
		all[i] = w.startAs(i+1, p.name, dirs[i])
		if !all[i].HasState() {
			t.Errorf("%s has no state", p.name)
		}
	}
	leader := w.leader(10 * time.Second)
	w.agree(5 * time.Second)
	if leader.rooms() != 50 || leader.lastTerm() <= term {
		t.Errorf("%d rooms, term %d after %d", leader.rooms(), leader.lastTerm(), term)
	}
	if v, _ := leader.voters(); v != 3 {
		t.Errorf("%d voters", v)
	}
	if len(leader.mine) > 0 {
		t.Error("takes an earlier process's proposals for its own")
	}
	close(w.stopped)
	for _, p := range all {
		p.stop()
	}
}

// The survivor of two goes on with all that it knows; the other one comes back,
// finds that nobody speaks with it, and does no harm.
func TestTakeOver(t *testing.T) {
	inWorld(t, func(w *world) {
		a, b := w.start(1, ""), w.start(2, "")
		w.found(a)
		w.enroll(b)
		w.balancing()
		w.shape(5*time.Second, 1, 1)
		w.fill(a, 100)
		w.agree(lagMax)
		w.network.Cut(a.address, b.address)
		time.Sleep(5 * time.Second)
		if b.leads() {
			t.Fatal("a standby leads")
		}
		b.rename("c-2")
		before := b.now()
		began := time.Now()
		if err := b.TakeOver(); err != nil {
			t.Fatal(err)
		}
		w.until("it leads", time.Second, b.leads)
		t.Logf("leads after %v", time.Since(began))
		b.propose(placement.Op{Kind: placement.BeginGeneration, Generation: 2, Cluster: "c"})
		id := b.room("alone")
		w.until("it decides", time.Second, func() bool { return b.has(id) })
		if b.rooms() != 101 || before.Compare(b.now()) >= 0 {
			t.Errorf("%d rooms, epochs %v and %v", b.rooms(), before, b.now())
		}
		if s := b.Servers(); len(s) != 1 || s[0] != (Server{b.name, b.address, true}) {
			t.Errorf("%+v take part", s)
		}
		gained := len(b.terms)
		w.network.Heal(a.address, b.address)
		time.Sleep(10 * time.Second)
		if len(b.terms) != gained || !a.leads() {
			t.Error("the two generations feel each other")
		}
		// The old one ends, and its node joins as another process.
		a.kill()
		w.cluster = "c-2"
		again := w.start(1, "")
		w.enroll(again)
		w.shape(5*time.Second, 1, 1)
		w.agree(lagMax)
		if again.rooms() != 101 {
			t.Errorf("%d rooms", again.rooms())
		}
	})
}

// A voter of three that has lost the two others; one that has nothing at all.
func TestTakeOverOfThreeAndOfNothing(t *testing.T) {
	inWorld(t, func(w *world) {
		a, b, c := w.three()
		w.fill(a, 10)
		w.agree(lagMax)
		a.kill()
		b.kill()
		time.Sleep(5 * time.Second)
		if c.leads() {
			t.Fatal("leads without a majority")
		}
		for range 2 { // also twice
			if err := c.TakeOver(); err != nil {
				t.Fatal(err)
			}
			w.until("it leads", time.Second, c.leads)
		}
		if c.rooms() != 10 {
			t.Errorf("%d rooms", c.rooms())
		}
		d := w.start(4, "")
		if err := d.stores.stable.SetUint64(keyTerm, 7); err != nil { // heard of somebody's term
			t.Fatal(err)
		}
		d.rename("d-1")
		if err := d.TakeOver(); err != nil {
			t.Fatal(err)
		}
		w.until("it leads", time.Second, d.leads)
	})
}

// Nobody is told that he leads while there is no server that would take what he proposes then: it would be lost, and
// neither Applied nor Failed would ever say so.
func TestLeadsWhenItCanPropose(t *testing.T) {
	inWorld(t, func(w *world) {
		p := w.start(1, "")
		w.found(p)
		p.life.Lock()
		if err := errors.Join(p.Consensus.stop(), p.clear()); err != nil {
			t.Fatal(err)
		}
		s, err := p.newServer(7)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Second) // as if the machine were busy with something else
		early := p.leads()
		p.publish(s)
		p.life.Unlock()
		w.until("it leads", time.Second, p.leads)
		id := p.room("first")
		w.until("it decides", time.Second, func() bool { return p.has(id) })
		if early {
			t.Error("told that it leads before anybody takes proposals")
		}
	})
}

// On disk, and then through a restart.
func TestTakeOverOnDisk(t *testing.T) {
	w := newWorld(t)
	dirs := []string{t.TempDir(), t.TempDir()}
	a, b := w.start(1, dirs[0]), w.start(2, dirs[1])
	w.found(a)
	w.enroll(b)
	w.balancing()
	w.shape(20*time.Second, 1, 1)
	w.fill(a, 10)
	w.agree(5 * time.Second)
	a.kill()
	b.rename("c-2")
	if err := b.TakeOver(); err != nil {
		t.Fatal(err)
	}
	w.until("it leads", 5*time.Second, b.leads)
	b.propose(placement.Op{Kind: placement.BeginGeneration, Generation: 2, Cluster: "c"})
	id := b.room("alone")
	w.until("it decides", 5*time.Second, func() bool { return b.has(id) })
	b.kill()
	w.cluster = "c-2"
	again := w.startAs(2, b.name, dirs[1])
	w.until("it leads again", 5*time.Second, again.leads)
	if again.rooms() != 11 || again.now().Generation != 2 {
		t.Errorf("%d rooms, now %v", again.rooms(), again.now())
	}
	close(w.stopped)
	again.stop()
}
