package load

import (
	"io"
	"io/fs"
	"math"
	"path"
	"strconv"
	"strings"
)

// machine is what the process may use of its machine; 0 where that is not known.
type machine struct {
	cpus   float64 // of a control group's quota
	memory float64 // bytes
	out    float64 // bytes/s
}

// readMachine reads the limits from the files of a system whose root directory
// is given. What cannot be read is not known: /proc and /sys look different
// everywhere.
func readMachine(root fs.FS) machine {
	m := machine{out: fastestInterface(root)}
	if kib := field(readFile(root, "proc/meminfo"), "MemTotal:"); kib > 0 {
		m.memory = kib * 1024
	}
	for _, group := range cgroups(root) {
		m.cpus = least(m.cpus, quota(readFile(root, path.Join(group, "cpu.max"))))
		m.memory = least(m.memory, number(readFile(root, path.Join(group, "memory.max"))))
	}
	return m
}

// cgroups returns the directories of the process's control group (version 2) and
// of all that contain it: the limits of each hold.
func cgroups(root fs.FS) (directories []string) {
	const mount = "sys/fs/cgroup"
	for line := range strings.Lines(readFile(root, "proc/self/cgroup")) {
		own, found := strings.CutPrefix(strings.TrimSpace(line), "0::/")
		if !found {
			continue
		}
		// In a container that has no namespace of its own for them the path is the
		// host's, and not there: then the container's root is what counts.
		for d := path.Join(mount, path.Clean("/"+own)); len(directories) < cgroupDepthMax; d = path.Dir(d) {
			directories = append(directories, d)
			if d == mount {
				break
			}
		}
	}
	return directories
}

// quota returns the processors of "max 100000" (0, no limit) or "150000 100000"
// (1.5): microseconds of CPU time in each period of so many.
func quota(cpuMax string) float64 {
	fields := strings.Fields(cpuMax)
	if len(fields) != 2 {
		return 0
	}
	used, period := number(fields[0]), number(fields[1])
	if used <= 0 || period <= 0 {
		return 0
	}
	return used / period
}

// fastestInterface returns the bytes/s of the fastest network interface that
// says how fast it is. Loopback and interfaces that are down say nothing, nor do
// those of most virtual machines. A tunnel says something made up, far too little.
func fastestInterface(root fs.FS) (fastest float64) {
	const directory = "sys/class/net"
	entries, _ := fs.ReadDir(root, directory) // not there: not known
	for _, e := range entries {
		if _, err := fs.Stat(root, path.Join(directory, e.Name(), "tun_flags")); err == nil {
			continue
		}
		mbits := number(readFile(root, path.Join(directory, e.Name(), "speed"))) // -1 if not known
		fastest = max(fastest, mbits*1e6/8)
	}
	return fastest
}

// least returns the lesser of two limits, of which 0 and less is none.
func least(a, b float64) float64 {
	switch {
	case a <= 0:
		return max(b, 0)
	case b <= 0:
		return a
	default:
		return min(a, b)
	}
}

// field returns the first number after a name at the start of a line.
func field(text, name string) float64 {
	for line := range strings.Lines(text) {
		if rest, found := strings.CutPrefix(line, name); found {
			if fields := strings.Fields(rest); len(fields) > 0 {
				return number(fields[0])
			}
		}
	}
	return 0
}

// number returns 0 for what is no number, as "max".
func number(text string) float64 {
	n, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	if err != nil || math.IsNaN(n) || math.IsInf(n, 0) {
		return 0
	}
	return n
}

// readFile returns "" for what cannot be read.
func readFile(root fs.FS, name string) string {
	f, err := root.Open(name)
	if err != nil {
		return ""
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, fileBytesMax))
	if err != nil {
		return ""
	}
	return string(text)
}
