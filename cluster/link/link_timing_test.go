package link

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"hubsub/cluster/placement"
	"hubsub/cluster/port"
)

// endpoints are those of a link over loopback, whose Receive only counts.
type endpoints struct {
	a, b     *node
	received atomic.Int64 // records at b
	echo     bool
	back     chan struct{} // holds one: something has come back to a
}

func startEnds(b *testing.B, network port.Network, compression, echo bool) *endpoints {
	e := &endpoints{echo: echo, back: make(chan struct{}, 1)}
	e.a = startWith(b, network, "127.0.0.1:0", "a/1", func(c *Config) {
		c.NoCompression = !compression
		c.Receive = func(placement.Name, []byte) func() bool { e.back <- struct{}{}; return nil }
	})
	e.b = startWith(b, network, "127.0.0.1:0", "b/1", func(c *Config) {
		c.NoCompression = !compression
		c.Receive = func(_ placement.Name, records []byte) func() bool {
			n, _ := countRecords(records)
			e.received.Add(int64(n))
			if e.echo {
				e.b.Send("a/1", e.a.address, records, n)
			}
			return nil
		}
	})
	e.a.Send("b/1", e.b.address, record(nil, 0, 100), 1)
	if echo {
		<-e.back
	} else {
		eventually(b, func() bool { return e.received.Load() == 1 })
	}
	return e
}

// processorTime is what this process has used.
func processorTime() time.Duration {
	var u syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// What a record costs both ends together, as fast as the queue takes them.
func BenchmarkRecords(b *testing.B) {
	for _, compression := range []bool{false, true} {
		for _, each := range []int{1, 64} {
			b.Run(fmt.Sprintf("%d-at-a-time/s2=%v", each, compression), func(b *testing.B) {
				e := startEnds(b, nil, compression, false)
				var records []byte
				for i := range each {
					records = chat(records, i)
				}
				sent := int64(1)
				b.ReportAllocs()
				used, began := processorTime(), time.Now()
				for b.Loop() {
					for !e.a.Send("b/1", e.b.address, records, each) {
						time.Sleep(20 * time.Microsecond)
					}
					sent += int64(each)
				}
				for e.received.Load() < sent {
					time.Sleep(20 * time.Microsecond)
				}
				used = processorTime() - used
				took := time.Since(began).Seconds()
				n := float64(sent - 1)
				b.ReportMetric(n/took, "records/s")
				b.ReportMetric(float64(used.Nanoseconds())/n, "cpu-ns/record")
				b.ReportMetric(n*101/1e6/took, "MB/s")
				s := e.a.Stats()
				b.ReportMetric(float64(s.Sent.Records)/float64(s.Sent.Batches), "records/batch")
				b.ReportMetric(float64(s.Sent.RawBytes)/float64(s.Sent.CodedBytes), "raw/coded")
			})
		}
	}
}

// chat appends a record of 100 bytes as a room has them.
func chat(dst []byte, i int) []byte {
	text := fmt.Sprintf(`{"user":"u%07d","room":"lobby","at":%d,"text":"message number %d of the day`, i*7919%1e7, 1_700_000_000_000+i, i)
	dst = append(dst, 100)
	dst = append(dst, text...)
	for range 100 - len(text) {
		dst = append(dst, ' ')
	}
	return dst
}

// One record there and one back, and nothing else: half of it is one hop.
func BenchmarkPingPong(b *testing.B) {
	b.Run("caller-writes", func(b *testing.B) { benchmarkPingPong(b, nil) })
	b.Run("writer-writes", func(b *testing.B) { benchmarkPingPong(b, withoutDescriptors{}) })
}

func benchmarkPingPong(b *testing.B, network port.Network) {
	e := startEnds(b, network, true, true)
	ping := record(nil, 1, 100)
	b.ReportAllocs()
	used := processorTime()
	for b.Loop() {
		e.a.Send("b/1", e.b.address, ping, 1)
		<-e.back
	}
	b.ReportMetric(float64((processorTime()-used).Nanoseconds())/float64(b.N), "cpu-ns/op")
}

// withoutDescriptors is TCP for which the peers' threads write everything.
type withoutDescriptors struct{}

func (withoutDescriptors) Dial(ctx context.Context, address string) (net.Conn, error) {
	nc, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
	return struct{ net.Conn }{nc}, err
}

func (withoutDescriptors) Listen(address string) (net.Listener, error) {
	ln, err := net.Listen("tcp", address)
	return hidingListener{ln}, err
}

type hidingListener struct{ net.Listener }

func (l hidingListener) Accept() (net.Conn, error) {
	nc, err := l.Listener.Accept()
	return struct{ net.Conn }{nc}, err
}

// The same over a bare connection, with a thread that reads at each end.
func BenchmarkPingPongTCP(b *testing.B) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer ln.Close()
	near, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		b.Fatal(err)
	}
	defer near.Close()
	far, err := ln.Accept()
	if err != nil {
		b.Fatal(err)
	}
	defer far.Close()
	const size = headerBytes + 101
	go func() {
		m := make([]byte, size)
		for {
			if _, err := io.ReadFull(far, m); err != nil {
				return
			}
			far.Write(m)
		}
	}()
	back := make(chan struct{}, 1)
	go func() {
		m := make([]byte, size)
		for {
			if _, err := io.ReadFull(near, m); err != nil {
				return
			}
			back <- struct{}{}
		}
	}()
	ping := make([]byte, size)
	binary.BigEndian.PutUint64(ping, 1)
	used := processorTime()
	for b.Loop() {
		near.Write(ping)
		<-back
	}
	b.ReportMetric(float64((processorTime()-used).Nanoseconds())/float64(b.N), "cpu-ns/op")
}
