package e2e

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/redis/go-redis/v9"
)

// binaryPayload has every byte, and line ends where a sloppy parser would look for them.
var binaryPayload = func() string {
	b := []byte("\r\n$-1\r\n")
	for i := range 256 {
		b = append(b, byte(i))
	}
	return string(append(b, "\r\n"...))
}()

// TestGoRedis: what the library's users see is the same with Redis, with HubSub, and with a cluster, each connection with
// another node.
func TestGoRedis(t *testing.T) {
	for _, protocol := range []int{2, 3} {
		options := func(s *server) *redis.Options { return &redis.Options{Addr: s.addr(), Protocol: protocol} }
		f := func(t *testing.T, name string, test func(*testing.T, starter, func(*server) *redis.Options)) {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				onEach(t, func(t *testing.T, start starter) { test(t, start, options) })
			})
		}
		t.Run(fmt.Sprintf("RESP%d", protocol), func(t *testing.T) {
			t.Parallel()
			f(t, "Subscriptions", goRedisSubscriptions)
			f(t, "Queries", goRedisQueries)
			f(t, "Pipelines", goRedisPipelines)
			f(t, "Reconnect", goRedisReconnect)
			f(t, "Password", goRedisPassword)
			t.Run("Failover", func(t *testing.T) {
				t.Parallel()
				goRedisFailover(t, options)
			})
		})
	}
}

// newGoRedis makes a client of s that is closed with the test.
func newGoRedis(t *testing.T, options *redis.Options) (*redis.Client, context.Context) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), clientLimit)
	rdb := redis.NewClient(options)
	t.Cleanup(func() {
		cancel()
		rdb.Close()
	})
	return rdb, ctx
}

// received is what a PubSub's Receive gives, in one line.
func received(v any, err error) string {
	switch v := v.(type) {
	case *redis.Subscription:
		return fmt.Sprintf("%s %s %d", v.Kind, v.Channel, v.Count)
	case *redis.Message:
		return fmt.Sprintf("message %q %q %q", v.Pattern, v.Channel, v.Payload)
	case *redis.Pong:
		return fmt.Sprintf("pong %q", v.Payload)
	}
	return fmt.Sprintf("%v %v", v, err)
}

func goRedisSubscriptions(t *testing.T, start starter, options func(*server) *redis.Options) {
	rdb, ctx := newGoRedis(t, options(start(t)))
	sub := rdb.Subscribe(ctx)
	defer sub.Close()
	next := func(want string) {
		t.Helper()
		if got := received(sub.Receive(ctx)); got != want {
			t.Fatalf("received %s, want %s", got, want)
		}
	}
	publish := func(cmd *redis.IntCmd, want int64) {
		t.Helper()
		if n, err := cmd.Result(); err != nil || n != want {
			t.Fatalf("%v: %d, %v; want %d", cmd.Args()[:2], n, err, want)
		}
	}
	must(t, sub.Subscribe(ctx, "news", "net"))
	next("subscribe news 1")
	next("subscribe net 2")
	must(t, sub.PSubscribe(ctx, "n*"))
	next("psubscribe n* 3")
	must(t, sub.SSubscribe(ctx, "shard"))
	next("ssubscribe shard 1")

	publish(rdb.Publish(ctx, "news", "hello"), 2)
	next(`message "" "news" "hello"`)
	next(`message "n*" "news" "hello"`)
	publish(rdb.Publish(ctx, "nose", binaryPayload), 1)
	next(fmt.Sprintf(`message "n*" "nose" %q`, binaryPayload))
	publish(rdb.Publish(ctx, "net", ""), 2)
	next(`message "" "net" ""`)
	next(`message "n*" "net" ""`)
	publish(rdb.SPublish(ctx, "shard", "piece"), 1)
	next(`message "" "shard" "piece"`)
	publish(rdb.Publish(ctx, "other", "hello"), 0)
	publish(rdb.SPublish(ctx, "news", "hello"), 0)

	must(t, sub.Ping(ctx, "still there"))
	next(`pong "still there"`)

	must(t, sub.Unsubscribe(ctx, "news"))
	next("unsubscribe news 2")
	publish(rdb.Publish(ctx, "news", "gone"), 1)
	next(`message "n*" "news" "gone"`)
	must(t, sub.PUnsubscribe(ctx, "n*"))
	next("punsubscribe n* 1")
	must(t, sub.SUnsubscribe(ctx, "shard"))
	next("sunsubscribe shard 0")
	must(t, sub.Unsubscribe(ctx))
	next("unsubscribe net 0")
	publish(rdb.Publish(ctx, "net", "gone"), 0)
	publish(rdb.SPublish(ctx, "shard", "gone"), 0)
}

func goRedisQueries(t *testing.T, start starter, options func(*server) *redis.Options) {
	rdb, ctx := newGoRedis(t, options(start(t)))
	sub := rdb.Subscribe(ctx, "a", "b")
	defer sub.Close()
	must(t, sub.PSubscribe(ctx, "p*"), sub.SSubscribe(ctx, "s"))
	for range 4 {
		if _, err := sub.Receive(ctx); err != nil {
			t.Fatal(err)
		}
	}
	f := func(got any, err error, want string) {
		t.Helper()
		if names, ok := got.([]string); ok {
			slices.Sort(names)
		}
		if err != nil || fmt.Sprint(got) != want {
			t.Errorf("got %v, %v; want %s", got, err, want)
		}
	}
	channels, err := rdb.PubSubChannels(ctx, "*").Result()
	f(channels, err, "[a b]")
	channels, err = rdb.PubSubShardChannels(ctx, "*").Result()
	f(channels, err, "[s]")
	counts, err := rdb.PubSubNumSub(ctx, "a", "b", "none").Result()
	f(counts, err, "map[a:1 b:1 none:0]")
	counts, err = rdb.PubSubShardNumSub(ctx, "s", "a").Result()
	f(counts, err, "map[a:0 s:1]")
	patterns, err := rdb.PubSubNumPat(ctx).Result()
	f(patterns, err, "1")
	echo, err := rdb.Echo(ctx, binaryPayload).Result()
	f(echo, err, binaryPayload)
	pong, err := rdb.Ping(ctx).Result()
	f(pong, err, "PONG")
	if name, err := rdb.ClientGetName(ctx).Result(); err != redis.Nil {
		t.Errorf("a client without a name: %q, %v", name, err)
	}
}

func goRedisPipelines(t *testing.T, start starter, options func(*server) *redis.Options) {
	rdb, ctx := newGoRedis(t, options(start(t)))
	sub := rdb.Subscribe(ctx, "c")
	defer sub.Close()
	if got := received(sub.Receive(ctx)); got != "subscribe c 1" {
		t.Fatal(got)
	}
	publishAll := func(p redis.Pipeliner) error {
		for i := range 100 {
			p.Publish(ctx, "c", i)
		}
		return nil
	}
	plain, err := rdb.Pipelined(ctx, publishAll)
	must(t, err)
	transaction, err := rdb.TxPipelined(ctx, publishAll)
	must(t, err)
	for i, cmd := range append(plain, transaction...) {
		if n := cmd.(*redis.IntCmd).Val(); n != 1 {
			t.Errorf("publish %d counted %d subscribers, want 1", i, n)
		}
		want := fmt.Sprintf(`message "" "c" "%d"`, i%100)
		if got := received(sub.Receive(ctx)); got != want {
			t.Fatalf("received %s, want %s", got, want)
		}
	}

	// Answers that come from elsewhere keep their places among those that do not.
	const times = 20
	mixed, err := rdb.Pipelined(ctx, func(p redis.Pipeliner) error {
		for i := range times {
			p.Publish(ctx, "c", i)
			p.Publish(ctx, "nobody", i)
			p.Echo(ctx, i)
			p.PubSubNumSub(ctx, "c", "nobody")
		}
		return nil
	})
	must(t, err)
	for i := range times {
		got := ""
		for _, cmd := range mixed[4*i : 4*i+4] {
			switch cmd := cmd.(type) {
			case *redis.IntCmd:
				got += fmt.Sprint(cmd.Val(), " ")
			case *redis.StringCmd:
				got += cmd.Val() + " "
			case *redis.MapStringIntCmd:
				got += fmt.Sprint(cmd.Val())
			}
		}
		if want := fmt.Sprintf("1 0 %d map[c:1 nobody:0]", i); got != want {
			t.Errorf("answered %s, want %s", got, want)
		}
		if got, want := received(sub.Receive(ctx)), fmt.Sprintf(`message "" "c" "%d"`, i); got != want {
			t.Fatalf("received %s, want %s", got, want)
		}
	}
}

func goRedisReconnect(t *testing.T, start starter, options func(*server) *redis.Options) {
	s := start(t)
	rdb, ctx := newGoRedis(t, options(s))
	sub := rdb.Subscribe(ctx, "news")
	defer sub.Close()
	must(t, sub.PSubscribe(ctx, "p*"), sub.SSubscribe(ctx, "shard"))
	messages := sub.Channel()
	awaitSubscribed := func() {
		t.Helper()
		await(t, ctx, "go-redis subscribes", func() bool {
			plain, _ := rdb.PubSubNumSub(ctx, "news").Result()
			shard, _ := rdb.PubSubShardNumSub(ctx, "shard").Result()
			return plain["news"] == 1 && shard["shard"] == 1 && rdb.PubSubNumPat(ctx).Val() == 1
		})
	}
	f := func(cmd *redis.IntCmd, want string) {
		t.Helper()
		must(t, cmd.Err())
		select {
		case m := <-messages:
			if got := m.Pattern + " " + m.Channel + " " + m.Payload; got != want {
				t.Errorf("received %q, want %q", got, want)
			}
		case <-ctx.Done():
			t.Fatalf("%q did not arrive", want)
		}
	}
	for _, when := range []string{"before", "after"} {
		if when == "after" {
			s.kill()
			s.restart(t)
		}
		awaitSubscribed()
		f(rdb.Publish(ctx, "news", when), " news "+when)
		f(rdb.Publish(ctx, "ping", when), "p* ping "+when)
		f(rdb.SPublish(ctx, "shard", when), " shard "+when)
	}
}

func goRedisPassword(t *testing.T, start starter, options func(*server) *redis.Options) {
	s := start(t, "--requirepass", "secret")
	right, wrong := options(s), options(s)
	right.Password, wrong.Password = "secret", "guess"
	right.ClientName = "me"
	for range 3 { // which are all the nodes of a cluster
		rdb, ctx := newGoRedis(t, right)
		if name, err := rdb.ClientGetName(ctx).Result(); err != nil || name != "me" {
			t.Errorf("with the password: name %q, %v", name, err)
		}
	}
	for range 3 {
		rdb, ctx := newGoRedis(t, wrong)
		if err := rdb.Ping(ctx).Err(); err == nil {
			t.Error("no error with a wrong password")
		}
	}
}

// goRedisFailover: each node of a cluster dies once, among them the one of the subscriber, who then hears all again from
// another one.
func goRedisFailover(t *testing.T, options func(*server) *redis.Options) {
	s := startCluster(t)
	rdb, ctx := newGoRedis(t, options(s))
	sub := rdb.Subscribe(ctx, "news")
	defer sub.Close()
	must(t, sub.PSubscribe(ctx, "p*"), sub.SSubscribe(ctx, "shard"))
	messages := make(chan string, 1000)
	heard := sub.Channel()
	go func() {
		for m := range heard {
			messages <- received(m, nil)
		}
	}()
	v := &vigil{t: t, ctx: ctx, messages: messages}
	v.keep(s, func() {
		v.hear(`message "" "news" "%d"`, func(payload string) error { return rdb.Publish(ctx, "news", payload).Err() })
		v.hear(`message "p*" "ping" "%d"`, func(payload string) error { return rdb.Publish(ctx, "ping", payload).Err() })
		v.hear(`message "" "shard" "%d"`, func(payload string) error { return rdb.SPublish(ctx, "shard", payload).Err() })
	})
}
