package engine

import "testing"

func TestMessageReachesSubscribers(t *testing.T) {
	h := newHub(t, 2, nil)
	a, b, p := h.dial(), h.dial(), h.dial()
	a.ask("SUBSCRIBED", "SUBSCRIBE", "news")
	b.ask("SUBSCRIBED", "SUBSCRIBE", "news", "other")
	p.ask("2", "PUBLISH", "news", "hello")
	a.want("message news hello")
	b.want("message news hello")
	p.ask("0", "PUBLISH", "unknown", "x")
	b.ask("HELLO", "HELLO", "3")
	p.ask("1", "publish", "other", "y")
	b.want("message other y")
	a.ask("SUBSCRIBED", "PSUBSCRIBE", "n*")
	p.ask("3", "PUBLISH", "news", "2")
	a.want("message news 2")
	a.want("pmessage n* news 2")
	b.want("message news 2")
	p.ask("1", "PUBLISH", "new", "3")
	a.want("pmessage n* new 3")
	a.ask("UNSUBSCRIBED", "UNSUBSCRIBE", "news")
	p.ask("2", "PUBLISH", "news", "4")
	a.want("pmessage n* news 4")
	b.want("message news 4")
	a.quiet()
	b.quiet()
}
