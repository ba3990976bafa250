package page

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"time"

	"hubsub/bench/record"
)

//go:embed style.css
var style string

//go:embed page.html
var source string

var pageTemplate = template.Must(template.New("page").Funcs(template.FuncMap{
	"style": func() template.CSS { return template.CSS(style) },
}).Parse(source))

// document is a page.
type document struct {
	Headline string
	Date     string
	Summary  *summary // nil of one run
	Sections []*section
	Open     bool // long tables are shown without being asked for
}

// Write writes the page of one run, or of several with a summary of them in front.
func Write(w io.Writer, runs []*record.Run) error {
	if len(runs) == 0 {
		return fmt.Errorf("a page needs a run")
	}
	colors := make(palette)
	d := document{Open: len(runs) == 1, Date: dates(runs)}
	for i, r := range runs {
		d.Sections = append(d.Sections, newSection(r, i+1, colors))
	}
	d.Headline = d.Sections[0].Headline
	if len(runs) > 1 {
		d.Headline = summaryHeadline(runs)
		d.Summary = newSummary(runs, colors)
	}
	return pageTemplate.Execute(w, d)
}

// dates returns the day of the runs, or the first and the last.
func dates(runs []*record.Run) string {
	first, last := runs[0].Date, runs[0].Date
	for _, r := range runs {
		if r.Date.Before(first) {
			first = r.Date
		}
		if r.Date.After(last) {
			last = r.Date
		}
	}
	day := func(t time.Time) string { return t.UTC().Format("2 January 2006") }
	if day(first) == day(last) {
		return day(first)
	}
	return day(first) + " to " + day(last)
}
