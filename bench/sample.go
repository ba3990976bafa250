package bench

import (
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
}

// sample holds the counters whose differences are divided by each other. It takes microseconds to read.
type sample struct {
	at         time.Duration // since the run began
	answers    int64
	deliveries int64
	server     time.Duration // CPU time, 0 without a pid
	own        time.Duration // CPU time of the generator's process
}

func (s *sample) read(g *generator) (err error) {
	if g.pid != 0 {
		if s.server, err = cpuTime(g.pid); err != nil {
			return err
		}
	}
	if s.own, err = cpuTime(os.Getpid()); err != nil {
		return err
	}
	s.at, s.answers, s.deliveries = g.now(), g.answers, g.deliveries
	return nil
}

// survey holds what takes longer to read, a system call per subscriber. It is read in the middle of the warm-up and
// after the last delivery, so that it disturbs nothing that is measured.
type survey struct {
	deliveries int64
	segments   int64         // data segments received by all subscribers
	server     time.Duration // CPU time, 0 without a pid
	user       time.Duration // its parts according to /proc/PID/stat
	system     time.Duration
	own        time.Duration // CPU time of the generator's process
	host       hostTimes
	at         time.Duration
	memory     memory
}

func (s *survey) read(g *generator) (err error) {
	s.at, s.deliveries = g.now(), g.deliveries
	for i := range g.sinks {
		info, err := unix.GetsockoptTCPInfo(g.sinks[i].fd, unix.IPPROTO_TCP, unix.TCP_INFO)
		if err != nil {
			return fmt.Errorf("cannot count segments of subscriber %d: %w", i, err)
		}
		s.segments += int64(info.Data_segs_in)
	}
	if s.host, err = readHostTimes(); err != nil {
		return err
	}
	if s.own, err = cpuTime(os.Getpid()); err != nil || g.pid == 0 {
		return err
	}
	if s.server, err = cpuTime(g.pid); err != nil {
		return err
	}
	if s.user, s.system, err = statTimes(g.pid); err != nil {
		return err
	}
	s.memory, err = memoryOf(g.pid)
	return err
}
