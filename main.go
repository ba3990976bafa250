// Command hubsub is a pub/sub server that speaks the Redis protocol.
//
// This package joins the parts: it reads the options (config.go, values.go,
// file.go), starts the engine with its commands (serve.go), and answers for
// the options while it runs (live.go).
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"hubsub/bench"
	"hubsub/engine/command"
)

const description = `A Redis-compatible pub/sub server for very many small audiences.

Without flags it serves the Redis protocol on port 6379 of this machine. Every
flag is also a line of the --config file (without the dashes) and a variable of
the environment (HUBSUB_PORT for --port). "hubsub bench" measures servers.`

// flags is the command line: the options, and what only a command line has.
type flags struct {
	Config  kong.ConfigFlag  `name:"config" placeholder:"FILE" help:"Read options from a file in redis.conf's form."`
	Version kong.VersionFlag `name:"version" short:"v" help:"Print the version and exit."`
	options
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == "bench" {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
		code := bench.Run(ctx, os.Args[2:], os.Stdout, os.Stderr)
		stop()
		os.Exit(code)
	}
	o, err := parse(os.Args[1:])
	if err == nil {
		err = serve(o)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "hubsub:", err)
		os.Exit(1)
	}
}

// parse reads the options from the command line, the environment and the file
// that --config names, in this order of precedence.
func parse(args []string) (options, error) {
	var f flags
	parser, err := kong.New(&f,
		kong.Name("hubsub"),
		kong.Description(description),
		kong.Vars{"version": "HubSub " + command.Version},
		kong.DefaultEnvars("HUBSUB"),
		kong.Configuration(readConfigFile),
	)
	if err != nil {
		return options{}, err
	}
	if _, err = parser.Parse(joinValues(args)); err != nil {
		return options{}, err
	}
	f.options.file = string(f.Config)
	return f.options, f.options.check()
}

// joinValues makes one argument of a flag and its values, of which Redis's
// command line allows several: --bind 127.0.0.1 -::1.
func joinValues(args []string) []string {
	var joined []string
	for _, arg := range args {
		last := len(joined) - 1
		switch {
		case strings.HasPrefix(arg, "--"), arg == "-h", arg == "-v", last < 0, !strings.HasPrefix(joined[last], "--"):
			joined = append(joined, arg)
		case strings.Contains(joined[last], "="):
			joined[last] += " " + arg
		default:
			joined[last] += "=" + arg
		}
	}
	return joined
}
