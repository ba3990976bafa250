package bench

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A thread that ended has left its time in the process's clock.
func TestCPUTimeOfEndedThread(t *testing.T) {
	before, err := cpuTime(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	thread := make(chan int)
	used := make(chan time.Duration)
	work := func() {
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		thread <- unix.Gettid()
		clock := func() time.Duration {
			var now unix.Timespec
			if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &now); err != nil {
				t.Error(err)
			}
			return time.Duration(now.Nano())
		}
		begin, spent := clock(), time.Duration(0)
		for spent < 30*time.Millisecond {
			spent = clock() - begin
		}
		used <- spent
	}
	// The main thread never ends, so a goroutine that got it holds it while another does the work elsewhere.
	go func() {
		runtime.LockOSThread()
		if unix.Gettid() != os.Getpid() {
			work()
			return
		}
		ended := make(chan bool)
		go func() {
			defer close(ended)
			work()
		}()
		<-ended
		runtime.UnlockOSThread()
	}()
	task := fmt.Sprintf("/proc/self/task/%d", <-thread)
	spent := <-used
	for {
		if _, err := os.Stat(task); os.IsNotExist(err) {
			break
		}
		runtime.Gosched()
	}
	after, err := cpuTime(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if after-before < spent {
		t.Fatalf("the clock grew by %v, an ended thread used %v", after-before, spent)
	}
}

// Both ways to read a process's CPU time mean the same. The clock is read before and after, so that a slow test cannot
// fail it.
func TestStatTimes(t *testing.T) {
	low, err := cpuTime(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	user, system, err := statTimes(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	high, err := cpuTime(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if sum := user + system; sum < low-3*clockTick || sum > high+3*clockTick {
		t.Fatalf("utime+stime is %v, the clock was %v and then %v", sum, low, high)
	}
}

func TestParseHostTimes(t *testing.T) {
	got, err := parseHostTimes("cpu  1 20 300 4000 50000 600000 7000000 80000000 5 6")
	want := hostTimes{busy: 7600321 * clockTick, stolen: 80000000 * clockTick}
	if err != nil || got != want {
		t.Errorf("got %+v, %v; want %+v", got, err, want)
	}
	for _, line := range []string{"", "cpu  1 2 3", "cpu  1 2 3 4 5 6 7 x"} {
		if _, err := parseHostTimes(line); err == nil {
			t.Errorf("%q passes", line)
		}
	}
	if now, err := readHostTimes(); err != nil || now.busy <= 0 {
		t.Errorf("this machine was busy for %v, %v", now.busy, err)
	}
}

func TestMemoryOf(t *testing.T) {
	before, err := memoryOf(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	const size = 64 << 20
	b, err := unix.Mmap(-1, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE|unix.MAP_POPULATE)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Munmap(b)
	after, err := memoryOf(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if after.resident-before.resident < size/2 || after.proportional-before.proportional < size/2 {
		t.Fatalf("%d bytes more give %+v after %+v", size, after, before)
	}
}

func TestPinProcess(t *testing.T) {
	var before unix.CPUSet
	if err := unix.SchedGetaffinity(0, &before); err != nil {
		t.Fatal(err)
	}
	cpu := 0
	for !before.IsSet(cpu) {
		cpu++
	}
	allowed := func(want int) {
		t.Helper()
		tasks, err := os.ReadDir("/proc/self/task")
		if err != nil {
			t.Fatal(err)
		}
		for _, task := range tasks {
			status, err := os.ReadFile("/proc/self/task/" + task.Name() + "/status")
			if err != nil {
				continue // ended meanwhile
			}
			if got := cpusAllowed(t, string(status)); got != want {
				t.Fatalf("thread %s has %d CPUs, want %d", task.Name(), got, want)
			}
		}
	}
	undo, err := pinProcess(cpu)
	if err != nil {
		t.Fatal(err)
	}
	allowed(1)
	undo()
	allowed(before.Count())

	child := exec.Command("sleep", "10")
	if err := startedOn(cpu, child.Start); err != nil {
		t.Fatal(err)
	}
	defer child.Wait()
	defer child.Process.Kill()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", child.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	if got := cpusAllowed(t, string(status)); got != 1 {
		t.Fatalf("a process started on one CPU has %d", got)
	}
	allowed(before.Count())
}

// cpusAllowed counts the CPUs in a status file's mask.
func cpusAllowed(t *testing.T, status string) (n int) {
	t.Helper()
	for line := range strings.Lines(status) {
		mask, ok := strings.CutPrefix(line, "Cpus_allowed:")
		if !ok {
			continue
		}
		for _, digit := range strings.TrimSpace(mask) {
			for bits := strings.IndexRune("0123456789abcdef", digit); bits > 0; bits >>= 1 {
				n += bits & 1
			}
		}
		return n
	}
	t.Fatal("no Cpus_allowed")
	return 0
}
