package control

import (
	"testing"
	"time"

	"hubsub/cluster/placement"
)

func BenchmarkEncode(b *testing.B) {
	m := placement.Message(placement.Reserve{Attempt: placement.Attempt{Number: 12345}, Room: "a-room-of-some-length"})
	var f frames
	b.ReportAllocs()
	for b.Loop() {
		if f.add(m); len(f) > 64<<10 {
			f = f[:0]
		}
	}
}

func BenchmarkDecode(b *testing.B) {
	var f frames
	f.add(placement.Reserve{Attempt: placement.Attempt{Number: 12345}, Room: "a-room-of-some-length"})
	b.ReportAllocs()
	for b.Loop() {
		if _, err := decode(f[headerBytes:]); err != nil {
			b.Fatal(err)
		}
	}
}

// What one message costs from Send to Receive, over a real connection.
func BenchmarkSend(b *testing.B) {
	from, to := start(b, nil, "127.0.0.1:0", "1"), start(b, nil, "127.0.0.1:0", "1")
	to.name = "to/1"
	m := placement.Message(placement.Reserve{Attempt: placement.Attempt{Number: 12345}, Room: "a-room-of-some-length"})
	b.ReportAllocs()
	sent := int64(0)
	for b.Loop() {
		from.Send("to/1", to.port.Address(), m)
		if sent++; sent%10_000 == 0 { // an outbox has its limit
			for to.Stats().Received < sent {
				time.Sleep(100 * time.Microsecond)
			}
		}
	}
	for to.Stats().Received < sent {
		time.Sleep(100 * time.Microsecond)
	}
}
