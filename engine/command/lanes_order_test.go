package command

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"hubsub/engine"
	"hubsub/resp"
)

// Pipelines of several publishers, rooms that change hands all the time, lanes
// that answer when they like: every answer is in its place, and every subscriber
// of a room sees one order, in which each publisher's messages are in theirs.
func TestOrderWhateverLanesDo(t *testing.T) {
	onLoops(t, func(t *testing.T, s *site, city *metropolis) {
		const rooms, publishers, pipelines, depth = 4, 4, 40, 50
		const all = publishers * pipelines * depth
		city.delay.Store(int64(100 * time.Microsecond))
		var running sync.WaitGroup
		var over atomic.Bool
		defer running.Wait()
		defer over.Store(true)

		// Room i has i+1 subscribers, each of which hears that room only, so answers
		// differ; and one of all.
		var subscribers [][]*client
		var names []string
		for room := range rooms {
			names = append(names, fmt.Sprintf("{room%d}x", room))
			var clients []*client
			for range room + 1 {
				clients = append(clients, s.subscribe(names[room]))
			}
			subscribers = append(subscribers, clients)
		}
		everything := s.subscribe(names...)

		running.Go(func() {
			for !over.Load() {
				city.own(fmt.Sprint("room", rand.IntN(rooms)), rand.IntN(2) == 0)
				time.Sleep(20 * time.Microsecond)
			}
		})
		counts := make([]atomic.Int64, rooms)
		var publishing sync.WaitGroup
		for p := range publishers {
			c := s.dial()
			publishing.Go(func() {
				number := make([]int, rooms)
				for range pipelines {
					var commands []byte
					var want strings.Builder
					room := 0
					for i := range depth {
						if i == 0 || rand.IntN(3) == 0 { // else alike
							room = rand.IntN(rooms)
						}
						counts[room].Add(1)
						commands = resp.AppendArray(commands, 3)
						commands = resp.AppendBulkString(commands, "PUBLISH")
						commands = resp.AppendBulkString(commands, names[room])
						commands = resp.AppendBulkString(commands, fmt.Sprintf("%d %d", p, number[room]))
						number[room]++
						fmt.Fprintf(&want, ":%d⏎", room+2)
					}
					if _, err := c.conn.Write(commands); err != nil {
						t.Error(err)
						return
					}
					c.gets(strings.TrimSuffix(want.String(), "⏎"))
				}
			})
		}

		orders := make([][]string, rooms)
		read := func(c *client, n int) (byRoom map[string][]string) {
			byRoom = make(map[string][]string)
			for range n {
				words, fault := c.answer(t)
				if fault != "" || len(words) != 3 {
					t.Error(words, fault)
					return byRoom
				}
				byRoom[words[1]] = append(byRoom[words[1]], words[2])
			}
			return byRoom
		}
		var reference map[string][]string
		read1 := make(chan struct{})
		go func() { reference = read(everything, all); close(read1) }()
		publishing.Wait()
		<-read1
		for room, name := range names {
			orders[room] = reference[name]
			next := make([]int, publishers)
			for _, text := range orders[room] {
				var p, n int
				fmt.Sscan(text, &p, &n)
				if n != next[p] {
					t.Fatalf("message %d of publisher %d to %s, want %d", n, p, name, next[p])
				}
				next[p]++
			}
			for _, c := range subscribers[room] {
				got := read(c, int(counts[room].Load()))[name]
				for i := range got {
					if i >= len(orders[room]) || got[i] != orders[room][i] {
						t.Fatalf("two orders in %s, at %d", name, i)
					}
				}
			}
		}
	})
}

// Subscribers come and go, and publishers hear of it: who has read the
// confirmation gets what is published after it and is counted, and who has read
// the other gets nothing.
func TestExactnessByLanes(t *testing.T) {
	onLoops(t, func(t *testing.T, s *site, city *metropolis) {
		city.delay.Store(int64(50 * time.Microsecond))
		sub, pub := s.dial(), s.dial()
		for round := range 300 {
			room := fmt.Sprint("room", round%7)
			if round%3 == 0 {
				city.own(room, round%2 == 0)
			}
			sub.says("SUBSCRIBE "+room, confirmed("subscribe", room, 1))
			pub.says("PUBLISH "+room+" in", ":1")
			sub.says("UNSUBSCRIBE "+room, lines(message(room, "in"), confirmed("unsubscribe", room, 0)))
			pub.says("PUBLISH "+room+" out", ":0")
		}
		sub.silent()
		city.wantInterest()
	})
}

// What a lane says while clients are swept, after the tick's walks, waits for
// the next tick: the bytes are the loop's, and used again then.
func TestDeliveredAtTheSweep(t *testing.T) {
	city := newMetropolis(t)
	const loops = 2
	var rooms []string // of the first loop's lane
	for i := 0; len(rooms) < 3; i++ {
		if name := fmt.Sprint("room", i); engine.LaneOf([]byte(name), loops) == 0 {
			rooms = append(rooms, name)
		}
	}
	room, next, left := rooms[0], rooms[1], rooms[2]
	var armed atomic.Bool
	city.hook = func(l *lane, channel string) {
		if channel != left || !armed.Swap(false) {
			return
		}
		for _, q := range l.queue[room] {
			q.answer()
		}
		delete(l.queue, room)
		l.mu.Lock()
		l.orders = append(l.orders, func() {
			l.sink.Deliver(engine.Channel, []byte(next), []byte(next), []byte(strings.Repeat("z", 60)))
		})
		l.mu.Unlock()
	}
	s := serveLanes(t, loops, city)
	clients := make([]*client, 5) // of the first loop and the second in turn
	for i := range clients {
		clients[i] = s.dial()
		clients[i].says("PING", "+PONG")
	}
	sub, pub, victim, admin, other := clients[0], clients[1], clients[2], clients[3], clients[4]
	id := victim.number("CLIENT ID")
	for c, name := range map[*client]string{sub: room, victim: left, other: next} {
		c.says("SUBSCRIBE "+name, confirmed("subscribe", name, 1))
	}
	text := strings.Repeat("a", 60)
	for range 20 {
		city.hold(room)
		pub.send("PUBLISH", room, text)
		city.awaits(room, 1)
		armed.Store(true)
		admin.says(fmt.Sprintf("CLIENT KILL ID %d", id), ":1")
		pub.gets(":1")
		sub.gets(message(room, text))
		other.gets(message(next, strings.Repeat("z", 60)))
		city.release(room)
		victim = s.dial()
		id = victim.number("CLIENT ID")
		victim.says("SUBSCRIBE "+left, confirmed("subscribe", left, 1))
	}
}
