package bench

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
)

// The exit codes of Run.
const (
	exitOK     = 0
	exitFailed = 1 // the server was wrong, or could not be measured
	exitUsage  = 2
)

// Run is "hubsub bench" with its arguments. It returns the exit code: 0; 1 if a server lost, repeated, reordered or
// damaged a message or could not be measured; 2 for wrong arguments. Everything it starts has ended when it returns.
func Run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	if len(args) == 0 {
		printUsage(stderr)
		return exitUsage
	}
	switch args[0] {
	case "-h", "--help", "help":
		printUsage(stdout)
		return exitOK
	case "floor":
		return runFloor(ctx, args[1:], stdout, stderr)
	}
	s, ok := shapeNamed(args[0])
	if !ok {
		fmt.Fprintf(stderr, "hubsub bench: no shape %q\n\n", args[0])
		printUsage(stderr)
		return exitUsage
	}
	o, err := parseOptions(s, args[1:], stdout)
	if errors.Is(err, flag.ErrHelp) {
		return exitOK
	}
	if err != nil {
		fmt.Fprintf(stderr, "hubsub bench %s: %v\n", s.name, err)
		return exitUsage
	}
	if err := o.run(ctx, stdout); err != nil {
		fmt.Fprintf(stderr, "hubsub bench %s: FAILED: %v\n", s.name, err)
		return exitFailed
	}
	return exitOK
}

func (o *options) run(ctx context.Context, stdout io.Writer) error {
	if o.generatorCPU >= 0 {
		undo, err := pinProcess(o.generatorCPU)
		if err != nil {
			return err
		}
		defer undo()
	}
	printHeader(stdout, o)
	if len(o.versus) > 0 {
		return runVersus(ctx, o, stdout)
	}
	if len(o.addresses) > 0 {
		return o.measureAndPrint(ctx, runningTarget(o.addresses, o.processes), stdout)
	}
	s, err := startServer(ctx, o.start, o.start, o.serverCPU)
	if err != nil {
		return err
	}
	defer s.stop()
	if err := o.measureAndPrint(ctx, s.target, stdout); err != nil {
		return fmt.Errorf("%w%s", err, s.lastOutput())
	}
	return nil
}

func (o *options) measureAndPrint(ctx context.Context, t target, stdout io.Writer) error {
	r, err := o.measure(ctx, t)
	if err != nil {
		return err
	}
	printResult(stdout, t, r)
	return nil
}

// measure runs the shape against a server.
func (o *options) measure(ctx context.Context, t target) (*result, error) {
	if o.shape.silent {
		m, err := measureIdle(ctx, t, o)
		if err != nil {
			return nil, err
		}
		return idleResult(m), nil
	}
	g, err := newGenerator(t, o)
	if err != nil {
		return nil, err
	}
	defer g.close()
	m, err := g.run(ctx)
	if err != nil {
		return nil, err
	}
	return loadResult(m, len(t.processes) > 0), nil
}

func printUsage(w io.Writer) {
	fmt.Fprint(w, `hubsub bench: how much a pub/sub server delivers, and at what cost

    hubsub bench SHAPE [flags]     measure; "hubsub bench SHAPE -h" lists the flags and their defaults
    hubsub bench floor [--port N]  the least that a fan-out server can do, to measure against

Shapes:
`)
	for _, s := range shapes {
		fmt.Fprintf(w, "    %-10s %s\n", s.name, s.summary)
	}
	fmt.Fprint(w, `
Examples:
    hubsub bench room --start 'hubsub --port {port} --loops 1'
    hubsub bench room --pipeline 64 --vs redis='REDIS' --vs hubsub='hubsub --port {port} --loops 1'
    hubsub bench rooms --vs floor='hubsub bench floor --port {port}' --vs redis='REDIS'
    hubsub bench room --subscribers 100 --rate 2000 --start 'REDIS'     latency at a fixed rate
    hubsub bench idle --addr 127.0.0.1:6379
    hubsub bench mixed --total-order --start 'redis-server --port 0 --unixsocket {socket}'
    hubsub bench cluster --addr 127.0.0.1:7001,127.0.0.1:7002,127.0.0.1:7003
    hubsub bench patterns --vs 'none[patterns=0]=REDIS' --vs many='REDIS'      one server, two loads
    hubsub bench room --vs redis='REDIS' --vs nats='nats-server -a 127.0.0.1 -p {port}' --vs running=10.0.0.7:6379
where REDIS stands for
    redis-server --port {port} --save "" --appendonly no

A started server has one CPU (--server-cpu) and the generator another (--generator-cpu); give a server with several
threads one loop. RESP and NATS servers are told apart by what they answer; of a running one on this machine the
processes are found by the socket that they listen on. Every delivery is checked: a server that loses, repeats, reorders or changes a message fails the run,
exit code 1. Latency is given with --rate only.
`)
}
