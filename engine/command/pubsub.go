package command

import (
	"bytes"
	"context"

	"hubsub/engine"
	"hubsub/engine/acl"
	"hubsub/resp"
)

// publisher is PUBLISH or SPUBLISH. The answer is written before the message,
// which goes out at the end of the tick, even to the publisher itself.
func publisher(kind engine.Kind) func(call) {
	return func(c call) {
		if c.inside != nil {
			c.inside.publish(c, kind)
			return
		}
		var receivers int64
		var n int
		if m := recall(c.s); m != nil && m.skip != noSkip { // CLIENT REPLY tells one from the next
			receivers, n = c.s.Publish(kind, c.words)
		} else {
			receivers, n = c.s.PublishAll(kind, c.words)
		}
		answers := c.reply()
		for range n {
			answers.Int(receivers)
		}
	}
}

// subscriber is SUBSCRIBE, PSUBSCRIBE or SSUBSCRIBE.
func subscriber(kind engine.Kind) func(call) {
	return func(c call) {
		if kind == engine.Shard && c.inside != nil {
			c.fail("ERR SSUBSCRIBE isn't allowed for a DENY BLOCKING client")
			return
		}
		if c.inside != nil {
			c.s.Withhold() // a RESP2 client would take a message for the EXEC's answer
		}
		if c.s.Engine().InCluster() {
			announce(c, kind, cloneAll(c.args()))
			return
		}
		subscribe(c, kind, c.args())
	}
}

func subscribe(c call, kind engine.Kind, names [][]byte) {
	c.s.Subscribe(kind, names, func(name []byte) {
		confirm(c.push(), c.cmd.name, name, subscriptions(c.s, kind))
	})
}

// announce subscribes to the names once all nodes know, or to none of them. That
// the user may hear them is asked again, for the answer may have changed.
func announce(c call, kind engine.Kind, names [][]byte) {
	c.later(func(done func()) {
		c.s.Announce(kind, names, func(code engine.Code) bool {
			user := c.h.user(c.s)
			switch {
			case code != engine.Done:
				c.fail(c.h.Fault(code))
				return false
			case user == nil || !hearsAll(user, kind, names):
				c.fail(noPermission(c.cmd, acl.ChannelDenied))
				return false
			}
			subscribe(c, kind, names)
			return true
		}, done)
	})
}

func hearsAll(user *acl.User, kind engine.Kind, names [][]byte) bool {
	for _, name := range names {
		if !user.Hears(name, kind == engine.Pattern) {
			return false
		}
	}
	return true
}

// unsubscriber is UNSUBSCRIBE, PUNSUBSCRIBE or SUNSUBSCRIBE. Without names it
// is for all the client has, and if it has none it is confirmed once, for no
// name. Unsubscribing may bring out messages, and clients read the
// confirmations of one command as one answer: so all names first, then all
// confirmations.
func unsubscriber(kind engine.Kind) func(call) {
	return func(c call) {
		names := c.args()
		if len(names) == 0 {
			names = allNames(c.s, kind)
		}
		if c.s.Engine().InCluster() {
			names = cloneAll(names)
			c.later(func(done func()) {
				c.s.Withdraw(kind, names, func() {
					unsubscribe(c, kind, names)
					done()
				})
			})
			return
		}
		unsubscribe(c, kind, names)
	}
}

func unsubscribe(c call, kind engine.Kind, names [][]byte) {
	var few [countsMax]int64
	counts := few[:0]
	for _, name := range names {
		c.s.Unsubscribe(kind, name)
		counts = append(counts, subscriptions(c.s, kind))
	}
	w := c.push()
	for i, name := range names {
		confirm(w, c.cmd.name, name, counts[i])
	}
	if len(names) == 0 {
		w.Push(3)
		w.BulkString(c.cmd.name)
		w.Null()
		w.Int(subscriptions(c.s, kind))
	}
}

// confirm writes one confirmation.
func confirm(w *resp.Writer, verb string, name []byte, count int64) {
	w.Push(3)
	w.BulkString(verb)
	w.Bulk(name)
	w.Int(count)
}

func allNames(s *engine.Session, kind engine.Kind) (names [][]byte) {
	for _, name := range s.Names(kind) {
		names = append(names, []byte(name))
	}
	return names
}

// subscriptions returns the count in a confirmation: channels and patterns
// together, shard channels by themselves.
func subscriptions(s *engine.Session, kind engine.Kind) int64 {
	if kind == engine.Shard {
		return int64(s.Subscriptions(engine.Shard))
	}
	return int64(s.Subscriptions(engine.Channel) + s.Subscriptions(engine.Pattern))
}

// unsubscribeAll is RESET's: nothing is confirmed.
func unsubscribeAll(s *engine.Session) {
	for _, kind := range []engine.Kind{engine.Channel, engine.Shard, engine.Pattern} {
		for _, name := range allNames(s, kind) {
			s.Unsubscribe(kind, name)
		}
	}
}

// pubsubChannels is PUBSUB CHANNELS or SHARDCHANNELS: the names that have
// subscribers, and match the pattern if there is one.
func pubsubChannels(kind engine.Kind) func(call) {
	return func(c call) {
		if len(c.args()) > 1 {
			c.fail(badSubcommand("PUBSUB", c.words.Args[1]))
			return
		}
		var pattern []byte
		if len(c.args()) > 0 {
			pattern = c.args()[0]
		}
		if c.h.Rooms == nil {
			writeStrings(c.reply(), c.s.Engine().Names(kind, pattern))
			return
		}
		pattern = bytes.Clone(pattern)
		ask(c, func(ctx context.Context, rooms Rooms) (func(*resp.Writer), error) {
			names, err := rooms.Channels(ctx, kind, pattern)
			return func(w *resp.Writer) { writeStrings(w, names) }, err
		})
	}
}

// pubsubNumsub is PUBSUB NUMSUB or SHARDNUMSUB. It is a flat array in RESP3
// too.
func pubsubNumsub(kind engine.Kind) func(call) {
	return func(c call) {
		names := c.args()
		if c.s.Engine().InCluster() {
			names = cloneAll(names)
		}
		c.later(func(done func()) {
			c.s.CountSubscribers(kind, names, func(counts []engine.Result, code engine.Code) {
				if w := c.reply(); code == engine.Done {
					w.Array(2 * len(names))
					for i, name := range names {
						w.Bulk(name)
						w.Int(counts[i].N)
					}
				} else {
					w.Error(c.h.Fault(code))
				}
				done()
			})
		})
	}
}

// pubsubNumpat counts the different patterns of all clients.
func pubsubNumpat(c call) {
	if c.h.Rooms == nil {
		c.reply().Int(c.s.Engine().Patterns())
		return
	}
	ask(c, func(ctx context.Context, rooms Rooms) (func(*resp.Writer), error) {
		names, err := rooms.Channels(ctx, engine.Pattern, nil)
		return func(w *resp.Writer) { w.Int(int64(len(names))) }, err
	})
}

// cloneAll returns words that outlive the call.
func cloneAll(words [][]byte) [][]byte {
	own := make([][]byte, len(words))
	for i, word := range words {
		own[i] = bytes.Clone(word)
	}
	return own
}
