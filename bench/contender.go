package bench

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
)

// contender is a server named by --vs: one that is started by a command, or one that runs at addresses.
type contender struct {
	name      string
	command   string   // "" if it runs
	addresses []string // of its nodes, if it runs
	settings  []string // flags of its own, "key=value"
}

// parseContender reads NAME=COMMAND, NAME=ADDR[,ADDR…] or either with NAME[key=value,…].
func parseContender(text string) (c contender, err error) {
	end := strings.IndexAny(text, "[=")
	if end < 1 {
		return c, errors.New("want NAME=COMMAND or NAME=ADDR")
	}
	c.name = text[:end]
	rest := text[end:]
	if inside, ok := strings.CutPrefix(rest, "["); ok {
		settings, after, ok := strings.Cut(inside, "]")
		if !ok {
			return c, errors.New("want NAME[key=value,…]=…: no ]")
		}
		c.settings, rest = strings.Split(settings, ","), after
	}
	what, ok := strings.CutPrefix(rest, "=")
	if !ok || what == "" {
		return c, errors.New("want NAME=COMMAND or NAME=ADDR")
	}
	if addresses, err := parseAddresses(what); err == nil && !strings.ContainsAny(what, " \t") {
		c.addresses = addresses
	} else {
		c.command = what
	}
	return c, nil
}

// whatIs returns its command or its addresses, and its own flags.
func (c *contender) whatIs() string {
	what := c.command + strings.Join(c.addresses, ",")
	if len(c.settings) > 0 {
		what += " (" + strings.Join(c.settings, ", ") + ")"
	}
	return what
}

// optionsOf returns the options for a contender: the run's, changed by its own.
func (o *options) optionsOf(c contender) (*options, error) {
	own := *o
	flags := flag.NewFlagSet(c.name, flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	own.loadFlags(flags)
	for _, setting := range c.settings {
		key, value, _ := strings.Cut(setting, "=")
		if flags.Lookup(key) == nil {
			var keys []string
			flags.VisitAll(func(f *flag.Flag) { keys = append(keys, f.Name) })
			return nil, fmt.Errorf("--vs %s: no option %q; there are %s", c.name, key, strings.Join(keys, ", "))
		}
		if err := flags.Set(key, value); err != nil {
			return nil, fmt.Errorf("--vs %s: %s: %w", c.name, setting, err)
		}
	}
	nodes := max(1, len(c.addresses))
	if err := own.checkLoad(nodes); err != nil {
		return nil, fmt.Errorf("--vs %s: %w", c.name, err)
	}
	return &own, nil
}

// measureContender measures a contender once. The target says what became of its output limit, too.
func (o *options) measureContender(ctx context.Context, c contender) (*result, target, error) {
	own, err := o.optionsOf(c)
	if err != nil {
		return nil, target{}, err
	}
	if c.command == "" {
		t := runningTarget(c.addresses, nil)
		r, err := own.measure(ctx, t)
		return r, t, err
	}
	s, err := startServer(ctx, c.name, c.command, o.serverCPU)
	if err != nil {
		return nil, target{}, err
	}
	defer s.stop()
	r, err := own.measure(ctx, s.target)
	if ctx.Err() != nil {
		return nil, target{}, context.Cause(ctx)
	}
	if err != nil {
		return nil, target{}, fmt.Errorf("%w%s", err, s.lastOutput())
	}
	return r, s.target, nil
}
