package link

import (
	"bytes"
	"math/rand/v2"
	"testing"
	"time"
)

// Against a plain list: what is in the ring stays as it was put in.
func TestRing(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var r ring
	var want [][]byte
	pop := func(n int) {
		r.pop(n)
		want = want[n:]
	}
	for range 2000 {
		size := 33 + random.IntN(300)
		switch random.IntN(50) {
		case 0:
			size = random.IntN(300_000)
		case 1:
			size = longBlockBytes + random.IntN(1000)
		}
		b := r.reserve(size)
		if random.IntN(4) == 0 && len(want) > 0 {
			pop(1 + random.IntN(len(want))) // while it is filled
		}
		size -= random.IntN(size/2 + 1)
		for i := range b[:size] {
			b[i] = byte(random.Uint32())
		}
		r.commit(size, 1, time.Time{})
		want = append(want, bytes.Clone(b[:size]))
		if random.IntN(10) == 0 {
			pop(random.IntN(len(want) + 1))
		}
		total := 0
		for i := range want {
			total += len(want[i]) + batchOverhead
			if got := r.newest(len(want) - 1 - i); !bytes.Equal(got, want[i]) {
				t.Fatalf("batch %d of %d has changed", i, len(want))
			}
		}
		if r.len() != len(want) || r.records != len(want) || r.bytes != total {
			t.Fatalf("%d batches, %d records, %d bytes; want %d, %d", r.len(), r.records, r.bytes, len(want), total)
		}
	}
}

// An idle link needs no memory for a batch.
func TestRingUsesMemoryAgain(t *testing.T) {
	var r ring
	if n := testing.AllocsPerRun(10_000, func() {
		r.reserve(200)
		r.commit(150, 1, time.Time{})
		if r.len() > 100 {
			r.pop(100)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestQueue(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	var q queue
	var sent, got []byte
	records := 0
	for i := range 3000 {
		var b []byte
		n := 1 + random.IntN(5)
		for range n {
			b = record(b, uint64(i), random.IntN(2000))
		}
		q.add(b, n)
		sent = append(sent, b...)
		for q.len() > 0 && random.IntN(300) == 0 {
			b, n := q.next()
			q.add(record(nil, 1<<40, 10), 1) // by another sender meanwhile
			sent = record(sent, 1<<40, 10)
			whole, ok := countRecords(b)
			if !ok || whole != n || len(b) > batchBytesMax {
				t.Fatalf("%d of %d records, %d bytes", whole, n, len(b))
			}
			got = append(got, b...)
			records += n
			q.made()
		}
		if q.len()+len(got) != len(sent) {
			t.Fatalf("%d wait, %d of %d are made", q.len(), len(got), len(sent))
		}
	}
	for q.len() > 0 {
		b, n := q.next()
		got = append(got, b...)
		records += n
		q.made()
	}
	if want, _ := countRecords(sent); !bytes.Equal(got, sent) || records != want || q.records() != 0 {
		t.Errorf("%d records, %d wait; want %d", records, q.records(), want)
	}
}

func TestRate(t *testing.T) {
	var r rate
	now := time.Unix(0, 0)
	f := func(bytes int, after time.Duration, bound int) {
		t.Helper()
		r.begin(now)
		r.bytes += bytes
		now = now.Add(after)
		r.sample(now)
		if got := r.bound(); got != bound {
			t.Errorf("bound %d, want %d", got, bound)
		}
	}
	f(1, time.Millisecond, rateAssumed/50)
	r.end()
	f(1_000_000_000, time.Second, queueBytesMax) // what sockets swallow
	f(100_000_000, 500*time.Millisecond, queueBytesMax)
	for range 40 {
		f(50_000_000, time.Second, r.boundAfter(50_000_000))
	}
	if got := r.bound(); got < 1_000_000 || got > 1_001_000 {
		t.Errorf("bound %d", got)
	}
	for range 40 {
		f(1000, time.Second, r.boundAfter(1000))
	}
	if got := r.bound(); got != queueBytesMin {
		t.Errorf("bound %d", got)
	}
	r.end() // it has caught up
	f(0, 0, rateAssumed/50)
}

// boundAfter returns the bound after one more second.
func (r rate) boundAfter(bytes int) int {
	r.perSecond += (float64(bytes) - r.perSecond) / 4
	return r.bound()
}
