package cluster

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"hubsub/cluster/bubble"
	"hubsub/cluster/consensus"
)

// A node that is closed while it takes over leaves nothing behind: the bubble would say so.
func TestClosedWhileTakingOver(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		nodes := w.settle(2)
		time.Sleep(3 * time.Second) // for the other to have the table
		victim, survivor := nodes[0], nodes[1]
		if survivor.leads() {
			victim, survivor = survivor, victim
		}
		closed := make(chan struct{})
		l := survivor.node.life.Load()
		survivor.listen(func(line string) {
			if strings.Contains(line, "goes on with what it knows") {
				go func() {
					survivor.kill()
					close(closed)
				}()
				<-l.ended // and the rest comes while the parts are being closed
			}
		})
		victim.kill()
		<-closed
	})
}

// Nobody asks for ever whether those live whom the roster has as dead, in silence too.
func TestDeadAreLeftInPeace(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		nodes := w.settle(4)
		time.Sleep(settled)
		at := slices.IndexFunc(nodes, func(r *resident) bool { return !r.leads() })
		for i, r := range nodes {
			if i != at {
				w.network.Cut(nodes[at].address, r.address)
			}
		}
		time.Sleep(time.Minute)
		for i, r := range nodes {
			l := r.node.life.Load()
			l.mu.Lock()
			if up := l.members(); i != at && (up != 3 || len(l.deaths.known)+len(l.deaths.asking) > 0) {
				t.Errorf("%s knows %d members, and of %v that they are dead; asks %v", r.address, up, l.deaths.known, l.deaths.asking)
			}
			l.mu.Unlock()
		}
	})
}

// Who leads for long keeps no addresses of those who came and went.
func TestAddressesStayFew(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		nodes := w.settle(3)
		time.Sleep(settled)
		guest := w.resident()
		guest.join = nodes[0].join
		for range 10 {
			guest.start()
			w.await("four", func() bool { return w.agree(4) })
			guest.node.Leave()
			guest.kill()
			w.await("three", func() bool { return w.agree(3) })
			time.Sleep(time.Minute)
		}
		for _, r := range nodes {
			l := r.node.life.Load()
			l.mu.Lock()
			if n := len(l.whereabouts.members) + len(l.whereabouts.others); n > 4 {
				t.Errorf("%s, which leads: %v, has %d addresses of three members", r.address, l.led.here(), n)
			}
			if n := len(l.loads.of); n > 4 {
				t.Errorf("%s, which leads: %v, has %d reports of three members", r.address, l.led.here(), n)
			}
			l.mu.Unlock()
		}
	})
}

// Consensus may tell that this process leads before it is there to be spoken to.
func TestLeadsEarly(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		l, err := newLife(&Node{config: Config{ID: "early", Lanes: newLanes()}, log: slog.New(slog.DiscardHandler)}, bequest{}, 0)
		if err != nil {
			t.Fatal(err)
		}
		l.setCluster(joinCluster("c", 7))
		told := make(chan struct{})
		go func() {
			l.leadership(1)
			close(told)
		}()
		synctest.Wait()
		l.parts.consensus = new(consensus.Consensus)
		close(l.opened)
		<-told
		if l.led.term != 1 {
			t.Errorf("leads in term %d", l.led.term)
		}
	})
}

// Who ends and has no part in its cluster any more need not wait for the others to know.
func TestLeaveOfGivenUp(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		nodes := w.settle(3)
		time.Sleep(settled)
		at := slices.IndexFunc(nodes, func(r *resident) bool { return !r.leads() })
		l := nodes[at].node.life.Load()
		for i, r := range nodes {
			if i != at {
				w.network.Cut(nodes[at].address, r.address)
			}
		}
		time.Sleep(10 * time.Second)
		ctx, cancel := context.WithTimeout(context.Background(), leaveTimeMax)
		defer cancel()
		forsake(l)
		began := time.Now()
		l.leave(ctx)
		if took := time.Since(began); took > time.Second {
			t.Errorf("leaves for %v", took)
		}
	})
}

// A node that the others have given up founds no cluster of its own where it cannot reach theirs: its clients would talk
// to nobody else, and for ever.
func TestOutcastFoundsNothing(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		nodes := w.settle(5)
		time.Sleep(settled)
		at := slices.IndexFunc(nodes, func(r *resident) bool { return !r.leads() })
		outcast := nodes[at]
		others := slices.Delete(slices.Clone(nodes), at, at+1)
		each := func(do func(a, b string)) {
			for _, r := range others {
				do(outcast.address, r.address)
			}
		}
		each(w.network.Cut)
		w.await("that it is given up", func() bool {
			return !slices.ContainsFunc(others, func(r *resident) bool { n, _ := r.up(); return n != 4 })
		})
		var once sync.Once
		hears := make(chan struct{})
		outcast.listen(func(line string) {
			if strings.Contains(line, "has given this node up") {
				once.Do(func() {
					each(w.network.Cut) // just when it has heard so
					close(hears)
				})
			}
		})
		each(w.network.Heal)
		<-hears
		for range 60 {
			time.Sleep(time.Second)
			if l := outcast.node.life.Load(); l.greeting().Cluster != "" {
				t.Fatalf("it is in cluster %s", l.greeting().Cluster)
			}
		}
		each(w.network.Heal)
		w.await("all", func() bool { return w.agree(5) })
	})
}

// A survivor that cannot write down that it has taken over is found by others all the same.
func TestTakeOverOnFullDisk(t *testing.T) {
	inTown(t, func(t *testing.T, w *town) {
		nodes := w.settleOnDisk(2)
		victim, survivor := nodes[0], nodes[1]
		if survivor.leads() {
			victim, survivor = survivor, victim
		}
		if err := os.Mkdir(filepath.Join(survivor.dir, nodeFile+".new"), 0o700); err != nil {
			t.Fatal(err)
		}
		victim.kill()
		w.await("the survivor", func() bool { return w.agree(1) })
		victim.start()
		w.await("both", func() bool { return w.agree(2) })
		time.Sleep(settled)
		for _, r := range nodes {
			if alive := len(r.node.life.Load().gossip().Members()); alive != 2 {
				t.Errorf("the gossip of %s has %d members", r.address, alive)
			}
		}
	})
}

func TestHandOn(t *testing.T) {
	f := func(found, given string, want string) {
		t.Helper()
		if got := strings.Join(handOn(strings.Fields(found), strings.Fields(given)), " "); got != want {
			t.Errorf("%q and %q: %q, want %q", found, given, got, want)
		}
	}
	f("", "", "")
	f("b a", "", "a b")
	f("c a", "b a", "a b c")
	f("c c", "c", "c")
	many := strings.Repeat("a b c d e f g h ", contactsMax)
	f("z", many, "a b c d e f g h z")
	var full []string
	for i := range contactsMax {
		full = append(full, fmt.Sprintf("a%03d", i))
	}
	f("z", strings.Join(full, " "), strings.Join(full[:contactsMax-1], " ")+" z")
}
