package gossip

import "sync/atomic"

// Stats counts what a node's gossip has done since it started.
type Stats struct {
	PacketsSent, PacketsReceived uint64
	BytesSent, BytesReceived     uint64 // of packets and their frames
	Streams                      uint64 // exchanges, begun by either side

	// Dropped, by reason.
	PacketsCrowded  uint64 // the peer's queue was full, or there were too many peers
	PacketsUnsent   uint64 // there was no connection to the peer, or it broke
	PeersRefused    uint64 // connections ended because of what is no packet
	ReportsOld      uint64 // not newer than what is known: each comes several times
	ReportsUnknown  uint64 // of nodes that are no living members
	ReportsBad      uint64 // not JSON
	MembersRefused  uint64 // what they say of themselves is nothing that a node says
	LogLinesDropped uint64

	Complaints uint64 // warnings and errors of memberlist's, logged or not: what it refuses is among them
}

// counters are Stats that any goroutine may add to.
type counters struct {
	packetsSent, packetsReceived, bytesSent, bytesReceived, streams                 atomic.Uint64
	packetsCrowded, packetsUnsent, peersRefused                                     atomic.Uint64
	reportsOld, reportsUnknown, reportsBad, membersRefused, linesMissed, complaints atomic.Uint64
}

// Stats returns the counts. Any goroutine.
func (g *Gossip) Stats() Stats {
	c := &g.counters
	return Stats{
		PacketsSent: c.packetsSent.Load(), PacketsReceived: c.packetsReceived.Load(),
		BytesSent: c.bytesSent.Load(), BytesReceived: c.bytesReceived.Load(),
		Streams:        c.streams.Load(),
		PacketsCrowded: c.packetsCrowded.Load(), PacketsUnsent: c.packetsUnsent.Load(),
		PeersRefused: c.peersRefused.Load(),
		ReportsOld:   c.reportsOld.Load(), ReportsUnknown: c.reportsUnknown.Load(), ReportsBad: c.reportsBad.Load(),
		MembersRefused: c.membersRefused.Load(), LogLinesDropped: c.linesMissed.Load(), Complaints: c.complaints.Load(),
	}
}
