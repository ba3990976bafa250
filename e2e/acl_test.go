package e2e

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	revokedClients = 40 // over four loops
	revokedRounds  = 30
	// settledLimit is shorter than a client waits for an answer: one that is still subscribed then was forgotten.
	settledLimit = 10 * time.Second
)

// TestACLWithGoRedis: users who may only publish or only subscribe, which Redis does not have.
func TestACLWithGoRedis(t *testing.T) {
	for _, protocol := range []int{2, 3} {
		t.Run(fmt.Sprintf("RESP%d", protocol), func(t *testing.T) {
			s := startHubSub(t)
			admin, ctx := newGoRedis(t, &redis.Options{Addr: s.addr(), Protocol: protocol})
			must(t,
				admin.ACLSetUser(ctx, "sensor", "on", ">one", "%P&room:*", "+publish", "+subscribe").Err(),
				admin.ACLSetUser(ctx, "screen", "on", ">two", "%S&room:*", "+publish", "+@pubsub").Err())
			login := func(user, password string) *redis.Client {
				rdb, _ := newGoRedis(t, &redis.Options{Addr: s.addr(), Protocol: protocol, Username: user, Password: password})
				return rdb
			}
			sensor, screen := login("sensor", "one"), login("screen", "two")
			refused := func(err error, why string) {
				t.Helper()
				if err == nil || !strings.HasPrefix(err.Error(), why) {
					t.Errorf("got %v, want %s", err, why)
				}
			}
			const noChannel = "NOPERM this user has no permissions to access one of the channels used as arguments"
			hears := func(sub *redis.PubSub, want ...string) {
				t.Helper()
				for _, w := range want {
					if got := received(sub.Receive(ctx)); got != w {
						t.Errorf("received %s, want %s", got, w)
					}
				}
			}

			sub := screen.Subscribe(ctx, "room:1")
			defer sub.Close()
			hears(sub, "subscribe room:1 1")
			must(t, sub.PSubscribe(ctx, "room:*"))
			hears(sub, "psubscribe room:* 2")
			if n, err := sensor.Publish(ctx, "room:1", "warm").Result(); n != 2 || err != nil {
				t.Errorf("published to %d, %v", n, err)
			}
			hears(sub, `message "" "room:1" "warm"`, `message "room:*" "room:1" "warm"`)

			refused(screen.Publish(ctx, "room:1", "x").Err(), noChannel)
			refused(sensor.Publish(ctx, "other", "x").Err(), noChannel)
			refused(sensor.Ping(ctx).Err(), "NOPERM this user has no permissions to run the 'ping' command")
			refused(login("sensor", "two").Publish(ctx, "room:1", "x").Err(), "WRONGPASS")
			for _, not := range []*redis.PubSub{sensor.Subscribe(ctx, "room:1"), screen.Subscribe(ctx, "other"), screen.PSubscribe(ctx, "room:1*")} {
				_, err := not.Receive(ctx)
				refused(err, noChannel)
				not.Close()
			}

			f := func(user, want string) {
				t.Helper()
				if got, err := admin.Do(ctx, "ACL", "DRYRUN", user, "SUBSCRIBE", "room:1").Text(); got != want || err != nil {
					t.Errorf("%s: %q, %v", user, got, err)
				}
			}
			f("screen", "OK")
			f("sensor", "This user has no permissions to access the 'room:1' channel")
			list, err := admin.ACLList(ctx).Result()
			must(t, err)
			for i, want := range []string{"user default on ", "user screen on #", "user sensor on #"} {
				if len(list) != 3 || !strings.HasPrefix(list[i], want) {
					t.Fatalf("ACL LIST: %q", list)
				}
			}
			if !strings.HasSuffix(list[1], " resetchannels %S&room:* -@all +publish +@pubsub") {
				t.Errorf("ACL LIST: %q", list[1])
			}
			entries, err := admin.ACLLog(ctx, 100).Result()
			if err != nil || len(entries) < 5 || entries[0].Reason == "" || entries[0].ClientInfo == nil {
				t.Errorf("ACL LOG: %v, %v", entries, err)
			}
		})
	}
}

// TestRevocation: what is published after a user has lost a channel does not reach the user's clients, on whatever loop
// they are, and they are closed; others hear it.
func TestRevocation(t *testing.T) {
	f := func(name string, revoke ...string) {
		t.Run(name, func(t *testing.T) {
			s := startHubSub(t, "--loops", "4")
			admin, publisher := dial(t, s), dial(t, s)
			for round := range revokedRounds {
				must(t, admin.expect("OK", "ACL", "SETUSER", "u", "on", "nopass", "+@all", "resetchannels", "&news"))
				stays := dial(t, s)
				must(t, stays.expect("[subscribe news 1]", "SUBSCRIBE", "news"))
				gone := make([]*client, revokedClients)
				for i := range gone {
					gone[i] = dial(t, s)
					must(t, gone[i].expect("OK", "AUTH", "u", ""), gone[i].expect("[subscribe news 1]", "SUBSCRIBE", "news"))
				}
				if _, err := admin.do(revoke...); err != nil {
					t.Fatal(err)
				}
				if _, err := publisher.do("PUBLISH", "news", "secret"); err != nil {
					t.Fatal(err)
				}
				must(t, stays.next("[message news secret]"))
				for i, c := range gone {
					if r, err := c.read(); !isEnd(err) {
						t.Fatalf("round %d: client %d is not closed but hears %v, %v", round, i, r, err)
					}
				}
				stays.close()
			}
		})
	}
	f("SETUSER", "ACL", "SETUSER", "u", "resetchannels", "&olds")
	f("DELUSER", "ACL", "DELUSER", "u")
}

// TestUsersComeAndGo: while a user is deleted and made again, clients log in and subscribe, and wait until they are
// closed. Afterwards nobody is subscribed to what only the user could hear.
func TestUsersComeAndGo(t *testing.T) {
	s := startHubSub(t, "--loops", "4")
	admin := dial(t, s)
	must(t, admin.expect("OK", "ACL", "SETUSER", "default", "resetchannels"))
	ctx, stop := context.WithTimeout(t.Context(), settledLimit)
	defer stop()
	all := crew{t: t}
	for range revokedClients {
		all.run(func() error {
			for ctx.Err() == nil {
				c, err := connect(s.addr())
				if err != nil {
					return err
				}
				for err == nil && ctx.Err() == nil {
					err = enjoyUser(c)
				}
				c.close()
			}
			return nil
		})
	}
	for range revokedRounds {
		must(t, admin.expect("OK", "ACL", "SETUSER", "u", "on", "nopass", "+@all", "&secret"))
		must(t, admin.expect("1", "ACL", "DELUSER", "u"))
	}
	await(t, ctx, "nobody hears the secret", func() bool {
		r, err := admin.do("PUBSUB", "SHARDNUMSUB", "secret")
		must(t, err)
		return r.String() == "[secret 0]"
	})
	stop()
	all.wait()
}

// enjoyUser logs in and subscribes, if there is a user now, until the connection is closed.
func enjoyUser(c *client) error {
	if r, err := c.do("AUTH", "u", ""); err != nil || r.String() != "OK" {
		return err
	}
	r, err := c.do("SSUBSCRIBE", "secret")
	if err == nil && r.String() == "[ssubscribe secret 1]" {
		_, err = c.read()
	}
	return err
}
