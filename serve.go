package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"os"
	"os/signal"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"hubsub/engine"
	"hubsub/engine/admin"
	"hubsub/engine/command"
)

const (
	// adminCloseTimeMax is how long a scrape or a profile may go on when the
	// server ends.
	adminCloseTimeMax = time.Second

	// clusterFiles are for connections between nodes: five for each of a hundred.
	clusterFiles = 512

	// configLineMax is the longest line of a configuration file: users may have
	// many patterns.
	configLineMax = 1 << 20
)

// serve runs the server until a signal or SHUTDOWN ends it.
func serve(s setup) error {
	logLevel := new(slog.LevelVar)
	logLevel.Set(levels[s.LogLevel])
	log, logFile, err := openLog(&s.options, logLevel)
	if err != nil {
		return err
	}
	if err := fitClients(&s.options, log); err != nil {
		return err
	}
	tellUnknown(&s, log)
	tellBacklog(int(s.Backlog), log)
	loops := s.loops()
	// Two more than loops: one that wakes from epoll_wait finds a processor
	// free, and the scheduler need not take one from another loop.
	runtime.GOMAXPROCS(loops + 2)
	paceCollector()

	signal.Ignore(syscall.SIGPIPE) // a closed pipe ends no server
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	server := &live{options: s.options, log: log, logLevel: logLevel, stop: stop}
	handler := command.New(command.Config{Server: server, Port: int(s.Port), ConfigFile: s.file})
	handler.Users.SetAllChannels(s.PubSubDefault == "allchannels")
	handler.Users.SetDefaultPassword(string(s.RequirePass))
	users, err := handler.Users.Parse(s.users)
	if err != nil {
		return err
	}
	handler.Users.Load(users)
	lanes := newLanes(&s.options, loops)
	e, err := engine.New(engine.Config{
		Loops:    loops,
		Lanes:    lanesOf(lanes),
		Listen:   s.listen(),
		Settings: s.settings(),
		IOUring:  s.IOUring.on,
		Handler:  handler,
		Log:      log,

		MessageBytesMax: int(s.MaxMessage),
	})
	if err != nil {
		return err
	}
	server.engine, server.handler = e, handler
	server.UsersChanged()
	node, err := startNode(&s.options, e, lanes, log)
	if err != nil {
		return errors.Join(err, e.Shutdown()) // which removes the Unix socket
	}
	var api []admin.Cluster
	if node != nil {
		defer node.Close()
		handler.Rooms = rooms{node}
		api = append(api, apiOf(node, string(s.HTTPToken), log))
	}
	var http *admin.Server
	if s.HTTP != "" {
		if http, err = admin.Listen(string(s.HTTP), e, log, api...); err != nil {
			return errors.Join(err, e.Shutdown())
		}
	}
	if err := e.Start(); err != nil {
		return err
	}
	log.Info("HubSub is ready to accept connections", "version", command.Version, "port", int(s.Port),
		"unixsocket", string(s.UnixSocket), "http", string(s.HTTP), "loops", loops, "pid", os.Getpid())
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-hangup:
			server.reload(logFile, func() (setup, error) { return parse(os.Args[1:]) })
		}
	}
	stop() // a second signal ends the process at once
	log.Info("HubSub is shutting down", "clients", e.Stats().Connections)
	if http != nil {
		http.BeginShutdown()
	}
	if node != nil {
		node.Leave()
	}
	err = e.Shutdown()
	if http == nil {
		return err
	}
	closing, cancel := context.WithTimeout(context.Background(), adminCloseTimeMax)
	defer cancel()
	return errors.Join(err, http.Close(closing))
}

// tellUnknown names what in the configuration file has no effect.
func tellUnknown(s *setup, log *slog.Logger) {
	if len(s.unknown) > 0 {
		log.Warn("HubSub does not have these options of the configuration file: they have no effect",
			"file", s.file, "options", strings.Join(s.unknown, " "))
	}
}

// tellBacklog warns of a kernel that cuts --tcp-backlog. The words are Redis's.
func tellBacklog(backlog int, log *slog.Logger) {
	const file = "/proc/sys/net/core/somaxconn"
	text, err := os.ReadFile(file)
	if err != nil {
		return
	}
	if most, err := strconv.Atoi(strings.TrimSpace(string(text))); err == nil && most < backlog {
		log.Warn(fmt.Sprintf("WARNING: The TCP backlog setting of %d cannot be enforced because %s is set to the lower value of %d.",
			backlog, file, most))
	}
}

// fitClients lowers maxclients to what the limit of open files allows. What it
// logs begins with Redis's words, which operators' tools look for.
func fitClients(o *options, log *slog.Logger) error {
	open, most, err := clientsMax(o)
	switch {
	case err != nil:
		return err
	case most < 1:
		return fmt.Errorf("Your current 'ulimit -n' of %d is not enough for the server to start. "+
			"Please increase your open file limit to at least %d. Exiting.", open, filesReserved(o)+1)
	case int64(o.MaxClients) > most:
		log.Warn(fmt.Sprintf("Current maximum open files is %d. maxclients has been reduced to %d to compensate for low ulimit. "+
			"If you need higher maxclients increase 'ulimit -n'.", open, most), "asked", int64(o.MaxClients))
		o.MaxClients = number(most)
	}
	return nil
}

// clientsMax returns the limit of open files and how many clients it allows.
func clientsMax(o *options) (open, clients int64, err error) {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return 0, 0, fmt.Errorf("cannot read the limit of open files: %w", err)
	}
	open = int64(min(limit.Cur, math.MaxInt64))
	return open, open - int64(filesReserved(o)), nil
}

// filesReserved returns how many open files are not for clients.
func filesReserved(o *options) int {
	n := engine.FilesReserved(o.loops())
	if o.Cluster != "" {
		n += clusterFiles + admin.APIConnectionsMax
	}
	return n
}
