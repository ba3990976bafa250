package load

import (
	"os"
	"strings"
	"testing"
	"testing/fstest"
)

// tree makes a file tree of "path: content" pairs.
func tree(files map[string]string) fstest.MapFS {
	root := fstest.MapFS{}
	for name, text := range files {
		root[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return root
}

func TestReadMachine(t *testing.T) {
	f := func(name string, files map[string]string, want machine) {
		t.Helper()
		if got := readMachine(tree(files)); got != want {
			t.Errorf("%s: %+v, want %+v", name, got, want)
		}
	}
	const mib = 1 << 20
	f("nothing", nil, machine{})
	f("a machine", map[string]string{
		"proc/meminfo":               "MemTotal:        1024 kB\nMemFree:  10 kB\n",
		"proc/self/cgroup":           "0::/\n",
		"sys/class/net/lo/type":      "772\n",
		"sys/class/net/eth0/speed":   "1000\n",
		"sys/class/net/eth1/speed":   "10000\n",
		"sys/class/net/wlan0/speed":  "-1\n",
		"sys/class/net/bond0/duplex": "full\n",
	}, machine{memory: mib, out: 10e9 / 8})
	f("a tunnel is no limit", map[string]string{
		"sys/class/net/tun0/speed":     "10\n",
		"sys/class/net/tun0/tun_flags": "0x1001\n",
	}, machine{})
	f("a container", map[string]string{
		"proc/meminfo":             "MemTotal: 8192 kB\n",
		"proc/self/cgroup":         "0::/\n",
		"sys/fs/cgroup/cpu.max":    "150000 100000\n",
		"sys/fs/cgroup/memory.max": "1048576\n",
	}, machine{cpus: 1.5, memory: mib})
	f("a container that sees its host's path", map[string]string{
		"proc/self/cgroup":         "0::/kubepods/pod1/abc\n",
		"sys/fs/cgroup/cpu.max":    "50000 100000\n",
		"sys/fs/cgroup/memory.max": "max\n",
	}, machine{cpus: 0.5})
	f("the tightest of the groups around it", map[string]string{
		"proc/meminfo":                        "MemTotal: 8192 kB\n",
		"proc/self/cgroup":                    "1:name=systemd:/x\n0::/a/b/c\n",
		"sys/fs/cgroup/a/cpu.max":             "200000 100000\n",
		"sys/fs/cgroup/a/memory.max":          "2097152\n",
		"sys/fs/cgroup/a/b/cpu.max":           "100000 100000\n",
		"sys/fs/cgroup/a/b/memory.max":        "max\n",
		"sys/fs/cgroup/a/b/c/cpu.max":         "max 100000\n",
		"sys/fs/cgroup/a/b/c/memory.max":      "3145728\n",
		"sys/fs/cgroup/somebody/else/cpu.max": "1000 100000\n",
	}, machine{cpus: 1, memory: 2 * mib})
	f("control groups of version 1", map[string]string{
		"proc/self/cgroup":                         "4:memory:/x\n0::/\n",
		"sys/fs/cgroup/memory/x/limit_in_bytes":    "1\n",
		"sys/fs/cgroup/unified/cgroup.controllers": "",
	}, machine{})
	f("nonsense", map[string]string{
		"proc/meminfo":             "MemTotal:\nMemTotal: much kB\n",
		"proc/self/cgroup":         "0::/../../etc\n0::\nrubbish\n",
		"sys/fs/cgroup/cpu.max":    "100000\n",
		"sys/fs/cgroup/memory.max": "-5\n",
		"sys/class/net/eth0/speed": "NaN\n",
		"sys/class/net/eth1/speed": "+Inf\n",
	}, machine{})
	f("a quota of nothing", map[string]string{
		"proc/self/cgroup":      "0::/\n",
		"sys/fs/cgroup/cpu.max": "0 0\n",
	}, machine{})
	f("a very deep path", map[string]string{
		"proc/self/cgroup":      "0::" + strings.Repeat("/a", 10_000) + "\n",
		"sys/fs/cgroup/cpu.max": "100000 100000\n",
	}, machine{})
}

// The machine that runs the test has memory, and its limits are no nonsense.
func TestReadThisMachine(t *testing.T) {
	m := readMachine(os.DirFS("/"))
	if m.memory < 64<<20 || m.memory > 1<<50 {
		t.Errorf("%.0f bytes of memory", m.memory)
	}
	if m.cpus < 0 || m.out < 0 {
		t.Errorf("%+v", m)
	}
}

// Whatever is in the files, a limit is a number of at least 0.
func FuzzReadMachine(f *testing.F) {
	f.Add("MemTotal: 1 kB\n", "0::/a/b\n", "1 2", "3")
	f.Add("MemTotal:", "0::../..", "max 5", "max")
	f.Fuzz(func(t *testing.T, meminfo, cgroup, cpuMax, number string) {
		m := readMachine(tree(map[string]string{
			"proc/meminfo":             meminfo,
			"proc/self/cgroup":         cgroup,
			"sys/fs/cgroup/cpu.max":    cpuMax,
			"sys/fs/cgroup/memory.max": number,
			"sys/class/net/e/speed":    number,
		}))
		if !(m.cpus >= 0 && m.memory >= 0 && m.out >= 0) {
			t.Errorf("%+v", m)
		}
	})
}
