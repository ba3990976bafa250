package main

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"sync"
)

// levels are what --loglevel names. Redis has debug, so we have it; it says no
// more than verbose.
var levels = map[choice]slog.Level{
	"debug": slog.LevelDebug - 1, "verbose": slog.LevelDebug, "notice": slog.LevelInfo, "warning": slog.LevelWarn,
}

// openLog makes the logger that the options ask for, to a file, or to standard
// error if they name none. The returned file can be opened anew and closed.
func openLog(o *options, level slog.Leveler) (*slog.Logger, *logFile, error) {
	file := &logFile{path: string(o.LogFile), out: os.Stderr}
	if err := file.reopen(); err != nil {
		return nil, nil, err
	}
	opts := &slog.HandlerOptions{Level: level, ReplaceAttr: levelWord}
	if o.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(file, opts)), file, nil
	}
	return slog.New(slog.NewTextHandler(file, opts)), file, nil
}

// levelWord writes levels as --loglevel names them.
func levelWord(_ []string, a slog.Attr) slog.Attr {
	if level, ok := a.Value.Any().(slog.Level); ok && a.Key == slog.LevelKey {
		a.Value = slog.StringValue(strings.ToLower(level.String()))
		for word, l := range levels {
			if l == level {
				a.Value = slog.StringValue(string(word))
			}
		}
	}
	return a
}

// logFile is where the log goes. Any goroutine.
type logFile struct {
	path string // empty: standard error

	mu  sync.Mutex
	out io.WriteCloser // guarded by mu
}

func (f *logFile) Write(b []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.out.Write(b)
}

// reopen opens the file by its path, so that one that was renamed is let go.
// If it cannot, the log goes on where it was.
func (f *logFile) reopen() error {
	if f.path == "" {
		return nil
	}
	out, err := os.OpenFile(f.path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("cannot open the log file: %w", err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.out != os.Stderr {
		f.out.Close()
	}
	f.out = out
	return nil
}
