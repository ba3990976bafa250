package e2e

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// The load tests give each message a name that says who published it and as which of theirs, so that a subscriber's
// whole sequence can be compared with the room's one order.

// lane is one way into a room: two channels under a hash tag, and the shard channel of the first one's name.
type lane uint8

const (
	laneChat   lane = iota // PUBLISH {r}chat
	laneTyping             // PUBLISH {r}typing
	laneShard              // SPUBLISH {r}chat
	lanes
)

// message is one published message as a subscriber sees it.
type message struct {
	lane      lane
	publisher uint16
	seq       uint32 // counts a publisher's messages in one room, over all lanes, from 1
}

// lastSeq marks the message that ends a lane: nothing is published on it afterwards.
const lastSeq = 1 << 31

func (m message) payload() string { return fmt.Sprintf("%d %d", m.publisher, m.seq) }

// room gives the names of a room's channels. Odd rooms have no hash tag: one channel, typing goes there too.
type room int

func (r room) channel(l lane) string {
	if r%2 == 1 {
		return fmt.Sprintf("room%d", r)
	}
	if l == laneTyping {
		return fmt.Sprintf("{room%d}typing", r)
	}
	return fmt.Sprintf("{room%d}chat", r)
}

// pattern matches the room's channels and no other room's.
func (r room) pattern() string {
	if r%2 == 1 {
		return fmt.Sprintf("room%d", r)
	}
	return fmt.Sprintf("{room%d}*", r)
}

// lane maps a delivery back: the kind of frame and the channel say which lane it came by.
func (r room) lane(kind, channel string) lane {
	switch {
	case kind == "smessage":
		return laneShard
	case channel == r.channel(laneChat):
		return laneChat
	}
	return laneTyping
}

// lanes leaves out of these lanes the one that a room without hash tag does not have.
func (r room) lanes(of []lane) []lane {
	if r%2 == 0 {
		return of
	}
	return slices.DeleteFunc(slices.Clone(of), func(l lane) bool { return l == laneTyping })
}

// parseDelivery reads a message, pmessage or smessage frame of the room; ok is false for any other reply.
func (r room) parseDelivery(frame reply) (m message, ok bool, err error) {
	if frame.kind != '*' && frame.kind != '>' || len(frame.items) < 3 || !strings.HasSuffix(frame.items[0].text, "message") {
		return m, false, nil
	}
	n := len(frame.items)
	channel, payload := frame.items[n-2].text, frame.items[n-1].text
	if channel != r.channel(laneChat) && channel != r.channel(laneTyping) {
		return m, false, fmt.Errorf("room %d got a message of %q", r, channel)
	}
	publisher, seq, _ := strings.Cut(payload, " ")
	p, err1 := strconv.ParseUint(publisher, 10, 16)
	s, err2 := strconv.ParseUint(strings.TrimRight(seq, " "), 10, 32)
	if err1 != nil || err2 != nil {
		return m, false, fmt.Errorf("room %d got the payload %q", r, payload)
	}
	return message{r.lane(frame.items[0].text, channel), uint16(p), uint32(s)}, true, nil
}

// order is a room's one order, as its observer saw it.
type order struct {
	room     room
	messages []message
}

// check fails the test unless the order has everything that was published exactly once, each publisher's in order.
func (o order) check(t *testing.T, published map[uint16]uint32) {
	t.Helper()
	last := map[uint16]uint32{}
	for i, m := range o.messages {
		if m.seq == lastSeq {
			continue
		}
		if m.seq != last[m.publisher]+1 {
			t.Errorf("room %d: at %d publisher %d is at its message %d after %d", o.room, i, m.publisher, m.seq, last[m.publisher])
			return
		}
		last[m.publisher] = m.seq
	}
	for p, n := range published {
		if last[p] != n {
			t.Errorf("room %d: %d messages of publisher %d arrived, %d were published", o.room, last[p], p, n)
		}
	}
}

// of is the part of the order that a subscriber of these lanes sees.
func (o order) of(seen []lane) []message {
	return slices.DeleteFunc(slices.Clone(o.messages), func(m message) bool { return !slices.Contains(seen, m.lane) })
}

// wantWhole: the subscriber of these lanes must have seen all of them, in this order.
func (o order) wantWhole(who string, seen []lane, got []message) error {
	want := o.of(seen)
	if slices.Equal(got, want) {
		return nil
	}
	i := 0
	for i < len(got) && i < len(want) && got[i] == want[i] {
		i++
	}
	return fmt.Errorf("room %d: %s saw %d messages of %d, another order from %d on: %v, want %v",
		o.room, who, len(got), len(want), i, head(got[i:]), head(want[i:]))
}

// wantPiece: what the subscriber of these lanes has seen must be a contiguous piece of the order.
func (o order) wantPiece(who string, seen []lane, got []message) error {
	if len(got) == 0 {
		return nil
	}
	all := o.of(seen)
	begin := slices.Index(all, got[0])
	if begin >= 0 && begin+len(got) <= len(all) && slices.Equal(all[begin:begin+len(got)], got) {
		return nil
	}
	return fmt.Errorf("room %d: %s saw %v, which is no piece of the order (begins at %d of %d)", o.room, who, head(got), begin, len(all))
}

// head bounds what a failure shows of a sequence.
func head(m []message) []message { return m[:min(len(m), 5)] }
