package engine

import (
	"fmt"
	"testing"
	"time"
)

// With a hold of an hour, nothing but what must bring a held message out does.
func TestHoldEndsWhenSomebodyChanges(t *testing.T) {
	f := func(name string, change func(h *hub, subs []*peer)) {
		t.Run(name, func(t *testing.T) {
			h := newHub(t, 1, func(s *Settings) { s.CoalesceMax = time.Hour })
			subs := make([]*peer, holdAudienceMin+1)
			for i := range subs {
				subs[i] = h.dial()
				subs[i].ask("SUBSCRIBED", "SUBSCRIBE", "crowd")
			}
			p := h.dial()
			p.ask(fmt.Sprint(len(subs)), "PUBLISH", "crowd", "first")
			for _, s := range subs {
				s.want("message crowd first") // the first after a pause is not held
			}
			p.ask(fmt.Sprint(len(subs)), "PUBLISH", "crowd", "second")
			p.ask(fmt.Sprint(len(subs)), "PUBLISH", "crowd", "third")
			for _, s := range subs[1:] {
				s.quiet2()
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
	f("pattern", func(h *hub, subs []*peer) {
		late := h.dial()
		late.ask("SUBSCRIBED", "PSUBSCRIBE", "c*")
		late.quiet()
	})
}

// quiet2 is quiet for a client whose messages are held: its own answer does
// not bring them out.
func (p *peer) quiet2() {
	p.t.Helper()
	p.ask("PING", "PING")
}

func TestHoldEndsInTime(t *testing.T) {
	h := newHub(t, 2, func(s *Settings) { s.CoalesceMax = 5 * time.Millisecond })
	subs := make([]*peer, 3*holdAudienceMin)
	for i := range subs {
		subs[i] = h.dial()
		subs[i].ask("SUBSCRIBED", "SUBSCRIBE", "crowd")
	}
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
	subs := make([]*peer, holdAudienceMin-1)
	for i := range subs {
		subs[i] = h.dial()
		subs[i].ask("SUBSCRIBED", "SUBSCRIBE", "few")
	}
	p := h.dial()
	for range 3 {
		p.ask(fmt.Sprint(len(subs)), "PUBLISH", "few", "x")
		for _, s := range subs {
			s.want("message few x")
		}
	}
}
