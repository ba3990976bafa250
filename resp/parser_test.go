package resp

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"unsafe"
)

// array gives words as the command that client libraries send.
func array(words ...string) string {
	s := "*" + strconv.Itoa(len(words)) + "\r\n"
	for _, word := range words {
		s += "$" + strconv.Itoa(len(word)) + "\r\n" + word + "\r\n"
	}
	return s
}

// read parses stream, of which piece bytes arrive at a time, and tells what came of it: each command as its quoted words between
// brackets (raw ones as <…>, those without Raw as […]), then "…" if a command is incomplete, or the error.
//
// Each call of Next sees the bytes in another array, the earlier one is overwritten, and the parser is moved while a command is
// incomplete: whatever it kept by pointer would come out wrong.
func read(t *testing.T, stream string, lim *Limits, piece func() int) string {
	t.Helper()
	var said []string
	var cmd Command
	p := new(Parser)
	pending := ""
	for len(stream) > 0 {
		n := min(piece(), len(stream))
		pending, stream = pending+stream[:n], stream[n:]
		for {
			buf := []byte(pending)
			n, err := p.Next(buf, &cmd, lim)
			if err != nil {
				if _, ok := err.(*ProtocolError); !ok || n != 0 {
					t.Fatalf("%q: n = %d, err = %#v", pending, n, err)
				}
				return strings.Join(append(said, err.Error()), " ")
			}
			if n == 0 {
				if p.Idle() != (pending == "") {
					t.Fatalf("%q: Idle() = %v", pending, p.Idle())
				}
				for i := range buf {
					buf[i] = '!'
				}
				moved := *p
				*p = Parser{pos: -1, seen: -1, args: -1, size: -1, body: true, mute: true}
				p = &moved
				break
			}
			said = append(said, describe(t, &cmd, pending[:n]))
			if !p.Idle() {
				t.Fatalf("%q: not idle after a command", pending)
			}
			pending = pending[n:]
		}
	}
	if !p.Idle() {
		said = append(said, "…")
	}
	return strings.Join(said, " ")
}

// describe gives a command as read shows it, and checks that Raw is there exactly if it is the array of Args.
func describe(t *testing.T, cmd *Command, received string) string {
	t.Helper()
	var words []string
	for _, arg := range cmd.Args {
		words = append(words, string(arg))
		if len(arg) != cap(arg) {
			t.Fatalf("%q: appending to %q would overwrite what follows it", received, arg)
		}
	}
	sound := len(words) > 0 && array(words...) == received
	if sound != (cmd.Raw != nil) || sound && string(cmd.Raw) != received {
		t.Fatalf("%q: Raw = %q", received, cmd.Raw)
	}
	s := strings.Trim(fmt.Sprintf("%q", words), "[]")
	if cmd.Raw != nil {
		return "<" + s + ">"
	}
	return "[" + s + "]"
}

func whole() int { return 1 << 30 }

// reads gives a function that states a fact: a stream comes out as want, whole and in pieces of any size.
func reads(t *testing.T, lim Limits) func(stream, want string) {
	random := rand.New(rand.NewPCG(1, 2))
	return func(stream, want string) {
		t.Helper()
		pieces := map[string]func() int{"whole": whole}
		if len(stream) < 1000 {
			pieces["byte by byte"] = func() int { return 1 }
			pieces["by three"] = func() int { return 3 }
			pieces["at random"] = func() int { return 1 + random.IntN(20) }
		} else {
			pieces["in reads"] = func() int { return 16 << 10 }
			pieces["at random"] = func() int { return 1 + random.IntN(32<<10) }
		}
		for name, piece := range pieces {
			if got := read(t, stream, &lim, piece); got != want {
				t.Errorf("%s, %.60q:\n got %.200s\nwant %.200s", name, stream, got, want)
			}
		}
	}
}

func TestArray(t *testing.T) {
	f := reads(t, DefaultLimits())

	f("*1\r\n$4\r\nPING\r\n", `<"PING">`)
	f("*3\r\n$7\r\nPUBLISH\r\n$4\r\nroom\r\n$2\r\nhi\r\n", `<"PUBLISH" "room" "hi">`)
	f("*2\r\n$4\r\nECHO\r\n$0\r\n\r\n", `<"ECHO" "">`)
	f("*1\r\n$0\r\n\r\n", `<"">`)
	f("*2\r\n$4\r\nECHO\r\n$11\r\n\r\n\x00*1\r\n$4\r\n\r\n", `<"ECHO" "\r\n\x00*1\r\n$4\r\n">`)
	f(array("PING")+array("ECHO", "a")+"PING\r\n"+array("PING"), `<"PING"> <"ECHO" "a"> ["PING"] <"PING">`)
	f(array(strings.Fields(strings.Repeat("abc ", 120))...), "<"+strings.TrimSpace(strings.Repeat(`"abc" `, 120))+">")
	f(array("ECHO", strings.Repeat("x", 100000)), `<"ECHO" "`+strings.Repeat("x", 100000)+`">`)

	// Counts that are not positive are commands without words.
	f("*0\r\n"+array("PING")+"*0\r\n", `[] <"PING"> []`)
	f("*-1\r\n"+array("PING"), `[] <"PING">`)
	f("*-9223372036854775808\r\n"+array("PING"), `[] <"PING">`)

	// Nobody looks at the byte after '\r' nor at the two after an argument. Such a command is not passed on raw.
	f(array("PING")+"*1\rX$4\rYPINGZW"+array("PING"), `<"PING"> ["PING"] <"PING">`)
	f("*1\rX$4\r\nPING\r\n", `["PING"]`)
	f("*1\r\n$4\rYPING\r\n", `["PING"]`)
	f("*1\r\n$4\r\nPINGZ\n", `["PING"]`)
	f("*1\r\n$4\r\nPING\rW", `["PING"]`)
	f("*2\r\n$4\r\nECHO\n\r$1\r\na\r\n", `["ECHO" "a"]`)
	f("*2\r\r$4\r\rECHO\r\r$1\r\ra\r\r", `["ECHO" "a"]`)
	f("*1\r*$4\r$PING*1"+array("PING"), `["PING"] <"PING">`)
	f("*0\r\x00"+array("PING"), `[] <"PING">`)
}

func TestIncomplete(t *testing.T) {
	f := reads(t, DefaultLimits())

	f("", "")
	full := array("PUBLISH", "room", "hello world")
	for n := 1; n < len(full); n++ {
		f(full[:n], "…")
		f("PING\n"+full[:n], `["PING"] …`)
	}
	f("PUBLISH room hello", "…")
	f("PUBLISH room hello\r", "…")
	f("*1\n$4\n", "…")
	f("*1\r\nx4\n", "…")
	f("*1\r\nx4\r", "…")
	f("*2147483647\r\n$536870912\r\n", "…")
}

func TestArrayRefused(t *testing.T) {
	f := reads(t, DefaultLimits())

	const count = "Protocol error: invalid multibulk length"
	for _, n := range []string{"", "a", "-", "+1", "01", "-01", "00", "-0", " 1", "1 ", "1\n", "1.0", "0x1", "1\xb2", "\x7f", "1/", "1:",
		"2147483648", "-9223372036854775809", "9223372036854775807", "9223372036854775808", "18446744073709551617", "99999999999999999999999"} {
		f("*"+n+"\r\n", count)
		f(array("PING")+"*"+n+"\r\n"+array("PING"), `<"PING"> `+count)
	}
	f("*1\n$4\r\nPING\r\n", count)
	f("*1$4\r\nPING\r\n", count)

	const length = "Protocol error: invalid bulk length"
	for _, n := range []string{"", "a", "-", "-1", "+4", "04", "-0", "4 ", " 4", "4\n", "536870913", "9223372036854775807", "9223372036854775808",
		"18446744073709551620", "340282366920938463463374607431768211460", "99999999999999999999999"} {
		f("*1\r\n$"+n+"\r\nPING\r\n", length)
		f("*2\r\n$4\r\nECHO\r\n$"+n+"\r\nPING\r\n", length)
	}

	f("*1\r\nx4\r\n", "Protocol error: expected '$', got 'x'")
	f("*1\r\n*1\r\n", "Protocol error: expected '$', got '*'")
	f("*1\r\n'\r\n", "Protocol error: expected '$', got '''")
	f("*1\r\n\xff\r\n", "Protocol error: expected '$', got '\xff'")
	f("*1\r\n\r\n", "Protocol error: expected '$', got ' '")
	f("*1\r\n\n\r\n", "Protocol error: expected '$', got ' '")
	f("*1\r\nPING\r\n", "Protocol error: expected '$', got 'P'")
	f("*2\r\n$4\r\nECHOO\r\n$1\r\na\r\n", "Protocol error: expected '$', got ' '") // the '\n' after "ECHO", "O\r"
}

func TestLineLimit(t *testing.T) {
	f := reads(t, DefaultLimits())
	line := func(n int) string { return strings.Repeat("1", n) }

	const mbulk = "Protocol error: too big mbulk count string"
	f("*"+line(InlineMaxBytes-1), "…")
	f("*"+line(InlineMaxBytes-1)+"\r\n", "Protocol error: invalid multibulk length")
	f("*"+line(InlineMaxBytes), mbulk)
	f("*"+line(InlineMaxBytes)+"\r\n", mbulk)

	const bulk = "Protocol error: too big bulk count string"
	f("*1\r\n$"+line(InlineMaxBytes-1), "…")
	f("*1\r\n$"+line(InlineMaxBytes-1)+"\r\n", "Protocol error: invalid bulk length")
	f("*1\r\n$"+line(InlineMaxBytes), bulk)
	f("*1\r\n$"+line(InlineMaxBytes)+"\r\n", bulk)
	f("*1\r\nx"+line(InlineMaxBytes), bulk)
	f("*2\r\n$4\r\nECHO\r\n$"+line(InlineMaxBytes-1), "…")
	f("*2\r\n$4\r\nECHO\r\n$"+line(InlineMaxBytes), bulk)

	const inline = "Protocol error: too big inline request"
	f(line(InlineMaxBytes), "…")
	f(line(InlineMaxBytes)+"\n", `["`+line(InlineMaxBytes)+`"]`)
	f(line(InlineMaxBytes+1), inline)
	f(line(InlineMaxBytes+1)+"\n", inline)
	f("PING\r\n"+line(InlineMaxBytes+1), `["PING"] `+inline)

	// A NUL byte hides the end of its line.
	f("PI\x00NG\r\n"+array("PING"), "…")
	f("PING \"a\"\x00\r\n"+array("PING"), "…")
	f("*1\x00\r\n$4\r\nPING\r\n", "…")
	f("*1\r\n$4\x00\r\nPING\r\n", "…")
	f("*1\r\n\x00\r\n", "…")
	f("a\x00\n"+line(InlineMaxBytes-3), "…")
	f("a\x00\n"+line(InlineMaxBytes-2), inline)
	f("*1\x00\r\n"+line(InlineMaxBytes-5), "…")
	f("*1\x00\r\n"+line(InlineMaxBytes-4), mbulk)
	f("*1\r\n$4\x00\r\n"+line(InlineMaxBytes-5), "…")
	f("*1\r\n$4\x00\r\n"+line(InlineMaxBytes-4), bulk)
	f("PING\n\x00\n", `["PING"] …`)
}

func TestLimits(t *testing.T) {
	f := reads(t, DefaultLimits().BeforeAuth())
	f(array(strings.Fields("HELLO 3 AUTH user pass SETNAME name 8 9 10")...), `<"HELLO" "3" "AUTH" "user" "pass" "SETNAME" "name" "8" "9" "10">`)
	f("*11\r\n", "Protocol error: unauthenticated multibulk length")
	f("*2147483648\r\n", "Protocol error: invalid multibulk length")
	f("*1\r\n$16384\r\n", "…")
	f("*1\r\n$16385\r\n", "Protocol error: unauthenticated bulk length")
	f("*1\r\n$536870913\r\n", "Protocol error: invalid bulk length")
	f("*1\r\n$-1\r\n", "Protocol error: invalid bulk length")
	f(array("AUTH", strings.Repeat("x", 16385)), "Protocol error: unauthenticated bulk length")
	f(array(strings.Fields(strings.Repeat("x ", 11))...), "Protocol error: unauthenticated multibulk length")
	f(strings.Repeat("x ", 11)+"\n", `["x" "x" "x" "x" "x" "x" "x" "x" "x" "x" "x"]`)

	f = reads(t, Limits{InlineMaxBytes: 30, MultibulkMax: 3, BulkMaxBytes: 5})
	f(array("a", "bcdef", ""), `<"a" "bcdef" "">`)
	f(array("a", "b", "c", "d"), "Protocol error: invalid multibulk length")
	f(array("a", "bcdefg"), "Protocol error: invalid bulk length")
	f(strings.Repeat("x", 31), "Protocol error: too big inline request")

	f = reads(t, Limits{InlineMaxBytes: 1<<63 - 1, MultibulkMax: 1<<63 - 1, BulkMaxBytes: 1<<63 - 1})
	f("*9223372036854775807\r\n$9223372036854775807\r\nabc", "…")
	f("*2\r\n$3\r\nabc\r\n$9223372036854775806\r\nabc", "…")
	f(array("PING"), `<"PING">`)

	f = reads(t, Limits{})
	f("*1\r\n", "Protocol error: too big mbulk count string")
	f("PING\r\n", "Protocol error: too big inline request")
}

func TestAcceptedLengthStaysAccepted(t *testing.T) {
	stream := []byte(array("ECHO", "hello"))
	for cut := len(stream) - 5; cut < len(stream); cut++ {
		var p Parser
		var cmd Command
		lim := DefaultLimits()
		if n, err := p.Next(stream[:cut], &cmd, &lim); n != 0 || err != nil {
			t.Fatal(n, err)
		}
		lim.BulkMaxBytes, lim.MultibulkMax = 1, 1
		if n, err := p.Next(stream, &cmd, &lim); n != len(stream) || err != nil || string(cmd.Raw) != string(stream) {
			t.Errorf("cut at %d: %d, %v, %q", cut, n, err, cmd.Raw)
		}
	}
}

// Bytes that were looked at are overwritten with bytes that would end the line or break the array: only a parser that looks again
// would see them.
func TestEachByteIsLookedAtOnce(t *testing.T) {
	lim := DefaultLimits()
	var cmd Command

	var p Parser
	line := []byte("PUBLISH room hello\r\n")
	for n := 1; n < len(line); n++ {
		buf := append(bytes.Repeat([]byte{'\n'}, n-1), line[n-1])
		buf[0] = line[0] // decides each time that this is no array
		if got, err := p.Next(buf, &cmd, &lim); got != 0 || err != nil {
			t.Fatalf("inline, %d bytes: looked back (%d, %v)", n, got, err)
		}
	}
	if n, err := p.Next(line, &cmd, &lim); n != len(line) || err != nil || len(cmd.Args) != 3 {
		t.Fatalf("inline: %d, %v, %q", n, err, cmd.Args)
	}

	full := []byte(array(strings.Fields(strings.Repeat("abc ", 100))...))
	const argument = len("$3\r\nabc\r\n")
	for n := len("*100\r\n"); n < len(full); n += argument {
		buf := bytes.Repeat([]byte{'x'}, n)
		added := max(0, n-argument)
		copy(buf[added:], full[added:n])
		buf[0] = full[0]
		if got, err := p.Next(buf, &cmd, &lim); got != 0 || err != nil {
			t.Fatalf("array, %d bytes: looked back (%d, %v)", n, got, err)
		}
	}
	if n, err := p.Next(full, &cmd, &lim); n != len(full) || err != nil || len(cmd.Args) != 100 {
		t.Fatalf("array: %d, %v, %d words", n, err, len(cmd.Args))
	}
}

func TestReset(t *testing.T) {
	lim := DefaultLimits()
	var cmd Command
	for _, begun := range []string{"*", "*1\r\n$4", "*1\r\n$4\r\nPI", "PI", "P\x00"} {
		var p Parser
		if n, err := p.Next([]byte(begun), &cmd, &lim); n != 0 || err != nil || p.Idle() {
			t.Fatalf("%q: %d, %v, idle %v", begun, n, err, p.Idle())
		}
		p.Reset()
		if !p.Idle() {
			t.Errorf("%q: not idle after Reset", begun)
		}
		if n, err := p.Next([]byte("QUIT\r\n"), &cmd, &lim); n != 6 || err != nil {
			t.Errorf("%q: after Reset %d, %v", begun, n, err)
		}
	}
}

func TestNothingIsAllocatedForAnnouncements(t *testing.T) {
	lim := DefaultLimits()
	cmd := Command{Args: make([][]byte, 0, 4)}
	f := func(stream string) {
		t.Helper()
		buf := []byte(stream)
		allocs := testing.AllocsPerRun(100, func() {
			var p Parser
			for n := range len(buf) {
				if n, err := p.Next(buf[:n+1], &cmd, &lim); n != 0 || err != nil {
					t.Fatal(n, err)
				}
			}
		})
		if allocs != 0 || cap(cmd.Args) != 4 {
			t.Errorf("%q: %v allocations, room for %d words", stream, allocs, cap(cmd.Args))
		}
	}
	f("*2147483647\r\n")
	f("*2147483647\r\n$3\r\nabc\r\n$536870912\r\nabc")
	f("*3\r\n$536870912\r\n")
}

func TestHotPathAllocatesNothing(t *testing.T) {
	lim := DefaultLimits()
	var p Parser
	var cmd Command
	f := func(command string) {
		t.Helper()
		stream := []byte(strings.Repeat(command, 10))
		allocs := testing.AllocsPerRun(100, func() {
			for rest := stream; len(rest) > 0; {
				n, err := p.Next(rest, &cmd, &lim)
				if n == 0 || err != nil {
					t.Fatal(n, err)
				}
				rest = rest[n:]
			}
		})
		if allocs != 0 || cap(cmd.unquoted) > 64 {
			t.Errorf("%.40q: %v allocations, %d bytes for quoted words", command, allocs, cap(cmd.unquoted))
		}
	}
	f(array("PUBLISH", "room", strings.Repeat("x", 64)))
	f(array("SUBSCRIBE", "a", "b", "c", "d", "e"))
	f("*1\rX$4\rYPINGZW")
	f("*0\r\n")
	f("PUBLISH room \"hello world\" 'it\\'s'\r\n")
	f("\r\n")
}

// It is copied when a command stays incomplete.
func TestParserIsFiveWords(t *testing.T) {
	if size := unsafe.Sizeof(Parser{}); size > 40 {
		t.Errorf("%d bytes", size)
	}
}
