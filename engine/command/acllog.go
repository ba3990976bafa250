package command

import (
	"slices"
	"sync"
	"time"

	"hubsub/engine"
	"hubsub/engine/acl"
	"hubsub/resp"
)

// denials is ACL LOG: what clients were refused lately, the newest first; and
// how often, which INFO tells. Any goroutine.
type denials struct {
	mu     sync.Mutex
	list   []denial
	counts map[string]int64 // by reason, since the last CONFIG RESETSTAT
}

// denial is one entry: refusals that are alike, of the same user.
type denial struct {
	denialKind
	count  int64
	last   time.Time
	client string // its CLIENT INFO at the last one, clipped
}

// denialKind is what makes refusals alike.
type denialKind struct {
	reason  string // command, channel or auth
	context string // toplevel, multi inside a transaction, lua inside a script
	object  string // what was refused
	user    string
}

// logDenial takes note that the client may not run a command, or name a channel
// in it.
func (h *Handler) logDenial(s *engine.Session, cmd *command, verdict acl.Verdict, channel []byte, context string) {
	kind := denialKind{reason: "command", context: context, object: cmd.full, user: userName(s)}
	if verdict == acl.ChannelDenied {
		kind.reason, kind.object = "channel", clipped(channel)
	}
	h.denials.add(s, kind)
}

// logRefusedLogin takes note of an AUTH or HELLO with a wrong user or password.
func (h *Handler) logRefusedLogin(c call, user []byte) {
	h.denials.add(c.s, denialKind{"auth", contextOf(c.s), clipped(c.words.Args[0]), clipped(user)})
}

// clipped is as much of a client's text as an entry keeps: of a word, or of its
// CLIENT INFO, in which it names itself as it likes.
func clipped(word []byte) string { return string(word[:min(len(word), denialBytesMax)]) }

// contextOf tells where a command of the client stands.
func contextOf(s *engine.Session) string {
	if m := recall(s); m != nil && m.tx != nil {
		return "multi"
	}
	return "toplevel"
}

// add counts a refusal with a recent one that is alike, or as a new one.
func (d *denials) add(s *engine.Session, kind denialKind) {
	now := time.Now()
	line := appendClient(nil, s, now)
	entry := denial{kind, 1, now, clipped(line[:len(line)-1])}

	d.mu.Lock()
	defer d.mu.Unlock()
	if d.counts == nil {
		d.counts = make(map[string]int64)
	}
	d.counts[kind.reason]++
	recent := d.list[:min(len(d.list), denialsAlikeMax)]
	at := slices.IndexFunc(recent, func(e denial) bool {
		return e.denialKind == kind && now.Sub(e.last) <= denialsAlikeTime
	})
	if at >= 0 {
		entry.count += d.list[at].count
		d.list = slices.Delete(d.list, at, at+1)
	}
	d.list = slices.Insert(d.list, 0, entry)
	d.list = d.list[:min(len(d.list), denialsMax)]
}

// newest returns a copy of the first n entries, or of as many as there are.
func (d *denials) newest(n int64) []denial {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.list[:max(0, min(n, int64(len(d.list))))])
}

// count returns how many refusals there were for a reason.
func (d *denials) count(reason string) int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.counts[reason]
}

func (d *denials) resetCounts() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.counts = nil
}

func (d *denials) reset() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.list = nil
}

// aclLogs is ACL LOG [count | RESET].
func aclLogs(c call) {
	n := int64(denialsShown)
	switch args := c.args(); {
	case len(args) > 1:
		c.fail(badSubcommand("ACL", c.words.Args[1]))
		return
	case len(args) == 1 && is(args[0], "RESET"):
		c.h.denials.reset()
		c.ok()
		return
	case len(args) == 1:
		var ok bool
		if n, ok = resp.ParseInt(args[0]); !ok {
			c.fail(faultNotInteger)
			return
		}
	}
	entries, now := c.h.denials.newest(n), time.Now()
	w := c.reply()
	w.Array(len(entries))
	for _, e := range entries {
		w.Map(7)
		w.BulkString("count")
		w.Int(e.count)
		writeBulks(w, []string{"reason", e.reason, "context", e.context, "object", e.object, "username", e.user})
		w.BulkString("age-seconds")
		w.Double(float64(now.Sub(e.last).Milliseconds()) / 1000)
		w.BulkString("client-info")
		w.BulkString(e.client)
	}
}
