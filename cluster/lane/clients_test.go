package lane

import (
	"fmt"
	"path"
	"strconv"
	"time"
)

// clients subscribe and publish on all nodes.
type clients struct {
	world    *world
	tag      uint64
	asked    map[uint64]*question
	subs     []*sub
	messages []*message // by their number
	over     bool       // they do nothing by themselves any more
	inside   *message   // is being published: its answer may be what the call returns
}

// sub is one client's subscription.
type sub struct {
	node      *node
	of        topic
	confirmed bool
}

// topic is what is subscribed to; the room is empty for a pattern of all rooms.
type topic struct {
	room string
	kind Kind
	text string
}

// hears reports whether it is for messages of a channel.
func (t topic) hears(room string, kind Kind, channel string) bool {
	if t.kind != Pattern {
		return t.kind == kind && t.text == channel
	}
	yes, _ := path.Match(t.text, channel)
	return yes && kind == Channel && (t.room == "" || t.room == room)
}

// message is one that a client has published.
type message struct {
	id      int
	node    *node
	room    string
	kind    Kind
	channel string
	begun   time.Duration
	exact   bool          // nobody came or went since
	waits   bool          // for its answer
	final   bool          // of the last ones
	lonely  time.Duration // when it was answered that it reaches nobody; 0: it was not

	order *order
}

// question is what a lane was asked and has not answered.
type question struct {
	node    *node
	sub     *sub
	more    bool // the subscription begins
	message *message
	counts  *topic
	exact   bool
	begun   time.Duration
}

func newClients(w *world) *clients {
	return &clients{world: w, asked: make(map[uint64]*question)}
}

// act is called all the time.
func (c *clients) act() {
	w := c.world
	n := w.nodes[w.random.IntN(len(w.nodes))]
	if c.over || !n.runs() || w.now > simFaults {
		return
	}
	room := roomName(w.random.IntN(simRooms))
	if w.chance(0.6) {
		room = roomName(0)
	}
	switch busy := w.now/time.Second%3 < 2; {
	case busy && w.chance(0.10):
		if of := c.topic(room); len(c.at(n)) < 8 {
			c.subscribe(n, of)
		}
	case busy && w.chance(0.08):
		if mine := c.at(n); len(mine) > 0 {
			c.unsubscribe(mine[w.random.IntN(len(mine))], w.chance(0.3))
		}
	case w.chance(0.3):
		for range 1 + w.random.IntN(4) {
			kind, channel := c.channel(room)
			c.publish(n, room, kind, channel, w.chance(0.3))
		}
	case w.chance(0.05):
		kind, channel := c.channel(room)
		c.count(n, topic{room, kind, channel})
	}
}

func (c *clients) channel(room string) (Kind, string) {
	kind := Channel
	if c.world.chance(0.3) {
		kind = Shard
	}
	return kind, "{" + room + "}" + string(rune('a'+c.world.random.IntN(2)))
}

func (c *clients) topic(room string) topic {
	switch w := c.world; {
	case w.chance(0.1):
		return topic{room, Pattern, "{" + room + "}*"}
	case w.chance(0.05):
		return topic{"", Pattern, []string{"*a", "*"}[w.random.IntN(2)]}
	default:
		kind, channel := c.channel(room)
		return topic{room, kind, channel}
	}
}

// at returns the subscriptions at a node that are confirmed.
func (c *clients) at(n *node) (all []*sub) {
	for _, s := range c.subs {
		if s.node == n && s.confirmed {
			all = append(all, s)
		}
	}
	return all
}

func (c *clients) question(q *question) uint64 {
	c.tag++
	tag := c.tag
	q.begun = c.world.now
	c.asked[tag] = q
	c.world.after(12*time.Second, func() { c.expect(tag) })
	return tag
}

// expect wants a question that was asked long ago to have its answer.
func (c *clients) expect(tag uint64) {
	switch q := c.asked[tag]; {
	case q == nil:
	case c.world.now-q.node.paused < 8*time.Second:
		c.world.after(time.Second, func() { c.expect(tag) })
	default:
		c.world.fail("%v: question %d has no answer", q.node, tag)
	}
}

func (c *clients) subscribe(n *node, of topic) {
	w := c.world
	s := &sub{node: n, of: of}
	c.subs = append(c.subs, s)
	tag := c.question(&question{node: n, sub: s, more: true})
	w.judge.changes(of.room, +1)
	w.trace("%v: %d subscribes to %v", n, tag, of)
	c.interest(n, tag, of, 1)
}

func (c *clients) unsubscribe(s *sub, quietly bool) {
	w := c.world
	w.judge.holds(s, -1)
	s.confirmed = false
	tag := uint64(0)
	w.judge.changes(s.of.room, +1)
	if quietly {
		w.after(time.Second, func() { w.judge.changes(s.of.room, -1) })
		c.remove(s)
	} else {
		tag = c.question(&question{node: s.node, sub: s})
	}
	w.trace("%v: %d unsubscribes from %v", s.node, tag, s.of)
	c.interest(s.node, tag, s.of, -1)
}

func (c *clients) interest(n *node, tag uint64, of topic, delta int) {
	n.turn(func() {
		text := []byte(of.text)
		if of.room == "" {
			n.patterns.Interest(tag, text, delta)
		} else {
			n.lane.Interest(tag, of.kind, []byte(of.room), text, delta)
		}
		clear(text)
	})
}

func (c *clients) remove(s *sub) {
	for i := range c.subs {
		if c.subs[i] == s {
			c.subs = append(c.subs[:i], c.subs[i+1:]...)
			return
		}
	}
}

// publish publishes a message, past the lane if that is allowed.
func (c *clients) publish(n *node, room string, kind Kind, channel string, viaLane bool) {
	w := c.world
	m := &message{id: len(c.messages), node: n, room: room, kind: kind, channel: channel, begun: w.now, exact: w.judge.quiet(room), final: c.over}
	c.messages = append(c.messages, m)
	n.turn(func() {
		if n.owned[room] && !viaLane {
			w.trace("%v: message %d in %s by itself", n, m.id, channel)
			w.judge.alone(n, m)
			return
		}
		tag := c.question(&question{node: n, message: m})
		w.trace("%v: %d publishes message %d in %s", n, tag, m.id, channel)
		m.waits, c.inside = true, m
		roomBytes, channelBytes, text := []byte(room), []byte(channel), []byte(strconv.Itoa(m.id))
		count := n.lane.Publish(tag, kind, roomBytes, channelBytes, text)
		c.inside = nil
		clear(roomBytes)
		clear(channelBytes)
		clear(text)
		if count >= 0 {
			if c.asked[tag] == nil {
				w.fail("%v: message %d is answered twice", n, m.id)
				return
			}
			if m.order == nil {
				w.judge.ordered(n, m, order{n.follows(room), n.lane.rooms[room].office.number})
			}
			c.answered(n, tag, Done, count)
		}
	})
}

func (c *clients) count(n *node, of topic) {
	tag := c.question(&question{node: n, counts: &of, exact: c.world.judge.quiet(of.room)})
	n.turn(func() { n.lane.Count(tag, of.kind, []byte(of.room), []byte(of.text)) })
}

// answered takes an answer.
func (c *clients) answered(n *node, tag uint64, code Code, count int64) {
	w, q := c.world, c.asked[tag]
	w.trace("%v: answer %d: %d, %d", n, tag, code, count)
	if q == nil || q.node != n {
		w.fail("%v: answer %d is for no question", n, tag)
		return
	}
	delete(c.asked, tag)
	if code != Done && (w.calm || w.now > simFaults+simHeal) {
		w.fail("%v: question %d is answered %d", n, tag, code)
	}
	switch {
	case q.sub != nil:
		w.judge.changes(q.sub.of.room, -1)
		if q.more && code == Done {
			q.sub.confirmed = true
			w.judge.holds(q.sub, +1)
		} else {
			c.remove(q.sub)
		}
	case q.message != nil:
		q.message.waits = false
		if code == Done && count == 0 {
			q.message.lonely = w.now
		}
		if code == Done {
			w.judge.published(n, q.message, count)
		}
	case code == Done:
		w.judge.counted(*q.counts, q.exact, count)
	}
}

// vanish is the end of a process.
func (c *clients) vanish(n *node) {
	for i := 0; i < len(c.subs); {
		if c.subs[i].node == n {
			c.subs = append(c.subs[:i], c.subs[i+1:]...)
		} else {
			i++
		}
	}
	for tag, q := range c.asked {
		if q.node == n {
			delete(c.asked, tag)
			if q.sub != nil {
				c.world.judge.changes(q.sub.of.room, -1)
			}
		}
	}
}

// last publishes when all is well, from everywhere to everybody.
func (c *clients) last() {
	c.over = true
	w := c.world
	if len(c.asked) > 0 {
		for tag := uint64(0); tag <= c.tag; tag++ {
			if c.asked[tag] != nil {
				w.fail("question %d has no answer", tag)
			}
		}
	}
	w.judge.agree()
	c.round()
}

// round publishes everything everywhere.
func (c *clients) round() {
	w := c.world
	for _, n := range w.nodes {
		for i := range simRooms {
			for _, kind := range []Kind{Channel, Shard} {
				for _, channel := range []string{"a", "b"} {
					c.publish(n, roomName(i), kind, fmt.Sprintf("{r%d}%s", i, channel), false)
				}
			}
		}
	}
}

// leave ends all subscriptions.
func (c *clients) leave() {
	c.world.judge.settle()
	for len(c.subs) > 0 && c.world.broken == nil {
		s := c.subs[0]
		if !s.confirmed {
			c.world.fail("%v: %v is not confirmed", s.node, s.of)
			return
		}
		c.unsubscribe(s, c.world.chance(0.5))
		c.remove(s)
	}
}
