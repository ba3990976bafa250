package record

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"time"
)

// Format is the version of the JSON document.
const Format = 1

// Run is one run of "hubsub bench": the JSON document of --json.
type Run struct {
	Format       int           `json:"format"`  // 1
	Command      []string      `json:"command"` // the command line, one argument each
	Date         time.Time     `json:"date"`    // of the start
	Seconds      float64       `json:"seconds"` // the whole run took
	Machine      Machine       `json:"machine"`
	Shape        Shape         `json:"shape"`
	Load         Load          `json:"load"`
	Servers      []Server      `json:"servers"`      // in the order of --vs; ratios are to the first
	Pairs        int           `json:"pairs"`        // how often each server was measured
	Measurements []Measurement `json:"measurements"` // in the order in which they were made
	Ratios       []Ratio       `json:"ratios"`       // of each server but the first; empty if there is only one
}

// Machine is where the run took place.
type Machine struct {
	CPU               string `json:"cpu"`                // the model; empty if the kernel does not say
	CPUs              int    `json:"cpus"`               // that may be used
	Kernel            string `json:"kernel"`             // Linux release
	CongestionControl string `json:"congestion_control"` // of TCP
	Go                string `json:"go"`                 // that built the load generator
	ServerCPU         int    `json:"server_cpu"`         // that a started server was pinned to; -1: none
	GeneratorCPU      int    `json:"generator_cpu"`      // that the load generator was pinned to; -1: none
}

// Shape is who subscribed to what.
type Shape struct {
	Name        string `json:"name"`
	Text        string `json:"text"` // the whole of it in a line
	Rooms       int    `json:"rooms"`
	Subscribers int    `json:"subscribers"` // per room; of gateway and idle: connections
	Publishers  int    `json:"publishers"`
	Patterns    int    `json:"patterns"` // that match nothing published
}

// The loops of a Load.
const (
	ClosedLoop = "closed" // each publisher keeps Pipeline publishes in flight
	OpenLoop   = "open"   // Rate publishes per second, whatever the server does
	NoLoop     = "none"   // nothing is published
)

// Load is what was published.
type Load struct {
	Text     string  `json:"text"` // the whole of it in a line
	Loop     string  `json:"loop"` // closed, open or none
	Pipeline int     `json:"pipeline"`
	Rate     float64 `json:"rate"`           // publishes per second over all publishers; 0 unless the loop is open
	Spin     bool    `json:"spin,omitempty"` // the generator never slept
	Payload  int     `json:"payload_bytes"`
	Protocol string  `json:"protocol"`
	Warmup   float64 `json:"warmup_seconds"`
	Duration float64 `json:"duration_seconds"` // measured time of each measurement
}

// Server is a server that was measured.
type Server struct {
	Name    string `json:"name"`
	Command string `json:"command"` // that started it; empty if it ran already
	Address string `json:"address"` // of one that ran already
	Options string `json:"options"` // of the load, if this server has a load of its own
	Version string `json:"version"` // what it says of itself; empty if nothing
	Limits  string `json:"limits"`  // what became of its limit for the output of lagging subscribers
}

// Measurement is what was found of one server in one pair.
type Measurement struct {
	Pair       int      `json:"pair"`   // from 1
	Server     int      `json:"server"` // index in Servers
	Figures    []Figure `json:"figures"`
	Conditions []Figure `json:"conditions"` // of the measurement, not of the server
	Curves     []Curve  `json:"curves"`     // of an open loop
	Published  int64    `json:"published"`  // messages in the whole measurement, warm-up and all
	Delivered  int64    `json:"delivered"`  // and their deliveries, each checked
	Warnings   []string `json:"warnings"`
}

// The values of Better.
const (
	Lower   = "lower"
	Higher  = "higher"
	Neither = "neither"
)

// The units of figures.
const (
	PerSecond   = "/s"
	Nanoseconds = "ns"
	Bytes       = "B"
	PerSegment  = "messages/segment"
	Percent     = "%"
)

// Figure is a number with a name.
type Figure struct {
	Name   string  `json:"name"`
	Value  float64 `json:"value"`
	Unit   string  `json:"unit"`
	Better string  `json:"better"` // lower, higher or neither
}

// Names of figures that a reader of a run looks for. There are others.
const (
	CPUPerDelivery      = "CPU per delivery"
	DeliveriesPerSecond = "deliveries/s"
	ResidentPerConn     = "resident/conn"
)

// Curve is a latency histogram as quantiles. The figures "NAME p50" and so on are points of it.
type Curve struct {
	Name        string    `json:"name"`        // latency, first delivery, last delivery
	Count       int64     `json:"count"`       // values in the histogram
	Percentiles []float64 `json:"percentiles"` // from 0 to 100, rising; those between are the same in each curve, as far as Count reaches
	Nanoseconds []float64 `json:"nanoseconds"` // the value at each
}

// Server returns the measurements of a server, by its index, in the order of the pairs.
func (r *Run) Server(index int) []*Measurement {
	var of []*Measurement
	for i := range r.Measurements {
		if r.Measurements[i].Server == index {
			of = append(of, &r.Measurements[i])
		}
	}
	slices.SortStableFunc(of, func(a, b *Measurement) int { return a.Pair - b.Pair })
	return of
}

// FigureNames returns the names of all figures of the run, each once, in the order in which they first appear.
func (r *Run) FigureNames() []string {
	var names []string
	for i := range r.Measurements {
		at := 0 // behind the last name that was known: where an unknown one belongs
		for _, f := range r.Measurements[i].Figures {
			known := slices.Index(names, f.Name)
			if known < 0 {
				names = slices.Insert(names, at, f.Name)
				known = at
			}
			at = known + 1
		}
	}
	return names
}

// Figure returns the figure of that name, nil if there is none.
func (m *Measurement) Figure(name string) *Figure { return named(m.Figures, name) }

// Condition returns the condition of that name, nil if there is none.
func (m *Measurement) Condition(name string) *Figure { return named(m.Conditions, name) }

func named(figures []Figure, name string) *Figure {
	for i := range figures {
		if figures[i].Name == name {
			return &figures[i]
		}
	}
	return nil
}

// Curve returns the curve of that name, nil if there is none.
func (m *Measurement) Curve(name string) *Curve {
	for i := range m.Curves {
		if m.Curves[i].Name == name {
			return &m.Curves[i]
		}
	}
	return nil
}

// Write writes the run as one line of JSON. Nothing in it is null: a list without elements is [].
func (r *Run) Write(w io.Writer) error {
	out := *r
	out.Command, out.Servers, out.Ratios = list(r.Command), list(r.Servers), list(r.Ratios)
	out.Measurements = list(slices.Clone(r.Measurements))
	for i := range out.Measurements {
		m := &out.Measurements[i]
		m.Figures, m.Conditions, m.Curves, m.Warnings = list(m.Figures), list(m.Conditions), list(m.Curves), list(m.Warnings)
	}
	if err := json.NewEncoder(w).Encode(&out); err != nil {
		return fmt.Errorf("cannot write the run: %w", err)
	}
	return nil
}

func list[T any](of []T) []T {
	if of == nil {
		return []T{}
	}
	return of
}

// Read reads one run as Write wrote it, and refuses what is none.
func Read(in io.Reader) (*Run, error) {
	r := new(Run)
	if err := json.NewDecoder(in).Decode(r); err != nil {
		return nil, fmt.Errorf("cannot read a run: %w", err)
	}
	if r.Format != Format {
		return nil, fmt.Errorf("cannot read a run of format %d: this version reads format %d", r.Format, Format)
	}
	if len(r.Servers) == 0 || len(r.Measurements) == 0 {
		return nil, fmt.Errorf("the run has no measurements")
	}
	for _, m := range r.Measurements {
		if m.Server < 0 || m.Server >= len(r.Servers) {
			return nil, fmt.Errorf("a measurement of server %d, of %d", m.Server, len(r.Servers))
		}
		for _, c := range m.Curves {
			if len(c.Percentiles) != len(c.Nanoseconds) || len(c.Percentiles) == 0 {
				return nil, fmt.Errorf("a curve of %d percentiles and %d values", len(c.Percentiles), len(c.Nanoseconds))
			}
		}
	}
	return r, nil
}
