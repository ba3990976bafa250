package page

import (
	"strings"

	"hubsub/bench/record"
)

// claim is a figure that can be the result of a run in a sentence: "hubsub needs 0.44 of redis's CPU per delivery".
type claim struct {
	figure string
	verb   string
	noun   string
	single string // the sentence about one server; %s is its name, then the value
}

// maxNamed is how many servers a headline names beside the first.
const maxNamed = 3

// claims are the figures that a headline may be about, the most telling first.
var claims = []claim{
	{record.CPUPerDelivery, "needs", "CPU per delivery", "{server} needs {value} of CPU per delivery"},
	{record.ResidentPerConn, "needs", "memory per connection", "{server} needs {value} of memory per connection"},
	{"latency p99", "has", "p99 latency", "{server} delivers 99 % of messages within {value}"},
	{record.DeliveriesPerSecond, "makes", "deliveries per second", "{server} makes {value} deliveries per second"},
}

// leadingClaim returns the first claim that the run has something to say about.
func leadingClaim(r *record.Run) claim {
	for _, c := range claims {
		for i := 1; i < len(r.Servers); i++ {
			if r.Ratio(r.Servers[i].Name, c.figure) != nil {
				return c
			}
		}
	}
	for _, c := range claims {
		for i := range r.Measurements {
			if r.Measurements[i].Figure(c.figure) != nil {
				return c
			}
		}
	}
	return claims[0]
}

// headline says the result of a run in words.
func headline(r *record.Run) string {
	c := leadingClaim(r)
	var found []*record.Ratio
	for i := 1; i < len(r.Servers); i++ {
		if ratio := r.Ratio(r.Servers[i].Name, c.figure); ratio != nil {
			found = append(found, ratio)
		}
	}
	switch {
	case len(found) == 1:
		return found[0].Server + " " + c.verb + " " + amount(found[0]) + possessive(found[0].Base) + " " + c.noun
	case len(found) > maxNamed:
		least := found[0]
		for _, ratio := range found {
			if ratio.Median < least.Median == (least.Better != record.Higher) {
				least = ratio
			}
		}
		if least.Median > 1 == (least.Better != record.Higher) {
			return "None of " + plural(len(found), "other server") + " does better than " + least.Base + ": " + least.Server + " " +
				c.verb + " " + ratioText(least.Median) + " of its " + c.noun
		}
		return "Of " + plural(len(r.Servers), "server") + ", " + least.Server + " does best: it " + c.verb + " " + amount(least) +
			possessive(least.Base) + " " + c.noun
	case len(found) > 1:
		var parts []string
		for _, ratio := range found {
			parts = append(parts, ratio.Server+" "+c.verb+" "+about(ratio)+ratioText(ratio.Median))
		}
		return "Of " + possessive(r.Servers[0].Name) + " " + c.noun + ", " + enumerate(parts, c.verb)
	}
	for _, m := range r.Server(0) {
		if f := m.Figure(c.figure); f != nil {
			value := quantity(f.Value, f.Unit)
			return strings.NewReplacer("{server}", r.Servers[0].Name, "{value}", value).Replace(c.single)
		}
	}
	return plural(len(r.Servers), "server") + " measured"
}

// amount writes a ratio in front of what it is a ratio to.
func amount(r *record.Ratio) string {
	if r.Median > 1 {
		return about(r) + ratioText(r.Median) + " times "
	}
	return about(r) + ratioText(r.Median) + " of "
}

// about warns of a ratio whose pairs do not agree on which server has more.
func about(r *record.Ratio) string {
	if r.Min < 1 && r.Max > 1 {
		return "about "
	}
	return ""
}

// enumerate joins parts that begin with a name and the verb, and says the verb only once.
func enumerate(parts []string, verb string) string {
	for i := 1; i < len(parts); i++ {
		parts[i] = strings.Replace(parts[i], " "+verb+" ", " ", 1)
	}
	if len(parts) == 1 {
		return parts[0]
	}
	return strings.Join(parts[:len(parts)-1], ", ") + " and " + parts[len(parts)-1]
}

func possessive(name string) string { return name + "’s" }

// summaryHeadline says the result of several runs in words: over all those that compare with one and the same server by
// the first run's figure.
func summaryHeadline(runs []*record.Run) string {
	c, base := leadingClaim(runs[0]), runs[0].Servers[0].Name
	var names []string
	ranges := make(map[string][]float64)
	for _, r := range runs {
		for i := 1; i < len(r.Servers); i++ {
			ratio := r.Ratio(r.Servers[i].Name, c.figure)
			if ratio == nil || ratio.Base != base {
				continue
			}
			if ranges[ratio.Server] == nil {
				names = append(names, ratio.Server)
			}
			ranges[ratio.Server] = append(ranges[ratio.Server], ratio.Median)
		}
	}
	if len(names) == 0 {
		return plural(len(runs), "run") + " of hubsub bench"
	}
	var parts []string
	for _, name := range names {
		low, high := extremes(ranges[name])
		text := spreadText(low, high)
		if ratioText(low) == ratioText(high) {
			text = ratioText(low)
		}
		parts = append(parts, name+" "+c.verb+" "+text)
	}
	if len(names) == 1 {
		return parts[0] + " of " + possessive(base) + " " + c.noun
	}
	return "Of " + possessive(base) + " " + c.noun + ", " + enumerate(parts, c.verb)
}
