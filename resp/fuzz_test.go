package resp

import (
	"math/rand/v2"
	"strconv"
	"testing"
)

// FuzzParser checks that any stream comes out the same whole and in pieces, and (in read) what holds for every command.
func FuzzParser(f *testing.F) {
	for _, stream := range []string{
		array("PUBLISH", "room", "hello") + array("SUBSCRIBE", "a", "", "c"),
		"PING\r\nECHO \"a\\x41 b\" 'c\\'d' e\"f\"\n\r\n*0\r\n*-1\r\n",
		"*1\rX$4\rYPINGZW" + array("PING"),
		"*2\r\n$4\r\nECHO\r\n$17\r\nhello\r\n",
		"*5\r\n", "*1\r\nx\r\n", "*1\r\n$-1\r\n", "*01\r\n", "*1\x00\r\n", "P\x00\n", "ECHO \"\n", "*99999999999999999999\r\n",
	} {
		f.Add([]byte(stream), uint64(1), false)
		f.Add([]byte(stream), uint64(7), true)
	}
	f.Fuzz(func(t *testing.T, stream []byte, seed uint64, small bool) {
		lim := DefaultLimits()
		if small {
			lim = Limits{InlineMaxBytes: 24, MultibulkMax: 4, BulkMaxBytes: 16}
		}
		stream = stream[:min(len(stream), 2048)] // read copies what is pending for each piece
		random := rand.New(rand.NewPCG(seed, 0))
		want := read(t, string(stream), &lim, whole)
		largest := 1 + random.IntN(16)
		if got := read(t, string(stream), &lim, func() int { return 1 + random.IntN(largest) }); got != want {
			t.Errorf("%q\nwhole:     %s\nin pieces: %s", stream, want, got)
		}
	})
}

// FuzzParseInt checks that exactly those integers are read that Go would write the same way.
func FuzzParseInt(f *testing.F) {
	for _, s := range []string{"0", "-1", "-0", "+1", "007", "9223372036854775807", "-9223372036854775808", "9223372036854775808"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		want, err := strconv.ParseInt(string(b), 10, 64)
		canonical := err == nil && strconv.FormatInt(want, 10) == string(b)
		if n, ok := ParseInt(b); ok != canonical || ok && n != want {
			t.Errorf("ParseInt(%q) = %d, %v", b, n, ok)
		}
	})
}
