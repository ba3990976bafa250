package consensus

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"hubsub/cluster/placement"
)

func TestFounderLeadsAtOnce(t *testing.T) {
	inWorld(t, func(w *world) {
		p := w.start(1, "")
		time.Sleep(5 * time.Second)
		if name, _, _ := p.Leader(); p.HasState() || name != "" || len(p.Servers()) > 0 {
			t.Fatal("a process that nobody has added leads or follows")
		}
		began := time.Now()
		w.found(p)
		if took := time.Since(began); took > 50*time.Millisecond {
			t.Errorf("took %v", took)
		}
		if name, address, term := p.Leader(); name != p.name || address != p.address || term != p.lastTerm() {
			t.Errorf("led by %s at %s in term %d", name, address, term)
		}
		if err := p.Bootstrap(); err == nil {
			t.Error("founds twice")
		}
	})
}

func TestLeaderDies(t *testing.T) {
	for seed := range 5 {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			inWorld(t, func(w *world) {
				a, _, _ := w.three()
				time.Sleep(time.Duration(seed) * 70 * time.Millisecond)
				for i := range 20 {
					a.room(fmt.Sprint("r", i))
				}
				w.until("20 rooms", time.Second, func() bool { return a.rooms() == 20 })
				began := time.Now()
				a.kill()
				next := w.leader(5 * time.Second)
				if took := time.Since(began); took > 3*time.Second {
					t.Errorf("took %v", took)
				}
				if next.rooms() != 20 || next.lastTerm() <= 2 {
					t.Errorf("the next leader has %d rooms and term %d", next.rooms(), next.lastTerm())
				}
			})
		})
	}
}

// One voter with a standby, three, four; then they die one after the other.
func TestGrowAndShrink(t *testing.T) {
	inWorld(t, func(w *world) {
		a := w.start(1, "")
		w.found(a)
		w.balancing()
		b := w.start(2, "")
		w.enroll(b)
		w.shape(5*time.Second, 1, 1)
		w.agree(lagMax)

		watch := make(chan struct{})
		longest := w.watchTwo(watch)
		c := w.start(3, "")
		w.enroll(c)
		w.shape(10*time.Second, 3, 0)
		d := w.start(4, "")
		w.enroll(d)
		w.shape(5*time.Second, 3, 1)
		time.Sleep(5 * time.Second)

		b.kill() // the standby takes its place
		w.shape(5*time.Second, 3, 0)
		for _, s := range a.Servers() {
			if s.Name == b.name || !s.Voter {
				t.Errorf("%+v is left", s)
			}
		}
		w.forget(b)
		d.kill() // nobody can replace it
		time.Sleep(5 * time.Second)
		w.shape(time.Second, 3, 0)
		w.forget(d)
		w.shape(5*time.Second, 1, 1)
		a.room("last")
		w.agree(lagMax)
		c.kill()
		w.shape(5*time.Second, 1, 0)
		close(watch)
		if took := <-longest; took > 100*time.Millisecond {
			t.Errorf("there were two voters for %v", took)
		}
	})
}

// watchTwo measures the longest time for which a leader knew two voters.
func (w *world) watchTwo(stop chan struct{}) <-chan time.Duration {
	result := make(chan time.Duration, 1)
	go func() {
		var longest time.Duration
		since := time.Now()
		for {
			two := false
			for _, p := range w.all() {
				if p.leads() {
					v, _ := p.voters()
					two = two || v == 2
				}
			}
			if !two {
				since = time.Now()
			}
			longest = max(longest, time.Since(since))
			select {
			case <-time.After(5 * time.Millisecond):
			case <-stop:
				result <- longest
				return
			}
		}
	}()
	return result
}

func TestRestartOfAVoter(t *testing.T) {
	inWorld(t, func(w *world) {
		a, b, _ := w.three()
		b.kill()
		again := w.start(2, "")
		w.enroll(again)
		w.until("it votes under its new name", 10*time.Second, func() bool {
			voters := make(map[placement.Name]bool)
			for _, s := range a.Servers() {
				voters[s.Name] = s.Voter
			}
			return voters[again.name] && len(voters) == 3 && !voters[b.name]
		})
		a.room("r")
		w.agree(lagMax)
	})
}

func TestDrainOfTheLeader(t *testing.T) {
	for _, nodes := range []int{2, 3, 4} {
		t.Run(fmt.Sprint(nodes), func(t *testing.T) {
			inWorld(t, func(w *world) {
				a := w.start(1, "")
				w.found(a)
				w.balancing()
				for i := range nodes - 1 {
					w.enroll(w.start(i+2, ""))
				}
				want := [][2]int{2: {1, 1}, 3: {3, 0}, 4: {3, 1}}[nodes]
				w.shape(10*time.Second, want[0], want[1])
				time.Sleep(5 * time.Second)
				a.room("r")
				w.drain(a)
				w.until("another one leads, without it", 10*time.Second, func() bool {
					for _, p := range w.all() {
						if p == a || !p.leads() {
							continue
						}
						for _, s := range p.Servers() {
							if s.Name == a.name {
								return false
							}
						}
						return true
					}
					return false
				})
				after := [][2]int{2: {1, 0}, 3: {1, 1}, 4: {3, 0}}[nodes]
				w.shape(5*time.Second, after[0], after[1])
				next := w.leader(time.Second)
				if next.rooms() != 1 {
					t.Error("it lacks a room")
				}
				began := time.Now()
				a.stop()
				time.Sleep(5 * time.Second)
				if !next.leads() || next.gained.After(began) {
					t.Error("the end of the old leader was felt")
				}
			})
		})
	}
}

func TestTransfer(t *testing.T) {
	inWorld(t, func(w *world) {
		a, b, c := w.three()
		if err := b.Transfer(); err == nil {
			t.Error("a follower transfers")
		}
		if err := a.Transfer(); err != nil {
			t.Fatal(err)
		}
		w.until("another one leads", 2*time.Second, func() bool { return b.leads() || c.leads() })
		if a.leads() {
			t.Error("so does the old leader")
		}
	})
}

// A transfer whose target does not answer fails; who led leads again, with the
// same voters.
func TestTransferFails(t *testing.T) {
	inWorld(t, func(w *world) {
		a, b, _ := w.three()
		s := a.running()
		w.network.Cut(a.address, b.address)
		if err := s.transfer(b.name, b.address); err == nil {
			t.Fatal("succeeds")
		}
		w.until("it leads again", 5*time.Second, a.leads)
		id := a.room("after")
		w.until("it takes proposals", time.Second, func() bool { return a.has(id) })
	})
}

func TestVerify(t *testing.T) {
	inWorld(t, func(w *world) {
		a, b, c := w.three()
		ask := func(p *process) bool {
			answer := make(chan bool, 1)
			p.Verify(func(leads bool) { answer <- leads })
			return <-answer
		}
		if !ask(a) || ask(b) {
			t.Fatal("who leads is not sure of it, or another one is")
		}
		w.network.Cut(a.address, b.address)
		w.network.Cut(a.address, c.address)
		if ask(a) {
			t.Fatal("who is cut off believes that it leads")
		}
	})
}

// More proposals than there is room for: each is applied or failed.
func TestFullQueue(t *testing.T) {
	inWorld(t, func(w *world) {
		a := w.start(1, "")
		w.found(a)
		w.until("it is a member", time.Second, func() bool { return a.now().Index > 3 })
		blocked := make(chan struct{})
		a.mu.Lock()
		a.block = blocked // nothing is applied
		a.mu.Unlock()
		const n = 3 * proposalsWaiting
		first := a.serial + 1
		for i := range n {
			a.room(fmt.Sprint(i))
		}
		synctest.Wait()
		close(blocked)
		w.until("all have an end", 5*time.Second, func() bool {
			a.mu.Lock()
			defer a.mu.Unlock()
			applied := 0
			for id := range a.mine {
				if id >= first {
					applied++
				}
			}
			return applied >= proposalsWaiting && applied+len(a.failed) == n && len(a.failed) > 0
		})
		if got := a.Stats(); got.ProposalsFailed != uint64(len(a.failed)) || got.Proposals < proposalsWaiting || got.Applied < got.Proposals || got.Leaderships != 1 {
			t.Errorf("%d failed, and counted is %+v", len(a.failed), got)
		}
	})
}
