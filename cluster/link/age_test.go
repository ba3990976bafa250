package link

import (
	"encoding/binary"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"hubsub/cluster/placement"
	"hubsub/cluster/port/porttest"
)

// One takes a batch now and then, so that no connection stalls, but not all that waits before that is too old. Then the session
// is lost, and nothing comes that is older.
func TestNothingOldArrives(t *testing.T) {
	inBubble(t, func(t *testing.T, network *porttest.Network) {
		a := start(t, network.At(addressA), addressA, "1")
		var b *node
		b = startWith(t, network.At(addressB), addressB, addressB+"/1", func(c *Config) {
			c.Receive = func(from placement.Name, records []byte) func() bool {
				time.Sleep(stallTimeout / 2)
				return b.receive(from, records)
			}
		})
		taken := 0
		for a.Send(b.name, addressB, noise(nil, uint64(taken), batchBytesMax), 1) {
			taken++
		}
		time.Sleep(ageMax + stallTimeout + handshakeTimeout)
		came, lost := b.count(a)
		if lost != 1 || came < 3 || came == taken {
			t.Errorf("of %d there come %d, with %d losses", taken, came, lost)
		}
		time.Sleep(20 * time.Second)
		b.inOrder(t, a, came, 1)
		if _, lost := a.count(b); lost != 1 || a.Stats().Dropped["broken"] == 0 {
			t.Errorf("the sender has %d losses, and counts %+v", lost, a.Stats())
		}
		a.must(t, b, taken)
		time.Sleep(stallTimeout)
		b.inOrder(t, a, came+1, 1)
	})
}

// However fast it is filled, a slow link holds no more than arrives in time.
func TestSlowLinkHoldsLittle(t *testing.T) {
	inBubble(t, func(t *testing.T, network *porttest.Network) {
		a := start(t, network.At(addressA), addressA, "1")
		began := time.Now()
		var oldest atomic.Int64 // ns
		var b *node
		b = startWith(t, network.At(addressB), addressB, addressB+"/1", func(c *Config) {
			c.Receive = func(_ placement.Name, records []byte) func() bool {
				time.Sleep(time.Duration(len(records)) * time.Second / 300_000) // so many bytes a second
				_, at := binary.Uvarint(records)
				sent := time.Duration(binary.BigEndian.Uint64(records[at:]))
				oldest.Store(max(oldest.Load(), int64(time.Since(began)-sent)))
				return nil
			}
		})
		for time.Since(began) < 20*time.Second {
			a.Send(b.name, addressB, noise(nil, uint64(time.Since(began)), 8<<10), 1)
			time.Sleep(5 * time.Millisecond)
		}
		synctest.Wait()
		s := a.Stats()
		if most := time.Duration(oldest.Load()); s.Broken > 0 || most > ageMax {
			t.Errorf("the oldest came after %v, with %d losses", most, s.Broken)
		}
		if s.Sent.RawBytes < 5<<20 || s.Untaken["full"] == 0 {
			t.Errorf("counted %+v", s)
		}
	})
}
