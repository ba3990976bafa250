package link

import "hubsub/cluster/placement"

// dropReason says why records were not taken, or were lost.
type dropReason uint8

const (
	dropFull        dropReason = iota // the queue
	dropTooLong                       // one of them
	dropUnreachable                   // the peer, and its session is lost
	dropForgotten                     // the peer, or all are
	dropBroken                        // the session was lost; some may have arrived
	dropReasons
)

func (r dropReason) String() string {
	return [dropReasons]string{"full", "too long", "unreachable", "forgotten", "broken"}[r]
}

// Traffic is what has gone one way. CodedBytes are those of whole batches, as
// they went over the wire; RawBytes those of their records.
type Traffic struct {
	Batches, Records     int64
	RawBytes, CodedBytes int64
}

func (t *Traffic) count(records, raw, coded int) {
	t.Batches++
	t.Records += int64(records)
	t.RawBytes += int64(raw)
	t.CodedBytes += int64(coded)
}

func (t *Traffic) add(u Traffic) {
	t.Batches += u.Batches
	t.Records += u.Records
	t.RawBytes += u.RawBytes
	t.CodedBytes += u.CodedBytes
}

// Stats are the counts since New; Peers, Connected and Queues are as of now.
type Stats struct {
	Peers     int64
	Connected int64

	Sent, Received Traffic          // batches once, however often they were sent
	Connections    int64            // made, by either side
	Resent         int64            // batches that another connection had to take again
	Stalled        int64            // connections that were given up
	Paused         int64            // times that nothing was read, for the receiver had enough
	Broken         int64            // losses
	Dropped        map[string]int64 // records that were taken and lost, by reason
	Untaken        map[string]int64 // calls of Send that took nothing, by reason
	Refused        map[string]int64 // connections that were closed for what came, by reason

	Queues map[placement.Name]int64 // bytes that wait for each peer
}

// counts are those of one peer.
type counts struct {
	sent, received               Traffic
	connections, resent, stalled int64
	paused, broken               int64
	dropped, untaken             [dropReasons]int64
}

func (c *counts) add(d counts) {
	c.sent.add(d.sent)
	c.received.add(d.received)
	c.connections += d.connections
	c.resent += d.resent
	c.stalled += d.stalled
	c.paused += d.paused
	c.broken += d.broken
	for r := range dropReasons {
		c.dropped[r] += d.dropped[r]
		c.untaken[r] += d.untaken[r]
	}
}

// Stats returns the counts.
func (l *Links) Stats() Stats {
	l.mu.RLock()
	defer l.mu.RUnlock()
	s := Stats{
		Peers:   int64(len(l.peers)),
		Dropped: make(map[string]int64, dropReasons),
		Untaken: make(map[string]int64, dropReasons),
		Refused: make(map[string]int64, refusals),
		Queues:  make(map[placement.Name]int64, len(l.peers)),
	}
	sum := l.past
	for p := range l.ending {
		p.mu.Lock()
		sum.add(p.counts)
		p.mu.Unlock()
	}
	for name, p := range l.peers {
		p.mu.Lock()
		sum.add(p.counts)
		s.Queues[name] = int64(p.queue.len())
		if p.conn != nil {
			s.Connected++
		}
		p.mu.Unlock()
	}
	s.Sent, s.Received = sum.sent, sum.received
	s.Connections, s.Resent, s.Stalled, s.Paused, s.Broken = sum.connections, sum.resent, sum.stalled, sum.paused, sum.broken
	for r := range dropReasons {
		if r >= dropForgotten {
			s.Dropped[r.String()] = sum.dropped[r]
		}
		if r <= dropForgotten {
			s.Untaken[r.String()] = sum.untaken[r]
		}
	}
	for r := range refusals {
		s.Refused[r.Error()] = l.refused[r].Load()
	}
	return s
}

// turnDown counts a call of Send for which there is no peer.
func (l *Links) turnDown() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.past.untaken[dropForgotten]++
}
