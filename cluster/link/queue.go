package link

import "time"

// queue is what waits for a peer and is in no batch yet. Senders append to one
// buffer while the writer makes batches of another one.
type queue struct {
	open        []byte // senders' records
	openRecords int
	openSince   time.Time // when the first came

	taken        []byte // what the writer has not made batches of
	takenRecords int
	takenSince   time.Time
	base         []byte // all of the buffer that taken is the end of
	spare        []byte // an empty buffer

	rate rate
}

func (q *queue) len() int     { return len(q.open) + len(q.taken) }
func (q *queue) records() int { return q.openRecords + q.takenRecords }

func (q *queue) add(records []byte, n int) {
	if len(q.open) == 0 {
		q.openSince = time.Now()
	}
	q.open = append(q.open, records...)
	q.openRecords += n
}

// oldest returns since when the oldest records wait, or longer. There are some.
func (q *queue) oldest() time.Time {
	if len(q.taken) > 0 {
		return q.takenSince
	}
	return q.openSince
}

// next takes the records of a batch out of the queue, which is not empty. They
// stay until made is called.
func (q *queue) next() (records []byte, n int) {
	if len(q.taken) == 0 {
		q.taken, q.takenRecords, q.takenSince = q.open, q.openRecords, q.openSince
		q.base = q.taken
		q.open, q.openRecords = q.spare, 0
		q.spare = nil
	}
	bytes := len(q.taken)
	n = q.takenRecords
	if bytes > batchBytesMax {
		n, bytes = splitRecords(q.taken)
	}
	records = q.taken[:bytes]
	q.taken = q.taken[bytes:]
	q.takenRecords -= n
	return records, n
}

// made says that what next has returned is in a batch. A long buffer is kept
// only while there is use for it.
func (q *queue) made() {
	if len(q.taken) == 0 {
		if cap(q.base) <= max(spareBytesMax, 4*len(q.open)) {
			q.spare = q.base[:0]
		}
		q.taken, q.base = nil, nil
	}
}

// drop empties the queue.
func (q *queue) drop() {
	*q = queue{rate: q.rate}
}

// rate is how fast a queue gets shorter, since it was last empty: what was slow
// once need not be any more.
type rate struct {
	perSecond float64 // bytes; 0: not measured
	since     time.Time
	bytes     int // since then
}

// begin starts a measurement, if none runs.
func (r *rate) begin(now time.Time) {
	if r.since.IsZero() {
		r.since, r.bytes = now, 0
	}
}

// sample takes what was measured in, if that was for long enough.
func (r *rate) sample(now time.Time) {
	if r.since.IsZero() {
		return
	}
	elapsed := now.Sub(r.since)
	if elapsed < rateSampleMin {
		return
	}
	measured := float64(r.bytes) / elapsed.Seconds()
	if r.perSecond == 0 {
		r.perSecond = measured
	} else {
		r.perSecond += (measured - r.perSecond) / 4
	}
	r.since, r.bytes = now, 0
}

// end ends a measurement: the queue is empty.
func (r *rate) end() { *r = rate{} }

// bound returns how many bytes a queue may hold; its last record may pass it.
func (r *rate) bound() int {
	perSecond := r.perSecond
	if perSecond == 0 {
		perSecond = rateAssumed
	}
	bytes := min(perSecond*queueTime.Seconds(), queueBytesMax)
	return max(int(bytes), queueBytesMin)
}
