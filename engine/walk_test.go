package engine

import "testing"

// An audience that is walked in the middle of a tick, because somebody joins,
// and hears more in the same tick, gets everything once.
func TestWalkedTwiceInATick(t *testing.T) {
	for _, loops := range []int{1, 2} {
		h := newHub(t, loops, nil)
		crowd := h.crowd(2*sendsTogetherMin, "news")
		p := h.dial()
		var pipeline []byte
		for _, words := range [][]string{
			{"PUBLISH", "news", "1"}, {"SUBSCRIBE", "news"}, {"PUBLISH", "news", "2"}, {"UNSUBSCRIBE", "news"}, {"PUBLISH", "news", "3"},
		} {
			pipeline = append(pipeline, encode(words...)...)
		}
		p.write(pipeline)
		for range pipeline {
			if p.read() == "8" { // the last PUBLISH's answer, as the first's was
				break
			}
		}
		p.send("QUIT")
		for _, sub := range crowd {
			for _, m := range []string{"1", "2", "3"} {
				sub.want("message news " + m)
			}
			sub.ask("LAST", "LAST")
		}
	}
}
