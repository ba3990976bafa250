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

	mu     sync.Mutex
	second time.Time
	logged int // since then
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
	if !l.mayLog() {
		l.counters.linesMissed.Add(1)
		return len(line), nil
	}
	l.log.Log(context.Background(), level, "gossip: "+strings.TrimPrefix(string(text), "memberlist: "))
	return len(line), nil
}

// mayLog counts a line and reports whether it is not too many.
func (l *lines) mayLog() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if now := time.Now(); now.Sub(l.second) >= time.Second {
		l.second, l.logged = now, 0
	}
	l.logged++
	return l.logged <= logLinesMax
}
