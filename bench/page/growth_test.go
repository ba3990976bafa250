package page

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"

	"hubsub/bench/record"
)

func TestGrowth(t *testing.T) {
	at := func(nodes int, values ...float64) record.GrowthPoint {
		return record.GrowthPoint{Nodes: nodes, Values: values}
	}
	g := &record.Growth{
		Title: "Twice the nodes, twice the <rooms>", Axis: "CPU per delivered message", Unit: record.Nanoseconds,
		Servers: []record.GrowthServer{
			{Name: "Redis Cluster", Points: []record.GrowthPoint{at(4, 30e3, 31e3, 29e3), at(12, 50e3)}},
			{Name: "HubSub", Points: []record.GrowthPoint{at(4, 47e3, 48e3), at(12, 48e3)}},
		},
	}
	var b bytes.Buffer
	if err := WriteGrowth(&b, g); err != nil {
		t.Fatal(err)
	}
	svg := b.String()
	for _, want := range []string{"Twice the nodes, twice the &lt;rooms&gt;", "Redis Cluster: 4 nodes 30", "HubSub", "12 nodes", "47.5", "48"} {
		if !strings.Contains(svg, want) {
			t.Errorf("the picture has no %q", want)
		}
	}
	for decoder := xml.NewDecoder(&b); ; {
		if _, err := decoder.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	for _, g := range []*record.Growth{{}, {Servers: []record.GrowthServer{{Name: "x", Points: []record.GrowthPoint{{Nodes: 1}}}}}} {
		if err := WriteGrowth(io.Discard, g); err == nil {
			t.Error("nothing is drawn")
		}
	}
}
