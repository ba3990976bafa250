package lane

// Stats are a lane's counts since it was made.
type Stats struct {
	Ordered   int64 // messages, as a leader
	Sent      int64 // to nodes, as a leader
	Unsent    int64 // for want of room in a link's queue
	Received  int64 // messages of leaders
	Forwarded int64 // publishes to leaders
	Refused   int64 // publishes of nodes that took this one for the leader
	Crowded   int64 // publishes of this node's clients, for too many waited
	Stale     int64 // records under a key that is not the highest any more
	Repeated  int64 // messages that had come before
	Led       int64 // how often a room's lead was taken

	Gaps [whyMax]int64
	Lost [whyMax]int64 // messages in gaps of known size
}

// Stats returns the counts.
func (l *Lane) Stats() Stats { return l.stats }

// Add adds the counts of another lane.
func (s *Stats) Add(o Stats) {
	s.Ordered += o.Ordered
	s.Sent += o.Sent
	s.Unsent += o.Unsent
	s.Received += o.Received
	s.Forwarded += o.Forwarded
	s.Refused += o.Refused
	s.Crowded += o.Crowded
	s.Stale += o.Stale
	s.Repeated += o.Repeated
	s.Led += o.Led
	for why := range whyMax {
		s.Gaps[why] += o.Gaps[why]
		s.Lost[why] += o.Lost[why]
	}
}
