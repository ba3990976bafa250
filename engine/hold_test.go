package engine

import (
	"fmt"
	"io"
	"net"
	"testing"
	"time"
)

// crowd returns n subscribers of a channel.
func (h *hub) crowd(n int, channel string) []*peer {
	subs := make([]*peer, n)
	for i := range subs {
		subs[i] = h.dial()
		subs[i].ask("SUBSCRIBED", "SUBSCRIBE", channel)
	}
	return subs
}

// With a hold of an hour, nothing but what must bring a held message out does.
func TestHoldEndsWhenSomebodyChanges(t *testing.T) {
	f := func(name string, change func(h *hub, subs []*peer)) {
		t.Run(name, func(t *testing.T) {
			h := newHub(t, 1, func(s *Settings) { s.CoalesceMax = time.Hour })
			subs := h.crowd(holdAudienceMin+1, "crowd")
			p := h.dial()
			p.ask(fmt.Sprint(len(subs)), "PUBLISH", "crowd", "first")
			for _, s := range subs {
				s.want("message crowd first") // the first after a pause is not held
			}
			p.ask(fmt.Sprint(len(subs)), "PUBLISH", "crowd", "second")
			p.ask(fmt.Sprint(len(subs)), "PUBLISH", "crowd", "third")
			for _, s := range subs[1:] {
				s.pings()
			}
			change(h, subs)
			for _, s := range subs[1:] {
				s.want("message crowd second")
				s.want("message crowd third")
			}
		})
	}
	f("subscribe", func(h *hub, subs []*peer) {
		late := h.dial()
		late.ask("SUBSCRIBED", "SUBSCRIBE", "crowd")
		late.quiet()
	})
	f("unsubscribe", func(h *hub, subs []*peer) {
		subs[0].send("UNSUBSCRIBE", "crowd")
		subs[0].want("message crowd second")
		subs[0].want("message crowd third")
		subs[0].want("UNSUBSCRIBED")
	})
	f("second subscription", func(h *hub, subs []*peer) {
		subs[0].send("SUBSCRIBE", "other")
		subs[0].want("message crowd second")
		subs[0].want("message crowd third")
		subs[0].want("SUBSCRIBED")
	})
	f("another protocol", func(h *hub, subs []*peer) {
		subs[0].send("HELLO", "3")
		subs[0].want("message crowd second")
		subs[0].want("message crowd third")
		subs[0].want("HELLO")
	})
}

// A pattern that comes while a message is held does not hear it, and the hold
// goes on.
func TestNewPatternDoesNotHearWhatIsHeld(t *testing.T) {
	h := newHub(t, 1, func(s *Settings) { s.CoalesceMax = time.Hour })
	subs := h.crowd(holdAudienceMin, "crowd")
	p, late := h.dial(), h.dial()
	p.ask(fmt.Sprint(len(subs)), "PUBLISH", "crowd", "first")
	p.ask(fmt.Sprint(len(subs)), "PUBLISH", "crowd", "second")
	late.ask("SUBSCRIBED", "PSUBSCRIBE", "c*")
	late.quiet()
	subs[0].want("message crowd first")
	subs[0].pings()
	p.ask(fmt.Sprint(len(subs)+1), "PUBLISH", "crowd", "third")
	late.want("pmessage c* crowd third")
}

// What is held in RESP3 is not what the loop made of it for somebody else in this
// tick: those bytes are lent.
func TestHeldOutlivesTheTick(t *testing.T) {
	for _, loops := range []int{1, 2} {
		h := newHub(t, loops, func(s *Settings) { s.CoalesceMax = time.Hour })
		subs := h.crowd(holdAudienceMin*loops, "crowd")
		var alone, many []*peer
		for range loops {
			alone, many = append(alone, h.dial()), append(many, h.dial())
		}
		for i := range loops {
			alone[i].ask("HELLO", "HELLO", "3")
			alone[i].ask("SUBSCRIBED", "SUBSCRIBE", "crowd")
			many[i].ask("HELLO", "HELLO", "3")
			many[i].ask("SUBSCRIBED", "SUBSCRIBE", "crowd", "more")
		}
		p, receivers := h.dial(), fmt.Sprint(len(subs)+2*loops)
		for _, message := range []string{"first", "second", "third"} {
			p.ask(receivers, "PUBLISH", "crowd", message)
			for _, s := range many {
				s.want("message crowd " + message)
			}
		}
		for range 10 { // takes the tick's buffers, and writes to them
			p.ask(fmt.Sprint(loops), "PUBLISH", "more", "something else")
			for _, s := range many {
				s.want("message more something else")
			}
		}
		for _, s := range append(subs, alone...) {
			s.send("QUIT")
			for _, message := range []string{"first", "second", "third"} {
				s.want("message crowd " + message)
			}
			s.want("OK")
		}
	}
}

// pings checks that a client is sent nothing though something is held for it:
// its own answers do not bring that out.
func (p *peer) pings() {
	p.t.Helper()
	p.ask("PING", "PING")
}

func TestHoldEndsInTime(t *testing.T) {
	h := newHub(t, 2, func(s *Settings) { s.CoalesceMax = 5 * time.Millisecond })
	subs := h.crowd(3*holdAudienceMin, "crowd")
	p := h.dial()
	for i := range 50 {
		p.ask(fmt.Sprint(len(subs)), "PUBLISH", "crowd", fmt.Sprint(i))
	}
	for _, s := range subs {
		for i := range 50 {
			s.want(fmt.Sprint("message crowd ", i)) // nobody publishes any more: the timeout brings the last
		}
	}
	if sends := h.Stats().Sends; sends >= int64(50*len(subs)) {
		t.Errorf("%d sends for 50 messages to %d subscribers: nothing was held", sends, len(subs))
	}
}

func TestHoldIsForCrowdsOnly(t *testing.T) {
	h := newHub(t, 1, func(s *Settings) { s.CoalesceMax = time.Hour })
	subs := h.crowd(holdAudienceMin-1, "few")
	p := h.dial()
	for range 3 {
		p.ask(fmt.Sprint(len(subs)), "PUBLISH", "few", "x")
		for _, s := range subs {
			s.want("message few x")
		}
	}
}

// A client that goes in good order gets what is held for it, before the answer
// to QUIT.
func TestHeldMessagesReachThoseWhoGo(t *testing.T) {
	f := func(name string, leave func(h *hub, p *peer), want ...string) {
		t.Run(name, func(t *testing.T) {
			h := newHub(t, 1, func(s *Settings) { s.CoalesceMax = time.Hour })
			subs := h.crowd(holdAudienceMin+1, "crowd")
			p := h.dial()
			for _, message := range []string{"first", "second"} {
				p.ask(fmt.Sprint(len(subs)), "PUBLISH", "crowd", message)
			}
			leave(h, subs[0])
			for _, w := range append([]string{"message crowd first", "message crowd second"}, want...) {
				subs[0].want(w)
			}
			if _, err := subs[0].next(); err != io.EOF {
				t.Fatalf("after that: %v, want the end", err)
			}
		})
	}
	f("QUIT", func(_ *hub, p *peer) { p.send("QUIT") }, "OK")
	f("half-close", func(_ *hub, p *peer) { p.Conn.(*net.UnixConn).CloseWrite() })
	f("protocol error", func(_ *hub, p *peer) { io.WriteString(p, "*x\r\n") }, "ERR Protocol error: invalid multibulk length")
	f("shutdown", func(h *hub, _ *peer) {
		if err := h.Shutdown(); err != nil {
			h.t.Error(err)
		}
		h.quit = make(chan struct{}) // the test's end shuts it down again
		h.loops, h.listeners = nil, nil
	})
}

// No message follows the answer to QUIT.
func TestNothingAfterQuit(t *testing.T) {
	h := newHub(t, 1, nil)
	p := h.dial()
	p.ask("SUBSCRIBED", "SUBSCRIBE", "a", "b")
	if _, err := p.Write(append(encode("PUBLISH", "a", "m"), encode("QUIT")...)); err != nil {
		t.Fatal(err)
	}
	p.want("1")
	p.want("message a m")
	p.want("OK")
	if got, err := p.next(); err != io.EOF {
		t.Fatalf("got %q, %v, want the end", got, err)
	}
}
