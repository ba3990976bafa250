package gossip

import (
	"bytes"
	"context"
	"log"
	"log/slog"
	"strings"
	"sync"
	"time"
)

// lines brings memberlist's log to ours: without its debugging, which is a line
// per exchange, unless somebody wants that; its errors are what one expects when
// other nodes die.
type lines struct {
	log      *slog.Logger
	counters *counters

	refusals pace

	mu     sync.Mutex
	second time.Time
	logged int // since then
}

// pace lets one line of a kind through each second.
type pace struct {
	mu     sync.Mutex
	last   time.Time
	others int // since then
}

// pass reports whether a line may come, and how many have not since the last
// one.
func (p *pace) pass() (others int, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if now.Sub(p.last) < refusalInterval {
		p.others++
		return 0, false
	}
	others, p.others, p.last = p.others, 0, now
	return others, true
}

// newLogger returns a logger for memberlist.
func newLogger(to *slog.Logger, c *counters) *log.Logger {
	return log.New(&lines{log: to, counters: c}, "", 0)
}

var levels = map[string]slog.Level{
	"DEBUG": slog.LevelDebug, "INFO": slog.LevelInfo, "WARN": slog.LevelWarn, "ERR": slog.LevelWarn, "ERROR": slog.LevelWarn,
}

// Write takes one line: "[WARN] memberlist: Refuting a dead message".
func (l *lines) Write(line []byte) (int, error) {
	level := slog.LevelWarn
	text := bytes.TrimSpace(line)
	if rest, found := bytes.CutPrefix(text, []byte("[")); found {
		name, message, found := bytes.Cut(rest, []byte("] "))
		if known, ok := levels[string(name)]; found && ok {
			level, text = known, message
		}
	}
	// The port warns of what is open to all; memberlist does not know its secret.
	if bytes.Contains(text, []byte("public address without encryption")) {
		return len(line), nil
	}
	if level >= slog.LevelWarn {
		l.counters.complaints.Add(1)
	}
	if !l.log.Enabled(context.Background(), level) {
		return len(line), nil
	}
	refused := bytes.Contains(text, []byte(" from=")) // what some peer has sent
	if !l.mayLog(refused && level >= slog.LevelWarn) {
		l.counters.linesMissed.Add(1)
		return len(line), nil
	}
	l.log.Log(context.Background(), level, "gossip: "+strings.TrimPrefix(string(text), "memberlist: "))
	return len(line), nil
}

// mayLog counts a line and reports whether it is not too many. Of refusals there
// may be as many as strangers like.
func (l *lines) mayLog(refusal bool) bool {
	if refusal {
		if _, ok := l.refusals.pass(); !ok {
			return false
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if now := time.Now(); now.Sub(l.second) >= time.Second {
		l.second, l.logged = now, 0
	}
	l.logged++
	return l.logged <= logLinesMax
}
