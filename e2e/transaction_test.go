package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

const (
	transactionPublishers  = 6
	transactionSubscribers = 12
	transactions           = 150 // of each publisher
	transactionLength      = 5
)

// TestTransactionsAreContiguous: nothing stands between the publishes of one EXEC, in no subscriber's stream, while
// others publish with EXEC and without; and everybody sees them in one order.
func TestTransactionsAreContiguous(t *testing.T) {
	f := func(subscribing bool, args ...string) {
		t.Run(fmt.Sprintf("%v,subscribing=%t", args, subscribing), func(t *testing.T) {
			s := startHubSub(t, args...)
			seen := make([][]string, transactionSubscribers)
			var readers, publishers crew
			readers.t, publishers.t = t, t
			for i := range seen {
				c := dial(t, s)
				must(t, c.send("SUBSCRIBE", "{r}a", "{r}b"), c.next("[subscribe {r}a 1]"), c.next("[subscribe {r}b 2]"))
				readers.run(func() (err error) {
					seen[i], err = watch(c, "[message {r}a end]")
					return err
				})
			}
			for p := range transactionPublishers {
				publishers.run(func() error { return publishTransactions(s, p, subscribing) })
			}
			publishers.wait()
			must(t, dial(t, s).expect(fmt.Sprint(transactionSubscribers), "PUBLISH", "{r}a", "end"))
			readers.wait()
			checkTransactions(t, seen[0])
			for i, got := range seen {
				if strings.Join(got, "\n") != strings.Join(seen[0], "\n") {
					t.Errorf("subscriber %d saw another order than subscriber 0", i)
				}
			}
		})
	}
	f(false, "--loops", "1")
	f(false, "--loops", "4")
	// With more loops, a change of subscriptions inside EXEC ends the contiguous piece: what was published before it is
	// brought out first.
	f(true, "--loops", "1")
}

// publishTransactions publishes its transactions, each over both channels of the room, and a plain message after each.
// One that subscribes does so in the middle of its transactions, to another channel of the room.
func publishTransactions(s *server, p int, subscribing bool) error {
	c, err := connect(s.addr())
	if err != nil {
		return err
	}
	defer c.close()
	if subscribing { // RESP3 lets a subscriber publish
		if _, err := c.do("HELLO", "3"); err != nil {
			return err
		}
	}
	queued, answers := transactionLength, []string{}
	for range transactionLength {
		answers = append(answers, fmt.Sprint(transactionSubscribers))
	}
	if subscribing {
		queued += 2
		answers = slices.Insert(answers, 2, ">[subscribe {r}own 1]", ">[unsubscribe {r}own 0]")
	}
	for i := range transactions {
		c.add("MULTI")
		for k := range transactionLength {
			if subscribing && k == 2 {
				c.add("SUBSCRIBE", "{r}own")
				c.add("UNSUBSCRIBE", "{r}own")
			}
			c.add("PUBLISH", []string{"{r}a", "{r}b"}[(i+k)%2], fmt.Sprintf("%d.%d.%d", p, i, k))
		}
		c.add("EXEC")
		c.add("PUBLISH", "{r}a", fmt.Sprintf("%d.%d.plain", p, i))
		if err := c.flush(); err != nil {
			return err
		}
		wants := append([]string{"OK"}, strings.Fields(strings.Repeat("QUEUED ", queued))...)
		for _, want := range append(wants, fmt.Sprint(answers), fmt.Sprint(transactionSubscribers)) {
			if err := c.next(want); err != nil {
				return fmt.Errorf("transaction %d of publisher %d: %w", i, p, err)
			}
		}
	}
	return nil
}

// checkTransactions looks through one subscriber's stream: a transaction that has begun goes on to its end.
func checkTransactions(t *testing.T, seen []string) {
	t.Helper()
	if want := transactionPublishers*transactions*(transactionLength+1) + 1; len(seen) != want {
		t.Errorf("%d messages, want %d", len(seen), want)
	}
	expected := ""
	for at, m := range seen {
		var channel, payload string
		fmt.Sscanf(m, "[message %s %s", &channel, &payload)
		id, position := "", strings.TrimSuffix(payload, "]")
		if cut := strings.LastIndexByte(position, '.'); cut >= 0 {
			id, position = position[:cut+1], position[cut+1:]
		}
		if expected != "" && id+position != expected || expected == "" && position != "0" && position != "plain" && position != "end" {
			t.Errorf("message %d is %s, want %s", at, m, expected)
			return
		}
		expected = ""
		if k := strings.IndexAny("01234", position); len(position) == 1 && k >= 0 && k < transactionLength-1 {
			expected = fmt.Sprintf("%s%d", id, k+1)
		}
	}
}
