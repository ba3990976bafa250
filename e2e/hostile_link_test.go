package e2e

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

const (
	linkSiegeTime = 3 * time.Second
	impostors     = 2  // at each node; each keeps its name, for a node forgets none that it has met on a link
	talkBatch     = 10 // messages that a publisher has under way
	talkMin       = 20 // batches that come through in a siege, at the least
	showPause     = 50 * time.Millisecond
)

// TestHostileLinks: whatever comes over the links between nodes that no node says, from somebody who knows the secret and
// whom a node takes for one that it has not met: it is refused, logged and counted. So is an order of a leader that is none
// any more; what a node says that is dead is not heard. Meanwhile messages go from node to node, each over two links, and
// none is lost, or comes twice or in another order.
func TestHostileLinks(t *testing.T) {
	s := &linkSiege{siege: newSiege(t, siegeSecret, 4, "--loops", "2"), forgeries: forgeries(), refused: map[string]*atomic.Int64{}}
	for _, f := range s.forgeries {
		s.refused[f.series()] = new(atomic.Int64)
	}
	s.refused[secretSeries] = new(atomic.Int64)
	// Where a node dials an impostor it is not refused, which it would log instead of what comes from there.
	mute, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer mute.Close()
	s.mute = mute.Addr().String()
	s.settle()
	s.run()
}

// linkSiege is a siege of three nodes' links, after a fourth node has died.
type linkSiege struct {
	*siege
	dead      string // its name
	mute      string // an address where nobody speaks
	talks     []*talk
	forgeries map[string]forgery
	refused   map[string]*atomic.Int64 // what nodes have to refuse, by the series that counts it
}

// talk is a room in which one node tells another one what a third one orders.
type talk struct {
	room             string
	lead, tell, hear *node
	keys             []leaderKey // of former leaders
	said             atomic.Int64
}

// settle has the fourth node die, which leads nothing, and makes each room twice: under the first placement another node
// leads it.
func (s *linkSiege) settle() {
	t := s.t
	ctx, cancel := context.WithTimeout(t.Context(), settleLimit)
	defer cancel()
	up, err := s.nodes[0].members()
	must(t, err)
	at := slices.IndexFunc(s.nodes, func(n *node) bool { // it does not vote, so that nobody has to instead
		return slices.ContainsFunc(up, func(m nodeInfo) bool { return m.ID == n.clusterAddr() && !m.Voter })
	})
	s.dead = s.names[at]
	s.nodes[at].kill()
	s.nodes, s.names = slices.Delete(s.nodes, at, at+1), slices.Delete(s.names, at, at+1)
	for i, hear := range s.nodes {
		k := &talk{room: fmt.Sprint("talk", i), hear: hear, tell: s.nodes[(i+1)%3], lead: s.nodes[(i+2)%3]}
		place := func(lead *node) home {
			options := fmt.Sprintf(`{"keep":true,"replicas":1,"pins":[%q]}`, lead.clusterAddr())
			await(t, ctx, "the cluster knows that a node has time for a room", func() bool {
				status, err := lead.call("PUT", "/v1/rooms/"+k.room, options, nil)
				return err == nil && status == 200
			})
			return lead.get(t, k.room)
		}
		k.keys = append(k.keys, keyOf(t, place(k.tell), uint64(time.Now().UnixMicro())))
		if status, err := k.tell.call("DELETE", "/v1/rooms/"+k.room, "", nil); err != nil || status >= 300 {
			t.Fatalf("DELETE: %d, %v", status, err)
		}
		k.keys = append(k.keys, keyOf(t, place(k.lead), 1)) // of a process that was there before
		s.talks = append(s.talks, k)
	}
	awaitMembers(t, s.nodes, 3)
}

// keyOf is the first host's key, if its process began at a time.
func keyOf(t *testing.T, h home, start uint64) (k leaderKey) {
	t.Helper()
	k.start = start
	if _, err := fmt.Sscanf(h.epoch, "%d-%d", &k.generation, &k.index); err != nil {
		t.Fatalf("%v: %v", h, err)
	}
	return k
}

func (s *linkSiege) run() {
	t := s.t
	talks := crew{t: t}
	for _, k := range s.talks {
		talks.run(func() error { return k.goOn(s.goesOn) })
	}
	base := s.base(1)
	figures, lines, lost := s.figures(), s.lines(), s.lost()

	began := time.Now()
	attackers := crew{t: t}
	for _, n := range s.nodes {
		for i := range impostors {
			attackers.run(func() error {
				return s.forge(newImpostor(s.siege, fmt.Sprintf("stranger%d/%016x", i, i+1), s.mute, n.clusterAddr()))
			})
		}
		attackers.run(func() error { return s.haunt(newImpostor(s.siege, s.dead, s.mute, n.clusterAddr())) })
	}
	time.Sleep(linkSiegeTime)
	close(s.ended)
	attackers.wait()
	took := time.Since(began)
	talks.wait()

	for _, k := range s.talks {
		t.Logf("%s: %d messages", k.room, k.said.Load())
	}
	if now := s.lost(); now != lost {
		t.Errorf("the nodes count %v messages as lost, before it were %v", now, lost)
	}
	s.unmoved(figures)
	s.counted(figures)
	s.told(lines, took)
	s.toldOfLinks(took)
	s.calm(base)
	for _, n := range s.nodes {
		n.kill()
	}
}

// forge is an impostor that tries all forgeries again and again, and between them speaks of old keys and old sessions.
func (s *linkSiege) forge(i *impostor) error {
	names := slices.Sorted(maps.Keys(s.forgeries))
	for s.goesOn() {
		rand.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
		for _, name := range names {
			if err := s.commit(i, s.forgeries[name]); err != nil {
				return fmt.Errorf("%s: %s: %w", i.address, name, err)
			}
			time.Sleep(siegePause)
		}
		for name, try := range map[string]func(*impostor) error{
			"old keys": s.orderByOldKeys, "old session": s.goOnWithOldSession, "old hello": s.sayHelloAgain, "wrong secret": s.guess,
		} {
			if err := try(i); err != nil {
				return fmt.Errorf("%s: %s: %w", i.address, name, err)
			}
		}
	}
	return nil
}

// commit does what a forgery is.
func (s *linkSiege) commit(i *impostor, f forgery) error {
	r := rand.New(rand.NewPCG(rand.Uint64(), 0))
	var conn net.Conn
	var err error
	if f.hello {
		conn, err = i.dial(f.write(r, 0))
	} else if conn, err = i.meet(); err == nil {
		_, err = conn.Write(f.write(r, i.received+1))
	}
	if err != nil {
		return err
	}
	defer conn.Close()
	if f.record {
		conn.(*net.TCPConn).CloseWrite()
	}
	s.refused[f.series()].Add(1)
	return refused(conn)
}

// orderByOldKeys orders rooms as leaders would that are none any more.
func (s *linkSiege) orderByOldKeys(i *impostor) error {
	conn, err := i.meet()
	if err != nil {
		return err
	}
	defer conn.Close()
	var all [][]byte
	for _, k := range s.talks {
		for _, key := range k.keys {
			all = append(all, orders(k.room, k.room, key)...)
		}
	}
	if _, err := conn.Write(plainBatch(i.received+1, records(all...)).sealed()); err != nil {
		return err
	}
	conn.(*net.TCPConn).CloseWrite()
	return refused(conn)
}

// goOnWithOldSession sends what comes next in a session that the node does not know, which it says.
func (s *linkSiege) goOnWithOldSession(i *impostor) error {
	h := i.linkHello()
	received := 1<<20 + rand.Uint64N(1<<40)
	i.own = rand.Uint64() | 1
	h["own"], h["next"], h["peer"], h["received"] = i.own, i.own+2, rand.Uint64(), received
	conn, a, err := i.offer(h)
	if err != nil {
		return err
	}
	defer conn.Close()
	if a.Refused != "" || !a.Lost || a.Received != 0 {
		return fmt.Errorf("it is answered with %+v", a)
	}
	i.own, i.peer = i.own+2, a.Own
	if _, err := conn.Write(plainBatch(received+1, records([]byte("late"))).sealed()); err != nil {
		return err
	}
	s.refused[forgery{reason: "wrong_number"}.series()].Add(1)
	return refused(conn)
}

// sayHelloAgain says what was said before.
func (s *linkSiege) sayHelloAgain(i *impostor) error {
	h := i.linkHello()
	conn, _, err := i.offer(h)
	if err != nil {
		return err
	}
	defer conn.Close()
	again, a, err := i.offer(h)
	if err != nil {
		return err
	}
	defer again.Close()
	if a.Refused != "outdated" {
		return fmt.Errorf("it is answered with %+v", a)
	}
	return refused(again)
}

const secretSeries = `hubsub_cluster_connections_refused_total{reason="wrong_secret"}`

// guess greets for a link without knowing the secret.
func (s *linkSiege) guess(i *impostor) error {
	guesses := i.stranger
	guesses.secret = "Correct horse battery staple"
	conn, said, err := guesses.greet(i.address)
	if err != nil {
		return err
	}
	defer conn.Close()
	if said.Refused != "wrong secret" || said.Greeting.Name != "" {
		return fmt.Errorf("the port says %+v", said)
	}
	s.refused[secretSeries].Add(1)
	return refused(conn)
}

// haunt is a dead leader that goes on with its rooms, under the key that it had and under one that is higher than all. A
// node may end its link at any time: whatever it hears of the dead, it forgets them.
func (s *linkSiege) haunt(i *impostor) error {
	said := 0
	for ; s.goesOn(); time.Sleep(siegePause) {
		conn, err := i.meet()
		if err != nil {
			continue
		}
		var all [][]byte
		for _, k := range s.talks {
			highest := leaderKey{generation: 1<<32 - 1, index: 1 << 60, start: uint64(time.Now().UnixMicro())}
			all = append(append(all, orders(k.room, k.room, k.keys[0])...), orders(k.room, k.room, highest)...)
		}
		if _, err := conn.Write(plainBatch(i.received+1, records(all...)).sealed()); err == nil {
			conn.(*net.TCPConn).CloseWrite()
			if refused(conn) == nil {
				said++
			}
		}
		conn.Close()
	}
	if said == 0 {
		return fmt.Errorf("%s: the dead were never on a link", i.address)
	}
	return nil
}

// goOn talks until the siege is over: all that is said is heard, once and in order, and no gap is told.
func (k *talk) goOn(goesOn func() bool) error {
	var says, hears, gaps *client
	for c, n := range map[**client]*node{&says: k.tell, &hears: k.hear, &gaps: k.hear} {
		var err error
		if *c, err = connect(n.addr()); err != nil {
			return err
		}
		defer (*c).close()
	}
	if err := errors.Join(
		gaps.expect("[subscribe __hubsub__:gap:"+k.room+" 1]", "SUBSCRIBE", "__hubsub__:gap:"+k.room),
		hears.expect("[subscribe "+k.room+" 1]", "SUBSCRIBE", k.room)); err != nil {
		return err
	}
	heard := make(chan error, 1)
	go func() { heard <- k.listen(hears) }()
	err := k.speak(says, goesOn)
	if err != nil {
		hears.close() // nobody says the end
	}
	if err = errors.Join(err, <-heard); err != nil {
		return fmt.Errorf("%s, from %s through %s to %s: %w", k.room, k.tell.ip, k.lead.ip, k.hear.ip, err)
	}
	if k.said.Load() < talkBatch*talkMin {
		return fmt.Errorf("%s: only %d messages got through", k.room, k.said.Load())
	}
	return gaps.expect("[pong ]", "PING")
}

// text is message i, some of which are worth compressing.
func (k *talk) text(i int64) string {
	return fmt.Sprint(i, " ", strings.Repeat("and so on, ", int(i%talkBatch)*30))
}

func (k *talk) speak(c *client, goesOn func() bool) error {
	for goesOn() {
		for range talkBatch {
			c.add("PUBLISH", k.room, k.text(k.said.Add(1)))
		}
		if err := c.flush(); err != nil {
			return err
		}
		for range talkBatch {
			if err := c.next("1"); err != nil {
				return err
			}
		}
		time.Sleep(siegePause)
	}
	return c.expect("1", "PUBLISH", k.room, "the end")
}

func (k *talk) listen(c *client) error {
	for i := int64(1); ; i++ {
		r, err := c.read()
		if err != nil {
			return fmt.Errorf("after message %d: %w", i-1, err)
		}
		switch got := r.String(); {
		case got == "[message "+k.room+" the end]" && i == k.said.Load()+1:
			return nil
		case got != "[message "+k.room+" "+k.text(i)+"]":
			return fmt.Errorf("%.50q instead of message %d", got, i)
		}
	}
}

func (s *linkSiege) lost() (sum float64) {
	for _, n := range s.nodes {
		sum += n.metric(s.t, "hubsub_lost_messages_total")
	}
	return sum
}

// counted wants each refusal in /metrics, and some of the orders of former leaders: not all nodes follow a later one. Lanes
// show their figures a moment late.
func (s *linkSiege) counted(before map[string]float64) {
	t := s.t
	ctx, cancel := context.WithTimeout(t.Context(), answerLimit)
	defer cancel()
	const stale = `hubsub_cluster_records_refused_total{reason="stale"}`
	more := map[string]float64{}
	look := func() (all bool) {
		now := s.figures()
		more[stale] = now[stale] - before[stale]
		all = more[stale] > 0
		for series, want := range s.refused {
			more[series] = now[series] - before[series]
			all = all && more[series] == float64(want.Load())
		}
		return all
	}
	for !look() && ctx.Err() == nil {
		time.Sleep(showPause)
	}
	for _, series := range slices.Sorted(maps.Keys(more)) {
		t.Logf("%s: %v", series, more[series])
		if want := s.refused[series]; want != nil && more[series] != float64(want.Load()) {
			t.Errorf("%s is %v more, want %d", series, more[series], want.Load())
		}
		if more[series] == 0 {
			t.Errorf("%s is what it was", series)
		}
	}
}

// toldOfLinks wants the log to tell of what came over links, and not of each; and of no break between nodes.
func (s *linkSiege) toldOfLinks(took time.Duration) {
	seconds := int(took.Seconds()) + 2
	for _, n := range s.nodes {
		text := n.output.String()
		if closed := strings.Count(text, "closed a link"); closed == 0 || closed > seconds {
			s.t.Errorf("%s tells of %d closed links in %v", n.clusterAddr(), closed, took)
		}
		for _, name := range s.names {
			if strings.Contains(text, `msg="lost records on a link" name=`+name) {
				s.t.Errorf("%s has lost its link to %s", n.clusterAddr(), name)
			}
		}
	}
}
