package page

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"regexp"
	"strings"
	"testing"
	"time"

	"hubsub/bench/record"
)

// runOf returns a run of the named servers, each of whose figures is its place among them times the pair's number.
// Without an open loop it has no latency.
func runOf(pairs int, open bool, names ...string) *record.Run {
	r := &record.Run{
		Format: record.Format, Command: []string{"hubsub", "bench", "room", "--vs", "it's"}, Date: time.Date(2026, 11, 22, 9, 30, 0, 0, time.UTC),
		Seconds: 61, Pairs: pairs,
		Machine: record.Machine{CPU: "A CPU", CPUs: 2, Kernel: "6.1", CongestionControl: "cubic", Go: "go1.26", ServerCPU: 0, GeneratorCPU: -1},
		Shape:   record.Shape{Name: "room", Text: "room: 1 room × 1,000 subscribers", Rooms: 1, Subscribers: 1000, Publishers: 1},
		Load:    record.Load{Text: "closed loop, 64 in flight each", Loop: record.ClosedLoop, Pipeline: 64, Duration: 3},
	}
	for i, name := range names {
		r.Servers = append(r.Servers, record.Server{Name: name, Command: "start-" + name, Version: "version of " + name, Limits: "limits of " + name})
		for pair := 1; pair <= pairs; pair++ {
			v := float64((i + 1) * (10 + pair))
			m := record.Measurement{
				Pair: pair, Server: i, Published: 7, Delivered: 7000,
				Figures: []record.Figure{
					{Name: record.DeliveriesPerSecond, Value: v * 1003, Unit: record.PerSecond, Better: record.Higher},
					{Name: record.CPUPerDelivery, Value: v * 101, Unit: record.Nanoseconds, Better: record.Lower},
					{Name: "K", Value: v * 1.01, Unit: record.PerSegment, Better: record.Neither},
					{Name: "resident", Value: v * 1.01 * (1 << 20), Unit: record.Bytes, Better: record.Lower},
				},
				Conditions: []record.Figure{{Name: "generator, of its core", Value: v, Unit: record.Percent}},
			}
			if open {
				m.Figures = append(m.Figures, record.Figure{Name: "latency p50", Value: v * 1010, Unit: record.Nanoseconds, Better: record.Lower})
				m.Curves = []record.Curve{{
					Name: "latency", Count: 1000,
					Percentiles: []float64{0, 50, 90, 99, 99.9, 100}, Nanoseconds: []float64{v, v * 1010, v * 2000, v * 3000, v * 4000, v * 5000},
				}}
			}
			r.Measurements = append(r.Measurements, m)
		}
	}
	r.Measurements[0].Warnings = []string{"others used 33 % of a core"}
	r.Compare()
	return r
}

func pageOf(t *testing.T, runs ...*record.Run) string {
	t.Helper()
	var b strings.Builder
	if err := Write(&b, runs); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func pictureOf(t *testing.T, runs ...*record.Run) string {
	t.Helper()
	var b strings.Builder
	if err := WritePicture(&b, runs); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// textOf parses a page, which is written so that it is XML too, and returns its text in one line. It fails for an
// element that is not closed, an unquoted attribute or a stray character.
func textOf(t *testing.T, page string) string {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(page))
	d.Entity = xml.HTMLEntity
	var text []string
	for {
		token, err := d.Token()
		if err == io.EOF {
			return strings.Join(text, " ")
		}
		if err != nil {
			t.Fatalf("the page is not well-formed: %v", err)
		}
		if data, ok := token.(xml.CharData); ok {
			text = append(text, strings.Fields(string(data))...)
		}
	}
}

func has(t *testing.T, text string, wants ...string) {
	t.Helper()
	for _, want := range wants {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%.4000s", want, text)
		}
	}
}

// external is whatever a browser would fetch, or run.
var external = regexp.MustCompile(`(?i)https?:|//[a-z]|url\(|@import|<script|<link|<img|<iframe|<object|\ssrc=|\son[a-z]+=|javascript:`)

func TestPageComplete(t *testing.T) {
	f := func(r *record.Run) {
		t.Helper()
		page := pageOf(t, r)
		text := textOf(t, page)
		if found := external.FindString(page); found != "" {
			t.Errorf("the page has %q", found)
		}
		for _, bad := range []string{"NaN", "Inf", "ZgotmplZ", "%!", "&lt;no value"} {
			if strings.Contains(page, bad) {
				t.Errorf("the page has %q", bad)
			}
		}
		has(t, text, r.Shape.Text, r.Load.Text, "A CPU", "Linux 6.1", "cubic", "go1.26", "22 November 2026, 09:30 UTC",
			"server on CPU 0, load generator not pinned", `hubsub bench room --vs 'it'\''s'`, "others used 33 % of a core")
		for _, s := range r.Servers {
			has(t, text, s.Name, s.Command, s.Version, s.Limits)
		}
		for _, name := range r.FigureNames() {
			has(t, text, name)
		}
		for i, m := range r.Measurements {
			v := float64((m.Server + 1) * (10 + m.Pair))
			has(t, text, group(fmt.Sprintf("%.0f", v*1003)), measure{divisor: 1e3}.text(v*101), measure{divisor: 1}.text(v*1.01))
			if c := m.Curve("latency"); c != nil && i == 0 {
				has(t, text, "Latency by percentile", "all deliveries", "p99.9")
			}
		}
		for _, ratio := range r.Ratios {
			has(t, text, ratioText(ratio.Median))
		}
	}
	f(runOf(1, false, "redis"))
	f(runOf(1, true, "redis"))
	f(runOf(1, false, "redis", "hubsub"))
	f(runOf(5, true, "redis", "hubsub", "floor"))
	f(runOf(21, true, "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"))
}

// A server may lack what others have, and a run may have nothing to compare.
func TestPageOfPartialRuns(t *testing.T) {
	r := runOf(2, true, "redis", "hubsub")
	for i := range r.Measurements {
		if m := &r.Measurements[i]; m.Server == 1 {
			m.Figures = []record.Figure{{Name: "latency p50", Value: 5, Unit: record.Nanoseconds, Better: record.Lower}}
			m.Curves, m.Conditions = nil, nil
		}
	}
	r.Compare()
	has(t, textOf(t, pageOf(t, r)), "redis needs 1.11 µs of CPU per delivery", "not measured", "–")

	r = runOf(1, false, "redis")
	r.Measurements[0].Figures, r.Measurements[0].Warnings = nil, nil
	text := textOf(t, pageOf(t, r))
	has(t, text, "1 server measured", "How it was measured")
	if strings.Contains(text, "1 warning") {
		t.Errorf("warnings of nothing in %s", text)
	}
}

// Names and commands come from the command line and are text, whatever they look like.
func TestPageHostile(t *testing.T) {
	const name = `<script>alert("1")</script>' onload=x`
	r := runOf(2, true, name, "</style></title>"+name)
	r.Shape.Text, r.Servers[0].Version, r.Measurements[0].Warnings[0] = name, "<img src=x>", name
	r.Measurements[0].Figures[0].Name = "<u>" + name
	r.Compare()
	for _, page := range []string{pageOf(t, r), pageOf(t, r, r), pictureOf(t, r, r)} {
		textOf(t, page)
		for _, bad := range []string{"<script", "<img", "<u>", "</style></title>"} {
			if strings.Contains(page, bad) {
				t.Errorf("the page has %q", bad)
			}
		}
	}
	has(t, textOf(t, pageOf(t, r)), name, "<img src=x>")
}

func TestPageOfSeveralRuns(t *testing.T) {
	idle := runOf(3, false, "redis", "hubsub")
	idle.Shape = record.Shape{Name: "idle", Text: "idle: 9,000 connections", Subscribers: 9000}
	for i := range idle.Measurements {
		idle.Measurements[i].Figures = []record.Figure{{
			Name: record.ResidentPerConn, Value: 1024 * float64(i+1), Unit: record.Bytes, Better: record.Lower}}
	}
	idle.Compare()
	page := pageOf(t, runOf(3, true, "redis", "hubsub", "floor"), runOf(5, false, "redis", "nats"), idle)
	has(t, textOf(t, page), "Of redis’s CPU per delivery, hubsub needs 2.00, floor 3.00 and nats 2.00",
		"2.00 (2.00 to 2.00)", "memory per connection", "redis 2.00 KiB", "hubsub needs 2.50 times redis’s memory per connection")
	has(t, page, `id="run-1"`, `id="run-3"`, `href="#run-3"`)
	if strings.Count(page, "<article") != 3 {
		t.Errorf("%d sections", strings.Count(page, "<article"))
	}
	if err := Write(io.Discard, nil); err == nil {
		t.Error("a page of no run")
	}
}

func TestPicture(t *testing.T) {
	picture := pictureOf(t, runOf(3, true, "redis", "hubsub", "a server with a very long name"), runOf(5, false, "redis", "nats"))
	has(t, textOf(t, picture), "hubsub", "nats", "a server with …", "2.00", "room", "CPU per delivery: ratio to redis")
	rest := strings.Replace(picture, `xmlns="http://www.w3.org/2000/svg"`, "", 1)
	if found := external.FindString(rest); found != "" || strings.Contains(rest, "ZgotmplZ") {
		t.Errorf("the picture has %q", found)
	}
	if err := WritePicture(&bytes.Buffer{}, []*record.Run{runOf(1, false, "redis")}); err == nil || !strings.Contains(err.Error(), "no ratios") {
		t.Errorf("a picture of nothing: %v", err)
	}
}
