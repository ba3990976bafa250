package bench

import (
	"fmt"
	"os"
	"runtime"
	"strconv"

	"golang.org/x/sys/unix"
)

// pinProcess moves every thread of this process to one CPU. Threads made later inherit it. undo gives all threads the
// CPUs back that the process had.
func pinProcess(cpu int) (undo func(), err error) {
	var before, only unix.CPUSet
	if err := unix.SchedGetaffinity(0, &before); err != nil {
		return nil, fmt.Errorf("cannot read the CPU affinity: %w", err)
	}
	only.Set(cpu)
	if err := setAffinity(&only); err != nil {
		return nil, fmt.Errorf("cannot pin the generator to CPU %d (--generator-cpu, of %d): %w", cpu, before.Count(), err)
	}
	return func() { setAffinity(&before) }, nil
}

// setAffinity sets the CPUs of all threads, again until no new one has appeared: a thread may be made by one that was
// not reached yet.
func setAffinity(set *unix.CPUSet) error {
	done := make(map[int]bool)
	for {
		entries, err := os.ReadDir("/proc/self/task")
		if err != nil {
			return err
		}
		before := len(done)
		for _, entry := range entries {
			id, err := strconv.Atoi(entry.Name())
			if err != nil || done[id] {
				continue
			}
			if err := unix.SchedSetaffinity(id, set); err != nil && err != unix.ESRCH {
				return err
			}
			done[id] = true
		}
		if len(done) == before {
			return nil
		}
	}
}

// startedOn runs start, which makes a process, on one CPU, if that is not negative: the new process begins there and all
// its threads inherit it.
func startedOn(cpu int, start func() error) error {
	if cpu < 0 {
		return start()
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var before, only unix.CPUSet
	if err := unix.SchedGetaffinity(0, &before); err != nil {
		return fmt.Errorf("cannot read the CPU affinity: %w", err)
	}
	only.Set(cpu)
	if err := unix.SchedSetaffinity(0, &only); err != nil {
		return fmt.Errorf("cannot pin the server to CPU %d (--server-cpu): %w", cpu, err)
	}
	defer unix.SchedSetaffinity(0, &before)
	return start()
}
