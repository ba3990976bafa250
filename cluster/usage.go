package cluster

import (
	"hash/maphash"
	"time"
)

// usage knows since when nobody uses the rooms that this node hosts. It looks
// at a part of them at a time.
type usage struct {
	seed  maphash.Seed
	parts [usageParts]map[string]time.Duration // since when, by room
	next  int
}

func newUsage() usage {
	u := usage{seed: maphash.MakeSeed()}
	for i := range u.parts {
		u.parts[i] = make(map[string]time.Duration)
	}
	return u
}

func (u *usage) part(room string) map[string]time.Duration {
	return u.parts[maphash.String(u.seed, room)%usageParts]
}

// open begins to look at a room, which counts as used now.
func (u *usage) open(room string, now time.Duration) { u.part(room)[room] = now }

func (u *usage) shut(room string) { delete(u.part(room), room) }

// look calls idle for rooms that were out of use for idleFor, again and again
// until they are shut or used.
func (u *usage) look(now time.Duration, inUse func(room string) bool, idle func(room string)) {
	part := u.parts[u.next]
	u.next = (u.next + 1) % usageParts
	for room, since := range part {
		switch {
		case inUse(room):
			part[room] = now
		case now-since >= idleFor:
			idle(room)
		}
	}
}
