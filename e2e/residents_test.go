package e2e

import "fmt"

// Those who are in their rooms from the first message to the last: residents and gateways.

var allLanes = []lane{laneChat, laneTyping, laneShard}

// residentKinds are the ways to be in a room. The first hears every lane: the first resident of a room is its
// observer, whose sequence is the order that all others are compared with.
var residentKinds = []struct {
	resp3 bool
	join  func(room) [][]string
	lanes []lane
}{
	{false, func(r room) [][]string { return [][]string{subscribeBoth(r), subscribeShard(r)} }, allLanes},
	{true, func(r room) [][]string { return [][]string{subscribeShard(r), subscribeBoth(r)} }, allLanes},
	{false, func(r room) [][]string { return [][]string{subscribeChat(r)} }, []lane{laneChat}},
	{true, func(r room) [][]string { return [][]string{subscribeChat(r)} }, []lane{laneChat}},
	{false, func(r room) [][]string { return [][]string{subscribeChat(r)} }, []lane{laneChat}},
	{false, func(r room) [][]string { return [][]string{subscribeBoth(r)} }, []lane{laneChat, laneTyping}},
	{true, func(r room) [][]string { return [][]string{subscribeBoth(r)} }, []lane{laneChat, laneTyping}},
	{false, func(r room) [][]string { return [][]string{{"PSUBSCRIBE", r.pattern()}} }, []lane{laneChat, laneTyping}},
	{true, func(r room) [][]string { return [][]string{{"PSUBSCRIBE", r.pattern()}} }, []lane{laneChat, laneTyping}},
	{false, func(r room) [][]string { return [][]string{subscribeShard(r)} }, []lane{laneShard}},
}

// leastListeners is how many of these kinds hear the lane that fewest hear.
const leastListeners = 3

func subscribeChat(r room) []string  { return []string{"SUBSCRIBE", r.channel(laneChat)} }
func subscribeShard(r room) []string { return []string{"SSUBSCRIBE", r.channel(laneShard)} }

func subscribeBoth(r room) []string {
	if r.channel(laneChat) == r.channel(laneTyping) {
		return subscribeChat(r)
	}
	return []string{"SUBSCRIBE", r.channel(laneTyping), r.channel(laneChat)}
}

// reside joins the room, then reads until every lane it hears has ended.
func (l *load) reside(r room, i int, joined func()) error {
	kind := residentKinds[i%len(residentKinds)]
	c, err := l.join(kind.join(r), kind.resp3)
	joined()
	if err != nil {
		return fmt.Errorf("resident %d of room %d: %w", i, r, err)
	}
	defer c.close()
	got, err := readLanes(c, r, len(r.lanes(kind.lanes)))
	if err != nil {
		return fmt.Errorf("resident %d of room %d, after %d messages: %w", i, r, len(got), err)
	}
	l.keep(piece{"a resident", r, kind.lanes, true, got})
	if i == 0 {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.orders[r] = order{r, got}
	}
	return nil
}

// gather joins all rooms on one connection, as the gateway of many users does.
func (l *load) gather(resp3 bool, joined func()) error {
	plain, shard := []string{"SUBSCRIBE"}, []string{"SSUBSCRIBE"}
	rooms := map[string]room{}
	ends := 0
	for r := range l.rooms {
		plain = append(plain, subscribeBoth(r)[1:]...)
		shard = append(shard, subscribeShard(r)[1:]...)
		rooms[r.channel(laneChat)], rooms[r.channel(laneTyping)] = r, r
		ends += len(r.lanes(allLanes))
	}
	c, err := l.join([][]string{plain, shard}, resp3)
	joined()
	if err != nil {
		return fmt.Errorf("a gateway: %w", err)
	}
	defer c.close()
	got := make([][]message, l.rooms)
	for ends > 0 {
		frame, err := c.read()
		if err != nil || len(frame.items) != 3 {
			return fmt.Errorf("a gateway got %v: %v", frame, err)
		}
		r := rooms[frame.items[1].text]
		m, ok, err := r.parseDelivery(frame)
		if err != nil || !ok {
			return fmt.Errorf("a gateway got %v: %v", frame, err)
		}
		got[r] = append(got[r], m)
		if m.seq == lastSeq {
			ends--
		}
	}
	for r := range l.rooms {
		l.keep(piece{"a gateway", r, allLanes, true, got[r]})
	}
	return nil
}

// join connects and subscribes, and returns when all is confirmed.
func (l *load) join(commands [][]string, resp3 bool) (*client, error) {
	c, err := connect(l.s.addr())
	if err != nil {
		return nil, err
	}
	if resp3 {
		if _, err := c.do("HELLO", "3"); err != nil {
			return nil, err
		}
	}
	for _, command := range commands {
		if err := c.send(command...); err != nil {
			return nil, err
		}
		for range command[1:] {
			if r, err := c.read(); err != nil || r.kind == '-' {
				return nil, fmt.Errorf("%s: %v %v", command[0], r, err)
			}
		}
	}
	return c, nil
}

// readLanes reads the room's messages until that many lanes have ended.
func readLanes(c *client, r room, ends int) ([]message, error) {
	var got []message
	for ends > 0 {
		frame, err := c.read()
		if err != nil {
			return got, err
		}
		m, ok, err := r.parseDelivery(frame)
		if err != nil || !ok {
			return got, fmt.Errorf("got %v: %v", frame, err)
		}
		got = append(got, m)
		if m.seq == lastSeq {
			ends--
		}
	}
	return got, nil
}
