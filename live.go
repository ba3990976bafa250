package main

import (
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"

	"hubsub/engine"
)

// live is the option table of a running server: what CONFIG GET shows and
// CONFIG SET changes. It may be used from any goroutine.
type live struct {
	// Set once.
	engine   *engine.Engine
	logLevel *slog.LevelVar
	stop     func()

	mu      sync.Mutex
	options options
}

// fixed are parameters of Redis that clients ask for and that cannot be
// otherwise here: nothing is stored.
var fixed = [][2]string{
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
		if most, err := clientsMax(next.loops()); name == "maxclients" && (err != nil || int64(next.MaxClients) > most) {
			return failed(fmt.Sprintf("The operating system is not able to handle the specified number of clients, try with %d", most))
		}
	}
	c.options = next
	c.engine.SetSettings(next.settings())
	c.logLevel.Set(levels[next.LogLevel])
	return nil
}

// RequirePass returns the default user's password.
func (c *live) RequirePass() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return string(c.options.RequirePass)
}

// Shutdown begins to end the process.
func (c *live) Shutdown() { c.stop() }
