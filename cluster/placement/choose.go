package placement

import (
	"cmp"
	"maps"
	"math/rand/v2"
	"slices"
	"time"
)

// chooser picks hosts by their load. One leader chooses for the whole cluster,
// so it knows what it has given to whom since the last report, and counts that
// in: without it all new rooms of a second would go to the node that was the
// least busy at its beginning.
//
// Among the d least busy of a sample the choice stays good when reports are old
// (Mitzenmacher, "How Useful Is Old Information?"), and no node gets more than a
// part of the rooms that are made at once. A node above 1.25 of the average gets
// none while there are others (bounded load: Mirrokni, Thorup, Zadimoghaddam).
type chooser struct {
	table  *Table
	loads  map[Name]*load
	random *rand.Rand

	pruned    time.Duration
	refreshed time.Duration
	roster    Epoch // of the table then
	eligible  []*candidate
	mean      float64 // of the eligible
	perRoom   float64 // load that a room brings
}

type candidate struct {
	name   Name
	id     string
	zone   string
	weight int
	named  int // rooms of the table that name it, as of the refresh, and given since
	load   *load
}

const (
	sampleMin   = 8
	samplePer   = 4    // candidates looked at per host wanted
	boundFactor = 1.25 // of the mean load
	boundFloor  = 0.3  // load below which nobody is too busy
	perRoomMin  = 1.0 / 50_000
	localMargin = 0.05 // load that the node where the client is may have more: it saves a hop
	refreshAge  = 100 * time.Millisecond
)

func newChooser(t *Table, random *rand.Rand) *chooser {
	return &chooser{table: t, loads: make(map[Name]*load), random: random, refreshed: -refreshAge}
}

// load returns what is known of a node's load.
func (c *chooser) load(name Name) *load {
	l := c.loads[name]
	if l == nil {
		l = &load{}
		c.loads[name] = l
	}
	return l
}

// prune forgets who has not reported for long and has nothing under way. All
// members hear reports, but only some have a table that says who is gone.
func (c *chooser) prune(now time.Duration) {
	if now-c.pruned < reportAge {
		return
	}
	c.pruned = now
	maps.DeleteFunc(c.loads, func(_ Name, l *load) bool {
		return now-l.at > reportAge && l.reserved == 0 && now >= l.refuses
	})
}

// refresh looks who may get rooms, and how busy they are on average.
func (c *chooser) refresh(now time.Duration) {
	if now-c.refreshed < refreshAge && c.roster == c.table.roster {
		return
	}
	c.refreshed, c.roster = now, c.table.roster
	c.eligible = c.eligible[:0]
	busy, rooms, members := 0.0, 0, 0
	c.table.EachMember(func(m Member, s State, named int) {
		l := c.loads[m.Name]
		if l == nil || l.at == 0 || now-l.at > reportAge {
			return
		}
		members++
		busy += l.busy
		rooms += l.report.Rooms
		if s == Up && !l.report.Draining {
			c.eligible = append(c.eligible, &candidate{m.Name, m.ID, m.Zone, m.Weight, named, l})
		}
	})
	c.perRoom = max(busy/float64(max(rooms, 1)), perRoomMin)
	if rooms < members { // nothing to learn from: the nodes' own load is no room's
		c.perRoom = perRoomMin
	}
	c.mean = 0
	for _, e := range c.eligible {
		c.mean += c.effective(e) / float64(len(c.eligible))
	}
}

// effective is the load that a node will have with the rooms that it was given
// since its report.
func (c *chooser) effective(e *candidate) float64 {
	since := max(e.named+e.load.reserved-e.load.report.Rooms, 0)
	return e.load.busy + float64(since)*c.perRoom/float64(e.weight)
}

// choose returns up to n nodes for a room, the best first: none that is in not,
// of the ids in pins only if there are any, and in zones that are not in zones as
// far as possible. near is the node where the client is.
func (c *chooser) choose(now time.Duration, n int, not func(Name) bool, pins []string, zones []string, near Name) []Name {
	c.refresh(now)
	var free []*candidate
	for _, e := range c.sample(n, not, pins, near) {
		if len(pins) > 0 || c.effective(e) <= max(boundFloor, boundFactor*c.mean) {
			free = append(free, e)
		}
	}
	if len(free) < n {
		free = c.sample(n, not, pins, near)
	}
	cost := func(e *candidate) float64 {
		if e.name == near {
			return c.effective(e) - localMargin
		}
		return c.effective(e)
	}
	slices.SortStableFunc(free, func(a, b *candidate) int { return cmp.Compare(cost(a), cost(b)) })
	var chosen []Name
	zones = slices.Clone(zones)
	for _, others := range []bool{true, false} { // first who is in a zone of its own
		for _, e := range free {
			if len(chosen) == n {
				return chosen
			}
			if !slices.Contains(chosen, e.name) && (!others || e.zone == "" || !slices.Contains(zones, e.zone)) {
				chosen = append(chosen, e.name)
				zones = append(zones, e.zone)
			}
		}
	}
	return chosen
}

// sample returns some of the eligible, each at most once and those with more
// weight more often; all if they are few. The one that is near is among them.
func (c *chooser) sample(n int, not func(Name) bool, pins []string, near Name) []*candidate {
	size := max(samplePer*n, sampleMin)
	fits := func(e *candidate) bool {
		return !not(e.name) && (len(pins) == 0 || slices.Contains(pins, e.id))
	}
	if len(c.eligible) <= 2*size || len(pins) > 0 {
		var all []*candidate
		for _, e := range c.eligible {
			if fits(e) {
				all = append(all, e)
			}
		}
		c.random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		if at := slices.IndexFunc(all, func(e *candidate) bool { return e.name == near }); at > 0 {
			all[0], all[at] = all[at], all[0]
		}
		return all[:min(len(all), max(size, len(pins)))]
	}
	heaviest := 1
	for _, e := range c.eligible {
		heaviest = max(heaviest, e.weight)
	}
	var some []*candidate
	if at := slices.IndexFunc(c.eligible, func(e *candidate) bool { return e.name == near && fits(e) }); at >= 0 {
		some = append(some, c.eligible[at])
	}
	for tries := 0; len(some) < size && tries < 8*size; tries++ {
		e := c.eligible[c.random.IntN(len(c.eligible))]
		if c.random.IntN(heaviest) < e.weight && fits(e) && !slices.Contains(some, e) {
			some = append(some, e)
		}
	}
	return some
}

// given counts a room that the table names now, before the next refresh does.
func (c *chooser) given(name Name) {
	for _, e := range c.eligible {
		if e.name == name {
			e.named++
			return
		}
	}
}
