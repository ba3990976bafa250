package command

import (
	"hubsub/engine"
	"hubsub/engine/glob"
	"hubsub/resp"
)

// publisher is PUBLISH or SPUBLISH. The answer is written before the message,
// which goes out at the end of the tick, even to the publisher itself.
func publisher(kind engine.Kind) func(call) {
	return func(c call) {
		if m := recall(c.s); c.inside != nil || m != nil && m.skip != noSkip { // was queued; or CLIENT REPLY tells one from the next
			c.reply().Int(publishTo(c, kind, c.words))
			return
		}
		receivers, n := c.s.PublishAll(kind, c.words)
		answers := c.reply()
		for range n {
			answers.Int(receivers)
		}
	}
}

// publishTo publishes a message, its Args being verb, channel and message, and
// returns how many clients it reaches. All that clients publish passes here,
// that of a script too.
func publishTo(c call, kind engine.Kind, message *resp.Command) int64 {
	return c.s.Publish(kind, message)
}

// subscriber is SUBSCRIBE, PSUBSCRIBE or SSUBSCRIBE.
func subscriber(kind engine.Kind) func(call) {
	return func(c call) {
		if kind == engine.Shard && c.inside != nil {
			c.fail("ERR SSUBSCRIBE isn't allowed for a DENY BLOCKING client")
			return
		}
		c.s.Subscribe(kind, c.args(), func(name []byte) {
			confirm(c.push(), c.cmd.name, name, subscriptions(c.s, kind))
		})
	}
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
		var names []string
		c.s.Engine().Channels(kind, func(name string, _ int64) {
			if len(c.args()) == 0 || glob.Match(c.args()[0], []byte(name)) {
				names = append(names, name)
			}
		})
		w := c.reply()
		w.Array(len(names))
		for _, name := range names {
			w.BulkString(name)
		}
	}
}

// pubsubNumsub is PUBSUB NUMSUB or SHARDNUMSUB. It is a flat array in RESP3
// too.
func pubsubNumsub(kind engine.Kind) func(call) {
	return func(c call) {
		w := c.reply()
		w.Array(2 * len(c.args()))
		for _, name := range c.args() {
			w.Bulk(name)
			w.Int(c.s.Engine().Subscribers(kind, name))
		}
	}
}

func pubsubNumpat(c call) { c.reply().Int(c.s.Engine().Patterns()) }
