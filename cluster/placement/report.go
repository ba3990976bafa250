package placement

import (
	"slices"
	"time"
)

// holding compares what a node says it hosts, and whom it knows, with the table.
func (d *Decider) holding(from Name, m Holding) {
	if m.Roster.Compare(d.table.roster) < 0 {
		d.effects.send(from, d.roster())
	}
	if len(m.Shards) != shardCount {
		return
	}
	var differ []int
	for shard, want := range d.table.Digests(from) {
		if m.Shards[shard] != want {
			differ = append(differ, shard)
		}
	}
	if len(differ) > 0 {
		d.effects.send(from, List{Attempt{d.term, d.next()}, differ})
	}
}

// listed sends a node what it lacks of one shard. What it has too much it keeps if
// an earlier generation gave it that and this one lacks it; else it drops it.
func (d *Decider) listed(now time.Duration, from Name, m Listed) {
	if m.Shard < 0 || m.Shard >= shardCount {
		return
	}
	missing := make(map[string]Placement)
	var names []string
	d.table.EachIn(m.Shard, func(name string, p Placement) {
		if slices.Contains(p.Hosts, from) {
			if has, ok := m.Rooms[name]; !ok || has.Compare(p.Epoch) < 0 {
				missing[name] = p
				names = append(names, name)
			}
		}
	})
	slices.Sort(names)
	for _, name := range names {
		d.activate(now, from, name, missing[name])
	}
	names = names[:0]
	for name := range m.Rooms {
		if p, ok := d.table.Room(name); !ok || !slices.Contains(p.Hosts, from) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	fresh := m.Attempt.Term == d.term && m.Attempt.Number > d.dropped[m.Shard]
	for _, name := range names {
		if m.Rooms[name].Generation >= d.table.generation || fresh && !d.adopt(from, name) {
			d.drop(from, name, d.table.Now())
		}
	}
}

// adopt makes a member a host of a room that it has from an earlier generation:
// the table that this one began with may lack what was agreed on last, and clients
// may know it. It reports whether the member may keep the room, or shall until it
// lists it again. A room that somebody has deleted meanwhile may so come back, if
// the member did not hear of that; it closes when nobody uses it.
func (d *Decider) adopt(from Name, room string) bool {
	m, s, _ := d.table.Member(from)
	p, exists := d.table.Room(room)
	k := &work{room: room, prev: p, want: p.Want, keep: p.Keep, pins: p.Pins}
	if !exists {
		k.want = d.settings.Replicas
	}
	d.keep(k)
	switch {
	case d.works[room] != nil, len(d.works) >= repairsMax:
		return true
	case s != Up, !nameFits(room), !k.allows(m), len(k.kept) == k.want, !exists && d.crowded():
		return false
	}
	k.kept = append(k.kept, from)
	d.begin(k)
	d.commit(k)
	return true
}

// drop tells a node that it hosts a room no more. What anybody has listed before
// may be over, so nothing is adopted that was.
func (d *Decider) drop(host Name, room string, e Epoch) {
	d.dropped[shardOf(room)] = d.next()
	d.effects.send(host, Drop{d.term, room, e})
}
