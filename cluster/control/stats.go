package control

// dropReason says why a message was not sent.
type dropReason uint8

const (
	dropFull        dropReason = iota // the outbox
	dropTooLong                       // for any peer
	dropUnreachable                   // the peer, for too long, or it is dead
	dropLost                          // with the connection that broke while it was written
	dropForgotten                     // the peer was, before it was written
	dropReasons
)

func (r dropReason) String() string {
	return [dropReasons]string{"full", "too long", "unreachable", "lost", "forgotten"}[r]
}

// Stats are the counts since New; Peers, Connected and Outbox are as of now.
type Stats struct {
	Peers     int64
	Connected int64 // peers that messages can be written to
	Outbox    int64 // bytes that wait or are being written

	Sent, SentBytes         int64 // written to a connection; the last ones before it broke may not have arrived
	Received, ReceivedBytes int64
	Dropped                 map[string]int64 // messages to send, by reason
	Unknown                 int64            // messages of tags that only later versions know
	Malformed               int64            // connections that were closed for it
	Dead                    int64            // proofs that a peer is dead
}

// Stats returns the counts.
func (c *Control) Stats() Stats {
	s := Stats{
		Connected: c.connected.Load(),
		Sent:      c.sent.Load(), SentBytes: c.sentBytes.Load(),
		Received: c.received.Load(), ReceivedBytes: c.receivedBytes.Load(),
		Unknown: c.unknown.Load(), Malformed: c.malformed.Load(), Dead: c.dead.Load(),
		Dropped: make(map[string]int64, dropReasons),
	}
	for r := range dropReasons {
		s.Dropped[r.String()] = c.dropped[r].Load()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	s.Peers = int64(len(c.peers))
	for _, p := range c.peers {
		s.Outbox += p.outbox()
	}
	return s
}

func (c *Control) drop(reason dropReason, n int) { c.dropped[reason].Add(int64(n)) }
