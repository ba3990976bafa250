package gossip

import (
	"testing"
	"time"
)

// Idle minutes of twelve nodes: nobody is lost, the leader knows of each
// second of each node, and it costs few packets.
func TestIdle(t *testing.T) {
	const count, minutes = 12, idleMinutes
	inWorld(t, func(w *world) {
		w.found(count)
		leader := w.nodes[3]
		w.leader.Store(leader)
		time.Sleep(time.Minute)
		before := make([]Stats, count)
		for i, n := range w.nodes {
			before[i] = n.Stats()
		}
		began := leader.last(w.nodes[5].name).Seq
		time.Sleep(minutes * time.Minute)
		for i, n := range w.nodes {
			s, b := n.Stats(), before[i]
			perSecond := func(after, before uint64) float64 { return float64(after-before) / (minutes * 60) }
			sent, bytes := perSecond(s.PacketsSent, b.PacketsSent), perSecond(s.BytesSent, b.BytesSent)
			received := perSecond(s.PacketsReceived, b.PacketsReceived)
			if i < 4 {
				t.Logf("%s: %.1f packets/s sent, %.0f bytes/s, %.1f received, %.2f streams/s",
					n.name, sent, bytes, received, perSecond(s.Streams, b.Streams))
			}
			if sent > 8 || received > 8 && n != leader || received > 20 {
				t.Errorf("%s sends %.1f packets a second and receives %.1f", n.name, sent, received)
			}
			if n.losses() > 0 || len(n.Members()) != count {
				t.Errorf("%s has lost %v", n.name, n.lost)
			}
			if refusals(s) > refusals(b) {
				t.Errorf("%s: %+v, before %+v", n.name, s, b)
			}
			if heard := leader.last(n.name).Seq; heard < uint64(minutes*60) {
				t.Errorf("the leader has heard %d reports of %s", heard, n.name)
			}
		}
		if n := leader.last(w.nodes[5].name).Seq - began; n < minutes*60-1 {
			t.Errorf("the leader has heard of %d seconds, want %d", n, minutes*60)
		}
		if reports := len(leader.heard[w.nodes[5].name]); reports < minutes*60 {
			t.Errorf("it was told of %d reports, want more than %d", reports, minutes*60)
		}
	})
}

// refusals is all that does not happen when nothing happens.
func refusals(s Stats) uint64 {
	return s.PacketsCrowded + s.PacketsUnsent + s.PeersRefused + s.ReportsBad + s.ReportsUnknown + s.MembersRefused
}
