package bench

import (
	"flag"
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// loadFlags adds the flags that say what the load is. --vs takes them for one server too, so the values that stand
// already are the defaults.
func (o *options) loadFlags(flags *flag.FlagSet) {
	s := &o.shape
	flags.StringVar(&o.protocol, "protocol", o.protocol,
		"resp2, resp3, both (every second connection RESP3) or nats; default: resp2 or nats, as the server speaks")
	if s.silent {
		flags.IntVar(&s.subscribers, "subscribers", s.subscribers, "connections")
		flags.IntVar(&s.rooms, "rooms", s.rooms, "rooms they share; 0: a channel each")
		return
	}
	flags.IntVar(&s.subscribers, "subscribers", s.subscribers, map[seating]string{
		oneRoom: "subscribers per room", everyRoom: "connections, each in every room",
		zipf: "subscribers of the largest room", neighbours: "subscribers per room, each on the next node",
	}[s.seating])
	perNode := ""
	if s.seating == neighbours {
		perNode = ", per node"
	}
	flags.IntVar(&s.rooms, "rooms", s.rooms, "rooms"+perNode)
	flags.IntVar(&s.publishers, "publishers", s.publishers, "publishing connections"+perNode+", each to all its rooms in turn")
	flags.IntVar(&s.pipeline, "pipeline", s.pipeline,
		"publishes in flight per publisher: without an answer or a delivery; a closed loop")
	rate := "publishes per second over all publishers; an open loop, gives latency"
	if s.nodeRate > 0 {
		rate += fmt.Sprintf("; 0: %v per node", s.nodeRate)
	}
	flags.Float64Var(&o.pace.rate, "rate", o.pace.rate, rate)
	flags.IntVar(&o.size, "size", o.size, fmt.Sprintf("payload bytes, at least %d", markBytes))
	flags.IntVar(&s.wanderers, "wanderers", s.wanderers, "connections that join and leave rooms all the time")
	if s.seating == zipf {
		flags.IntVar(&s.gateways, "gateways", s.gateways, "connections that are in half of the rooms each")
	}
	if s.patternConnections > 0 {
		flags.IntVar(&s.patterns, "patterns", s.patterns, "patterns that match nothing published")
		flags.IntVar(&s.patternConnections, "pattern-connections", s.patternConnections, "connections that hold them")
	}
}

// runFlags adds the flags that say how the load is measured and checked.
func (o *options) runFlags(flags *flag.FlagSet) {
	if o.shape.silent {
		flags.DurationVar(&o.settle, "settle", defaultSettle, "wait after the last connection before memory is read")
		return
	}
	flags.DurationVar(&o.pace.duration, "duration", 3*time.Second, "measured time")
	flags.DurationVar(&o.pace.warmup, "warmup", 500*time.Millisecond, "publishing before the measured time")
	flags.BoolVar(&o.shape.totalOrder, "total-order", o.shape.totalOrder,
		"check that all subscribers of a room see the messages of all publishers in one order")
	flags.BoolVar(&o.spin, "spin", false, "the generator looks for events without sleeping, so that no server pays for waking it")
	flags.BoolVar(&o.shape.idleCPU, "idle-cpu", o.shape.idleCPU,
		fmt.Sprintf("measure the server's CPU time for %v before anything is published, and give the cost above it", idleCPUSpan))
}

// serverFlags adds the flags that say what is measured.
func (o *options) serverFlags(flags *flag.FlagSet) {
	flags.Func("addr", "measure a server that runs; `A[,B…]` are its nodes, each host:port or unix:/path", func(text string) (err error) {
		o.addresses, err = parseAddresses(text)
		return err
	})
	flags.Func("pid", "`P[,Q…]` are its processes, for CPU time and memory; default: those found to listen there", func(text string) error {
		for word := range strings.SplitSeq(text, ",") {
			pid, err := strconv.Atoi(word)
			if err != nil || pid < 1 {
				return fmt.Errorf("no pid: %q", word)
			}
			o.processes = append(o.processes, pid)
		}
		return nil
	})
	flags.StringVar(&o.start, "start", "",
		"start this shell `command` as the server; {port} is a free port, {socket} the path of a Unix socket to connect by")
	flags.Func("vs", "twice or more, measured in turn: `NAME=COMMAND`, started as by --start, or NAME=ADDR[,ADDR…], running as for\n"+
		"--addr; NAME[rate=100,protocol=resp3]=… has load flags of its own", func(text string) error {
		c, err := parseContender(text)
		o.versus = append(o.versus, c)
		return err
	})
	flags.IntVar(&o.pairs, "pairs", 5, "how often each server of --vs is measured")
	flags.IntVar(&o.serverCPU, "server-cpu", 0, "CPU of a started server; -1: any")
	flags.IntVar(&o.generatorCPU, "generator-cpu", min(1, runtime.NumCPU()-1), "CPU of the load generator; -1: any")
}
