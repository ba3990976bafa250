package main

import (
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"

	"hubsub/engine"
	"hubsub/engine/command"
)

// live is the option table of a running server: what CONFIG GET shows and
// CONFIG SET changes. It may be used from any goroutine.
type live struct {
	// Set once.
	engine   *engine.Engine
	handler  *command.Handler
	log      *slog.Logger
	logLevel *slog.LevelVar
	stop     func()

	mu      sync.Mutex
	options options
}

// fixed are parameters of Redis that clients ask for and that cannot be
// otherwise here: nothing is stored.
var fixed = [][2]string{
	{"aclfile", ""},
	{"appendonly", "no"},
	{"databases", "16"},
	{"maxmemory", "0"},
	{"save", ""},
}

// Options yields every parameter with its value.
func (c *live) Options(yield func(name, value string)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, opt := range c.options.table() {
		yield(opt.name, opt.value.String())
	}
	for _, f := range fixed {
		yield(f[0], f[1])
	}
}

// SetOptions changes all of the parameters, or none. Errors are in Redis's
// words.
func (c *live) SetOptions(pairs [][2]string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	next := c.options
	table := next.table()
	for i, pair := range pairs {
		name := strings.ToLower(pair[0])
		at := slices.IndexFunc(table, func(o option) bool { return o.name == name })
		constant := slices.ContainsFunc(fixed, func(f [2]string) bool { return f[0] == name })
		failed := func(why string) error {
			return fmt.Errorf("CONFIG SET failed (possibly related to argument '%s') - %s", pair[0], why)
		}
		switch {
		case at < 0 && !constant:
			return fmt.Errorf("Unknown option or number of arguments for CONFIG SET - '%s'", pair[0])
		case slices.ContainsFunc(pairs[:i], func(p [2]string) bool { return strings.EqualFold(p[0], name) }):
			return failed("duplicate parameter")
		case constant || !table[at].changeable:
			return failed("can't set immutable config")
		}
		if err := table[at].set(pair[1]); err != nil {
			return failed(err.Error())
		}
		if _, most, err := clientsMax(&next); name == "maxclients" && (err != nil || int64(next.MaxClients) > most) {
			return failed(fmt.Sprintf("The operating system is not able to handle the specified number of clients, try with %d", most))
		}
	}
	c.apply(next)
	return nil
}

// apply puts options in force; the caller holds mu.
func (c *live) apply(next options) {
	c.handler.Users.SetAllChannels(next.PubSubDefault == "allchannels")
	if next.RequirePass != c.options.RequirePass {
		c.handler.Users.SetDefaultPassword(string(next.RequirePass))
	}
	c.options = next
	c.protect()
	c.logLevel.Set(levels[next.LogLevel])
}

// reload reads again what the operator says, after a SIGHUP, and puts in force
// what can change while the server runs: what CONFIG SET had changed is as the
// operator says again. If anything is wrong, nothing changes.
func (c *live) reload(logFile *logFile, parse func() (setup, error)) {
	if err := logFile.reopen(); err != nil {
		c.log.Error("SIGHUP: the log goes on in the old file", "error", err)
	}
	said, err := parse()
	if err == nil {
		err = fitClients(&said.options, c.log)
	}
	if err != nil {
		c.log.Error("SIGHUP: nothing was changed", "error", err)
		return
	}
	tellUnknown(&said, c.log)
	c.mu.Lock()
	defer c.mu.Unlock()
	next := c.options
	var changed, lasting []string
	table := next.table()
	for i, opt := range said.options.table() {
		value := opt.value.String()
		switch {
		case value == table[i].value.String():
		case !opt.changeable:
			lasting = append(lasting, opt.name)
		case table[i].set(value) == nil: // it was parsed before
			changed = append(changed, opt.name)
		}
	}
	c.handler.Users.SetAllChannels(next.PubSubDefault == "allchannels") // what users begin with
	users, err := c.handler.Users.Parse(said.users)
	if err != nil {
		c.handler.Users.SetAllChannels(c.options.PubSubDefault == "allchannels")
		c.log.Error("SIGHUP: nothing was changed", "error", err)
		return
	}
	c.apply(next)
	names := c.handler.LoadUsers(c.engine, users)
	c.protect()
	c.log.Info("SIGHUP: the configuration is read again", "file", said.file, "changed", strings.Join(changed, " "),
		"users", strings.Join(names, " "), "needing a restart", strings.Join(lasting, " "))
}

// protect puts in force what follows from the default user and from the options
// together; the caller holds mu.
func (c *live) protect() {
	user, settings := c.handler.Users.Default().User(), c.options.settings()
	settings.ProtectedMode = c.options.ProtectedMode.on && !user.NeedsPassword()
	settings.Open = user.Open()
	c.engine.SetSettings(settings)
}

// UsersChanged takes note that the default user may have changed.
func (c *live) UsersChanged() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.protect()
}

// Shutdown begins to end the process.
func (c *live) Shutdown() { c.stop() }
