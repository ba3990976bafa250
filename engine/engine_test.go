package engine

import (
	"strconv"
	"testing"
)

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

// PUBLISHes that are executed at once count one by one, heard or not, and their
// rooms go with those who hear them, by name or by pattern.
func TestPublishesOfPipelinesCount(t *testing.T) {
	for _, loops := range []int{1, 2} {
		h := newHub(t, loops, nil)
		sub, listener, p := h.dial(), h.dial(), h.dial()
		sub.ask("SUBSCRIBED", "SUBSCRIBE", "news")
		listener.ask("SUBSCRIBED", "PSUBSCRIBE", "old*")
		var pipeline []byte
		for _, channel := range []string{"news", "olds", "nobody"} {
			for i := range 10 {
				pipeline = append(pipeline, encode("PUBLISH", channel, strconv.Itoa(i))...)
			}
		}
		p.write(pipeline)
		for i := range 30 {
			p.want([]string{"1", "1", "0"}[i/10])
		}
		for i := range 10 {
			sub.want("message news " + strconv.Itoa(i))
			listener.want("pmessage old* olds " + strconv.Itoa(i))
		}
		eventually(t, "32 commands, 20 deliveries, one room", func() bool {
			st := h.Stats()
			return st.Commands == 32 && st.Published == 30 && st.Delivered == 20 && st.Rooms == 1
		})
	}
}
