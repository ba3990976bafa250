package record

import (
	"bytes"
	"encoding/json"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// whole is a run in which nothing is empty.
func whole() *Run {
	r := &Run{
		Format: Format, Command: []string{"hubsub"}, Date: time.Unix(1, 0).UTC(), Seconds: 1,
		Shape: Shape{Name: "room"}, Load: Load{Loop: OpenLoop}, Servers: []Server{{Name: "a"}, {Name: "b"}}, Pairs: 1,
	}
	for server := range 2 {
		r.Measurements = append(r.Measurements, Measurement{
			Pair: 1, Server: server,
			Figures:    []Figure{{Name: "cost", Value: 2, Unit: Nanoseconds, Better: Lower}},
			Conditions: []Figure{{Name: "others", Value: 1, Unit: Percent, Better: Neither}},
			Curves:     []Curve{{Name: "latency", Count: 1, Percentiles: []float64{0, 100}, Nanoseconds: []float64{1, 2}}},
			Warnings:   []string{"beware"},
		})
	}
	r.Compare()
	return r
}

func written(t *testing.T, r *Run) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := r.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// The JSON names are a promise: a program that reads them must not break.
func TestKeys(t *testing.T) {
	var document any
	if err := json.Unmarshal(written(t, whole()), &document); err != nil {
		t.Fatal(err)
	}
	got := strings.Join(keys("", document), "\n") + "\n"
	want, err := os.ReadFile("testdata/keys.txt")
	if err != nil || got != string(want) {
		t.Errorf("%v; got\n%s\nwant\n%s", err, got, want)
	}
}

// keys returns the path and type of everything in a document; of a list's elements, the first stands for all.
func keys(path string, of any) []string {
	switch v := of.(type) {
	case map[string]any:
		var all []string
		for key, value := range v {
			all = append(all, keys(path+"."+key, value)...)
		}
		slices.Sort(all)
		return all
	case []any:
		if len(v) == 0 {
			return []string{path + "[] empty"}
		}
		return keys(path+"[]", v[0])
	case string:
		return []string{path + " text"}
	case float64:
		return []string{path + " number"}
	}
	return []string{path + " other"}
}

func TestWriteAndRead(t *testing.T) {
	want := whole()
	got, err := Read(bytes.NewReader(written(t, want)))
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v; want %+v", got, err, want)
	}
}

func TestWriteNoNull(t *testing.T) {
	for _, r := range []*Run{{}, {Measurements: []Measurement{{}}}} {
		if b := written(t, r); bytes.Contains(b, []byte("null")) {
			t.Errorf("got %s", b)
		}
	}
}

func TestReadRefuses(t *testing.T) {
	f := func(want string, change func(r *Run)) {
		t.Helper()
		r := whole()
		change(r)
		if _, err := Read(bytes.NewReader(written(t, r))); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	f("format 2", func(r *Run) { r.Format = 2 })
	f("no measurements", func(r *Run) { r.Measurements = nil })
	f("no measurements", func(r *Run) { r.Servers = nil })
	f("server 2, of 2", func(r *Run) { r.Measurements[0].Server = 2 })
	f("server -1, of 2", func(r *Run) { r.Measurements[1].Server = -1 })
	f("2 percentiles and 1 values", func(r *Run) { r.Measurements[0].Curves[0].Nanoseconds = []float64{1} })
}
