package lane

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// matched is who hears a channel, as text.
func matched(p *Patterns, channel string) string {
	var all []string
	p.Match([]byte(channel), func(peer Peer, clients int64) { all = append(all, fmt.Sprintf("%d:%d", peer, clients)) })
	return strings.Join(all, " ")
}

// tellsPatterns is what a node tells that hears two.
func tellsPatterns(serial uint64, flags uint8, items ...Item) *Record {
	return &Record{Type: PatternAnnounce, Flags: flags, Serial: serial, Items: items}
}

func TestPatterns(t *testing.T) {
	b := newBench(t)
	p := NewPatterns(b, &globs{}, func(tag uint64, code Code) { b.Answer(tag, code, 0) })
	p.Tick(1)
	p.Interest(1, []byte("a*"), 1)
	b.wants("answer 1: 0, 0") // there is nobody else to tell
	if p.Elsewhere() {
		t.Error("patterns of this node are no others'")
	}

	p.Members([]Peer{6, 5})
	if got := matched(p, "abc"); got != "5:0 6:0 0:1" {
		t.Errorf("while the others are not heard it is %s", got)
	}
	p.Flush()
	b.wants("5 ← PatternAnnounce a*=1", "6 ← PatternAnnounce a*=1")
	p.Interest(2, []byte("b*"), 1)
	p.Flush()
	b.wants("5 ← PatternAnnounce b*=1", "6 ← PatternAnnounce b*=1")

	p.Receive(5, tellsPatterns(1, 0, Item{Pattern, []byte("x"), 1}))
	b.wants() // that is not all it hears
	p.Receive(5, tellsPatterns(2, Reset, Item{Pattern, []byte("a*"), 2}, Item{Pattern, []byte("*c"), 3}))
	p.Receive(6, tellsPatterns(3, Reset))
	b.wants("5 ← PatternAck", "6 ← PatternAck")
	if got := matched(p, "abc"); got != "0:1 5:2 5:3" {
		t.Errorf("when all are heard it is %s", got)
	}
	if !p.Elsewhere() || p.Patterns() != 3 {
		t.Errorf("%d patterns, elsewhere: %v", p.Patterns(), p.Elsewhere())
	}

	p.Receive(5, &Record{Type: PatternAck, Serial: p.mine.reader(5).told})
	b.wants()
	p.Tick(1 + patternsWithin) // the other one does not answer
	b.wants("answer 2: 0, 0")

	p.Members([]Peer{6})
	if got := matched(p, "abc"); got != "0:1" || p.Elsewhere() {
		t.Errorf("when a node is gone it is %s, elsewhere: %v", got, p.Elsewhere())
	}
	p.Interest(0, []byte("a*"), -1)
	p.Interest(0, []byte("b*"), -1)
	if p.Patterns() != 0 || len(p.free) != len(p.numbers) {
		t.Errorf("%d patterns are left, and %d numbers of %d are free", p.Patterns(), len(p.free), len(p.numbers))
	}
}

// What readers have to know is told in parts, again when it is not acknowledged, and
// less and less often.
func TestBulletin(t *testing.T) {
	var b bulletin
	var l list
	var sent []string
	serial, takes := uint64(0), true
	issue := func(now time.Duration) {
		b.issue(now, &serial, &l, func(to Peer, flags uint8, serial uint64, items []Item) bool {
			sent = append(sent, fmt.Sprintf("%d:%d:%d:%d", to, flags, serial, len(items)))
			return takes
		})
	}
	wants := func(want string) {
		t.Helper()
		if got := strings.Join(sent, " "); got != want {
			t.Errorf("it says %s\nand not %s", got, want)
		}
		sent = nil
	}
	b.change(name{Channel, "none hears of it"}, 1)
	if len(b.changed) > 0 {
		t.Error("changes are collected for nobody")
	}
	b.address([]Peer{5}, nil)
	issue(1)
	wants("5:1:2:1")
	for i := range 3 {
		b.change(name{Channel, strings.Repeat("x", itemsBytesMax-1) + fmt.Sprint(i)}, 1)
	}
	issue(2)
	wants("5:0:0:1 5:0:0:1 5:0:3:1") // only with the last it is one announcement
	if b.acknowledged(5, 1) || !b.acknowledged(5, 2) || b.known() || b.knows(5, 3) {
		t.Error("half of it is taken for all")
	}
	b.renew(5)
	takes = false
	issue(3)
	wants("5:1:0:1") // there is no room for it
	takes = true
	issue(3 + retryInterval - 1)
	wants("")
	b.set(name{Channel, strings.Repeat("x", itemsBytesMax-1) + "0"}, 0)
	b.set(name{Channel, strings.Repeat("x", itemsBytesMax-1) + "1"}, 0)
	b.set(name{Channel, strings.Repeat("x", itemsBytesMax-1) + "2"}, 0)
	times := 0
	for now := time.Duration(4); now < time.Minute; now += 10 * time.Millisecond {
		issue(now)
	}
	times, sent = len(sent), nil
	if times < 12 || times > 24 {
		t.Errorf("in a minute it is said %d times to who does not answer", times)
	}
	b.acknowledged(5, serial)
	if !b.known() || b.next() != never {
		t.Error("it goes on though all is known")
	}
}
