package bench

import (
	"context"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// measurement is what a run of the generator found: counters at both ends of the measured time, and totals.
type measurement struct {
	samples   [2]sample
	surveys   [2]survey
	published int64 // since the run began, warm-up and all
	delivered int64
	latency   *latency

	overTCP   bool  // segments were counted
	partCount int64 // PUBLISH answers below the audience, from nodes that count their own subscribers
	ordered   bool  // the order was checked among subscribers
	guests    *guests
	idle      idleCPU
}

// idleCPU is what the server used with all connections there and nothing published; zero if not measured.
type idleCPU struct{ used, took time.Duration }

// measureIdleCPU measures the server before anything is published, if that is asked for and its processes are known.
func (g *generator) measureIdleCPU(ctx context.Context) (idle idleCPU, err error) {
	if g.idleCPU == 0 || len(g.processes) == 0 {
		return idle, nil
	}
	if err := g.listen(ctx, idleSettle); err != nil {
		return idle, err
	}
	begin, before := g.now(), time.Duration(0)
	if before, err = g.processes.cpuTime(); err != nil {
		return idle, err
	}
	if err := g.listen(ctx, g.idleCPU); err != nil {
		return idle, err
	}
	after, err := g.processes.cpuTime()
	return idleCPU{used: after - before, took: g.now() - begin}, err
}

// sample holds the counters whose differences are divided by each other. It takes microseconds to read.
type sample struct {
	at         time.Duration // since the run began
	completed  int64         // publishes
	deliveries int64
	server     time.Duration // CPU time, 0 without a pid
	own        time.Duration // CPU time of the generator's process
	spun       time.Duration // what of it was spent looking for something to do
}

func (s *sample) read(g *generator) (err error) {
	if s.server, err = g.processes.cpuTime(); err != nil {
		return err
	}
	if s.own, err = cpuTime(os.Getpid()); err != nil {
		return err
	}
	s.at, s.completed, s.deliveries, s.spun = g.now(), g.completed(), g.deliveries, g.poll.spun
	return nil
}

// survey holds what takes longer to read, a system call per subscriber. It is read in the middle of the warm-up and
// after the last delivery, so that it disturbs nothing that is measured.
type survey struct {
	deliveries int64         // to all subscribers but wanderers
	segments   int64         // data segments that these received; 0 if not all are TCP
	server     time.Duration // CPU time, 0 without processes
	user       time.Duration // its parts according to /proc/PID/stat
	system     time.Duration
	own        time.Duration // CPU time of the generator's process
	host       hostTimes
	at         time.Duration
	memory     memory
}

func (s *survey) read(g *generator) (err error) {
	s.at, s.deliveries = g.now(), g.deliveries-g.guests.messages()
	for i := range g.sinks {
		if !g.overTCP || g.sinks[i].guest != nil {
			break // wanderers are last
		}
		info, err := unix.GetsockoptTCPInfo(g.sinks[i].fd, unix.IPPROTO_TCP, unix.TCP_INFO)
		if err != nil {
			return fmt.Errorf("cannot count segments of subscriber %d: %w", i, err)
		}
		s.segments += int64(info.Data_segs_in)
	}
	if s.host, err = readHostTimes(); err != nil {
		return err
	}
	if s.own, err = cpuTime(os.Getpid()); err != nil {
		return err
	}
	if s.server, err = g.processes.cpuTime(); err != nil {
		return err
	}
	if s.user, s.system, err = g.processes.statTimes(); err != nil {
		return err
	}
	s.memory, err = g.processes.memory()
	return err
}
