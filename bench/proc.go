package bench

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// cpuTime returns what all threads of a process, ended ones included, have used of the CPUs so far.
func cpuTime(pid int) (time.Duration, error) {
	// A process's CPU clock is its pid's complement above three bits that say what the clock counts; 2 is scheduled
	// time. It is what clock_getcpuclockid(3) returns.
	const scheduled = 2
	var t unix.Timespec
	err := unix.ClockGettime(int32(^pid<<3|scheduled), &t)
	if err == unix.EINVAL {
		return 0, fmt.Errorf("no process has the pid %d", pid)
	}
	if err != nil {
		return 0, fmt.Errorf("cannot read the CPU clock of process %d: %w", pid, err)
	}
	return time.Duration(t.Nano()), nil
}

// clockTick is the unit of the times in /proc/PID/stat and /proc/stat; it is 1/100 s on every architecture Linux has.
const clockTick = 10 * time.Millisecond

// Indices of what statFields returns; proc(5) counts from 1 and has the pid and the name before them.
const (
	statParent = 4 - 3
	statUser   = 14 - 3
	statSystem = 15 - 3
)

// statFields returns the fields of /proc/PID/stat behind the name, which stands in parentheses and may hold anything.
func statFields(pid int) ([]string, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return nil, err
	}
	fields := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
	if len(fields) <= statSystem {
		return nil, fmt.Errorf("%d fields", len(fields))
	}
	return fields, nil
}

// statTimes returns the user and system time of a process as /proc/PID/stat has them, in steps of clockTick.
func statTimes(pid int) (user, system time.Duration, err error) {
	fields, err := statFields(pid)
	if err != nil {
		return 0, 0, fmt.Errorf("cannot read the times of process %d: %w", pid, err)
	}
	u, err := strconv.ParseInt(fields[statUser], 10, 64)
	if err != nil {
		return 0, 0, fmt.Errorf("cannot read the times of process %d: %w", pid, err)
	}
	s, err := strconv.ParseInt(fields[statSystem], 10, 64)
	if err != nil {
		return 0, 0, fmt.Errorf("cannot read the times of process %d: %w", pid, err)
	}
	return time.Duration(u) * clockTick, time.Duration(s) * clockTick, nil
}

// memory is what a process holds, in bytes: all resident pages, and the same with shared pages divided among those that
// share them.
type memory struct{ resident, proportional int64 }

func memoryOf(pid int) (m memory, err error) {
	if m.resident, err = kilobytes(fmt.Sprintf("/proc/%d/status", pid), "VmRSS:"); err != nil {
		return m, err
	}
	m.proportional, err = kilobytes(fmt.Sprintf("/proc/%d/smaps_rollup", pid), "Pss:")
	return m, err
}

// kilobytes returns the value of a "name  123 kB" line of a proc file, in bytes.
func kilobytes(path, name string) (int64, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return 0, fmt.Errorf("cannot read memory use: %w: is it the pid of the server, and may you read it?", err)
	}
	for line := range strings.Lines(string(b)) {
		fields := strings.Fields(line)
		if len(fields) >= 2 && fields[0] == name {
			n, err := strconv.ParseInt(fields[1], 10, 64)
			if err != nil {
				return 0, fmt.Errorf("cannot read %s of %s: %w", name, path, err)
			}
			return n << 10, nil
		}
	}
	return 0, fmt.Errorf("cannot read memory use: %s has no %s", path, name)
}

// hostTimes are times of the whole machine, summed over its CPUs, in steps of clockTick.
type hostTimes struct {
	busy   time.Duration // used by all processes and the kernel
	stolen time.Duration // wanted here, but given to others by the host of a virtual machine
}

func readHostTimes() (h hostTimes, err error) {
	b, err := os.ReadFile("/proc/stat")
	if err != nil {
		return h, fmt.Errorf("cannot read the machine's times: %w", err)
	}
	first, _, _ := strings.Cut(string(b), "\n")
	return parseHostTimes(first)
}

// parseHostTimes reads the first line of /proc/stat.
func parseHostTimes(line string) (h hostTimes, err error) {
	const idle, iowait, steal = 4, 5, 8 // cpu user nice system idle iowait irq softirq steal; guest times are in user
	fields := strings.Fields(line)
	if len(fields) <= steal {
		return h, fmt.Errorf("cannot read the machine's times: %q", line)
	}
	for i, field := range fields[1 : steal+1] {
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return h, fmt.Errorf("cannot read the machine's times: %w", err)
		}
		switch i + 1 {
		case idle, iowait:
		case steal:
			h.stolen = time.Duration(n) * clockTick
		default:
			h.busy += time.Duration(n) * clockTick
		}
	}
	return h, nil
}
