package bench

import "fmt"

// ledger knows, for each lane, the number that the next message must have. A lane is what one subscriber hears from one
// publisher in one room; only within a lane is order required. Owned by the loop.
type ledger struct {
	publishers int
	next       []uint32 // per lane
	sent       []uint32 // per room and publisher: messages published so far

	missing    map[uint64]bool // lane<<32|number: passed over and not come yet
	repeated   int64
	reordered  int64
	wrongCount int64 // PUBLISH answers that were not the number of subscribers
	first      string
}

func newLedger(s *shape) *ledger {
	return &ledger{
		publishers: s.publishers,
		next:       make([]uint32, s.lanes()),
		sent:       make([]uint32, s.rooms*s.publishers),
		missing:    make(map[uint64]bool),
	}
}

// issue returns the number of the publisher's next message to the room.
func (l *ledger) issue(room, publisher uint32) uint32 {
	at := int(room)*l.publishers + int(publisher)
	number := l.sent[at]
	l.sent[at]++
	return number
}

// receive enters a delivery. It reports false for a message that the lane already had.
func (l *ledger) receive(lane int, number uint32, who *sink, m mark) bool {
	if number == l.next[lane] {
		l.next[lane]++
		return true
	}
	return l.receiveUnexpected(lane, number, who, m)
}

func (l *ledger) receiveUnexpected(lane int, number uint32, who *sink, m mark) bool {
	due := l.next[lane]
	if l.first == "" {
		l.first = fmt.Sprintf("subscriber %d, %s, publisher %d: message %d came where %d was due",
			who.index, channel(int(m.room)), m.publisher, number, due)
	}
	if number > due {
		for passed := due; passed < number; passed++ {
			l.missing[uint64(lane)<<32|uint64(passed)] = true
		}
		l.next[lane] = number + 1
		return true
	}
	key := uint64(lane)<<32 | uint64(number)
	if l.missing[key] {
		delete(l.missing, key)
		l.reordered++
		return true
	}
	l.repeated++
	return false
}

// answer enters what a PUBLISH was answered.
func (l *ledger) answer(got, want int64, publisher int) {
	if got == want {
		return
	}
	l.wrongCount++
	if l.first == "" {
		l.first = fmt.Sprintf("publisher %d: PUBLISH answered %d where %d subscribe", publisher, got, want)
	}
}

// broken reports whether anything was wrong so far.
func (l *ledger) broken() bool { return l.first != "" }

// verdict returns nil if every subscriber of the sinks has had every message that was sent to its rooms, once and in
// order; else a *deliveryError. To be called when nothing is in flight any more.
func (l *ledger) verdict(sinks []sink, rooms int) error {
	failure := deliveryError{
		lost: int64(len(l.missing)), repeated: l.repeated, reordered: l.reordered,
		wrongCount: l.wrongCount, first: l.first,
	}
	for i := range sinks {
		s := &sinks[i]
		first, end := s.heard(rooms)
		for room := first; room < end; room++ {
			for publisher := range l.publishers {
				sent, next := l.sent[room*l.publishers+publisher], l.next[s.lane(uint32(room), uint32(publisher), l.publishers)]
				if next == sent {
					continue
				}
				failure.lost += int64(sent) - int64(next)
				if failure.first == "" {
					failure.first = fmt.Sprintf("subscriber %d, %s, publisher %d: had %d of %d messages",
						s.index, channel(room), publisher, next, sent)
				}
			}
		}
	}
	if failure.first == "" {
		return nil
	}
	return &failure
}

// deliveryError says how a server's deliveries differed from what was published.
type deliveryError struct {
	lost, repeated, reordered int64  // deliveries
	wrongCount                int64  // answers
	first                     string // the first thing that was wrong
}

func (e *deliveryError) Error() string {
	return fmt.Sprintf("deliveries are wrong: %d lost, %d repeated, %d reordered; %d wrong answers; first: %s",
		e.lost, e.repeated, e.reordered, e.wrongCount, e.first)
}
