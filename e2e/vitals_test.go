package e2e

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"testing"
	"time"
)

const (
	// calmLimit bounds the wait until a server has noticed that all have left, and has given back what it no longer needs:
	// the runtime of Go collects an idle heap every two minutes.
	calmLimit = 150 * time.Second
	calmPoll  = 100 * time.Millisecond
	// threadsGrowthMax: the runtime of Go keeps a thread once it has one.
	threadsGrowthMax = 32
	// heapGrowthMax is what may still be in use after a collection of the heap: grown tables and spare buffers.
	heapGrowthMax = 16 << 20
	// residentGrowthMax is what a server may keep after a storm: the heap's growth, and what was freed but not yet given back.
	// It does not hold with the race detector, which never gives back its notes on memory that was once in use.
	residentGrowthMax = 96 << 20
)

// vitals are what a process has, and what it knows of its clients.
type vitals struct {
	clients, channels, shardChannels, patterns int
	files, threads, goroutines                 int
	heapBytes, residentBytes                   int64
}

// awaitCalm returns when the server has nobody to serve but the asker, and not much more than it had.
func awaitCalm(t *testing.T, s *server, admin string, base vitals) (now vitals) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), calmLimit)
	defer cancel()
	c := dial(t, s)
	defer c.close()
	for {
		var err error
		now, err = takeVitals(s, admin, c)
		must(t, err)
		why := now.unlike(base)
		if why == "" {
			return now
		}
		select {
		case <-ctx.Done():
			t.Fatalf("after %v: %s; before %+v, now %+v", calmLimit, why, base, now)
		case <-time.After(calmPoll):
		}
	}
}

// unlike says what is left of clients that have gone; a zero base is not compared with.
func (v vitals) unlike(base vitals) string {
	switch {
	case v.clients != 1 || v.channels+v.shardChannels+v.patterns != 0:
		return "it serves somebody"
	case base == vitals{}:
		return ""
	case v.files > base.files:
		return "there are more open files"
	case v.goroutines > base.goroutines:
		return "there are more goroutines"
	case v.threads > base.threads+threadsGrowthMax:
		return "there are more threads"
	case v.heapBytes > base.heapBytes+heapGrowthMax:
		return "there is more on the heap"
	case !raceEnabled && v.residentBytes > base.residentBytes+residentGrowthMax:
		return "it keeps memory"
	}
	return ""
}

func takeVitals(s *server, admin string, c *client) (v vitals, err error) {
	count := func(args ...string) int {
		r, doErr := c.do(args...)
		if doErr != nil || r.kind == '-' {
			err = fmt.Errorf("%q: %v %w", args, r, doErr)
		}
		return int(r.n) + len(r.items)
	}
	v.channels, v.shardChannels, v.patterns = count("PUBSUB", "CHANNELS"), count("PUBSUB", "SHARDCHANNELS"), count("PUBSUB", "NUMPAT")
	info, doErr := c.do("INFO", "clients")
	if doErr != nil {
		return v, doErr
	}
	v.clients = figure(info.text, `connected_clients:(\d+)`)
	status, metrics, pageErr := page(admin + "/metrics")
	if pageErr != nil || status != http.StatusOK {
		return v, fmt.Errorf("cannot read the metrics: %d %w", status, pageErr)
	}
	v.goroutines = figure(metrics, `\ngo_goroutines (\d+)`)
	status, heap, pageErr := page(admin + "/debug/pprof/heap?gc=1&debug=1")
	if pageErr != nil || status != http.StatusOK {
		return v, fmt.Errorf("cannot read the heap's profile: %d %w", status, pageErr)
	}
	v.heapBytes = int64(figure(heap, `\n# HeapInuse = (\d+)`))
	proc := fmt.Sprintf("/proc/%d/", s.cmd.Process.Pid)
	files, dirErr := os.ReadDir(proc + "fd")
	if dirErr != nil {
		return v, dirErr
	}
	v.files = len(files)
	process, readErr := os.ReadFile(proc + "status")
	if readErr != nil {
		return v, readErr
	}
	v.threads = figure(string(process), `Threads:\s+(\d+)`)
	v.residentBytes = int64(figure(string(process), `VmRSS:\s+(\d+)`)) << 10
	return v, err
}

// figure is the number that a pattern finds in a text, -1 if it is not there.
func figure(text, pattern string) int {
	m := regexp.MustCompile(pattern).FindStringSubmatch(text)
	if m == nil {
		return -1
	}
	n, _ := strconv.Atoi(m[1]) // digits, as the pattern says
	return n
}
