package e2e

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const (
	// calmSiege is how long the cluster ports are attacked by some who are slow, which takes each two seconds, and by many
	// who are not; crowdedSiege how long each port besides has so many connections that say nothing that there is no room
	// for others that are slow.
	calmSiege    = 3 * time.Second
	crowdedSiege = 2 * time.Second
	siegeIdle    = 300
	siegePause   = 5 * time.Millisecond // of an attacker, so that the clients get some of the processors
	// siegeGrowthMax is how many more goroutines and files a node may have afterwards: it connects to others now and then.
	siegeGrowthMax = 8
	// siegeLinesMax is how many lines a second may tell of refusals: the port, links, control, the director and consensus
	// one each, gossip two.
	siegeLinesMax = 7
)

const siegeSecret = "correct horse battery staple"

// TestHostileClusterPort: whatever comes to the cluster ports of three nodes, from people who have not got the secret,
// and where there is none from people who say nothing right: it is refused, logged and counted, and no client and no
// node notices. Who speaks for the leader of a cluster without a secret cannot be told from it.
func TestHostileClusterPort(t *testing.T) {
	t.Run("secret", func(t *testing.T) { newSiege(t, siegeSecret, 3).run() })
	t.Run("open", func(t *testing.T) { newSiege(t, "", 3).run() })
}

// siege is a cluster that is attacked.
type siege struct {
	t       *testing.T
	nodes   []*node
	secret  string
	cluster string   // its name
	names   []string // of the nodes' processes
	ended   chan struct{}
	crowded chan struct{} // closed when there is no room any more
	answers atomic.Int64  // that clients got
	attacks sync.Map      // their name -> *atomic.Int64
}

func newSiege(t *testing.T, secret string, size int, args ...string) *siege {
	if secret != "" {
		args = append(args, "--cluster-secret", secret)
	}
	s := &siege{t: t, secret: secret, nodes: startNodes(t, size, args...), ended: make(chan struct{}), crowded: make(chan struct{})}
	awaitVoters(t, s.nodes, 3)
	for _, n := range s.nodes {
		conn, said, err := newStranger('H', "", secret).greet(n.clusterAddr())
		must(t, err)
		conn.Close()
		s.cluster = said.Greeting.Cluster
		s.names = append(s.names, said.Greeting.Name)
	}
	return s
}

func (s *siege) run() {
	t := s.t
	ctx, cancel := context.WithTimeout(t.Context(), settleLimit)
	defer cancel()
	await(t, ctx, "a room with two hosts", func() bool { return len(s.nodes[0].get(t, "everywhere").hosts) == 2 })
	clients := crew{t: t}
	for _, n := range s.nodes {
		clients.run(func() error { return s.makeRooms(n) })
		clients.run(func() error { return s.converse(n) })
	}
	base := s.base(10)
	figures, lines := s.figures(), s.lines()

	began := time.Now()
	var attackers sync.WaitGroup
	for name, attack := range s.arsenal() {
		count := new(atomic.Int64)
		s.attacks.Store(name, count)
		for i, n := range s.nodes {
			attackers.Go(func() {
				r := rand.New(rand.NewPCG(rand.Uint64(), uint64(i)))
				for s.goesOn() {
					attack(r, i, n.clusterAddr())
					count.Add(1)
					time.Sleep(siegePause)
				}
			})
		}
	}
	for _, n := range s.nodes {
		attackers.Go(func() { s.holdCut(n.clusterAddr()) })
		attackers.Go(func() { s.crowd(n.clusterAddr()) })
	}
	time.Sleep(calmSiege)
	close(s.crowded)
	time.Sleep(crowdedSiege)
	close(s.ended)
	attackers.Wait()
	took := time.Since(began)
	clients.wait()

	s.attacks.Range(func(name, n any) bool {
		t.Logf("%s: %d", name, n.(*atomic.Int64).Load())
		return true
	})
	t.Logf("clients got %d answers", s.answers.Load())
	s.unmoved(figures)
	s.counted(figures)
	s.told(lines, took)
	s.calm(base)
	for _, n := range s.nodes {
		n.kill() // one after the other in order would wait for the others
	}
}

func (s *siege) goesOn() bool {
	select {
	case <-s.ended:
		return false
	default:
		return true
	}
}

// makeRooms is a client that asks for new rooms and for one that there is.
func (s *siege) makeRooms(n *node) error {
	c, err := connect(n.addr())
	if err != nil {
		return err
	}
	defer c.close()
	first := ""
	for i := 0; s.goesOn(); i++ {
		for _, room := range []string{fmt.Sprintf("%s-%d", n.ip, i), "everywhere"} {
			r, err := c.do("ROOM", "GET", room)
			if err != nil {
				return fmt.Errorf("ROOM GET %s at %s: %w", room, n.ip, err)
			}
			got, err := homeOf(r)
			switch {
			case err != nil:
				return fmt.Errorf("ROOM GET %s at %s: %w", room, n.ip, err)
			case len(got.hosts) == 0: // one is what there is where the others have too much to do
				return fmt.Errorf("ROOM GET %s at %s: it lives nowhere", room, n.ip)
			case room == "everywhere" && first == "":
				first = fmt.Sprint(got)
			case room == "everywhere" && first != fmt.Sprint(got):
				return fmt.Errorf("ROOM GET %s at %s: %v, before it was %s", room, n.ip, got, first)
			}
			s.answers.Add(1)
		}
		time.Sleep(20 * time.Millisecond)
	}
	return nil
}

// converse publishes on a node, and hears that.
func (s *siege) converse(n *node) error {
	hears, says := &client{}, &client{}
	for _, c := range []**client{&hears, &says} {
		var err error
		if *c, err = connect(n.addr()); err != nil {
			return err
		}
		defer (*c).close()
	}
	channel := "{everywhere}" + n.ip // of one room, and each client hears its own
	if err := hears.expect("[subscribe "+channel+" 1]", "SUBSCRIBE", channel); err != nil {
		return err
	}
	for i := 0; s.goesOn(); i++ {
		if err := says.expect("1", "PUBLISH", channel, fmt.Sprint(i)); err != nil {
			return err
		}
		if err := hears.next(fmt.Sprintf("[message %s %d]", channel, i)); err != nil {
			return err
		}
		s.answers.Add(1)
		time.Sleep(5 * time.Millisecond)
	}
	return nil
}

// series is a line of /metrics: a name with its labels, and a figure.
var series = regexp.MustCompile(`(?m)^(hubsub_cluster_\S+) (\S+)$`)

// figures returns the cluster's figures of all nodes, added.
func (s *siege) figures() map[string]float64 {
	s.t.Helper()
	all := make(map[string]float64)
	for _, n := range s.nodes {
		_, text, err := page(n.api("/metrics"))
		must(s.t, err)
		for _, m := range series.FindAllStringSubmatch(text, -1) {
			var v float64
			_, err := fmt.Sscan(m[2], &v)
			must(s.t, err)
			all[m[1]] += v
		}
	}
	return all
}

// unmoved wants all to be as before for the nodes, which is more than that clients notice nothing.
func (s *siege) unmoved(before map[string]float64) {
	now := s.figures()
	for _, name := range []string{"lives_total", "leaderships_total", "voter_changes_total", "voter_changes_failed_total", "deaths_proved_total",
		"generation", "leader", "leader_known", "member", "voter", `members{state="up"}`, `members{state="down"}`, `members{state="left"}`} {
		if name = "hubsub_cluster_" + name; now[name] != before[name] {
			s.t.Errorf("%s is %v, it was %v", name, now[name], before[name])
		}
	}
	for _, n := range s.nodes {
		for _, bad := range []string{"a node does not answer", "begins anew", "leads the cluster no more", "level=error"} {
			if strings.Contains(n.output.String(), bad) {
				s.t.Errorf("%s logs %q", n.clusterAddr(), bad)
			}
		}
	}
	awaitMembers(s.t, s.nodes, 3)
}

// counted wants all that was refused in /metrics, by reason.
func (s *siege) counted(before map[string]float64) {
	now := s.figures()
	want := make(map[string][]string)
	want["connections_refused_total"] = []string{"wrong_cluster", "wrong_name", "wrong_secret", "wrong_version", "wrong_kind",
		"malformed", "too_slow", "too_many", "aborted"}
	if s.secret == "" {
		want["messages_refused_total"] = []string{"unknown", "malformed", "old_term", "old_epoch"}
		want["gossip_refused_total"] = []string{"malformed"}
		want["link_refused_total"] = []string{"malformed_hello"}
	}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		for _, reason := range want[name] {
			one := fmt.Sprintf("hubsub_cluster_%s{reason=%q}", name, reason)
			more := now[one] - before[one]
			s.t.Logf("%s: %v", one, more)
			if more <= 0 {
				s.t.Errorf("%s is %v, before it was %v", one, now[one], before[one])
			}
		}
	}
}

// lines counts what each node has logged.
func (s *siege) lines() (of []int) {
	for _, n := range s.nodes {
		of = append(of, strings.Count(n.output.String(), "\n"))
	}
	return of
}

// told wants the log to tell of refusals, and not of each.
func (s *siege) told(before []int, took time.Duration) {
	seconds := int(took.Seconds()) + 2
	for i, n := range s.nodes {
		text := n.output.String()
		if refused := strings.Count(text, "cluster port refuses"); refused == 0 || refused > seconds {
			s.t.Errorf("%s tells of %d refusals in %v", n.clusterAddr(), refused, took)
		}
		if lines := strings.Count(text, "\n") - before[i]; lines > siegeLinesMax*seconds {
			s.t.Errorf("%s logs %d lines in %v", n.clusterAddr(), lines, took)
		}
	}
}

// base looks a few times, and returns the most that each node has of goroutines and files while clients are there and
// nobody attacks.
func (s *siege) base(times int) (of []vitals) {
	of = make([]vitals, len(s.nodes))
	for range times {
		for i, now := range s.vitals() {
			of[i].goroutines, of[i].files = max(of[i].goroutines, now.goroutines), max(of[i].files, now.files)
			of[i].heapBytes = max(of[i].heapBytes, now.heapBytes)
		}
		time.Sleep(50 * time.Millisecond)
	}
	return of
}

func (s *siege) vitals() (of []vitals) {
	s.t.Helper()
	for _, n := range s.nodes {
		c, err := connect(n.addr())
		must(s.t, err)
		v, err := takeVitals(n.server, n.api(""), c)
		must(s.t, err)
		c.close()
		of = append(of, v)
	}
	return of
}

// calm waits until the nodes have given back what the attackers made them take.
func (s *siege) calm(base []vitals) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), calmLimit)
	defer cancel()
	for {
		why := ""
		for i, now := range s.vitals() {
			if now.goroutines > base[i].goroutines+siegeGrowthMax || now.files > base[i].files+siegeGrowthMax || now.heapBytes > base[i].heapBytes+heapGrowthMax {
				why = fmt.Sprintf("%s has %+v, before it had %+v", s.nodes[i].clusterAddr(), now, base[i])
			}
		}
		if why == "" {
			return
		}
		select {
		case <-ctx.Done():
			s.t.Fatalf("after %v: %s", calmLimit, why)
		case <-time.After(calmPoll):
		}
	}
}
