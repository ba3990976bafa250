package resp

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

// publish gives one PUBLISH as clients send it.
func publish(channel string, size int) string {
	return array("PUBLISH", channel, strings.Repeat("x", size))
}

func BenchmarkNext(b *testing.B) {
	for _, c := range []struct{ name, command string }{
		{"publish64", publish("room", 64)},
		{"publish16", publish("room:12345", 16)},
		{"publish1000", publish("room:12345", 1000)},
		{"subscribe", array("SUBSCRIBE", "room:12345")},
		{"ping", array("PING")},
		{"inline", "PUBLISH room hello\r\n"},
	} {
		b.Run(c.name, func(b *testing.B) {
			const pipelined = 64
			stream := []byte(strings.Repeat(c.command, pipelined))
			lim := DefaultLimits()
			var p Parser
			var cmd Command
			b.SetBytes(int64(len(c.command)))
			b.ReportAllocs()
			rest := stream
			for b.Loop() {
				n, err := p.Next(rest, &cmd, &lim)
				if n == 0 || err != nil {
					b.Fatal(n, err)
				}
				if rest = rest[n:]; len(rest) == 0 {
					rest = stream
				}
			}
		})
	}
}

// BenchmarkNextInPieces is one large argument that arrives in reads of 64 KiB: the time per byte must not grow with its size.
func BenchmarkNextInPieces(b *testing.B) {
	for _, size := range []int{1 << 20, 16 << 20, 128 << 20} {
		b.Run(fmt.Sprintf("%dMiB", size>>20), func(b *testing.B) {
			stream := []byte(publish("room", size))
			lim := DefaultLimits()
			var p Parser
			var cmd Command
			b.SetBytes(int64(len(stream)))
			b.ReportAllocs()
			for b.Loop() {
				n := 0
				for have := 64 << 10; n == 0; have += 64 << 10 {
					n, _ = p.Next(stream[:min(have, len(stream))], &cmd, &lim)
				}
			}
		})
	}
}

func BenchmarkAppend(b *testing.B) {
	room := []byte("room:12345")
	for _, c := range []struct {
		name string
		to   func(dst []byte) []byte
	}{
		{"int/1", func(dst []byte) []byte { return AppendInt(dst, 1) }},
		{"int/1000", func(dst []byte) []byte { return AppendInt(dst, 1000) }},
		{"bulk", func(dst []byte) []byte { return AppendBulk(dst, room) }},
		{"confirmation", func(dst []byte) []byte {
			w := Writer{Buf: dst}
			w.Push(3)
			w.BulkString("subscribe")
			w.Bulk(room)
			w.Int(12)
			return w.Buf
		}},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			buf := make([]byte, 0, 256)
			for b.Loop() {
				buf = c.to(buf[:0])
			}
			if len(bytes.TrimSpace(buf)) == 0 {
				b.Fatal("nothing appended")
			}
		})
	}
}
