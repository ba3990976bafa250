package e2e

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

const (
	loadPublishers = 16
	pipelineMax    = 16 // publishes in one write
	loadVisitors   = 24 // join and leave
	loadVictims    = 24 // are killed, or break off themselves
	loadSleepers   = 12 // do not read until all is published; half of them never
	loadGateways   = 4  // in all rooms
)

// TestOrderUnderLoad: 1,000 subscribers each see everything exactly once and in their room's one order, while others
// join, leave, stall and are killed.
func TestOrderUnderLoad(t *testing.T) {
	f := func(rooms, residentsPerRoom, messagesPerRoom int, args ...string) {
		t.Run(fmt.Sprintf("%d rooms of %d,%v", rooms, residentsPerRoom, args), func(t *testing.T) {
			l := &load{
				s: startHubSub(t, args...), rooms: room(rooms), residents: residentsPerRoom, messages: messagesPerRoom,
				seed: rand.Uint64(), orders: make([]order, rooms), published: make([]map[uint16]uint32, rooms),
			}
			t.Logf("seed %d", l.seed)
			l.run(t)
			l.judge(t)
			l.awaitNothing(t)
		})
	}
	// Many small rooms; then few large ones, whose channels are held: 30 single-subscription clients on each loop.
	f(100, 10, 48, "--loops", "1")
	f(100, 10, 48, "--loops", "4")
	f(5, 200, 96, "--loops", "2", "--coalesce-max", "5ms")
}

// load is one run: how much of what there is, what was published, what everybody saw.
type load struct {
	s         *server
	rooms     room
	residents int // of each room
	messages  int // of each publisher to each room
	strangers int // who may hear everything besides
	seed      uint64
	done      atomic.Bool // all is published, the ends of the lanes apart

	mu        sync.Mutex
	orders    []order // by room: what its observer saw
	published []map[uint16]uint32
	pieces    []piece
}

// piece is what one subscriber saw of a room. Who was there all the time must have seen the whole order.
type piece struct {
	who   string
	room  room
	lanes []lane
	whole bool
	got   []message
}

func (l *load) keep(p piece) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.pieces = append(l.pieces, p)
}

func (l *load) random(stream int) *rand.Rand { return rand.New(rand.NewPCG(l.seed, uint64(stream))) }

// run lets everybody in, publishes everything and returns when the last has gone.
func (l *load) run(t *testing.T) {
	readers, publishers := crew{t: t}, crew{t: t}
	var ready sync.WaitGroup // those who are there from the first message on
	published := make(chan struct{})
	for r := range l.rooms {
		for i := range l.residents {
			ready.Add(1)
			readers.run(func() error { return l.reside(r, i, ready.Done) })
		}
	}
	for i := range loadGateways {
		ready.Add(1)
		readers.run(func() error { return l.gather(i%2 == 0, ready.Done) })
	}
	for i := range loadSleepers {
		ready.Add(1)
		readers.run(func() error { return l.sleep(room(i)%l.rooms, i%2 == 0, published, ready.Done) })
	}
	ready.Wait()
	if t.Failed() {
		t.FailNow()
	}
	for i := range loadVisitors {
		readers.run(func() error { return l.visit(l.random(1000 + i)) })
	}
	for i := range loadVictims {
		readers.run(func() error { return l.suffer(l.random(2000+i), i%2 == 0) })
	}
	for p := range loadPublishers {
		publishers.run(func() error { return l.publish(uint16(p), l.random(p)) })
	}
	publishers.wait()
	l.done.Store(true)
	l.endLanes(t)
	close(published)
	readers.wait()
}

// publish sends this publisher's messages to all rooms in a random mixture of rooms, lanes and pipeline lengths.
func (l *load) publish(p uint16, random *rand.Rand) error {
	c, err := connect(l.s.addr())
	if err != nil {
		return err
	}
	defer c.close()
	var plan []room
	for r := range l.rooms {
		for range l.messages {
			plan = append(plan, r)
		}
	}
	random.Shuffle(len(plan), func(i, j int) { plan[i], plan[j] = plan[j], plan[i] })
	// Whatever the lane, the gateways and some of a room's residents hear it; at most everybody does.
	least := int64(loadGateways + l.residents*leastListeners/len(residentKinds))
	most := int64(loadGateways + l.residents + loadSleepers + loadVisitors + loadVictims + l.strangers)
	seq := make([]uint32, l.rooms)
	for len(plan) > 0 {
		batch := plan[:min(len(plan), 1+random.IntN(pipelineMax))]
		plan = plan[len(batch):]
		for _, r := range batch {
			seq[r]++
			addPublish(c, r, message{lane(random.IntN(int(lanes))), p, seq[r]})
		}
		if err := c.flush(); err != nil {
			return fmt.Errorf("publisher %d: %w", p, err)
		}
		for range batch {
			n, err := c.read()
			if err != nil || n.kind != ':' || n.n < least || n.n > most {
				return fmt.Errorf("publisher %d is answered %v, want %d to %d: %v", p, n, least, most, err)
			}
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for r, n := range seq {
		if l.published[r] == nil {
			l.published[r] = map[uint16]uint32{}
		}
		l.published[r][p] = n
	}
	return nil
}

func addPublish(c *client, r room, m message) {
	verb := "PUBLISH"
	if m.lane == laneShard {
		verb = "SPUBLISH"
	}
	c.add(verb, r.channel(m.lane), m.payload())
}

// endLanes publishes the last message of every lane.
func (l *load) endLanes(t *testing.T) {
	c := dial(t, l.s)
	defer c.close()
	for r := range l.rooms {
		ends := r.lanes(allLanes)
		for _, end := range ends {
			addPublish(c, r, message{end, loadPublishers, lastSeq})
		}
		must(t, c.flush())
		for range ends {
			if _, err := c.read(); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// judge compares what everybody saw with what the observers saw.
func (l *load) judge(t *testing.T) {
	verdicts := crew{t: t}
	for r, o := range l.orders {
		o.check(t, l.published[r])
	}
	stays, seen := map[string]int{}, 0
	for _, p := range l.pieces {
		stays[p.who]++
		seen += len(p.got)
		if p.whole {
			verdicts.report(l.orders[p.room].wantWhole(p.who, p.room.lanes(p.lanes), p.got))
		} else {
			verdicts.report(l.orders[p.room].wantPiece(p.who, p.room.lanes(p.lanes), p.got))
		}
	}
	t.Logf("%d messages seen in these stays: %v", seen, stays)
	if stays["a visitor"] < loadVisitors || stays["a victim"] < loadVictims || stays["a resident"] != int(l.rooms)*l.residents {
		t.Error("too little happened to say anything")
	}
}

// awaitNothing returns when the server has noticed that all have left and keeps nothing of them.
func (l *load) awaitNothing(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), answerLimit)
	defer cancel()
	c := dial(t, l.s)
	left := func(args ...string) string {
		r, err := c.do(args...)
		must(t, err)
		return r.String()
	}
	await(t, ctx, "a server without rooms", func() bool {
		return left("PUBSUB", "CHANNELS") == "[]" && left("PUBSUB", "SHARDCHANNELS") == "[]" && left("PUBSUB", "NUMPAT") == "0" &&
			strings.Count(left("CLIENT", "LIST"), "\n") == 1
	})
	must(t, c.expect("0", "PUBLISH", room(0).channel(laneChat), "x"), c.expect("0", "SPUBLISH", room(0).channel(laneChat), "x"))
}
