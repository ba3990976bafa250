package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"syscall"

	"hubsub/engine"
	"hubsub/engine/command"
)

// fdsReserved is how many file descriptors are not for clients: listeners, the
// loops' own, the log. Redis keeps the same number.
const fdsReserved = 32

// gcPercent lets the heap grow by half before it is collected: most of a
// server's heap is its idle clients, which are never garbage, and what a loop
// leaves behind per tick is small.
const gcPercent = 50

// serve runs the server until a signal or SHUTDOWN ends it.
func serve(o options) error {
	logLevel := new(slog.LevelVar)
	logLevel.Set(levels[o.LogLevel])
	log, closeLog, err := openLog(string(o.LogFile), logLevel)
	if err != nil {
		return err
	}
	defer closeLog()
	if err := fitClients(&o, log); err != nil {
		return err
	}
	loops := o.loops()
	// Two more than loops: one that wakes from epoll_wait finds a processor
	// free, and the scheduler need not take one from another loop.
	runtime.GOMAXPROCS(loops + 2)
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	server := &live{options: o, logLevel: logLevel, stop: stop}
	e, err := engine.New(engine.Config{
		Loops:    loops,
		Listen:   o.listen(),
		Settings: o.settings(),
		Handler:  command.New(command.Config{Server: server, Port: int(o.Port), ConfigFile: o.file}),
		Log:      log,
	})
	if err != nil {
		return err
	}
	server.engine = e
	if err := e.Start(); err != nil {
		return err
	}
	log.Info("HubSub is ready to accept connections", "version", command.Version,
		"port", int(o.Port), "unixsocket", string(o.UnixSocket), "loops", loops, "pid", os.Getpid())
	<-ctx.Done()
	log.Info("HubSub is shutting down", "clients", e.Stats().Connections)
	return e.Shutdown()
}

// fitClients lowers maxclients to what the limit of open files allows.
func fitClients(o *options, log *slog.Logger) error {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return fmt.Errorf("cannot read the limit of open files: %w", err)
	}
	if uint64(o.MaxClients)+fdsReserved <= limit.Cur {
		return nil
	}
	if limit.Cur <= fdsReserved {
		return fmt.Errorf("cannot serve clients with only %d open files: raise 'ulimit -n' above %d", limit.Cur, fdsReserved)
	}
	log.Warn("the limit of open files is too low for maxclients: lowering it, raise 'ulimit -n' for more",
		"ulimit", limit.Cur, "asked", int64(o.MaxClients), "maxclients", limit.Cur-fdsReserved)
	o.MaxClients = number(limit.Cur - fdsReserved)
	return nil
}

// openLog logs to a file, or to standard error if there is none.
func openLog(path string, level slog.Leveler) (*slog.Logger, func(), error) {
	out, done := io.Writer(os.Stderr), func() {}
	if path != "" {
		file, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
		if err != nil {
			return nil, nil, fmt.Errorf("cannot open the log file: %w", err)
		}
		out, done = file, func() { file.Close() }
	}
	return slog.New(slog.NewTextHandler(out, &slog.HandlerOptions{Level: level})), done, nil
}
