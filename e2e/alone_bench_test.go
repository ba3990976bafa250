package e2e

import (
	"encoding/json"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// What it costs to be a node with nobody else in its cluster, in nine minutes on two cores:
//
//	go test ./e2e -run '^$' -bench Alone -benchtime 1x -timeout 20m
//
// PAIRS is how often each of the two is measured, 9 if it is not given, and DURATION for how long each time, 1s if it is
// not: as for bench/compare.sh.

// alone are the rows of BenchmarkAlone: words for "hubsub bench". The idle ones are about memory, which hardly differs
// from one time to the next, and take twelve seconds each: three pairs do.
var alone = []struct {
	name, figure string
	words        string
}{
	{"pair", "CPU per delivery", "pingpong"},
	{"pair-128-in-flight", "CPU per delivery", "pingpong --pipeline 128"},
	{"room", "CPU per delivery", "room"},
	{"room-64-in-flight", "CPU per delivery", "room --pipeline 64"},
	{"rooms", "CPU per delivery", "rooms"},
	{"rooms-of-two", "CPU per delivery", "rooms --rooms 500 --subscribers 2"},
	{"gateways", "CPU per delivery", "gateway"},
	{"gateways-8x64-in-flight", "CPU per delivery", "gateway --publishers 8 --pipeline 64"},
	{"idle-in-one-room", "resident/conn", "idle --rooms 1"},
	{"idle-in-rooms-of-two", "resident/conn", "idle --rooms 4500"},
}

const alonePairsIdle = 3

// BenchmarkAlone has "hubsub bench" measure a server and a node by turns. The figures are each one's median, and of the
// pairs' ratios, node to server, the median, the least and the greatest; and how many of the measurements the bench warns
// of, mostly because others had much of the machine.
func BenchmarkAlone(b *testing.B) {
	pairs, duration := 9, time.Second
	if n, err := strconv.Atoi(os.Getenv("PAIRS")); err == nil {
		pairs = n
	}
	if d, err := time.ParseDuration(os.Getenv("DURATION")); err == nil {
		duration = d
	}
	for _, row := range alone {
		b.Run(row.name, func(b *testing.B) {
			words := append([]string{"bench"}, strings.Fields(row.words)...)
			if words[1] == "idle" {
				words = append(words, "--pairs", strconv.Itoa(min(pairs, alonePairsIdle)))
			} else {
				words = append(words, "--pairs", strconv.Itoa(pairs), "--duration", duration.String())
			}
			server := hubsubBinary + " --port {port} --loglevel warning --loops 1"
			words = append(words, "--json", "--vs", "server="+server, "--vs", "node="+server+" --cluster 127.0.0.1:0")
			reportAlone(b, row.figure, runBench(b, words...))
		})
	}
}

// benchRun is what "hubsub bench" prints with --json, as far as it is looked at here.
type benchRun struct {
	Servers      []struct{ Name string }
	Measurements []struct {
		Server  int
		Figures []struct {
			Name  string
			Value float64
		}
		Warnings []string
	}
	Ratios []struct {
		Figure           string
		Median, Min, Max float64
	}
}

func runBench(b *testing.B, words ...string) (run benchRun) {
	b.Helper()
	var said strings.Builder
	cmd := exec.CommandContext(b.Context(), hubsubBinary, words...)
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		b.Fatalf("%q: %v\n%s", words, err, said.String())
	}
	must(b, json.Unmarshal(out, &run))
	return run
}

// reportAlone reports a figure of the two servers of a run.
func reportAlone(b *testing.B, figure string, run benchRun) {
	b.Helper()
	values := make([][]float64, len(run.Servers))
	doubtful := 0
	for _, m := range run.Measurements {
		for _, f := range m.Figures {
			if f.Name == figure {
				values[m.Server] = append(values[m.Server], f.Value)
			}
		}
		if len(m.Warnings) > 0 {
			doubtful++
		}
	}
	unit := map[string]string{"CPU per delivery": "ns", "resident/conn": "B"}[figure]
	for i, s := range run.Servers {
		if len(values[i]) == 0 {
			b.Fatalf("no %q of %s", figure, s.Name)
		}
		slices.Sort(values[i])
		b.ReportMetric(values[i][len(values[i])/2], s.Name+"-"+unit)
	}
	for _, r := range run.Ratios {
		if r.Figure == figure {
			b.ReportMetric(r.Median, "ratio")
			b.ReportMetric(r.Min, "ratio-least")
			b.ReportMetric(r.Max, "ratio-greatest")
		}
	}
	b.ReportMetric(float64(doubtful), "doubtful")
	b.ReportMetric(0, "ns/op")
}
