package e2e

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

// How long a client waits for an answer, one command at a time, on a node of three that does not lead the cluster. The
// median says what the way costs, the last hundredth what else there is to wait for: a timer, mostly, that nobody meant.
//
//	go test ./e2e -run '^$' -bench Answers -benchtime 1x

// answersRounds is how often each command is sent: its 99th percentile is then the third longest wait.
const answersRounds = 300

// BenchmarkAnswers sends each of the commands with names of its own in turn.
func BenchmarkAnswers(b *testing.B) {
	nodes := startNodes(b, 3)
	there := leaderOf(nodes)
	here := nodes[(slices.Index(nodes, there)+1)%len(nodes)]
	listener := dial(b, there.server)
	for i := range answersRounds {
		must(b, listener.expect(fmt.Sprintf("[subscribe known%d %d]", i, i+1), "SUBSCRIBE", fmt.Sprint("known", i)))
	}
	f := func(name string, command func(i int) (want string, words []string)) {
		b.Run(name, func(b *testing.B) {
			c := dial(b, here.server)
			var waits millis
			for i := range answersRounds {
				want, words := command(i)
				begin := time.Now()
				err := c.expect(want, words...)
				waits = append(waits, time.Since(begin).Seconds()*1e3)
				must(b, err)
			}
			b.ReportMetric(waits.at(0.5), "ms-median")
			b.ReportMetric(waits.at(0.99), "ms-p99")
			b.ReportMetric(waits.at(1), "ms-most")
			b.ReportMetric(0, "ns/op")
		})
	}
	f("PING", func(int) (string, []string) { return "PONG", []string{"PING"} })
	f("SUBSCRIBE-new", func(i int) (string, []string) {
		room := fmt.Sprint("new", i)
		return fmt.Sprintf("[subscribe %s %d]", room, i+1), []string{"SUBSCRIBE", room}
	})
	f("SUBSCRIBE-known", func(i int) (string, []string) {
		room := fmt.Sprint("known", i)
		return fmt.Sprintf("[subscribe %s %d]", room, i+1), []string{"SUBSCRIBE", room}
	})
	f("PUBLISH-elsewhere", func(i int) (string, []string) { return "1", []string{"PUBLISH", fmt.Sprint("known", i), "m"} })
	f("PUBLISH-nobody", func(int) (string, []string) { return "0", []string{"PUBLISH", "nobody", "m"} })
	f("NUMSUB-elsewhere", func(i int) (string, []string) {
		room := fmt.Sprint("known", i)
		return fmt.Sprintf("[%s 1]", room), []string{"PUBSUB", "NUMSUB", room}
	})
	f("NUMSUB-nobody", func(int) (string, []string) { return "[nobody 0]", []string{"PUBSUB", "NUMSUB", "nobody"} })
	f("CHANNELS", func(int) (string, []string) { return "[]", []string{"PUBSUB", "CHANNELS", "nobody"} })
	f("PSUBSCRIBE", func(i int) (string, []string) {
		pattern := fmt.Sprintf("p%d*", i)
		return fmt.Sprintf("[psubscribe %s %d]", pattern, i+1), []string{"PSUBSCRIBE", pattern}
	})
}
