package cluster

import "time"

// pace lets something happen now and then only: a line of the log that might
// come with every message. The zero value has let nothing pass yet. The guard is
// the owner's.
type pace struct{ last time.Duration }

// pass reports whether it may happen now, if it shall not more often than every
// so long. Time 0 is never, as everywhere.
func (p *pace) pass(now, every time.Duration) bool {
	if p.last > 0 && now-p.last < every {
		return false
	}
	p.last = now
	return true
}
