package e2e

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// A model is a client that knows what it will be told: its own names, which nobody else uses, and all answers in order.

const (
	modelNames    = 5  // of each kind
	modelCommands = 60 // in a conversation, at the most

	// anything stands in an expected answer for what is different each time.
	anything = "\x00"
)

// The kinds of a model's subscriptions.
const (
	ofChannel = iota
	ofPattern
	ofShard
	kindsOfModel
)

type model struct {
	s    speaker
	own  string // what its names begin with
	sent []byte
	want []string // answers, as reply.String shows them, with anything

	resp3    bool
	name     string
	subs     [kindsOfModel]map[string]bool
	multi    bool
	queue    [][]string
	spoiled  bool
	hears    map[string]int // deliveries, as reply.String shows them: how many
	aside    []delivery     // in an EXEC, since it has subscribed: they follow its answer
	withheld bool           // that is so
}

// delivery is a message for a subscription.
type delivery struct {
	kind  int
	name  string
	words []string
}

func newModel(s speaker, own string) *model {
	m := &model{s: s, own: own, hears: map[string]int{}}
	m.forget()
	return m
}

// forget is what RESET does.
func (m *model) forget() {
	for kind := range m.subs {
		m.subs[kind] = map[string]bool{}
	}
	m.resp3, m.name, m.multi, m.queue, m.spoiled = false, "", false, nil, false
}

func (m *model) channel() string { return fmt.Sprintf("%s.%d", m.own, m.s.IntN(modelNames)) }
func (m *model) pattern() string { return m.channel() + m.s.one("", "*", "?", "x") }

// converse draws a conversation.
func (m *model) converse() {
	for range 1 + m.s.IntN(modelCommands) {
		m.say(m.draw()...)
	}
	for _, kind := range []string{"unsubscribe", "punsubscribe", "sunsubscribe"} {
		m.say(kind)
	}
}

func (m *model) quit() {
	m.sent = append(m.sent, quit...)
	m.expect("OK")
}

func (m *model) draw() []string {
	verb := func(verb string, names []string) []string { return append([]string{verb}, names...) }
	few := func(least int, draw func() string) (names []string) {
		for range least + m.s.IntN(3) {
			names = append(names, draw())
		}
		return names
	}
	switch m.s.IntN(24) {
	case 0, 1:
		return verb("subscribe", few(1, m.channel))
	case 2:
		return verb("psubscribe", few(1, m.pattern))
	case 3:
		return verb("ssubscribe", few(1, m.channel))
	case 4:
		return verb("unsubscribe", few(0, m.channel))
	case 5:
		return verb("punsubscribe", few(0, m.pattern))
	case 6:
		return verb("sunsubscribe", few(0, m.channel))
	case 7, 8, 9:
		return []string{"publish", m.channel(), m.s.one("hello", "", strings.Repeat("x", m.s.IntN(5000)))}
	case 10:
		return []string{"spublish", m.channel(), "hello"}
	case 11:
		return []string{"multi"}
	case 12, 13:
		return []string{"exec"}
	case 14:
		return []string{"discard"}
	case 15, 16:
		return []string{"hello", m.s.one("2", "3", "3", "3")}
	case 17:
		return []string{"reset"}
	case 18:
		return []string{"client", "setname", m.own}
	case 19:
		return []string{"client", "getname"}
	case 20:
		return append([]string{"config", "set"}, m.s.settings()...)
	case 21:
		return []string{"nosuch", "x"}
	case 22:
		return []string{"echo"}
	}
	return []string{"ping", m.s.one("x", "yy")}
}

// allowed is what a RESP2 client may say while it is subscribed.
var allowed = []string{"subscribe", "unsubscribe", "psubscribe", "punsubscribe", "ssubscribe", "sunsubscribe", "ping", "quit", "reset"}

// say sends a command and knows its answers.
func (m *model) say(words ...string) {
	m.sent = appendCommand(m.sent, words...)
	verb := words[0]
	switch {
	case verb == "nosuch":
		m.spoiled = true
		m.expect("-ERR unknown command 'nosuch', with args beginning with: 'x' ")
	case verb == "echo" && len(words) == 1:
		m.spoiled = true
		m.expect("-ERR wrong number of arguments for 'echo' command")
	case verb == "config" && len(words) < 4:
		m.spoiled = true
		m.expect("-ERR wrong number of arguments for 'config|set' command")
	case !m.resp3 && m.subscribed() && !slices.Contains(allowed, verb):
		m.expect("-" + anything + "Can't execute " + anything + " are allowed in this context")
	case m.multi && !slices.Contains([]string{"multi", "exec", "discard", "reset"}, verb):
		m.queue = append(m.queue, words)
		m.expect("QUEUED")
	default:
		m.expect(m.execute(words)...)
	}
}

func (m *model) expect(answers ...string) { m.want = append(m.want, answers...) }

func (m *model) subscribed() bool {
	return len(m.subs[ofChannel])+len(m.subs[ofPattern])+len(m.subs[ofShard]) > 0
}

// execute does what a command does and returns its answers.
func (m *model) execute(words []string) []string {
	kinds := map[string]int{"subscribe": ofChannel, "psubscribe": ofPattern, "ssubscribe": ofShard}
	switch verb := words[0]; verb {
	case "subscribe", "psubscribe", "ssubscribe":
		return m.subscribe(verb, kinds[verb], words[1:])
	case "unsubscribe", "punsubscribe", "sunsubscribe":
		return m.unsubscribe(verb, kinds[strings.Replace(verb, "unsub", "sub", 1)], words[1:])
	case "publish":
		m.deliver(words[1], words[2])
		return []string{anything}
	case "spublish":
		if m.subs[ofShard][words[1]] {
			m.hear(ofShard, words[1], "smessage", words[1], words[2])
		}
		return []string{anything}
	case "multi":
		if m.multi {
			return []string{"-ERR MULTI calls can not be nested"}
		}
		m.multi, m.spoiled, m.queue = true, false, nil
		return []string{"OK"}
	case "discard":
		if !m.multi {
			return []string{"-ERR DISCARD without MULTI"}
		}
		m.multi = false
		return []string{"OK"}
	case "exec":
		return m.exec()
	case "hello":
		m.resp3 = words[1] == "3"
		return []string{"[server redis version " + anything + " proto " + words[1] + " id " + anything + " mode standalone role master modules []]"}
	case "reset":
		m.forget()
		return []string{"RESET"}
	case "client":
		return []string{m.rename(words)}
	case "ping":
		if !m.resp3 && m.subscribed() {
			return []string{"[pong " + words[1] + "]"}
		}
		return []string{words[1]}
	}
	return []string{anything} // CONFIG SET: a storm's other settings decide whether it is refused
}

func (m *model) rename(words []string) string {
	switch {
	case words[1] == "setname":
		m.name = words[2]
		return "OK"
	case m.name == "":
		return "nil"
	}
	return m.name
}

func (m *model) count(kind int) int {
	if kind == ofShard {
		return len(m.subs[ofShard])
	}
	return len(m.subs[ofChannel]) + len(m.subs[ofPattern])
}

// confirmation of one name, in the form of the moment.
func (m *model) confirmation(verb, name string, count int) string {
	return m.push() + fmt.Sprintf("[%s %s %d]", verb, name, count)
}

func (m *model) push() string {
	if m.resp3 {
		return ">"
	}
	return ""
}

func (m *model) subscribe(verb string, kind int, names []string) (answers []string) {
	for _, name := range names {
		m.subs[kind][name] = true
		answers = append(answers, m.confirmation(verb, name, m.count(kind)))
	}
	return answers
}

func (m *model) unsubscribe(verb string, kind int, names []string) (answers []string) {
	all := len(names) == 0
	if all {
		names = slices.Collect(maps.Keys(m.subs[kind]))
	}
	for _, name := range names {
		delete(m.subs[kind], name)
		if all {
			name = anything // in the order of a hash table
		}
		answers = append(answers, m.confirmation(verb, name, m.count(kind)))
	}
	if len(names) == 0 {
		answers = append(answers, m.confirmation(verb, "nil", m.count(kind)))
	}
	return answers
}

// deliver counts what the client will hear of what it publishes.
func (m *model) deliver(channel, payload string) {
	if m.subs[ofChannel][channel] {
		m.hear(ofChannel, channel, "message", channel, payload)
	}
	for pattern := range m.subs[ofPattern] {
		// All names are of one length, the pattern's last byte apart.
		if pattern == channel || strings.TrimSuffix(pattern, "*") == channel {
			m.hear(ofPattern, pattern, "pmessage", pattern, channel, payload)
		}
	}
}

func (m *model) hear(kind int, name string, words ...string) {
	if m.withheld {
		m.aside = append(m.aside, delivery{kind, name, words})
		return
	}
	m.hears[m.push()+"["+strings.Join(words, " ")+"]"]++
}

// handOver is the end of an EXEC. A RESP2 client does not hear what it has given up in it.
func (m *model) handOver() {
	m.withheld = false
	for _, d := range m.aside {
		if m.resp3 || m.subs[d.kind][d.name] {
			m.hear(d.kind, d.name, d.words...)
		}
	}
	m.aside = nil
}

// exec promises an element for each command. Those that a command answers several times push the last ones out of the
// list, as in Redis.
func (m *model) exec() []string {
	if !m.multi {
		return []string{"-ERR EXEC without MULTI"}
	}
	m.multi = false
	if m.spoiled {
		return []string{"-EXECABORT Transaction discarded because of previous errors."}
	}
	var answers []string
	for _, words := range m.queue {
		if words[0] == "ssubscribe" {
			answers = append(answers, "-ERR SSUBSCRIBE isn't allowed for a DENY BLOCKING client")
			continue
		}
		m.withheld = m.withheld || words[0] == "subscribe" || words[0] == "psubscribe"
		answers = append(answers, m.execute(words)...)
	}
	m.handOver()
	n := len(m.queue)
	return append([]string{"[" + strings.Join(answers[:n], " ") + "]"}, answers[n:]...)
}

// check compares what the server said, up to the end of the stream.
func (m *model) check(said []reply) error {
	want := m.want
	for _, r := range said {
		got := r.String()
		if m.hears[got] > 0 {
			m.hears[got]--
			continue
		}
		if len(want) == 0 || !fits(want[0], got) {
			return fmt.Errorf("%d answers before the end: got %.300q, want %.300q, hears %v, in %.2000q",
				len(want), got, strings.Join(want[:min(len(want), 1)], ""), m.hears, m.sent)
		}
		want = want[1:]
	}
	for delivery, n := range m.hears {
		if n != 0 {
			return fmt.Errorf("not delivered, %d times: %.300q, in %.2000q", n, delivery, m.sent)
		}
	}
	if len(want) > 0 {
		return fmt.Errorf("%d answers are missing, the first %.300q, in %.2000q", len(want), want[0], m.sent)
	}
	return nil
}

// fits compares with an expected answer in which anything may stand.
func fits(want, got string) bool {
	parts := strings.Split(want, anything)
	for i, part := range parts {
		at := strings.Index(got, part)
		if at < 0 || i == 0 && at > 0 {
			return false
		}
		if i == len(parts)-1 {
			return part == "" && i > 0 || strings.HasSuffix(got, part) && (i > 0 || got == part)
		}
		got = got[at+len(part):]
	}
	return false
}
