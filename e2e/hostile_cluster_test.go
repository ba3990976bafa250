package e2e

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net"
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
	// siegeLinesMax is how many lines a second may tell of refusals: the port, control, the director and consensus one
	// each, gossip two.
	siegeLinesMax = 6
)

const siegeSecret = "correct horse battery staple"

// TestHostileClusterPort: whatever comes to the cluster ports of three nodes, from people who have not got the secret,
// and where there is none from people who say nothing right: it is refused, logged and counted, and no client and no
// node notices. Who speaks for the leader of a cluster without a secret cannot be told from it.
func TestHostileClusterPort(t *testing.T) {
	t.Run("secret", func(t *testing.T) { newSiege(t, siegeSecret).run() })
	t.Run("open", func(t *testing.T) { newSiege(t, "").run() })
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

func newSiege(t *testing.T, secret string) *siege {
	var args []string
	if secret != "" {
		args = []string{"--cluster-secret", secret}
	}
	s := &siege{t: t, secret: secret, nodes: startNodes(t, 3, args...), ended: make(chan struct{}), crowded: make(chan struct{})}
	s.nodes[0].awaitVoters(t, 3)
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
	base := s.base()
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
	if err := hears.expect("[subscribe everywhere 1]", "SUBSCRIBE", "everywhere"); err != nil {
		return err
	}
	for i := 0; s.goesOn(); i++ {
		if err := says.expect("1", "PUBLISH", "everywhere", fmt.Sprint(i)); err != nil {
			return err
		}
		if err := hears.next(fmt.Sprintf("[message everywhere %d]", i)); err != nil {
			return err
		}
		s.answers.Add(1)
		time.Sleep(5 * time.Millisecond)
	}
	return nil
}

// An attack is made on the port of node i, again and again.
type attack func(r *rand.Rand, i int, address string)

// arsenal is all that is short.
func (s *siege) arsenal() map[string]attack {
	all := map[string]attack{
		"noise": func(r *rand.Rand, _ int, address string) { throw(address, noise(r, 1+r.IntN(8<<10))) },
		"kind and noise": func(r *rand.Rand, _ int, address string) {
			throw(address, append([]byte{anyOf(r, []byte("HGSRCDXK")...)}, noise(r, 1+r.IntN(512))...))
		},
		"opening of noise": func(r *rand.Rand, _ int, address string) {
			throw(address, withLength([]byte{anyOf(r, []byte("HGSRC")...)}, noise(r, r.IntN(4<<10))))
		},
		"long": func(r *rand.Rand, _ int, address string) {
			length := anyOf(r, 4<<10+1, 64<<10, 1<<24, 1<<31-1, 1<<31, 1<<32-1)
			throw(address, binary.BigEndian.AppendUint32([]byte{'C'}, uint32(length)))
			n := newStranger('C', s.cluster, s.secret)
			throw(address, binary.BigEndian.AppendUint32(withLength([]byte{'C'}, n.opening()), uint32(max(length, 64<<10+1))))
		},
		"damaged": func(r *rand.Rand, _ int, address string) {
			b := newStranger(anyOf(r, []byte("HGSRC")...), s.cluster, s.secret).whole()
			for range 1 + r.IntN(3) {
				b[r.IntN(len(b))] = byte(r.Uint32())
			}
			throw(address, b)
		},
		"wrong": s.greetWrongly,
	}
	if s.secret == "" {
		all["no orders"], all["no frames"] = s.giveNoOrders, s.sendNoFrames
	}
	return all
}

// greetWrongly greets as a node does, with one thing wrong, and is told so.
func (s *siege) greetWrongly(r *rand.Rand, i int, address string) {
	n := newStranger(anyOf(r, []byte("GSRC")...), s.cluster, s.secret)
	want := ""
	kinds := 6
	if s.secret == "" {
		kinds = 5
	}
	switch r.IntN(kinds) {
	case 0:
		want, n.says["cluster"] = "wrong cluster", anyOf(r, "0123456789abcdef-1800000000", "", "x", s.cluster+"0", s.cluster[:len(s.cluster)-1])
	case 1:
		want, n.to = "wrong name", s.names[(i+1)%3]
	case 2:
		want, n.kind = "wrong kind", 'X'
	case 3: // the port says what it speaks, and nothing to who does not speak it
		n.min, n.max = 98, 99
	case 4: // nor to who has no secret where there is one, or the other way
		n.claims = s.secret == ""
	case 5:
		want, n.secret = "wrong secret", "Correct horse battery staple"
		if r.IntN(2) == 0 {
			n.proof = noise(r, 32)
		}
	}
	conn, said, err := n.greet(address)
	if err != nil {
		return // it was one too many, or was told nothing
	}
	defer conn.Close()
	if said.Refused != want {
		s.t.Errorf("the port says %q to a %+v, not %q", said.Refused, n, want)
	}
	if want == "wrong secret" && said.Greeting.Name != "" {
		s.t.Errorf("who does not know the secret is told %+v", said.Greeting)
	}
	awaitEnd(conn)
}

// giveNoOrders is a process of the cluster that gives orders of past leaders, of past placements, and such as nobody
// understands.
func (s *siege) giveNoOrders(r *rand.Rand, _ int, address string) {
	conn, said, err := newStranger('C', s.cluster, "").greet(address)
	if err != nil {
		return
	}
	defer conn.Close()
	if said.Refused != "" {
		s.t.Errorf("a stranger of a cluster without a secret is refused: %s", said.Refused)
	}
	term, late := map[string]any{"g": 1, "n": 1 << 40}, map[string]any{"g": 1<<32 - 1, "i": 1 << 60}
	old := map[string]any{"g": 1, "i": 1 << 40}
	attempt := map[string]any{"term": term, "n": 1}
	hosts := []string{s.names[0], "stranger/00000000000000aa"}
	var all []byte
	order := func(tag string, fields map[string]any) {
		all = withLength(all, encoded(map[string]any{"t": tag, "m": fields}))
	}
	for range 1 + r.IntN(5) {
		order("activate", map[string]any{"term": term, "room": "everywhere", "epoch": late, "hosts": hosts})
		order("drop", map[string]any{"term": term, "room": "everywhere", "epoch": late})
		order("reserve", map[string]any{"attempt": attempt, "room": "everywhere"})
		order("release", map[string]any{"attempt": attempt, "room": "everywhere"})
		order("mayclose", map[string]any{"attempt": attempt, "room": "everywhere", "epoch": late})
		order("reopen", map[string]any{"term": term, "attempt": attempt, "room": "everywhere"})
		order("list", map[string]any{"term": term, "shards": []int{-1, 0, 1 << 40}})
		order("roster", map[string]any{"term": term, "epoch": old, "cluster": "x", "members": []any{}})
		order("idle", map[string]any{"room": "everywhere", "epoch": old})
		order("vote", map[string]any{"attempt": attempt, "room": "everywhere", "epoch": old, "yes": true})
		order("reserved", map[string]any{"attempt": attempt, "room": "everywhere", "yes": true})
		order("activated", map[string]any{"room": "everywhere", "epoch": old})
		order("told", map[string]any{"tag": r.Uint64() | 1<<63, "room": "everywhere", "epoch": old})
		order("obey", map[string]any{"term": late})
	}
	conn.SetDeadline(time.Now().Add(strangerLimit))
	if _, err := conn.Write(all); err != nil {
		return // the next stranger of this name has taken its place
	}
	conn.(*net.TCPConn).CloseWrite()
	awaitEnd(conn)
}

// sendNoFrames is a process of the cluster that is taken in, and then says what no node says.
func (s *siege) sendNoFrames(r *rand.Rand, _ int, address string) {
	kind := anyOf(r, []byte("CCCGSR")...)
	n := newStranger(kind, s.cluster, "")
	n.says["name"] = fmt.Sprintf("stranger/%016x", r.Uint64())
	conn, _, err := n.greet(address)
	if err != nil {
		return
	}
	defer conn.Close()
	var b []byte
	switch r.IntN(7) {
	case 0:
		b = noise(r, 1+r.IntN(64<<10))
	case 1:
		b = withLength(nil, noise(r, 1+r.IntN(8<<10)))
	case 2:
		b = binary.BigEndian.AppendUint32(nil, uint32(anyOf(r, 8<<20+1, 1<<31, 1<<32-1)))
	case 3: // as long as it may be, and not there
		b = append(binary.BigEndian.AppendUint32(nil, 8<<20), noise(r, 1<<10)...)
	case 4:
		b = withLength(nil, bytes.Repeat([]byte(anyOf(r, "[", `{"m":`, "\"")), 1<<20))
	case 5:
		b = withLength(nil, []byte(anyOf(r, `{}`, `{"t":1}`, `{"t":"drop","m":[]}`, `{"t":"roster","m":{"members":{}}}`, `{"t":"ask","m":"`, `{"t":"drop"}`, "")))
	case 6:
		b = append([]byte{anyOf(r, []byte("LQZ")...)}, noise(r, 1+r.IntN(1<<10))...)
	}
	conn.SetDeadline(time.Now().Add(strangerLimit))
	if _, err := conn.Write(b); err != nil {
		return
	}
	conn.(*net.TCPConn).CloseWrite()
	awaitEnd(conn)
}

// holdCut connects as often as a greeting has bytes, sends one byte more each time, and waits to be sent away.
func (s *siege) holdCut(address string) {
	whole := newStranger('C', s.cluster, s.secret).whole()
	step := len(whole)/100 + 1 // a hundred at a time find room
	for from := 0; from < step && s.goesOn(); from++ {
		var held sync.WaitGroup
		for n := from; n < len(whole); n += step {
			held.Go(func() { hold(address, whole[:n]) })
		}
		held.Wait()
	}
}

// crowd takes all room at the port.
func (s *siege) crowd(address string) {
	<-s.crowded
	var held sync.WaitGroup
	for range siegeIdle {
		held.Go(func() {
			for s.goesOn() {
				hold(address, nil)
				time.Sleep(500 * time.Millisecond)
			}
		})
	}
	held.Wait()
}

// throw sends b and waits for a while to be sent away.
func throw(address string, b []byte) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(strangerLimit))
	if _, err := conn.Write(b); err == nil {
		conn.(*net.TCPConn).CloseWrite()
		awaitEnd(conn)
	}
}

// hold sends b and waits for the other side to end it, however long that takes.
func hold(address string, b []byte) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return
	}
	defer conn.Close()
	if _, err := conn.Write(b); err == nil {
		awaitEnd(conn)
	}
}

// awaitEnd waits until the other side ends the connection; if it does not, that shows in what it has open.
func awaitEnd(conn net.Conn) {
	conn.SetReadDeadline(time.Now().Add(2 * strangerLimit))
	io.Copy(io.Discard, conn)
}

func noise(r *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

func anyOf[T any](r *rand.Rand, of ...T) T { return of[r.IntN(len(of))] }

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

// base returns the most that each node has of goroutines and files while clients are there and nobody attacks.
func (s *siege) base() (of []vitals) {
	of = make([]vitals, len(s.nodes))
	for range 10 {
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
