package resp

import (
	"strings"
	"testing"
)

func TestParseInt(t *testing.T) {
	f := func(s string, want int64, ok bool) {
		t.Helper()
		if n, got := ParseInt([]byte(s)); got != ok || ok && n != want {
			t.Errorf("ParseInt(%q) = %d, %v", s, n, got)
		}
	}
	f("0", 0, true)
	f("7", 7, true)
	f("-1", -1, true)
	f("10", 10, true)
	f("9223372036854775807", 1<<63-1, true)
	f("-9223372036854775808", -1<<63, true)
	for _, s := range []string{"", "-", "+1", "00", "01", "-0", "-01", " 1", "1 ", "1a", "a", "1\x00", "--1", "1/", "1:", "9223372036854775808",
		"-9223372036854775809", "9999999999999999999", "-9999999999999999999", "18446744073709551616", "10000000000000000000000"} {
		f(s, 0, false)
	}
}

func TestBulkLen(t *testing.T) {
	for _, n := range []int{0, 1, 9, 10, 99, 100, 12345} {
		if got, want := BulkLen(n), len(AppendBulk(nil, make([]byte, n))); got != want {
			t.Errorf("BulkLen(%d) = %d, want %d", n, got, want)
		}
	}
}

// What Again finds is what Next finds; what it does not is left to Next.
func TestAgain(t *testing.T) {
	first := array("PUBLISH", "room", "hello")
	f := func(next string, lim Limits, want int) {
		t.Helper()
		var cmd, second Command
		buf := []byte(first + next)
		if n, err := new(Parser).Next(buf, &cmd, &lim); n != len(first) || err != nil {
			t.Fatalf("Next: %d, %v", n, err)
		}
		got := cmd.Again(buf[len(first):], &lim)
		if got != want {
			t.Fatalf("Again(%q) = %d, want %d", next, got, want)
		}
		if got == 0 {
			return
		}
		if n, err := new(Parser).Next(buf[len(first):], &second, &lim); n != got || err != nil || len(second.Raw) != n {
			t.Errorf("Next(%q) = %d, %v, raw %q", next, n, err, second.Raw)
		}
	}
	whole := func(next string) { t.Helper(); f(next+array("PING"), DefaultLimits(), len(next)) }
	left := func(next string) { t.Helper(); f(next, DefaultLimits(), 0) }
	whole(array("PUBLISH", "room", "hello"))
	whole(array("PUBLISH", "room", ""))
	whole(array("PUBLISH", "room", strings.Repeat("x", 100_000)))
	whole(array("PUBLISH", "room", "$1\r\nx\r\n"))
	left("")
	left(array("PUBLISH", "rooms", "hello"))
	left(array("publish", "room", "hello"))
	left(array("PUBLISH", "roof", "hello"))
	left(array("PUBLISH", "room", "hello", "more"))
	next := array("PUBLISH", "room", "hello")
	for n := range next {
		left(next[:n])
	}
	left(strings.Replace(next, "hello\r\n", "hello\rX", 1))
	left(strings.Replace(next, "hello\r\n", "helloX\n", 1))
	left(strings.Replace(next, "$5\r\nhello", "$5\rXhello", 1))
	left(strings.Replace(next, "$5\r\nhello", "$05\r\nhello", 1))
	left(strings.Replace(next, "$5\r\nhello", "$-1\r\nhello", 1))
	left(strings.Replace(next, "$5\r\nhello", "*5\r\nhello", 1))
	small := DefaultLimits()
	small.BulkMaxBytes = 7
	f(array("PUBLISH", "room", "1234567"), small, len(array("PUBLISH", "room", "1234567")))
	f(array("PUBLISH", "room", "12345678"), small, 0)
}
