package load

import "time"

const (
	// reportIntervalMin is the shortest time over which rates are measured: what is
	// asked for earlier gets the rates of the last time. The kernel counts CPU time
	// in ticks of up to 10 ms.
	reportIntervalMin = 100 * time.Millisecond

	// machineInterval is how often the limits of the machine are read again: they
	// change when somebody resizes a container, and reading them is ten files.
	machineInterval = 30 * time.Second

	// outlierShare is how many of the goroutines that waited for a processor are
	// left out, one at least: one in a hundred, so that what is left is the p99.
	outlierShare = 100

	// fileBytesMax is how much of a file is read: those read here have a few lines.
	fileBytesMax = 64 << 10

	// cgroupDepthMax is how many control groups around the process are looked at:
	// systemd and Kubernetes nest five.
	cgroupDepthMax = 32
)
