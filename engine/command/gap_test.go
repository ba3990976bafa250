package command

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"hubsub/engine"
)

// A gap is told to those who ask for it, and to nobody else: not to patterns, and
// not to other nodes.
func TestGapIsTold(t *testing.T) {
	onLoops(t, func(t *testing.T, s *site, city *metropolis) {
		sub, all := s.subscribe("__hubsub__:gap:a", "a"), s.dial()
		all.says("PSUBSCRIBE *", confirmed("psubscribe", "*", 1))
		begin := time.Now().UnixMilli()
		city.do("a", func(s engine.Sink) {
			s.Gap([]byte("a"), 7, engine.Full)
			s.Gap([]byte("a"), -1, engine.Takeover)
			s.Gap([]byte("other"), 3, 200)
		})
		for _, want := range []map[string]any{
			{"room": "a", "lost": 7.0, "reason": "full"}, {"room": "a", "lost": -1.0, "reason": "takeover"},
		} {
			words, _ := sub.answer(t)
			if words[1] != "__hubsub__:gap:a" {
				t.Fatal(words)
			}
			var got map[string]any
			if err := json.Unmarshal([]byte(words[2]), &got); err != nil {
				t.Fatal(err)
			}
			if at, _ := got["at"].(float64); int64(at) < begin || int64(at) > time.Now().UnixMilli() {
				t.Errorf("at %v", got["at"])
			}
			delete(got, "at")
			for field, value := range want {
				if got[field] != value || len(got) != len(want) {
					t.Errorf("got %v, want %v", got, want)
				}
			}
		}
		all.silent()
		sub.silent()
		for _, gap := range s.engine.Gaps() {
			want := map[string][2]int64{"full": {1, 7}, "takeover": {1, 0}, "other": {1, 3}}[gap.Reason]
			if gap.Gaps != want[0] || gap.Lost != want[1] {
				t.Error(gap)
			}
		}
		info := s.dial().text("INFO cluster")
		for _, line := range []string{"cluster_gaps:3\r\n", "cluster_messages_lost:10\r\n"} {
			if !strings.Contains(info, line) {
				t.Errorf("INFO is %q, without %q", info, line)
			}
		}
	})
}

// journal is a log in memory. Any goroutine.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (j *journal) Write(b []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(b)
}

func (j *journal) lines() (lines []string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for line := range strings.Lines(j.text.String()) {
		if strings.Contains(line, "may have missed") {
			lines = append(lines, line)
		}
	}
	return lines
}

// The log has one line a room and second, whatever happens.
func TestGapsAreLoggedSeldom(t *testing.T) {
	var log journal
	city := newMetropolis(t)
	serveLanes(t, 1, city, func(c *engine.Config) { c.Log = slog.New(slog.NewTextHandler(&log, nil)) })
	gap := func() {
		city.do("a", func(s engine.Sink) {
			for range 1000 {
				s.Gap([]byte("a"), 1, engine.Link)
				s.Gap([]byte("b"), 1, engine.Link)
			}
		})
	}
	gap()
	if lines := log.lines(); len(lines) != 2 || !strings.Contains(lines[0], "room=a lost=1 reason=link") {
		t.Fatal(lines)
	}
	time.Sleep(1100 * time.Millisecond)
	gap()
	if lines := log.lines(); len(lines) != 4 || !strings.Contains(lines[2], `"gaps before"=1998`) {
		t.Fatal(lines)
	}
}

// With --on-gap close those who hear the room are closed, one after the other,
// once they have what was published before; others are not.
func TestGapCloses(t *testing.T) {
	for _, loops := range []int{1, 3} {
		city := newMetropolis(t)
		s := serveLanes(t, loops, city, func(c *engine.Config) { c.Settings.CloseOnGap = true })
		other, pub := s.subscribe("b", "__hubsub__:gap:r"), s.dial()
		other.says("PSUBSCRIBE * {b}*", lines(confirmed("psubscribe", "*", 3), confirmed("psubscribe", "{b}*", 4)))
		var hearers []*client
		for range 60 {
			hearers = append(hearers, s.subscribe("{r}a"))
			c := s.dial()
			c.says("PSUBSCRIBE {r}*", confirmed("psubscribe", "{r}*", 1))
			hearers = append(hearers, c)
		}
		idle := s.subscribe("x")
		pub.says("PUBLISH {r}a x", ":121")
		other.gets("*4⏎" + bulk("pmessage") + "⏎" + bulk("*") + "⏎" + bulk("{r}a") + "⏎" + bulk("x"))
		begin := time.Now()
		city.do("r", func(s engine.Sink) { s.Gap([]byte("r"), 1, engine.Link) })
		for i, c := range hearers {
			if i%2 == 0 {
				c.gets(message("{r}a", "x"))
			} else {
				c.gets("*4⏎" + bulk("pmessage") + "⏎" + bulk("{r}*") + "⏎" + bulk("{r}a") + "⏎" + bulk("x"))
			}
			c.ends()
		}
		if took := time.Since(begin); took < 50*time.Millisecond {
			t.Errorf("all were closed within %v", took)
		}
		if words, _ := other.answer(t); words[1] != "__hubsub__:gap:r" {
			t.Error(words)
		}
		other.says("PING", "*2⏎$4⏎pong⏎$0⏎")
		idle.says("PING", "*2⏎$4⏎pong⏎$0⏎")
		for _, ending := range s.engine.Endings() {
			if ending.Reason == "gap" && ending.Connections != int64(len(hearers)) {
				t.Errorf("%d connections ended by a gap, want %d", ending.Connections, len(hearers))
			}
		}
		city.wantInterest("0 b: 1", "0 x: 1", "2 *: 1", "2 {b}*: 1")
	}
}
