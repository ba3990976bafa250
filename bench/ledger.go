package bench

import (
	"fmt"
	"strconv"
)

// ledger knows, for each lane, the number that the next message must have. A lane is what one subscriber hears from one
// publisher in one room; only within a lane is order required. Owned by the loop.
type ledger struct {
	publishers int
	next       []uint32 // per lane
	sent       []uint32 // per room and publisher: messages published so far
	settled    []uint32 // the same: messages answered; nil where an answer does not mean that all were reached

	missing    map[uint64]bool // lane<<32|number: passed over and not come yet
	missed     int64           // by wanderers
	repeated   int64
	reordered  int64
	wrongCount int64 // PUBLISH answers that were not the number of subscribers
	partCount  int64 // PUBLISH answers below it that are right: a node's own subscribers
	partial    bool  // that is so
	first      string
}

// newLedger returns the ledger of so many rooms, publishers and (subscriber, room) pairs, on one node or several.
func newLedger(rooms, publishers, pairs, nodes int) *ledger {
	l := &ledger{
		publishers: publishers,
		next:       make([]uint32, pairs*publishers),
		sent:       make([]uint32, rooms*publishers),
		missing:    make(map[uint64]bool),
		partial:    nodes > 1,
	}
	if !l.partial {
		l.settled = make([]uint32, len(l.sent))
	}
	return l
}

// issue returns the number of the publisher's next message to the room.
func (l *ledger) issue(room, publisher uint32) uint32 {
	at := int(room)*l.publishers + int(publisher)
	number := l.sent[at]
	l.sent[at]++
	return number
}

// issued returns how many messages the publisher has sent to the room.
func (l *ledger) issued(room uint32, publisher int) uint32 {
	return l.sent[int(room)*l.publishers+publisher]
}

// settle enters that a message was answered; a publisher's answers come in order.
func (l *ledger) settle(room, publisher, number uint32) {
	if l.settled != nil {
		l.settled[int(room)*l.publishers+int(publisher)] = number + 1
	}
}

// answered returns how many of the publisher's messages to the room must have reached everybody.
func (l *ledger) answered(room uint32, publisher int) uint32 {
	if l.settled == nil {
		return 0
	}
	return l.settled[int(room)*l.publishers+publisher]
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

// answer enters what a PUBLISH was answered, where from low to high subscribe.
func (l *ledger) answer(got, low, high int64, publisher int) {
	if got >= low && got <= high {
		return
	}
	if got >= 0 && got < low && l.partial {
		l.partCount++
		return
	}
	l.wrongCount++
	if l.first == "" {
		who := strconv.FormatInt(low, 10)
		if high > low {
			who += " to " + strconv.FormatInt(high, 10)
		}
		l.first = fmt.Sprintf("publisher %d: PUBLISH answered %d where %s subscribe", publisher, got, who)
	}
}

// miss enters messages that a wanderer did not get.
func (l *ledger) miss(n int64, what string) {
	l.missed += n
	if l.first == "" {
		l.first = what
	}
}

// repeat enters a message that a wanderer had before, or that came too late.
func (l *ledger) repeat(what string) {
	l.repeated++
	if l.first == "" {
		l.first = what
	}
}

// broken reports whether anything was wrong so far.
func (l *ledger) broken() bool { return l.first != "" }

// verdict returns nil if every subscriber of the sinks has had every message that was sent to its rooms, once and in
// order; else a *deliveryError. To be called when nothing is in flight any more.
func (l *ledger) verdict(sinks []sink) error {
	failure := deliveryError{
		lost: int64(len(l.missing)) + l.missed, repeated: l.repeated, reordered: l.reordered,
		wrongCount: l.wrongCount, first: l.first,
	}
	for i := range sinks {
		s := &sinks[i]
		for room := s.first; room < s.first+s.rooms; room++ {
			for publisher := range l.publishers {
				sent, next := l.issued(room, publisher), l.next[s.pair(room)*l.publishers+publisher]
				if next == sent {
					continue
				}
				failure.lost += int64(sent) - int64(next)
				if failure.first == "" {
					failure.first = fmt.Sprintf("subscriber %d, %s, publisher %d: had %d of %d messages",
						s.index, channel(int(room)), publisher, next, sent)
					if next == 0 && l.partial {
						failure.first += "; are the addresses nodes of one server?"
					}
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
	disordered                int64  // deliveries in another order than the room's, see order
	wrongCount                int64  // answers
	first                     string // the first thing that was wrong
}

func (e *deliveryError) Error() string {
	order := ""
	if e.disordered > 0 {
		order = fmt.Sprintf("%d not in the room's one order, ", e.disordered)
	}
	return fmt.Sprintf("deliveries are wrong: %d lost, %d repeated, %d reordered; %s%d wrong answers; first: %s",
		e.lost, e.repeated, e.reordered, order, e.wrongCount, e.first)
}
