package bench

import (
	"fmt"
	"os"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"

	"hubsub/bench/record"
)

// machine returns what the figures of a run depend on.
func (o *options) machine() record.Machine {
	m := record.Machine{
		CPUs: runtime.NumCPU(), Kernel: "unknown", CongestionControl: "unknown", Go: runtime.Version(),
		ServerCPU: o.serverCPU, GeneratorCPU: o.generatorCPU,
	}
	if len(o.addresses) > 0 {
		m.ServerCPU = -1
	}
	var name unix.Utsname
	if unix.Uname(&name) == nil {
		m.Kernel = unix.ByteSliceToString(name.Release[:])
	}
	if control, err := os.ReadFile("/proc/sys/net/ipv4/tcp_congestion_control"); err == nil {
		m.CongestionControl = strings.TrimSpace(string(control))
	}
	if b, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		m.CPU = cpuModel(string(b))
	}
	return m
}

// cpuModel returns the model of the first processor of /proc/cpuinfo; ARM has none there.
func cpuModel(cpuinfo string) string {
	for line := range strings.Lines(cpuinfo) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// machineText is the machine in the header of the text.
func machineText(m record.Machine) string {
	text := fmt.Sprintf("Linux %s, %d CPUs", m.Kernel, m.CPUs)
	if m.CPU != "" {
		text += " (" + m.CPU + ")"
	}
	return text + ", congestion control " + m.CongestionControl
}
