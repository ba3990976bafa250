package e2e

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// TestOneOrder: publishers and subscribers of a room on every node. Every subscriber hears all messages of both of the
// room's channels in the same order, each publisher's in its own order, and every PUBLISH tells how many hear it.
func TestOneOrder(t *testing.T) {
	t.Parallel()
	nodes := startNodes(t, 3, "--loops", "2")
	const publishers, subscribers, messages, batch = 2, 2, 600, 20 // publishers and subscribers on each node
	channels := []string{"{race}a", "{race}b"}
	var hearing []*client
	for _, n := range nodes {
		for range subscribers {
			c := dial(t, n.server)
			must(t, c.send("SUBSCRIBE", channels[0], channels[1]))
			must(t, c.next("[subscribe {race}a 1]"), c.next("[subscribe {race}b 2]"))
			hearing = append(hearing, c)
		}
	}
	total := len(nodes) * publishers * messages
	heard := make([][]string, len(hearing))
	work := crew{t: t}
	for i, c := range hearing {
		work.run(func() error {
			for range total {
				r, err := c.read()
				if err != nil {
					return fmt.Errorf("subscriber %d after %d of %d messages: %w", i, len(heard[i]), total, err)
				}
				heard[i] = append(heard[i], r.String())
			}
			return nil
		})
	}
	for at, n := range nodes {
		for p := range publishers {
			c := dial(t, n.server)
			work.run(func() error {
				for first := 0; first < messages; first += batch {
					for i := first; i < first+batch; i++ {
						c.add("PUBLISH", channels[i%2], fmt.Sprintf("%d.%d %d", at, p, i))
					}
					if err := c.flush(); err != nil {
						return err
					}
					for range batch {
						if err := c.next(fmt.Sprint(len(hearing))); err != nil {
							return err
						}
					}
				}
				return nil
			})
		}
	}
	work.wait()
	if t.Failed() {
		return
	}
	for i := range heard {
		if !slices.Equal(heard[i], heard[0]) {
			at := 0
			for heard[i][at] == heard[0][at] {
				at++
			}
			t.Fatalf("subscribers 0 and %d differ at message %d: %q and %q", i, at, heard[0][at], heard[i][at])
		}
	}
	last := map[string]int{}
	for _, m := range heard[0] {
		words := strings.Fields(strings.Trim(m, "[]"))
		var number int
		fmt.Sscan(words[3], &number)
		if before, some := last[words[2]]; some && number != before+1 || !some && number != 0 {
			t.Fatalf("%q comes after number %d of its publisher", m, before)
		}
		last[words[2]] = number
	}
}

// TestConfirmedElsewhere: whoever has read the confirmation of a SUBSCRIBE on one node may publish on any other: it is
// counted and reaches the subscriber; after the confirmation of UNSUBSCRIBE it is neither.
func TestConfirmedElsewhere(t *testing.T) {
	t.Parallel()
	nodes := startNodes(t, 3)
	const rooms = 500
	times := 10000
	if raceEnabled { // which takes so much longer
		times = 3000
	}
	var at [3]*client
	for i, n := range nodes {
		at[i] = dial(t, n.server)
	}
	var hear [3]*client
	for i, n := range nodes {
		hear[i] = dial(t, n.server)
	}
	for i := range times {
		room := fmt.Sprintf("room%d", i%rooms)
		from, to := i%3, (i+1+i/3%2)%3
		must(t, hear[from].expect("[subscribe "+room+" 1]", "SUBSCRIBE", room))
		must(t, at[to].expect("1", "PUBLISH", room, fmt.Sprint(i)))
		must(t, hear[from].next(fmt.Sprintf("[message %s %d]", room, i)))
		must(t, hear[from].expect("[unsubscribe "+room+" 0]", "UNSUBSCRIBE", room))
		must(t, at[to].expect("0", "PUBLISH", room, "nobody"))
	}
}

// TestRoomOutlivesItsLeader: when the process that orders a room's messages is killed, the next message that is
// accepted elsewhere reaches the subscribers.
func TestRoomOutlivesItsLeader(t *testing.T) {
	t.Parallel()
	nodes := startNodes(t, 3)
	for round := range 3 {
		awaitVoters(t, nodes, 3)
		room := fmt.Sprintf("round%d", round)
		hosts := nodes[0].get(t, room).hosts
		dead := slices.IndexFunc(nodes, func(n *node) bool { return n.addr() == hosts[0] })
		left := slices.Delete(slices.Clone(nodes), dead, dead+1)
		hear, tell := dial(t, left[0].server), dial(t, left[1].server)
		must(t, hear.expect("[subscribe "+room+" 1]", "SUBSCRIBE", room))
		must(t, tell.expect("1", "PUBLISH", room, "before"))
		must(t, hear.next("[message "+room+" before]"))
		nodes[dead].kill()
		begin := time.Now()
		accepted := ""
		for i := 0; accepted == ""; i++ {
			if time.Since(begin) > settleLimit {
				t.Fatal("no PUBLISH is accepted any more")
			}
			r, err := tell.do("PUBLISH", room, fmt.Sprint(i))
			must(t, err)
			if r.kind == ':' {
				if r.n != 1 {
					t.Errorf("PUBLISH after the death reaches %d, want 1", r.n)
				}
				accepted = fmt.Sprint(i)
			} else if !strings.HasPrefix(r.text, "TRYAGAIN ") {
				t.Fatalf("PUBLISH: %v", r)
			}
		}
		must(t, hear.next("[message "+room+" "+accepted+"]"))
		t.Logf("accepted and delivered %v after the kill", time.Since(begin))
		nodes[dead].run(t)
		awaitMembers(t, nodes, 3)
	}
}

// TestCountedWhileJoining: whoever a PUBLISH has counted hears it, while clients subscribe on every node and every loop.
// A few may hear it, too, who were about to. Each hears all messages from its first one on.
func TestCountedWhileJoining(t *testing.T) {
	t.Parallel()
	nodes := startNodes(t, 3, "--loops", "2")
	const joiners = 60
	work := crew{t: t}
	var joined atomic.Int64
	first := make([]int, joiners)
	for i := range joiners {
		c := dial(t, nodes[i%len(nodes)].server)
		work.run(func() error {
			time.Sleep(time.Duration(i) * time.Millisecond)
			if err := c.expect("[subscribe busy 1]", "SUBSCRIBE", "busy"); err != nil {
				return err
			}
			joined.Add(1)
			for next := -1; ; next++ {
				r, err := c.read()
				if err != nil || r.String() == "[message busy end]" {
					return err
				}
				if next < 0 {
					if _, err = fmt.Sscanf(r.String(), "[message busy %d]", &next); err != nil {
						return fmt.Errorf("%s: %w", r, err)
					}
					first[i] = next
				} else if want := fmt.Sprintf("[message busy %d]", next); r.String() != want {
					return fmt.Errorf("subscriber %d heard %s, want %s", i, r, want)
				}
			}
		})
	}
	var counted []int64
	c := dial(t, nodes[0].server)
	for i := 0; joined.Load() < joiners && !t.Failed(); i++ {
		r, err := c.do("PUBLISH", "busy", fmt.Sprint(i))
		must(t, err)
		n, err := strconv.ParseInt(r.String(), 10, 64)
		must(t, err)
		counted = append(counted, n)
	}
	must(t, c.expect(fmt.Sprint(joiners), "PUBLISH", "busy", "end"))
	work.wait()
	heard := make([]int64, len(counted))
	for _, from := range first {
		for i := from; i < len(heard); i++ {
			heard[i]++
		}
	}
	for i := range counted {
		if heard[i] < counted[i] {
			t.Errorf("message %d of %d: %d were counted, %d heard it", i, len(counted), counted[i], heard[i])
		}
	}
}

// TestCountedWhileRoomBegins: a SUBSCRIBE of two channels waits for a place for the room of one. A message in the other
// that has counted the subscriber reaches it behind the confirmation; those who are there already do not wait for that.
func TestCountedWhileRoomBegins(t *testing.T) {
	t.Parallel()
	nodes := startNodes(t, 3)
	leader := leaderOf(nodes)
	left := slices.DeleteFunc(slices.Clone(nodes), func(n *node) bool { return n == leader })
	old := "old"
	for i := 0; slices.Contains(left[0].get(t, old).hosts, leader.addr()); i++ {
		old = fmt.Sprint("old", i)
	}
	there, comes, tell := dial(t, left[0].server), dial(t, left[0].server), dial(t, left[1].server)
	must(t, there.expect("[subscribe "+old+" 1]", "SUBSCRIBE", old), tell.expect("1", "PUBLISH", old, "begin"),
		there.next("[message "+old+" begin]"))
	must(t, leader.cmd.Process.Signal(syscall.SIGSTOP)) // which alone can say where a new room shall live
	defer leader.cmd.Process.Signal(syscall.SIGCONT)
	must(t, comes.send("SUBSCRIBE", old, "new"))
	last := ""
	for i, reached := 0, "1"; reached == "1"; i++ {
		r, err := tell.do("PUBLISH", old, fmt.Sprint(i))
		last, reached = fmt.Sprintf("[message %s %d]", old, i), r.String()
		must(t, err, there.next(last))
		if reached != "1" && reached != "2" {
			t.Fatalf("PUBLISH: %v", r)
		}
	}
	time.Sleep(500 * time.Millisecond) // a room may take that long on a busy machine
	must(t, leader.cmd.Process.Signal(syscall.SIGCONT))
	must(t, comes.next("[subscribe "+old+" 1]"), comes.next("[subscribe new 2]"))
	for heard := ""; heard != last; {
		r, err := comes.read() // it may hear some before that had not counted it
		must(t, err)
		heard = r.String()
	}
}
