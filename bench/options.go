package bench

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"net"
	"runtime"
	"strings"
	"time"
)

// options are the flags of a run.
type options struct {
	shape  shape
	pace   pace
	size   int // payload bytes
	resp3  bool
	settle time.Duration

	address string
	pid     int
	start   string
	versus  []contender
	pairs   int

	serverCPU    int // -1: not pinned
	generatorCPU int

	patience time.Duration
}

// contender is a server named by --vs.
type contender struct{ name, command string }

// defaultPayload is the payload size in bytes: a short chat line with its envelope.
const defaultPayload = 64

// parseOptions reads the flags of a shape. It returns flag.ErrHelp after printing the flags, if they ask for it.
func parseOptions(s shape, args []string, output io.Writer) (*options, error) {
	o := &options{shape: s, patience: patience}
	flags := flag.NewFlagSet("hubsub bench "+s.name, flag.ContinueOnError)
	flags.SetOutput(output)
	flags.Usage = func() {
		fmt.Fprintf(output, "hubsub bench %s: %s\n\n", s.name, s.summary)
		flags.PrintDefaults()
	}
	if s.silent {
		flags.IntVar(&o.shape.subscribers, "subscribers", s.subscribers, "connections")
		flags.IntVar(&o.shape.rooms, "rooms", s.rooms, "rooms they share; 0: a channel each")
		flags.DurationVar(&o.settle, "settle", defaultSettle, "wait after the last connection before memory is read")
	} else {
		each := "subscribers per room"
		if s.everyRoom {
			each = "connections, each in every room"
		}
		flags.IntVar(&o.shape.subscribers, "subscribers", s.subscribers, each)
		flags.IntVar(&o.shape.rooms, "rooms", s.rooms, "rooms")
		flags.IntVar(&o.shape.publishers, "publishers", s.publishers, "publishing connections, each to all rooms in turn")
		flags.IntVar(&o.shape.pipeline, "pipeline", s.pipeline,
			"publishes in flight per publisher: without an answer or a delivery; a closed loop")
		flags.Float64Var(&o.pace.rate, "rate", 0, "publishes per second over all publishers; an open loop, gives latency")
		flags.IntVar(&o.size, "size", defaultPayload, fmt.Sprintf("payload bytes, at least %d", markBytes))
		flags.DurationVar(&o.pace.duration, "duration", 3*time.Second, "measured time")
		flags.DurationVar(&o.pace.warmup, "warmup", 500*time.Millisecond, "publishing before the measured time")
		if s.patterns > 0 {
			flags.IntVar(&o.shape.patterns, "patterns", s.patterns, "patterns that match nothing published")
			flags.IntVar(&o.shape.patternConnections, "pattern-connections", s.patternConnections, "connections that hold them")
		}
	}
	flags.BoolVar(&o.resp3, "resp3", false, "HELLO 3 on every connection")
	flags.StringVar(&o.address, "addr", "", "measure the server at host:port")
	flags.IntVar(&o.pid, "pid", 0, "its process, for CPU time and memory")
	flags.StringVar(&o.start, "start", "", "start this shell command as the server; {port} is a free port")
	flags.Func("vs", "NAME=COMMAND, twice or more: measure these servers in turn, started as by --start", func(text string) error {
		name, command, ok := strings.Cut(text, "=")
		if !ok || name == "" || command == "" {
			return errors.New("want NAME=COMMAND")
		}
		o.versus = append(o.versus, contender{name, command})
		return nil
	})
	flags.IntVar(&o.pairs, "pairs", 5, "how often each server of --vs is measured")
	flags.IntVar(&o.serverCPU, "server-cpu", 0, "CPU of a started server; -1: any")
	flags.IntVar(&o.generatorCPU, "generator-cpu", min(1, runtime.NumCPU()-1), "CPU of the load generator; -1: any")
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	if flags.NArg() > 0 {
		return nil, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	if s.silent {
		o.size = markBytes
	}
	return o, o.check()
}

// check returns what is wrong with the flags, if anything.
func (o *options) check() error {
	given := 0
	for _, is := range []bool{o.address != "", o.start != "", len(o.versus) > 0} {
		if is {
			given++
		}
	}
	switch {
	case given != 1:
		return errors.New("one of --addr, --start and --vs is needed")
	case len(o.versus) == 1:
		return errors.New("--vs is needed twice or more")
	case o.pairs < 1:
		return errors.New("--pairs must be at least 1")
	case o.pid != 0 && o.address == "":
		return errors.New("--pid goes with --addr")
	case o.shape.silent && o.address != "" && o.pid == 0:
		return errors.New("memory per connection needs --pid, or --start")
	case o.size < markBytes || o.size > maxPayloadBytes:
		return fmt.Errorf("--size must be from %d to %d", markBytes, maxPayloadBytes)
	case !o.shape.silent && o.pace.duration <= 0, o.pace.warmup < 0, o.settle < 0:
		return errors.New("--duration must be above 0, --warmup and --settle not below")
	case o.pace.duration+o.pace.warmup > maxDuration, o.settle > maxDuration:
		return fmt.Errorf("a run lasts at most %v", maxDuration)
	case o.pace.rate < 0 || math.IsNaN(o.pace.rate) || math.IsInf(o.pace.rate, 0):
		return errors.New("--rate must be a number from 0")
	}
	if o.address != "" {
		if _, _, err := net.SplitHostPort(o.address); err != nil {
			return fmt.Errorf("--addr: %w", err)
		}
	}
	return o.shape.check()
}

// load describes what is published.
func (o *options) load() string {
	if o.shape.silent {
		return fmt.Sprintf("nothing is published; %v to settle", o.settle)
	}
	loop := fmt.Sprintf("closed loop, %d in flight each", o.shape.pipeline)
	if o.pace.rate > 0 {
		loop = fmt.Sprintf("open loop, %s publishes/s", grouped(int64(o.pace.rate)))
	}
	return fmt.Sprintf("%s, payload %d bytes, %s, %v after %v of warm-up",
		loop, o.size, o.protocol(), o.pace.duration, o.pace.warmup)
}

func (o *options) protocol() string {
	if o.resp3 {
		return "RESP3"
	}
	return "RESP2"
}
