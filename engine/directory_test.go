package engine

import (
	"fmt"
	"testing"
)

func TestRoomName(t *testing.T) {
	f := func(channel, want string) {
		t.Helper()
		if got := string(roomName([]byte(channel))); got != want {
			t.Errorf("room of %q is %q, want %q", channel, got, want)
		}
	}
	f("lobby", "lobby")
	f("{lobby}chat", "lobby")
	f("chat{lobby}", "lobby")
	f("{lobby", "{lobby")
	f("lobby}", "lobby}")
	f("{}lobby", "{}lobby")
	f("}{lobby}", "lobby")
	f("{a}{b}", "a")
	f("{{a}b}", "{a")
	f("", "")
}

// leftOver counts everything that remembers a name, on all loops.
func (h *hub) leftOver() string {
	done := make(chan int)
	audiences := 0
	for _, l := range h.loops {
		l.post(func() { done <- len(l.audiences) + len(l.patterns) + len(l.unpublished) })
		audiences += <-done
	}
	st := h.Stats()
	return fmt.Sprintf("%d rooms, %d channels, %d audiences, %d patterns, %d subscribers",
		st.Rooms, st.Channels+st.ShardChannels, audiences, h.Patterns(), st.Subscribers)
}

const nothing = "0 rooms, 0 channels, 0 audiences, 0 patterns, 0 subscribers"

func (h *hub) wantNothing() {
	h.t.Helper()
	if got := h.leftOver(); got != nothing {
		h.t.Fatalf("left over: %s", got)
	}
}

func TestPublishToUnknownNamesLeavesNothing(t *testing.T) {
	h := newHub(t, 2, nil)
	p := h.dial()
	for i := range 1000 {
		p.ask("0", "PUBLISH", channelNumber(i), "x")
		p.ask("0", "SPUBLISH", "{room}"+channelNumber(i), "x")
	}
	h.wantNothing()
}

// Channels that only a pattern hears are made for each publish and not kept,
// in rooms of their own and in a room that is there for another channel.
func TestPatternsLeaveNothing(t *testing.T) {
	h := newHub(t, 3, nil)
	subs := []*peer{h.dial(), h.dial(), h.dial(), h.dial()}
	for _, s := range subs {
		s.ask("SUBSCRIBED", "PSUBSCRIBE", "*channel:*")
	}
	subs[0].ask("SUBSCRIBED", "SUBSCRIBE", "{room}x")
	p, q := h.dial(), h.dial()
	for i := range 300 {
		name := channelNumber(i)
		if i%2 == 0 {
			name = "{room}" + name
		}
		p.send("PUBLISH", name, "p")
		q.ask("4", "PUBLISH", name, "q")
		p.want("4")
		for _, s := range subs {
			first, second := s.read(), s.read()
			want := "pmessage *channel:* " + name
			if first == second || first[:len(first)-2] != want || second[:len(second)-2] != want {
				t.Fatalf("got %q and %q", first, second)
			}
		}
	}
	subs[0].ask("UNSUBSCRIBED", "UNSUBSCRIBE", "{room}x")
	for _, s := range subs {
		s.ask("UNSUBSCRIBED", "PUNSUBSCRIBE", "*channel:*")
	}
	h.wantNothing()
}

// Many channels of one room, and many subscriptions of one client, come and go
// in any order; the counts are right all along.
func TestSubscriptionsComeAndGo(t *testing.T) {
	h := newHub(t, 2, nil)
	const names = 40
	peers := []*peer{h.dial(), h.dial(), h.dial()}
	has := map[[2]int]bool{}
	p := h.dial()
	for step := range 3000 {
		who, name := step*7%3, step*step*13%names
		key := [2]int{who, name}
		channel := fmt.Sprintf("{room}%d", name)
		if has[key] = !has[key]; has[key] {
			peers[who].ask("SUBSCRIBED", "SUBSCRIBE", channel)
		} else {
			peers[who].ask("UNSUBSCRIBED", "UNSUBSCRIBE", channel)
		}
		n := 0
		for w := range peers {
			if has[[2]int{w, name}] {
				n++
			}
		}
		p.ask(fmt.Sprint(n), "PUBLISH", channel, "x")
		for w := range peers {
			if has[[2]int{w, name}] {
				peers[w].want("message " + channel + " x")
			}
		}
	}
	for i, s := range peers {
		s.quiet()
		s.Close()
		for h.Stats().Connections > int64(len(peers)-i) {
			p.quiet()
		}
	}
	h.wantNothing()
}
