package e2e

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/redis/rueidis"
)

func TestRueidis(t *testing.T) {
	f := func(name string, options rueidis.ClientOption) {
		t.Run(name, func(t *testing.T) {
			t.Run("Subscriptions", func(t *testing.T) { rueidisSubscriptions(t, options) })
			t.Run("Pipelines", func(t *testing.T) { rueidisPipelines(t, options) })
			t.Run("Reconnect", func(t *testing.T) { rueidisReconnect(t, options) })
		})
	}
	f("Default", rueidis.ClientOption{})
	f("RESP2", rueidis.ClientOption{AlwaysRESP2: true, DisableCache: true})
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
	go func() {
		ended <- client.Receive(ctx, subscribe, func(m rueidis.PubSubMessage) {
			messages <- fmt.Sprintf("%q %q %q", m.Pattern, m.Channel, m.Message)
		})
	}()
	return messages, ended
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

func rueidisSubscriptions(t *testing.T, options rueidis.ClientOption) {
	client, ctx := newRueidis(t, startHubSub(t), options)
	b := client.B()
	numPat := func() int64 {
		n, _ := client.Do(ctx, client.B().PubsubNumpat().Build()).ToInt64()
		return n
	}
	f := func(pattern, channel string, subscribe, unsubscribe rueidis.Completed, count func() int64, publish func(payload string) rueidis.Completed) {
		t.Helper()
		messages, ended := rueidisReceive(ctx, client, subscribe)
		await(t, ctx, "rueidis subscribes", func() bool { return count() == 1 })
		for _, payload := range []string{"hello", "", binaryPayload} {
			if n, err := client.Do(ctx, publish(payload)).ToInt64(); err != nil || n != 1 {
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
		must(t, client.Do(ctx, unsubscribe).Error(), <-ended)
		if n, err := client.Do(ctx, publish("gone")).ToInt64(); err != nil || n != 0 {
			t.Errorf("after the end published to %d, %v; want 0", n, err)
		}
	}
	f("", "news", b.Subscribe().Channel("news").Build(), b.Unsubscribe().Channel("news").Build(),
		func() int64 { return numSub(ctx, client, "NUMSUB", "news") },
		func(p string) rueidis.Completed { return client.B().Publish().Channel("news").Message(p).Build() })
	f("n*", "net", b.Psubscribe().Pattern("n*").Build(), b.Punsubscribe().Pattern("n*").Build(), numPat,
		func(p string) rueidis.Completed { return client.B().Publish().Channel("net").Message(p).Build() })
	f("", "shard", b.Ssubscribe().Channel("shard").Build(), b.Sunsubscribe().Channel("shard").Build(),
		func() int64 { return numSub(ctx, client, "SHARDNUMSUB", "shard") },
		func(p string) rueidis.Completed { return client.B().Spublish().Channel("shard").Message(p).Build() })

	messages, _ := rueidisReceive(ctx, client, client.B().Subscribe().Channel("a", "b").Build())
	await(t, ctx, "rueidis subscribes to both", func() bool { return numSub(ctx, client, "NUMSUB", "b") == 1 })
	names, err := client.Do(ctx, client.B().PubsubChannels().Build()).AsStrSlice()
	slices.Sort(names)
	if err != nil || fmt.Sprint(names) != "[a b]" {
		t.Errorf("PUBSUB CHANNELS: %v, %v", names, err)
	}
	if len(messages) != 0 {
		t.Errorf("a message nobody sent: %s", <-messages)
	}
}

func rueidisPipelines(t *testing.T, options rueidis.ClientOption) {
	client, ctx := newRueidis(t, startHubSub(t), options)
	messages, _ := rueidisReceive(ctx, client, client.B().Subscribe().Channel("c").Build())
	await(t, ctx, "rueidis subscribes", func() bool { return numSub(ctx, client, "NUMSUB", "c") == 1 })
	var publishes rueidis.Commands
	for i := range 100 {
		publishes = append(publishes, client.B().Publish().Channel("c").Message(fmt.Sprint(i)).Build())
	}
	for i, answer := range client.DoMulti(ctx, publishes...) {
		if n, err := answer.ToInt64(); err != nil || n != 1 {
			t.Errorf("publish %d: %d, %v; want 1", i, n, err)
		}
		if got, want := <-messages, fmt.Sprintf(`"" "c" "%d"`, i); got != want {
			t.Fatalf("received %s, want %s", got, want)
		}
	}
}

func rueidisReconnect(t *testing.T, options rueidis.ClientOption) {
	s := startHubSub(t)
	client, ctx := newRueidis(t, s, options)
	messages, ended := rueidisReceive(ctx, client, client.B().Subscribe().Channel("news").Build())
	for _, when := range []string{"before", "after"} {
		if when == "after" {
			s.kill()
			s.restart(t)
		}
		await(t, ctx, "rueidis subscribes "+when, func() bool { return numSub(ctx, client, "NUMSUB", "news") == 1 })
		publish := client.B().Publish().Channel("news").Message(when).Build()
		must(t, client.Do(ctx, publish).Error())
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
