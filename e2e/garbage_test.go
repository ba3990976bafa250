package e2e

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	// garbageBytesMax keeps a conversation below the longest line: where Redis refuses a longer one depends on how the
	// kernel cuts it, which scenarios in protocol.txt and inline.txt look at byte by byte.
	garbageBytesMax = 48 << 10
	garbageCommands = 6 // in a conversation before it is damaged, at the most
	// garbageAnswerMax bounds what is read of one server, garbageLimit how long it may take to close.
	garbageAnswerMax = 8 << 20
	garbageLimit     = 10 * time.Second
	// redisWriteBytes is what Redis writes to a client in one turn, at least. It forgets the rest of the answers when the
	// next turn finds the end of the stream.
	redisWriteBytes = 64 << 10
	// redisUnsentBytes is what a client may be owed before it has given its password. Redis counts what it has not tried
	// to send, HubSub what the socket has not taken.
	redisUnsentBytes = 16 << 10
	// leastGarbage conversations are played, however short the time; a fifth of them at least must end in a protocol
	// error, and a fifth must not, or the test is broken.
	leastGarbage = 200
	// shrinkTries bounds the search for the shortest conversation that still differs, garbageShown how many are shown.
	shrinkTries  = 400
	garbageShown = 5
)

// garbagePairs are a Redis and a HubSub each, which one conversation at a time has for itself. Where there is a password,
// lengths have other limits until it is given; AUTH's usual arguments have it.
var garbagePairs = []struct {
	flags       []string
	answerBytes int // more than this is not compared
}{
	{nil, redisWriteBytes},
	{[]string{"--requirepass", "x"}, redisUnsentBytes},
}

// What a damaged conversation is made of: commands that do the same in both servers, in any state they can be in.
// A client that subscribes does not publish, since the order of answer and message is a difference that is meant.
var (
	garbageOfAll = []string{"ping", "ping", "echo", "select", "multi", "exec", "discard", "reset", "client|setname", "client|getname",
		"nosuch", "quit", "pubsub|x", "client|x", "role", "get", "auth"}
	garbageOfSubscribers = append([]string{"subscribe", "psubscribe", "ssubscribe", "unsubscribe", "punsubscribe", "sunsubscribe",
		"pubsub|numsub", "pubsub|numpat", "hello"}, garbageOfAll...)
	garbageOfPublishers = append([]string{"publish", "spublish", "publish", "hello"}, garbageOfAll...)
)

// incomparable are words whose answers any two servers give differently: the clock, a table in the order of a hash, the
// clients there are, and a browser's words, for which Redis closes at once and forgets what it has not sent.
var incomparable = []string{"time", "command", "post", "host:", "list", "info", "id", "reply"}

// comparable leaves out what is meant to differ: HELLO with several faults, and subscribers that publish.
func comparable(b []byte) bool {
	switch {
	case hasAny(b, hazardous...), hasAny(b, incomparable...):
		return false
	case hasAny(b, "hello") && hasAny(b, "setname", "auth"):
		return false
	}
	return !(hasAny(b, "subscribe") && hasAny(b, "publish") && hasAny(b, "hello", "multi"))
}

// TestGarbageDifferential sends the same damaged conversations to Redis and to HubSub, on a fresh connection each, with
// the end of the stream behind them, and compares every byte that comes back until the server closes.
func TestGarbageDifferential(t *testing.T) {
	seed := stormSeed(t)
	d := &garbage{t: t, until: time.Now().Add(*stormTime), scenarios: scenarioBytes(t, "testdata/protocol.txt", "testdata/inline.txt", "testdata/pipeline.txt", "testdata/connection.txt")}
	all := crew{t: t}
	less := flagsOfLess(t)
	for i, pair := range garbagePairs {
		hubsub := startHubSub(t, pair.flags...)
		redis := startRedis(t, slices.Concat(pair.flags, less)...)
		all.run(func() error {
			for s := newSpeaker(seed, i); !d.enough(); {
				if err := d.play(redis.addr(), hubsub.addr(), d.conversation(s), pair.answerBytes); err != nil {
					return err
				}
			}
			return nil
		})
	}
	all.wait()
	t.Logf("%d conversations, %d of them ended by a protocol error, %d differ", d.played, d.refused, d.differ)
	if !t.Failed() && (d.refused < d.played/5 || d.refused > d.played*4/5) {
		t.Error("too little happened to say anything")
	}
}

// flagsOfLess returns the flags for a Redis that has no commands but HubSub's.
func flagsOfLess(t *testing.T) (args []string) {
	hubsub, redis := startHubSub(t), startRedis(t)
	defer hubsub.stop()
	defer redis.stop()
	own := commandList(t, hubsub)
	for _, name := range commandList(t, redis) {
		if !strings.Contains(name, "|") && !slices.Contains(own, name) {
			args = append(args, "--rename-command", name, "")
		}
	}
	return args
}

// commandList asks a server for the names of its commands and subcommands, as "client|list".
func commandList(t testing.TB, s *server) (names []string) {
	t.Helper()
	c := dial(t, s)
	defer c.close()
	list, err := c.do("COMMAND", "LIST")
	must(t, err)
	for _, name := range list.items {
		names = append(names, name.text)
	}
	slices.Sort(names)
	return names
}

// scenarioBytes is what the scenarios of these files send, the intended differences apart.
func scenarioBytes(t *testing.T, files ...string) (all [][]byte) {
	for _, file := range files {
		scenarios, err := readScenarios(file)
		must(t, err)
		for _, sc := range scenarios {
			var sent []byte
			meant := sc.serverArgs != nil
			for _, ex := range sc.exchanges {
				b, err := ex.bytes(func(string, string) (string, error) { return "1", nil })
				must(t, err)
				sent = append(sent, b...)
				meant = meant || ex.differs != ""
			}
			if !meant && len(sent) > 0 && len(sent) < garbageBytesMax {
				all = append(all, sent)
			}
		}
	}
	return all
}

// garbage is one run.
type garbage struct {
	t         *testing.T
	until     time.Time
	scenarios [][]byte

	mu                      sync.Mutex
	played, refused, differ int
}

func (d *garbage) enough() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.differ >= garbageShown || d.played >= leastGarbage && time.Now().After(d.until)
}

// conversation draws one, mostly damaged.
func (d *garbage) conversation(s speaker) []byte {
	of := garbageOfPublishers
	if s.IntN(2) == 0 {
		of = garbageOfSubscribers
	}
	for {
		b := d.undamaged(s, of)
		if s.often(10) {
			b = mutate(s.Rand, b, d.undamaged(s, of))
		}
		if b = b[:min(len(b), garbageBytesMax)]; len(b) > 0 && comparable(b) {
			return b
		}
	}
}

func (d *garbage) undamaged(s speaker, of []string) (b []byte) {
	if s.IntN(4) == 0 {
		return d.scenarios[s.IntN(len(d.scenarios))]
	}
	for range 1 + s.IntN(garbageCommands) {
		words := s.say(s.one(of...))
		if s.IntN(4) == 0 {
			b = append(b, inlineCommand(words)...)
		} else {
			b = appendCommand(b, words...)
		}
	}
	return b
}

// inlineCommand writes a command as a person types it.
func inlineCommand(words []string) string {
	for i, word := range words {
		if word == "" || strings.ContainsAny(word, " \t\r\n\"'\\\x00") {
			words[i] = strconv.QuoteToASCII(word)
		}
	}
	return strings.Join(words, " ") + "\r\n"
}

// play compares the answers to one conversation. One that differs is played again, shortened and reported.
func (d *garbage) play(redis, hubsub string, b []byte, answerBytes int) error {
	differs := func(b []byte) bool {
		want, err1 := answers(redis, b)
		got, err2 := answers(hubsub, b)
		return err1 == nil && err2 == nil && max(len(want), len(got)) < answerBytes && !sameAnswers(want, got)
	}
	want, err := answers(redis, b)
	if err != nil {
		return fmt.Errorf("redis, %s: %w", shown(b, 0), err)
	}
	got, err := answers(hubsub, b)
	if err != nil {
		return fmt.Errorf("hubsub, %s: %w", shown(b, 0), err)
	}
	d.count(want)
	if sameAnswers(want, got) || !differs(b) { // again, before it is believed
		return nil
	}
	b = shrink(b, shrinkTries, differs)
	want, _ = answers(redis, b)
	got, _ = answers(hubsub, b)
	from := max(0, agreed(want, got)-shownBefore)
	d.mu.Lock()
	d.differ++
	d.mu.Unlock()
	d.t.Errorf("%s\n    want %s\n    got  %s", shown(b, 0), shown(want, from), shown(got, from))
	return nil
}

func (d *garbage) count(want []byte) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.played++
	if bytes.Contains(want, []byte("-ERR Protocol error: ")) {
		d.refused++
	}
}

func sameAnswers(want, got []byte) bool {
	if bytes.Equal(want, got) {
		return true
	}
	const unordered = "UNSUBSCRIBE" // an exchange whose confirmations are in the order of a hash table
	return bytes.Equal(normalise(unordered, want), normalise(unordered, got))
}

// answers sends b on a fresh connection, closes the sending side and returns what the server says until it closes.
func answers(addr string, b []byte) ([]byte, error) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(garbageLimit))
	var writing sync.WaitGroup
	defer writing.Wait()
	writing.Go(func() {
		conn.Write(b) // a server that closes early is judged by what it says
		conn.(*net.TCPConn).CloseWrite()
	})
	said, err := io.ReadAll(io.LimitReader(conn, garbageAnswerMax))
	if err != nil && !isEnd(err) {
		return nil, fmt.Errorf("after %s: %w", shown(said, 0), err)
	}
	return said, nil
}
