package resp

import (
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
)

func TestWriter(t *testing.T) {
	f := func(write func(w *Writer), resp2, resp3 string) {
		t.Helper()
		for i, want := range []string{resp2, resp3} {
			w := Writer{Buf: []byte("before"), V3: i == 1}
			write(&w)
			if got := string(w.Buf); got != "before"+want {
				t.Errorf("RESP%d: got %q, want %q", i+2, got, "before"+want)
			}
		}
	}
	same := func(write func(w *Writer), want string) {
		t.Helper()
		f(write, want, want)
	}

	same(func(w *Writer) { w.Int(0) }, ":0\r\n")
	same(func(w *Writer) { w.Int(9) }, ":9\r\n")
	same(func(w *Writer) { w.Int(10) }, ":10\r\n")
	same(func(w *Writer) { w.Int(99) }, ":99\r\n")
	same(func(w *Writer) { w.Int(100) }, ":100\r\n")
	same(func(w *Writer) { w.Int(-1) }, ":-1\r\n")
	same(func(w *Writer) { w.Int(math.MaxInt64) }, ":9223372036854775807\r\n")
	same(func(w *Writer) { w.Int(math.MinInt64) }, ":-9223372036854775808\r\n")
	same(func(w *Writer) { w.Bulk(nil) }, "$0\r\n\r\n")
	same(func(w *Writer) { w.Bulk([]byte("a\r\nb")) }, "$4\r\na\r\nb\r\n")
	same(func(w *Writer) { w.BulkString("hello world") }, "$11\r\nhello world\r\n")
	same(func(w *Writer) { w.BulkString(strings.Repeat("x", 100)) }, "$100\r\n"+strings.Repeat("x", 100)+"\r\n")
	same(func(w *Writer) { w.Simple("PONG") }, "+PONG\r\n")
	same(func(w *Writer) { w.OK() }, "+OK\r\n")
	same(func(w *Writer) { w.Array(0) }, "*0\r\n")
	same(func(w *Writer) { w.Array(12) }, "*12\r\n")
	same(func(w *Writer) { w.Array(123456) }, "*123456\r\n")
	same(func(w *Writer) { w.Raw([]byte("*0\r\n")) }, "*0\r\n")

	f(func(w *Writer) { w.Map(7) }, "*14\r\n", "%7\r\n")
	f(func(w *Writer) { w.Set(3) }, "*3\r\n", "~3\r\n")
	f(func(w *Writer) { w.Push(3) }, "*3\r\n", ">3\r\n")
	f(func(w *Writer) { w.Null() }, "$-1\r\n", "_\r\n")
	f(func(w *Writer) { w.NullArray() }, "*-1\r\n", "_\r\n")
	f(func(w *Writer) { w.Bool(true) }, ":1\r\n", "#t\r\n")
	f(func(w *Writer) { w.Bool(false) }, ":0\r\n", "#f\r\n")
	f(func(w *Writer) { w.Double(3.5) }, "$3\r\n3.5\r\n", ",3.5\r\n")
	f(func(w *Writer) { w.Double(math.Inf(1)) }, "$3\r\ninf\r\n", ",inf\r\n")
	f(func(w *Writer) { w.Double(math.Inf(-1)) }, "$4\r\n-inf\r\n", ",-inf\r\n")
	f(func(w *Writer) { w.Double(math.NaN()) }, "$3\r\nnan\r\n", ",nan\r\n")
	f(func(w *Writer) { w.Verbatim("txt", "a\nb") }, "$3\r\na\nb\r\n", "=7\r\ntxt:a\nb\r\n")
	f(func(w *Writer) { w.Push(3); w.BulkString("subscribe"); w.Null(); w.Int(0) },
		"*3\r\n$9\r\nsubscribe\r\n$-1\r\n:0\r\n", ">3\r\n$9\r\nsubscribe\r\n_\r\n:0\r\n")
}

func TestError(t *testing.T) {
	f := func(s, want string) {
		t.Helper()
		w := Writer{Buf: []byte("a\r\n")}
		w.Error(s)
		if got := string(w.Buf); got != "a\r\n"+want {
			t.Errorf("Error(%q) = %q, want %q", s, got, want)
		}
	}
	f("ERR no such thing", "-ERR no such thing\r\n")
	f("ERR unknown command 'a\r\nb'", "-ERR unknown command 'a  b'\r\n")
	f("ERR a\nb\r\n\n", "-ERR a b\r\n")
	f("\r\nERR", "-  ERR\r\n")
	f("", "-\r\n")
	f("ERR "+errNoBulk('\n').Error(), "-ERR Protocol error: expected '$', got ' '\r\n")
}

// A double has 17 significant digits. The texts are answers of Redis 7.0.15 (ZSCORE).
func TestDouble(t *testing.T) {
	f := func(d float64, want string) {
		t.Helper()
		if got := string(AppendDouble3(nil, d)); got != ","+want+"\r\n" {
			t.Errorf("%v: got %q, want %q", d, got, want)
		}
	}
	f(0, "0")
	f(3, "3")
	f(0.1, "0.10000000000000001")
	f(-1e-7, "-9.9999999999999995e-08")
	f(1e300, "1.0000000000000001e+300")
	f(100000, "100000")
	f(1e16, "10000000000000000")
	f(1e17, "1e+17")
	f(123456789012345678, "1.2345678901234568e+17")
	f(0.0001, "0.0001")
	f(0.00001, "1.0000000000000001e-05")
	f(-2.2250738585072014e-308, "-2.2250738585072014e-308")

	random := rand.New(rand.NewPCG(5, 6))
	for range 1000 {
		d := math.Float64frombits(random.Uint64())
		if math.IsNaN(d) || math.IsInf(d, 0) {
			continue
		}
		if back, err := strconv.ParseFloat(string(appendFloat(nil, d)), 64); back != d || err != nil {
			t.Errorf("%v comes back as %v, %v", d, back, err)
		}
	}
}

func TestAppendArrayHead(t *testing.T) {
	for _, n := range []int{0, 1, 9, 10, 11, 19, 90, 99, 100, 101, 999, 1000, 12345, math.MaxInt64} {
		if got, want := string(AppendArray([]byte("n="), n)), "n=*"+strconv.Itoa(n)+"\r\n"; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestWritingAllocatesNothing(t *testing.T) {
	w := Writer{Buf: make([]byte, 0, 4096)}
	room := []byte("room:12345")
	for _, v3 := range []bool{false, true} {
		allocs := testing.AllocsPerRun(100, func() {
			w.Buf, w.V3 = w.Buf[:0], v3
			w.Push(3)
			w.BulkString("subscribe")
			w.Bulk(room)
			w.Int(1234)
			w.Map(2)
			w.Null()
			w.Bool(true)
			w.Double(0.1)
			w.Verbatim("txt", "text")
			w.Error("ERR no such thing")
		})
		if allocs != 0 {
			t.Errorf("V3 %v: %v allocations", v3, allocs)
		}
	}
}
