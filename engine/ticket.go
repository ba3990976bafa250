package engine

// ticket is who waits for the answer to a question: a place among a session's
// pending answers, or among a batch's.
type ticket struct {
	session *Session
	batch   *Batch // nil: the session's pending answers
	place   uint64
	mark    uint32 // of the tag
}

// tickets are the questions of one loop that are not answered yet, by their
// tags. A tag is
//
//	loop 8 bits │ index 28 bits │ mark 28 bits
//
// where the mark tells questions from earlier ones with the same index, and is
// never 0.
type tickets struct {
	own  int // the loop's number
	list []ticket
	free []uint32 // indexes
}

const (
	tagLoopShift  = 56
	tagIndexShift = 28
	tagMask       = 1<<28 - 1
)

// tagLoop returns the number of the loop that asked.
func tagLoop(tag uint64) int { return int(tag >> tagLoopShift) }

// issue returns a tag for the ticket.
func (t *tickets) issue(who ticket) (tag uint64) {
	last := len(t.free) - 1
	if last < 0 {
		t.list = append(t.list, ticket{})
		t.free = append(t.free, uint32(len(t.list)-1))
		last = 0
	}
	index := t.free[last]
	t.free = t.free[:last]
	who.mark = (t.list[index].mark + 1) & tagMask
	if who.mark == 0 {
		who.mark = 1
	}
	t.list[index] = who
	return uint64(t.own)<<tagLoopShift | uint64(index)<<tagIndexShift | uint64(who.mark)
}

// redeem takes back a tag and returns whose it was; ok is false if it is not
// outstanding.
func (t *tickets) redeem(tag uint64) (who ticket, ok bool) {
	index, mark := tag>>tagIndexShift&tagMask, uint32(tag&tagMask)
	if index >= uint64(len(t.list)) {
		return ticket{}, false
	}
	at := &t.list[index]
	if at.session == nil || at.mark != mark {
		return ticket{}, false
	}
	who = *at
	*at = ticket{mark: mark}
	t.free = append(t.free, uint32(index))
	return who, true
}
