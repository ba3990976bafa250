package bench

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"hubsub/bench/record"
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
	case "report":
		return runReport(args[1:], stdout, stderr)
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
	if err := o.run(ctx, stdout, stderr); err != nil {
		fmt.Fprintf(stderr, "hubsub bench %s: FAILED: %v\n", s.name, err)
		return exitFailed
	}
	return exitOK
}

// run measures what the options ask for and shows it: as text while it goes on, or as data at the end.
func (o *options) run(ctx context.Context, stdout, stderr io.Writer) error {
	if o.generatorCPU >= 0 {
		undo, err := pinProcess(o.generatorCPU)
		if err != nil {
			return err
		}
		defer undo()
	}
	text := stdout
	if o.json {
		text = io.Discard
	}
	printHeader(text, o)
	o.progress = newProgress(stderr, o.rounds(), max(len(o.versus), 1), o.planned())
	defer o.progress.end() // before an error is printed

	began := time.Now()
	r := o.record(began)
	measure := o.runSingle
	if len(o.versus) > 0 {
		measure = o.runVersus
	}
	if err := measure(ctx, r, text); err != nil {
		return err
	}
	r.Seconds = time.Since(began).Seconds()
	if o.report != "" {
		if err := writePage(o.report, r); err != nil {
			return err
		}
	}
	if o.json {
		return r.Write(stdout)
	}
	return nil
}

// rounds returns how often each server is measured.
func (o *options) rounds() int {
	if len(o.versus) == 0 {
		return 1
	}
	return o.pairs
}

// planned returns how long one measurement should take.
func (o *options) planned() time.Duration {
	if o.shape.silent {
		return startSettle + o.settle
	}
	return o.pace.warmup + o.pace.duration
}

// runSingle measures one server once and prints it in full.
func (o *options) runSingle(ctx context.Context, r *record.Run, text io.Writer) error {
	measure, kept := o.measureRunning, record.Server{Address: strings.Join(o.addresses, ",")}
	kept.Name = kept.Address
	if o.start != "" {
		kept = record.Server{Name: commandName(o.start), Command: o.start}
		measure = func(ctx context.Context) (*result, target, error) {
			return o.measureContender(ctx, contender{name: o.start, command: o.start})
		}
	}
	o.progress.begin(1, kept.Name)
	found, t, err := measure(ctx)
	o.progress.end()
	if err != nil {
		return err
	}
	kept.Version, kept.Limits = t.version, t.limits
	r.Servers, r.Measurements = []record.Server{kept}, []record.Measurement{found.measurement(1, 0)}
	printResult(text, t, found)
	return nil
}

// measureRunning measures the server of --addr.
func (o *options) measureRunning(ctx context.Context) (*result, target, error) {
	t := runningTarget(o.addresses, o.processes)
	r, err := o.measure(ctx, t)
	return r, t, err
}

// commandName returns a short name for the server that a command starts: its program.
func commandName(command string) string {
	words := strings.Fields(command)
	if len(words) == 0 {
		return command
	}
	return filepath.Base(words[0])
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
	o.progress.say("connecting")
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
    hubsub bench report [--picture OUT.svg] OUT.html RUN.json...
                                   one page out of what runs printed with --json

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
    hubsub bench room --report room.html --vs redis='REDIS' --vs hubsub='hubsub --port {port} --loops 1'
    hubsub bench idle --addr 127.0.0.1:6379
    hubsub bench mixed --total-order --start 'redis-server --port 0 --unixsocket {socket}'
    hubsub bench cluster --addr 127.0.0.1:7001,127.0.0.1:7002,127.0.0.1:7003
    hubsub bench patterns --vs 'none[patterns=0]=REDIS' --vs many='REDIS'      one server, two loads
    hubsub bench room --vs redis='REDIS' --vs nats='nats-server -a 127.0.0.1 -p {port}' --vs running=10.0.0.7:6379
where REDIS stands for
    redis-server --port {port} --save "" --appendonly no

A started server has one CPU (--server-cpu) and the generator another (--generator-cpu); give a server with several
threads one loop. RESP and NATS servers are told apart by what they answer; of a running one on this machine the
processes are found by the socket that they listen on. Every delivery is checked: a server that loses, repeats, reorders
or changes a message fails the run, exit code 1. Latency is given with --rate only. A run on a terminal says on stderr
how far it is. --json prints the run as data instead of text; --report writes a page with plots, which needs nothing but
a browser.
`)
}
