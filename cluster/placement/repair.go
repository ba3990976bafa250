package placement

import (
	"maps"
	"slices"
	"time"
)

// repair is what the leader does about rooms whose hosts are dead, or fewer than
// they shall be: it looks through the table a part at a time, without end, so
// that nothing needs to be remembered from leader to leader.
type repair struct {
	next   int                    // shard to look through
	swept  time.Duration          // when the last one was
	hurry  time.Duration          // until when many shards are looked through at a time
	deaths map[Name]time.Duration // of late, and when they were last proposed
	brake  time.Duration          // until when only rooms without a living host are repaired
}

// Die proposes that a member is dead. That it is, is for the caller to know.
func (d *Decider) Die(now time.Duration, name Name) {
	r := &d.repair
	if _, s, ok := d.table.Member(name); !d.leading || !ok || !s.Serves() {
		return
	}
	if at, proposed := r.deaths[name]; proposed && now-at < proposeAgain {
		return
	}
	d.memberOps = append(d.memberOps, Op{Kind: SetState, Member: Member{Name: name}, State: Down})
	r.deaths[name] = now
	maps.DeleteFunc(r.deaths, func(_ Name, at time.Duration) bool { return now-at > massFailureWindow })
	alive := 0
	d.table.EachMember(func(m Member, s State, _ int) {
		if _, died := r.deaths[m.Name]; s.Serves() && !died {
			alive++
		}
	})
	if died := len(r.deaths); died > 1 && float64(died) > massFailureShare*float64(alive+died) {
		r.brake = now + massFailureBrake
		r.hurry = r.brake + sweepHurry
	}
}

// sweep looks through some shards for rooms that need hosts.
func (d *Decider) sweep(now time.Duration) {
	r := &d.repair
	if now < d.sweepDue() {
		return
	}
	shards := 1
	if now < r.hurry && d.haunted() {
		shards = sweepShards
	}
	r.swept = now
	for range shards {
		var ill []string
		d.table.EachLacking(r.next, d.roll.serving, func(name string, p Placement) {
			if d.works[name] == nil && d.needsRepair(now, p) {
				ill = append(ill, name)
			}
		})
		slices.Sort(ill)
		for _, name := range ill {
			if len(d.works) < repairsMax {
				p, _ := d.table.Room(name)
				if d.place(now, p, Ask{Room: name}); d.works[name] != nil {
					r.hurry = max(r.hurry, now+sweepHurry)
				}
			}
		}
		r.next = (r.next + 1) % shardCount
	}
}

// sweepDue returns when the next sweep is.
func (d *Decider) sweepDue() time.Duration {
	haunted := d.haunted()
	switch {
	case haunted && d.repair.swept < d.repair.hurry:
		return d.repair.swept + hurryInterval
	case haunted || d.table.short > 0:
		return d.repair.swept + sweepInterval
	default:
		return Never
	}
}

// needsRepair reports whether a room shall get a host now.
func (d *Decider) needsRepair(now time.Duration, p Placement) bool {
	living, longDead := 0, false
	for _, host := range p.Hosts {
		if d.table.Serves(host) {
			living++
		} else if since, known := d.roll.downSince[host]; known && now-since >= repairDelay {
			longDead = true
		}
	}
	switch {
	case living == 0:
		return true
	case now < d.repair.brake || living >= d.roll.serving:
		return false
	default:
		return longDead || living == len(p.Hosts) && living < p.Want
	}
}
