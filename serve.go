package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"math"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"syscall"

	"hubsub/engine"
	"hubsub/engine/command"
)

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

	signal.Ignore(syscall.SIGHUP, syscall.SIGPIPE) // a closed terminal or pipe ends no server
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
	stop() // a second signal ends the process at once
	log.Info("HubSub is shutting down", "clients", e.Stats().Connections)
	return e.Shutdown()
}

// fitClients lowers maxclients to what the limit of open files allows.
func fitClients(o *options, log *slog.Logger) error {
	most, err := clientsMax(o.loops())
	switch {
	case err != nil:
		return err
	case most < 1:
		return fmt.Errorf("cannot serve clients with so few open files: raise 'ulimit -n' above %d", engine.FilesReserved(o.loops()))
	case int64(o.MaxClients) > most:
		log.Warn("the limit of open files is too low for maxclients: lowering it, raise 'ulimit -n' for more",
			"asked", int64(o.MaxClients), "maxclients", most)
		o.MaxClients = number(most)
	}
	return nil
}

// clientsMax returns how many clients the limit of open files allows.
func clientsMax(loops int) (int64, error) {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return 0, fmt.Errorf("cannot read the limit of open files: %w", err)
	}
	return int64(min(limit.Cur, math.MaxInt64)) - int64(engine.FilesReserved(loops)), nil
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
