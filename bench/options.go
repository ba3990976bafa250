package bench

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// options are the flags of a run.
type options struct {
	shape    shape // with the flags that change it
	pace     pace
	size     int    // payload bytes
	protocol string // a key of protocolNames; "": what the server is found to speak
	settle   time.Duration

	addresses []string // of a server that runs
	processes processes
	start     string
	versus    []contender
	pairs     int

	serverCPU    int // -1: not pinned
	generatorCPU int
	spin         bool // the generator waits without sleeping

	patience time.Duration

	json     bool   // print the run as data instead of text
	report   string // write the page here; empty: nowhere
	command  []string
	progress *progress // nil without a terminal
}

// defaultPayload is the payload size in bytes: a short chat line with its envelope.
const defaultPayload = 64

// parseOptions reads the flags of a shape. It returns flag.ErrHelp after printing the flags, if they ask for it.
func parseOptions(s shape, args []string, output io.Writer) (*options, error) {
	o := &options{
		shape: s, patience: patience, size: defaultPayload, protocol: s.protocol,
		command: append([]string{"hubsub", "bench", s.name}, args...),
	}
	if s.silent {
		o.size = markBytes
	}
	flags := flag.NewFlagSet("hubsub bench "+s.name, flag.ContinueOnError)
	flags.SetOutput(io.Discard) // an error is the caller's to print, and the flags are too many to hide it among
	flags.Usage = func() {}
	o.loadFlags(flags)
	o.runFlags(flags)
	o.serverFlags(flags)
	flags.BoolVar(&o.json, "json", false, "print the run as one JSON document instead of text")
	flags.StringVar(&o.report, "report", "", "write a page with plots and all figures to this `file.html`")
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		fmt.Fprintf(output, "hubsub bench %s: %s\n\n", s.name, s.summary)
		flags.SetOutput(output)
		flags.PrintDefaults()
		return nil, err
	} else if err != nil {
		return nil, fmt.Errorf("%w (-h lists the flags)", err)
	}
	if flags.NArg() > 0 {
		return nil, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	return o, o.check()
}

// check returns what is wrong with the flags, if anything.
func (o *options) check() error {
	given := 0
	for _, is := range []bool{len(o.addresses) > 0, o.start != "", len(o.versus) > 0} {
		if is {
			given++
		}
	}
	switch {
	case given != 1:
		return errors.New("one of --addr, --start and --vs is needed")
	case len(o.versus) == 1:
		return errors.New("--vs is needed twice or more")
	case o.sameNames():
		return errors.New("each --vs needs a name of its own")
	case o.pairs < 1:
		return errors.New("--pairs must be at least 1")
	case o.spin && len(o.addresses) == 0 && o.generatorCPU >= 0 && o.generatorCPU == o.serverCPU:
		return errors.New("--spin takes a whole CPU: give the server another with --server-cpu")
	case len(o.processes) > 0 && len(o.addresses) == 0:
		return errors.New("--pid goes with --addr")
	case !o.shape.silent && o.pace.duration <= 0, o.pace.warmup < 0, o.settle < 0:
		return errors.New("--duration must be above 0, --warmup and --settle not below")
	case o.pace.duration+o.pace.warmup > maxDuration, o.settle > maxDuration:
		return fmt.Errorf("a run lasts at most %v", maxDuration)
	}
	if o.report != "" {
		if info, err := os.Stat(filepath.Dir(o.report)); err != nil || !info.IsDir() {
			return fmt.Errorf("--report: no folder %s", filepath.Dir(o.report))
		}
		if info, err := os.Stat(o.report); err == nil && info.IsDir() {
			return fmt.Errorf("--report: %s is a folder; name a file in it", o.report)
		}
	}
	for _, c := range o.versus {
		if _, err := o.optionsOf(c); err != nil {
			return err
		}
	}
	return o.checkLoad(max(1, len(o.addresses)))
}

// checkLoad returns what is wrong with the load, if anything, for a server of so many nodes.
func (o *options) checkLoad(nodes int) error {
	switch {
	case o.size < markBytes || o.size > maxPayloadBytes:
		return fmt.Errorf("--size must be from %d to %d", markBytes, maxPayloadBytes)
	case o.pace.rate > 0 && o.pace.rate*o.pace.duration.Seconds() < 1:
		return fmt.Errorf("--rate %v is less than one publish in %v; --duration or --rate must be larger", o.pace.rate, o.pace.duration)
	case o.pace.rate < 0 || math.IsNaN(o.pace.rate) || math.IsInf(o.pace.rate, 0):
		return errors.New("--rate must be a number from 0")
	}
	if _, ok := protocolNames[o.protocol]; !ok && o.protocol != "" {
		return fmt.Errorf("--protocol must be resp2, resp3, both or nats, not %q", o.protocol)
	}
	return o.shape.check(nodes)
}

// paceOver returns the pace for a number of nodes.
func (o *options) paceOver(nodes int) pace {
	p := o.pace
	if p.rate == 0 {
		p.rate = o.shape.nodeRate * float64(nodes)
	}
	return p
}

// protocols returns what the connections speak: what the flags say, if the server speaks it. What a shape prefers is for
// RESP.
func (o *options) protocols(dial *dialer) (protocols, error) {
	speak := protocolNames[o.protocol]
	p, err := dial.detect()
	switch {
	case err != nil || o.protocol == "" || p == nats && o.protocol == o.shape.protocol:
		return protocols{p, p}, err
	case (p == nats) != (speak[0] == nats):
		return speak, fmt.Errorf("server speaks %v, not %v: leave --protocol %s out", p, speak, o.protocol)
	}
	return speak, nil
}

// load describes what is published.
func (o *options) load() string {
	if o.shape.silent {
		return fmt.Sprintf("nothing is published; %v to settle", o.settle)
	}
	loop := fmt.Sprintf("closed loop, %d in flight each", o.shape.pipeline)
	if o.pace.rate > 0 {
		loop = fmt.Sprintf("open loop, %s publishes/s", rateText(o.pace.rate))
	} else if o.shape.nodeRate > 0 {
		loop = fmt.Sprintf("open loop, %s publishes/s per node", rateText(o.shape.nodeRate))
	}
	if o.spin {
		loop += ", the generator spinning"
	}
	return fmt.Sprintf("%s, payload %d bytes, %s, %v after %v of warm-up",
		loop, o.size, o.speaks(), o.pace.duration, o.pace.warmup)
}

// rateText writes a rate, of which small ones may be broken.
func rateText(rate float64) string {
	if rate < 100 {
		return strconv.FormatFloat(rate, 'g', 3, 64)
	}
	return grouped(int64(rate))
}

// speaks says what the connections speak.
func (o *options) speaks() string {
	if o.protocol == "" {
		return "the server's own protocol"
	}
	return protocolNames[o.protocol].String()
}
