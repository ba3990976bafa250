// Command hubsub is a pub/sub server that speaks the Redis protocol.
//
// This package joins the parts: it reads the options (config.go, values.go,
// file.go), starts the engine with its commands (serve.go), and answers for
// the options while it runs (live.go).
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"hubsub/bench"
	"hubsub/engine/acl"
	"hubsub/engine/command"
)

const description = `A Redis-compatible pub/sub server for very many small audiences.

Without flags it serves the Redis protocol on port 6379 of this machine. Every
flag is also a line of the --config file (without the dashes) and a variable of
the environment (HUBSUB_PORT for --port). "hubsub bench" measures servers.`

// flags is the command line: the options, and what only a command line has.
type flags struct {
	Config  kong.ConfigFlag  `name:"config" placeholder:"FILE" help:"Read options from a file in redis.conf's form."`
	User    []string         `name:"user" sep:"none" placeholder:"NAME RULE..." help:"A user with its rules, as ACL SETUSER takes them. May be given several times."`
	Version kong.VersionFlag `name:"version" short:"v" env:"-" help:"Print the version and exit."`
	options
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == "bench" {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
		code := bench.Run(ctx, os.Args[2:], os.Stdout, os.Stderr)
		stop()
		os.Exit(code)
	}
	err := run(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "hubsub:", err)
		os.Exit(1)
	}
}

// run does what the command line says, unless that is "bench".
func run(args []string) error {
	if len(args) > 0 && args[0] == "cluster" {
		return clusterCommand(args[1:])
	}
	s, err := parse(args)
	if err != nil {
		return err
	}
	return serve(s)
}

// setup is all that an operator says before the server starts, and again with
// SIGHUP.
type setup struct {
	options
	file    string     // what --config named
	unknown []string   // names in the file that are no options
	users   [][]string // of the file, then of the command line: a name and its rules each
}

// parse reads the options from the command line, the environment and the file
// that --config names, in this order of precedence.
func parse(args []string) (setup, error) {
	var f flags
	var file configFile
	parser, err := kong.New(&f,
		kong.Name("hubsub"),
		kong.Description(description),
		kong.Vars{"version": "HubSub " + command.Version},
		kong.DefaultEnvars("HUBSUB"),
		kong.Configuration(func(r io.Reader) (_ kong.Resolver, err error) {
			file, err = readConfigFile(r)
			return file, err
		}),
	)
	if err != nil {
		return setup{}, err
	}
	if _, err = parser.Parse(joinValues(args)); err != nil {
		return setup{}, err
	}
	users := file.users
	for _, line := range f.User {
		users = append(users, acl.Words(line))
	}
	return setup{f.options, string(f.Config), file.unknown, users}, f.options.check()
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
