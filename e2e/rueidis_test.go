package e2e

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/redis/rueidis"
)

// TestRueidis: what the library's users see is the same with Redis, with HubSub, and with a cluster, where who hears and
// who tells are on different nodes.
func TestRueidis(t *testing.T) {
	f := func(name string, options rueidis.ClientOption, failover bool) {
		part := func(t *testing.T, name string, test func(*testing.T, starter, rueidis.ClientOption)) {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				onEach(t, func(t *testing.T, start starter) { test(t, start, options) })
			})
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			part(t, "Subscriptions", rueidisSubscriptions)
			part(t, "Pipelines", rueidisPipelines)
			part(t, "Reconnect", rueidisReconnect)
			part(t, "Password", rueidisPassword)
			if failover {
				t.Run("Failover", func(t *testing.T) {
					t.Parallel()
					rueidisFailover(t, options)
				})
			}
		})
	}
	f("Default", rueidis.ClientOption{}, true)
	// With RESP2 it subscribes on a second connection, which it does not replace while its first one lives: of any server,
	// CLIENT KILL TYPE pubsub silences it.
	f("RESP2", rueidis.ClientOption{AlwaysRESP2: true, DisableCache: true}, false)
}

// newRueidis makes a client of s that is closed with the test.
func newRueidis(t *testing.T, s *server, options rueidis.ClientOption) (rueidis.Client, context.Context) {
	t.Helper()
	options.InitAddress = []string{s.addr()}
	client, err := rueidis.NewClient(options)
	if err != nil {
		t.Fatalf("cannot make a rueidis client: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), clientLimit)
	t.Cleanup(func() {
		cancel()
		client.Close()
	})
	return client, ctx
}

// rueidisReceive receives in the background until the client unsubscribes (nil) or gives up, which its error tells.
func rueidisReceive(ctx context.Context, client rueidis.Client, subscribe rueidis.Completed) (messages chan string, ended chan error) {
	messages, ended = make(chan string, 1000), make(chan error, 1)
	go func() { ended <- rueidisListen(ctx, client, subscribe, messages) }()
	return messages, ended
}

// rueidisListen receives, each message in one line.
func rueidisListen(ctx context.Context, client rueidis.Client, subscribe rueidis.Completed, messages chan<- string) error {
	return client.Receive(ctx, subscribe, func(m rueidis.PubSubMessage) {
		messages <- fmt.Sprintf("%q %q %q", m.Pattern, m.Channel, m.Message)
	})
}

// numSub asks for the number of subscribers by PUBSUB NUMSUB or SHARDNUMSUB.
func numSub(ctx context.Context, client rueidis.Client, query, channel string) int64 {
	answer, err := client.Do(ctx, client.B().Arbitrary("PUBSUB", query, channel).Build()).ToArray()
	if err != nil || len(answer) != 2 {
		return -1
	}
	n, _ := answer[1].ToInt64()
	return n
}

func rueidisSubscriptions(t *testing.T, start starter, options rueidis.ClientOption) {
	s := start(t)
	hear, ctx := newRueidis(t, s, options)
	tell, _ := newRueidis(t, s, options)
	b := hear.B()
	numPat := func() int64 {
		n, _ := tell.Do(ctx, tell.B().PubsubNumpat().Build()).ToInt64()
		return n
	}
	f := func(pattern, channel string, subscribe, unsubscribe rueidis.Completed, count func() int64, publish func(payload string) rueidis.Completed) {
		t.Helper()
		messages, ended := rueidisReceive(ctx, hear, subscribe)
		await(t, ctx, "rueidis subscribes", func() bool { return count() == 1 })
		for _, payload := range []string{"hello", "", binaryPayload} {
			if n, err := tell.Do(ctx, publish(payload)).ToInt64(); err != nil || n != 1 {
				t.Errorf("published to %d, %v; want 1", n, err)
			}
			want := fmt.Sprintf("%q %q %q", pattern, channel, payload)
			select {
			case got := <-messages:
				if got != want {
					t.Errorf("received %s, want %s", got, want)
				}
			case err := <-ended:
				t.Fatalf("receiving ended: %v", err)
			case <-ctx.Done():
				t.Fatalf("%s did not arrive", want)
			}
		}
		must(t, hear.Do(ctx, unsubscribe).Error(), <-ended)
		if n, err := tell.Do(ctx, publish("gone")).ToInt64(); err != nil || n != 0 {
			t.Errorf("after the end published to %d, %v; want 0", n, err)
		}
	}
	f("", "news", b.Subscribe().Channel("news").Build(), b.Unsubscribe().Channel("news").Build(),
		func() int64 { return numSub(ctx, tell, "NUMSUB", "news") },
		func(p string) rueidis.Completed { return tell.B().Publish().Channel("news").Message(p).Build() })
	f("n*", "net", b.Psubscribe().Pattern("n*").Build(), b.Punsubscribe().Pattern("n*").Build(), numPat,
		func(p string) rueidis.Completed { return tell.B().Publish().Channel("net").Message(p).Build() })
	f("", "shard", b.Ssubscribe().Channel("shard").Build(), b.Sunsubscribe().Channel("shard").Build(),
		func() int64 { return numSub(ctx, tell, "SHARDNUMSUB", "shard") },
		func(p string) rueidis.Completed { return tell.B().Spublish().Channel("shard").Message(p).Build() })

	messages, _ := rueidisReceive(ctx, hear, hear.B().Subscribe().Channel("a", "b").Build())
	// Who is counted by NUMSUB may not have joined yet, in a cluster: then its node does not list its channels.
	await(t, ctx, "rueidis subscribes to both", func() bool {
		names, _ := tell.Do(ctx, tell.B().PubsubChannels().Build()).AsStrSlice()
		slices.Sort(names)
		return slices.Equal(names, []string{"a", "b"})
	})
	if len(messages) != 0 {
		t.Errorf("a message nobody sent: %s", <-messages)
	}
}

func rueidisPipelines(t *testing.T, start starter, options rueidis.ClientOption) {
	s := start(t)
	hear, ctx := newRueidis(t, s, options)
	tell, _ := newRueidis(t, s, options)
	messages, _ := rueidisReceive(ctx, hear, hear.B().Subscribe().Channel("c").Build())
	await(t, ctx, "rueidis subscribes", func() bool { return numSub(ctx, tell, "NUMSUB", "c") == 1 })
	var publishes rueidis.Commands
	for i := range 100 {
		publishes = append(publishes, tell.B().Publish().Channel("c").Message(fmt.Sprint(i)).Build())
	}
	for i, answer := range tell.DoMulti(ctx, publishes...) {
		if n, err := answer.ToInt64(); err != nil || n != 1 {
			t.Errorf("publish %d: %d, %v; want 1", i, n, err)
		}
		if got, want := <-messages, fmt.Sprintf(`"" "c" "%d"`, i); got != want {
			t.Fatalf("received %s, want %s", got, want)
		}
	}
}

func rueidisReconnect(t *testing.T, start starter, options rueidis.ClientOption) {
	s := start(t)
	hear, ctx := newRueidis(t, s, options)
	tell, _ := newRueidis(t, s, options)
	messages, ended := rueidisReceive(ctx, hear, hear.B().Subscribe().Channel("news").Build())
	for _, when := range []string{"before", "after"} {
		if when == "after" {
			s.kill()
			s.restart(t)
		}
		await(t, ctx, "rueidis subscribes "+when, func() bool { return numSub(ctx, tell, "NUMSUB", "news") == 1 })
		publish := tell.B().Publish().Channel("news").Message(when).Build()
		must(t, tell.Do(ctx, publish).Error())
		select {
		case got := <-messages:
			if want := fmt.Sprintf(`"" "news" %q`, when); got != want {
				t.Errorf("received %s, want %s", got, want)
			}
		case err := <-ended:
			t.Fatalf("receiving ended: %v", err)
		case <-ctx.Done():
			t.Fatal("no message")
		}
	}
}

func rueidisPassword(t *testing.T, start starter, options rueidis.ClientOption) {
	s := start(t, "--requirepass", "secret")
	options.Password = "secret"
	for range 3 { // which are all the nodes of a cluster
		client, ctx := newRueidis(t, s, options)
		must(t, client.Do(ctx, client.B().Ping().Build()).Error())
	}
	options.Password = "guess"
	options.InitAddress = []string{s.addr()}
	for range 3 {
		if client, err := rueidis.NewClient(options); err == nil {
			client.Close()
			t.Error("no error with a wrong password")
		}
	}
}

// rueidisFailover: each node of a cluster dies once, among them the one of the subscriber, who then hears all again from
// another one.
func rueidisFailover(t *testing.T, options rueidis.ClientOption) {
	s := startCluster(t)
	hear, ctx := newRueidis(t, s, options)
	tell, _ := newRueidis(t, s, options)
	messages := make(chan string, 1000)
	for _, subscribe := range []rueidis.Completed{
		hear.B().Subscribe().Channel("news").Build(), hear.B().Psubscribe().Pattern("p*").Build(), hear.B().Ssubscribe().Channel("shard").Build(),
	} {
		go func() { messages <- fmt.Sprint("the end: ", rueidisListen(ctx, hear, subscribe, messages)) }()
	}
	v := &vigil{t: t, ctx: ctx, messages: messages}
	v.keep(s, func() {
		v.hear(`"" "news" "%d"`, func(payload string) error {
			return tell.Do(ctx, tell.B().Publish().Channel("news").Message(payload).Build()).Error()
		})
		v.hear(`"p*" "ping" "%d"`, func(payload string) error {
			return tell.Do(ctx, tell.B().Publish().Channel("ping").Message(payload).Build()).Error()
		})
		v.hear(`"" "shard" "%d"`, func(payload string) error {
			return tell.Do(ctx, tell.B().Spublish().Channel("shard").Message(payload).Build()).Error()
		})
	})
}
