package resp

import "testing"

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
