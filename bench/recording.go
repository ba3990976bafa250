package bench

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"hubsub/bench/page"
	"hubsub/bench/record"
)

// record returns what is known of a run before it.
func (o *options) record(began time.Time) *record.Run {
	r := &record.Run{
		Format: record.Format, Command: o.command, Date: began.Round(time.Second), Machine: o.machine(), Pairs: o.rounds(),
		Shape: record.Shape{
			Name: o.shape.name, Text: o.shape.String(), Rooms: o.shape.rooms, Subscribers: o.shape.subscribers,
			Publishers: o.shape.publishers, Patterns: o.shape.patterns,
		},
		Load: record.Load{
			Text: o.load(), Loop: record.ClosedLoop, Pipeline: o.shape.pipeline, Rate: o.paceOver(max(1, len(o.addresses))).rate, Spin: o.spin, Payload: o.size,
			Protocol: o.speaks(), Warmup: o.pace.warmup.Seconds(), Duration: o.pace.duration.Seconds(),
		},
	}
	if r.Load.Rate > 0 {
		r.Load.Loop = record.OpenLoop
	}
	if o.shape.silent {
		r.Load.Loop, r.Load.Payload = record.NoLoop, 0
	}
	return r
}

// runReport is "hubsub bench report": one page, and on request the picture of its summary, out of the runs that --json
// printed.
func runReport(args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("hubsub bench report", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() {
		fmt.Fprint(flags.Output(), "hubsub bench report [--picture OUT.svg] OUT.html RUN.json...: one page out of what runs printed with --json\n\n")
		flags.PrintDefaults()
	}
	picture := flags.String("picture", "", "also write the chart of all ratios alone to this `file.svg`, for a README")
	var files []string
	for len(args) > 0 { // flags may follow file names
		if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
			return exitOK
		} else if err != nil {
			return exitUsage
		}
		if args = flags.Args(); len(args) > 0 {
			files, args = append(files, args[0]), args[1:]
		}
	}
	if len(files) < 2 {
		flags.Usage()
		return exitUsage
	}
	if strings.HasSuffix(files[0], ".json") {
		fmt.Fprintf(stderr, "hubsub bench report: the first file is the page to write, and %s looks like a run\n", files[0])
		return exitUsage
	}
	if err := writeReport(files[0], *picture, files[1:]); err != nil {
		fmt.Fprintf(stderr, "hubsub bench report: %v\n", err)
		return exitFailed
	}
	return exitOK
}

func writeReport(out, picture string, files []string) error {
	var runs []*record.Run
	for _, name := range files {
		r, err := readRun(name)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		runs = append(runs, r)
	}
	if err := writeFile(out, func(w io.Writer) error { return page.Write(w, runs) }); err != nil {
		return err
	}
	if picture == "" {
		return nil
	}
	return writeFile(picture, func(w io.Writer) error { return page.WritePicture(w, runs) })
}

func readRun(name string) (*record.Run, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return record.Read(file)
}

// writePage writes the page of one run.
func writePage(name string, r *record.Run) error {
	return writeFile(name, func(w io.Writer) error { return page.Write(w, []*record.Run{r}) })
}

// writeFile makes a file with what write writes, or none if that fails.
func writeFile(name string, write func(io.Writer) error) error {
	var content bytes.Buffer
	err := write(&content)
	if err == nil {
		err = os.WriteFile(name, content.Bytes(), 0o644)
	}
	if err != nil {
		return fmt.Errorf("cannot write %s: %w", name, err)
	}
	return nil
}
