package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	chart "hubsub/bench/page"
	"hubsub/bench/record"
)

// growth is what BenchmarkRoomsScale finds: the picture of the README.
type growth record.Growth

func newGrowth(sizes ...int) *growth {
	g := &growth{
		Axis: "CPU per delivered message over all nodes, beyond what they use idle. Lines join the medians.",
		Unit: record.Nanoseconds, Servers: []record.GrowthServer{{Name: "Redis Cluster"}, {Name: "HubSub"}},
	}
	for i := range g.Servers {
		for _, size := range sizes {
			g.Servers[i].Points = append(g.Servers[i].Points, record.GrowthPoint{Nodes: size})
		}
	}
	return g
}

// add takes a measurement of a server at one of the sizes.
func (g *growth) add(server, size int, cost time.Duration) {
	p := &g.Servers[server].Points[size]
	p.Values = append(p.Values, float64(cost.Nanoseconds()))
}

// factor is how many times what it costs with the fewest nodes a message costs with the most.
func (g *growth) factor(server int) float64 {
	points := g.Servers[server].Points
	return record.SpreadOf(points[len(points)-1].Values).Median / record.SpreadOf(points[0].Values).Median
}

func (g *growth) write(b *testing.B, folder string) {
	b.Helper()
	points := g.Servers[0].Points
	g.Title = fmt.Sprintf("From %d nodes to %d a message costs HubSub %.2f times the CPU, Redis Cluster %.2f",
		points[0].Nodes, points[len(points)-1].Nodes, g.factor(1), g.factor(0))
	data, err := json.MarshalIndent(g, "", "\t")
	must(b, err)
	var svg bytes.Buffer
	must(b, chart.WriteGrowth(&svg, (*record.Growth)(g)))
	must(b, os.MkdirAll(folder, 0o755))
	must(b, os.WriteFile(filepath.Join(folder, "growth.json"), append(data, '\n'), 0o644))
	must(b, os.WriteFile(filepath.Join(folder, "growth.svg"), []byte(strings.TrimSpace(svg.String())+"\n"), 0o644))
}

// envNumber returns a number of the environment.
func envNumber(b *testing.B, name string, otherwise int) int {
	b.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	must(b, err)
	return n
}
