package consensus

import (
	"context"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-hclog"
)

// raftLog passes what raft logs on, from warnings upwards. A peer that cannot be
// reached makes raft say so many times a second: the same line comes once in a
// while, with how many were left out.
type raftLog struct {
	to   *slog.Logger
	said *atomic.Uint64 // lines, those left out too

	mu    sync.Mutex
	lines map[string]*line
}

type line struct {
	last   time.Time
	others int
}

func newRaftLog(to *slog.Logger, said *atomic.Uint64) *raftLog {
	return &raftLog{to: to, said: said, lines: make(map[string]*line)}
}

// hclog is what raft takes.
func (l *raftLog) hclog() hclog.Logger {
	logger := hclog.NewInterceptLogger(&hclog.LoggerOptions{Name: "raft", Level: hclog.Off, Output: io.Discard})
	logger.RegisterSink(l)
	return logger
}

// Accept takes a line of raft's. Its errors are warnings here: raft goes on, and
// most say that a peer is away.
func (l *raftLog) Accept(_ string, level hclog.Level, message string, args ...any) {
	if level >= hclog.Warn {
		l.said.Add(1)
		l.warn("raft: "+message, args...)
	}
}

func (l *raftLog) warn(message string, args ...any) {
	others, ok := l.pass(message, time.Now())
	if !ok {
		return
	}
	if others > 0 {
		args = append(args, "others", others)
	}
	l.to.Log(context.Background(), slog.LevelWarn, message, args...)
}

// pass reports whether a line may come, and how many have not since the last
// one.
func (l *raftLog) pass(message string, now time.Time) (others int, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	of := l.lines[message]
	switch {
	case of == nil && len(l.lines) >= logLinesMax:
		return 0, false
	case of == nil:
		of = new(line)
		l.lines[message] = of
	case now.Sub(of.last) < logInterval:
		of.others++
		return 0, false
	}
	others, of.others, of.last = of.others, 0, now
	return others, true
}
